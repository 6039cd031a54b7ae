"""Rows of a run that is given up which readers see already: the next run appends them once more."""

import shlex
from collections.abc import Iterator

from birchtar.lake.delta_log_names import local_version_of, newest_local
from birchtar.lake.label import Label
from birchtar.lake.paths import is_local, local
from birchtar.lake.staged_files import files_in_place
from birchtar.state.publishing import RunOutput


def already_there(output: RunOutput) -> Iterator[str]:
    """Yield what to tell of an output that is not known to be published: what is there of it, and how to take it out.

    Only of what is appended to a local table: what replaces rows comes twice to no harm, and elsewhere it takes Spark
    to look. Starts no Spark.
    """
    if output.plan["sink"]["mode"] != "append" or not is_local(output.plan["path"]):
        return
    if output.format == "delta":
        yield from _committed(output)
    elif there := files_in_place(output.plan["staged"]):
        table = shlex.quote(local(output.plan["staged"]["path"]))
        yield (
            f"{output.output}: {len(there):,} of its {output.files:,} files are in the table already, so that their"
            f" rows will be there twice. Delete these before the next run: find {table} -name"
            f" '*{output.plan['staged']['write']}*'"
        )


def _committed(output: RunOutput) -> Iterator[str]:
    path, label = output.plan["path"], Label(**output.plan["label"])
    version = local_version_of(path, label, output.plan["staged"]["base"])
    if version is None:
        return
    yield (
        f"{output.output}: its rows are in the table already, by version {version}, so that they will be there twice."
    )
    if 0 < version == newest_local(path):
        restore = f"RESTORE TABLE delta.`{local(path)}` TO VERSION AS OF {version - 1}"
        yield f"Take them out before the next run, by SQL: {restore}"
    else:
        yield "Delete them by SQL before the next run."
