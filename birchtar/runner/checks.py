"""What a job's inputs and outputs may not say although each value by itself is right."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from birchtar.lake import sink, source
from birchtar.lake.errors import LakeError
from birchtar.lake.globs import fits, is_glob
from birchtar.lake.paths import covers, exists, is_local, local
from birchtar.lake.sink import COMPRESSION_NAMES, Sink
from birchtar.lake.source import CONFLICT_FORMATS, TEXT_FORMATS, WHOLE_FORMATS, Source
from birchtar.runner.bookmark_checks import in_bookmark, in_database
from birchtar.runner.complaints import Complaint
from birchtar.runner.document import Location
from birchtar.runner.queries import is_type
from birchtar.runner.spec import LONGEST_NAME, Job
from transforms.errors import PathSyntaxError, closest, say_known

NOWHERE = "\0"
"""Stands for a path that is wrong or missing while the rest is checked."""

_MERGING = ("merge", "scd2")
_FOR_SCD2 = {"valid_from", "valid_to", "is_current"}
_FOR_MERGING = {"keys", "order_by", "delete_when", *_FOR_SCD2}
_FOR_DELTA = {"replace_where", "schema_changes", "cluster_by", "zorder_by"}
OF_MODES = _FOR_MERGING | {"partitions_arrive_whole", "replace_where", "schema_changes"}
"""Keys of an output that go with some of its modes, and not with others."""

_TABLE_NAME = re.compile(r"[A-Za-z_]\w*")


def mistakes(job: Job, made: Collection[str] = ()) -> Iterator[Complaint]:
    """Yield what is wrong. Looks whether files are there, and opens none; those below ``made`` will be there."""
    yield from _in_names(job)
    for name, read in job.inputs.items():
        yield from _in_paths(("inputs", name), read, made)
        yield from _in_input(("inputs", name), read)
    for name, written in job.outputs.items():
        yield from _in_output(("outputs", name), written)
        if written.path != NOWHERE:
            yield from _in_place(job, name, written.path, written.format)


def too_long(name: str) -> str:
    """Return what is said of a name with more characters than a name may have."""
    return f"a name has at most {LONGEST_NAME} characters, this one has {len(name):,}: give it a shorter one."


def _in_names(job: Job) -> Iterator[Complaint]:
    for kind, entries in (("inputs", job.inputs), ("tables", job.tables)):
        for name in entries:
            if not _TABLE_NAME.fullmatch(name):
                yield Complaint((kind, name), f"`{name}` has to be letters, digits and underscores.", of_key=True)
    for kind, names in (("inputs", job.inputs), ("tables", job.tables), ("outputs", job.outputs)):
        for name in names:
            if len(name) > LONGEST_NAME:
                yield Complaint((kind, name), too_long(name), of_key=True)
    for name in job.inputs.keys() & job.tables.keys():
        yield Complaint(("tables", name), f"`{name}` is the name of an input already.", of_key=True)


def _in_paths(location: Location, read: Source, made: Collection[str]) -> Iterator[Complaint]:
    for position, path in enumerate(read.paths):
        if is_local(path) and not exists(path) and not any(covers(folder, path) for folder in made):
            inside = (position,) if isinstance(read.path, list) else ()
            yield Complaint((*location, "path", *inside), f"there is no file `{path}`. {_siblings(path)}")


def _in_input(location: Location, read: Source) -> Iterator[Complaint]:
    for column, kind in read.schema_.items() if isinstance(read.schema_, dict) else ():
        if not is_type(kind):
            yield Complaint((*location, "schema", column), f"`{kind}` is no type of Spark SQL.")
    for key in {"null_values", "header"} & read.model_fields_set if read.format != "csv" else ():
        yield Complaint((*location, key), f"`{key}` is for CSV only, not for {read.format}.", of_key=True)
    yield from _in_sensitive((*location, "sensitive"), read)
    yield from _in_found_types(location, read)
    if read.format == "xml" and read.row_tag is None:
        what = "XML needs `row_tag`, the name of the element that is a row: `row_tag: item` for <item>...</item>."
        yield Complaint(location, what, of_key=True)
    if read.format != "xml" and read.row_tag is not None:
        yield Complaint((*location, "row_tag"), f"`row_tag` is for XML only, not for {read.format}.", of_key=True)
    if "corrupt_files" in read.model_fields_set and read.format not in WHOLE_FORMATS:
        what = f"`corrupt_files` is for {', '.join(WHOLE_FORMATS)}, not for {read.format}."
        yield Complaint((*location, "corrupt_files"), what, of_key=True)
    yield from in_database(location, read)
    yield from in_bookmark(location, read)
    yield from _in_options((*location, "options"), read.options, source.own_options(read.format))


def _in_sensitive(location: Location, read: Source) -> Iterator[Complaint]:
    if not read.sensitive:
        return
    # It imports Spark's types, which commands on bookmarks and runs do without.
    from transforms.paths import parse_path

    names = list(read.schema_) if isinstance(read.schema_, dict) else []
    for position, said in enumerate(read.sensitive):
        try:
            outer = parse_path(said)[0]
        except PathSyntaxError as error:
            yield Complaint((*location, position), str(error))
            continue
        # What no name is near to may be a column of folders.
        if outer.lower() not in map(str.lower, names) and closest(outer, names):
            what = f"the schema has no field `{outer}`. {say_known(outer, names, kind='field')}"
            yield Complaint((*location, position), what)


def _in_found_types(location: Location, read: Source) -> Iterator[Complaint]:
    for key, value, formats, others in (
        ("sampling_ratio", read.sampling_ratio, TEXT_FORMATS, f"{read.format} knows its types."),
        ("conflicts", read.conflicts, CONFLICT_FORMATS, f"files of {read.format} have one schema."),
    ):
        if value is None:
            continue
        if read.format not in formats:
            yield Complaint((*location, key), f"`{key}` is for {', '.join(formats)}; {others}", of_key=True)
        elif read.schema_ is not None:
            what = f"`{key}` is for types that are found; beside a `schema` there are none to find."
            yield Complaint((*location, key), what, of_key=True)


def _in_output(location: Location, written: Sink) -> Iterator[Complaint]:
    known = COMPRESSION_NAMES[written.format]
    if written.compression is not None and written.compression not in known:
        what = f"{written.format} has no {written.compression} compression; it has {', '.join(known)}."
        yield Complaint((*location, "compression"), what)
    if written.mode == "overwrite_partitions" and not written.partition_by:
        yield Complaint((*location, "mode"), "`overwrite_partitions` needs `partition_by`.")
    if written.partitions_arrive_whole and written.mode != "overwrite_partitions":
        what = f"`partitions_arrive_whole` is for `mode: overwrite_partitions`, not for `{written.mode}`."
        yield Complaint((*location, "partitions_arrive_whole"), what, of_key=True)
    yield from _in_delta_keys(location, written)
    yield from _in_merge_keys(location, written)
    yield from _in_options((*location, "options"), written.options, sink.OWN_OPTIONS)


def _in_delta_keys(location: Location, written: Sink) -> Iterator[Complaint]:
    given = written.model_fields_set
    if written.format != "delta":
        if written.mode in _MERGING:
            yield Complaint((*location, "mode"), f"`{written.mode}` is for Delta only, not for {written.format}.")
        for key in sorted(_FOR_DELTA & given):
            if key != "schema_changes" or written.schema_changes != "fail":
                yield Complaint((*location, key), f"`{key}` is for Delta only, not for {written.format}.", of_key=True)
        return
    if written.replace_where is not None and written.mode != "overwrite":
        what = f"`replace_where` is for `mode: overwrite`, not for `{written.mode}`."
        yield Complaint((*location, "replace_where"), what, of_key=True)
    if written.schema_changes != "fail" and written.mode not in ("append", *_MERGING):
        what = f"`schema_changes` is for `append`, `merge` and `scd2`, not for `{written.mode}`."
        yield Complaint((*location, "schema_changes"), what, of_key=True)
    if written.cluster_by and written.partition_by:
        what = "a table has either `cluster_by` or `partition_by`."
        yield Complaint((*location, "cluster_by"), what, of_key=True)
    if written.cluster_by and written.zorder_by:
        what = "a table has either `cluster_by` or `zorder_by`."
        yield Complaint((*location, "zorder_by"), what, of_key=True)
    for name in sorted(set(written.zorder_by) & set(written.partition_by)):
        yield Complaint(
            (*location, "zorder_by"), f"`{name}` is in `partition_by`, so all rows of a file have one value."
        )


def _in_merge_keys(location: Location, written: Sink) -> Iterator[Complaint]:
    given = written.model_fields_set
    if written.mode not in _MERGING:
        for key in sorted(_FOR_MERGING & given):
            yield Complaint(
                (*location, key), f"`{key}` is for `merge` and `scd2`, not for `{written.mode}`.", of_key=True
            )
        return
    if not written.keys:
        yield Complaint((*location, "mode"), f"`{written.mode}` needs `keys`: the columns that name a row.")
    if written.order_by in written.keys:
        yield Complaint((*location, "order_by"), f"`{written.order_by}` is one of the keys.")
    if written.mode == "scd2" and written.order_by is None:
        yield Complaint((*location, "mode"), "`scd2` needs `order_by`: the time from which a row holds.")
    names = [written.valid_from, written.valid_to, written.is_current]
    if written.mode == "scd2" and len({name.lower() for name in names}) < len(names):
        yield Complaint((*location, "mode"), "`valid_from`, `valid_to` and `is_current` need three different names.")
    for key in sorted(_FOR_SCD2 & given) if written.mode == "merge" else ():
        yield Complaint((*location, key), f"`{key}` is for `scd2`, not for `merge`.", of_key=True)


_SECRET = re.compile(r"(?i)pass(word|code|phrase)|pwd|secret|token|(access|account)[._]?key")
"""A part of the names of options that hold what nobody may read."""


def _in_options(location: Location, options: Iterable[str], own: Mapping[str, str]) -> Iterator[Complaint]:
    for option in options:
        if instead := own.get(option.lower()):
            yield Complaint((*location, option), f"`{option}` is not yours to set: {instead}.", of_key=True)
        elif _SECRET.search(option):
            what = f"`{option}` is a secret: what stands here is kept with each run. Let the environment tell Spark, or"
            yield Complaint((*location, option), f"{what} a credentials file, or a profile in conf/spark.", of_key=True)


def _in_place(job: Job, name: str, path: str, form: str) -> Iterator[Complaint]:
    location: Location = ("outputs", name, "path")
    round_it = [other for other, written in job.outputs.items() if covers(written.path, path)]
    alike = [other for other in round_it if covers(path, job.outputs[other].path)]
    for other in round_it:
        if other not in alike:
            yield Complaint(location, f"`{path}` is a place inside the folder of the output `{other}`.")
    if alike[0] != name:
        yield Complaint(location, f"`{path}` is the place of the output `{alike[0]}`.")
    for input_name, read in job.inputs.items():
        if any(covers(path, place) or covers(place, path) or _finds(place, path, form) for place in read.paths):
            yield Complaint(location, f"`{path}` holds what the input `{input_name}` reads.")


def _finds(place: str, path: str, form: str) -> bool:
    """Tell whether a glob stands for the files of an output."""
    file = f"{path.rstrip('/')}/part-00000.{'parquet' if form == 'delta' else form}"
    try:
        return is_glob(place) and fits(*(local(each) if is_local(each) else each for each in (place, file)))
    except LakeError:
        return False  # no glob: that is told of the input


def _siblings(path: str) -> str:
    folder = Path(path).parent
    if not folder.is_dir():
        return f"There is no folder `{folder}` either."
    there = [entry.name for entry in folder.iterdir() if not entry.name.startswith(".")]
    return say_known(Path(path).name, there, kind="file")
