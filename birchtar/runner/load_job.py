"""From a file in conf/ to a job, without its steps, rules and queries: all that a command on inputs or outputs needs.

A step's function brings Spark's modules with it, which take longer to load than such a command to answer.
"""

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from birchtar.lake.sink import Sink
from birchtar.lake.source import Source
from birchtar.runner.bookmark_checks import OF_BOOKMARKS
from birchtar.runner.checks import NOWHERE, OF_MODES, mistakes
from birchtar.runner.complaints import complaints, names
from birchtar.runner.document import Document, Location, override, read_document
from birchtar.runner.problems import ConfigError
from birchtar.runner.spec import Job, Table
from transforms.errors import closest

_Part = TypeVar("_Part", Source, Table, Sink)


def load_job(path: str | Path, settings: Iterable[str] = ()) -> Job:
    """Read a job's config and check its inputs and outputs; `birchtar.runner.load.load` checks its tables too.

    Args:
        path: The YAML file.
        settings: Values that replace the file's, each as ``key.key=value``.

    Raises:
        ConfigError: With everything that was found wrong.
    """
    document = document_of(path, settings)
    job = job_in(document)
    if job is None or document.problems:
        raise ConfigError(document.problems)
    return job


def document_of(path: str | Path, settings: Iterable[str]) -> Document:
    """Return a config as it is written, with the settings in place of its own values.

    Raises:
        ConfigError: It is no YAML, or a setting has no place in it.
    """
    document = read_document(path)
    for setting in settings:
        override(document, setting)
    return document


def job_in(document: Document, made: Collection[str] = ()) -> Job | None:
    """Return the job in a document, without the parts that are wrong; what is wrong, the document tells then.

    Args:
        document: The config.
        made: Folders that will be there when the job runs.
    """
    value = document.value
    if not isinstance(value, dict):
        document.complain((), "a job is a mapping with the keys inputs, tables and outputs.")
        return None
    try:
        job = Job.model_validate(value)
    except ValidationError as error:
        complain_of(document, error, Job, ())
        # What is right is checked further, so that one mistake does not hide the others.
        job = Job.model_construct(
            inputs=_right_parts(Source, value.get("inputs"), path=[], format="json"),
            tables=_right_parts(Table, value.get("tables"), sql="VALUES (0)"),
            outputs=_right_parts(Sink, value.get("outputs"), path=NOWHERE, format="json"),
        )
    for found in mistakes(job, made):
        document.complain(found.location, found.what, of_key=found.of_key)
    return job


def complain_of(
    document: Document, error: ValidationError, model: type[BaseModel], at: Location, *, what: str = ""
) -> None:
    """Tell the document what pydantic found in the part of it that stands at a location."""
    below = {location[len(at) :] for location in document.values if location[: len(at)] == at}
    for said in complaints(error, model, below):
        document.complain((*at, *said.location), f"{what}{said.what}", of_key=said.of_key)


def _right_parts(model: type[_Part], said: Any, **placeholders: Any) -> dict[str, _Part]:
    """Return the entries of a part of the job without their mistakes; placeholders stand for what is then missing."""
    entries = {}
    for name, entry in (said if isinstance(said, dict) else {}).items():
        entry = dict(entry) if isinstance(entry, dict) else {}
        try:
            model.model_validate(entry)
            wrong = set()
        except ValidationError as error:
            wrong = {details["loc"][0] for details in error.errors()}
            if any(closest(str(key), names(model)) == "bookmark" for key in wrong):
                wrong.update(OF_BOOKMARKS)  # whether there is one is not known
        hides_mode = model is Sink and any(closest(str(key), names(model)) == "mode" for key in wrong)
        if hides_mode:
            wrong.update(OF_MODES)  # nor which of them go with it
        for key in wrong:
            entry.pop(key, None)
        if hides_mode:
            entry["mode"] = "append"  # with which nothing else is a mistake
        missing = [key for key in placeholders if wrong and key not in entry and "from" not in entry]
        # An input without a path is told by `checks`, if it is not one of a database.
        needed = {key: placeholders[key] for key in missing if key != "path" or key in wrong}
        entries[name] = model.model_validate(needed | entry)
    return entries
