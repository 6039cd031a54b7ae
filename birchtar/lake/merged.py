"""Parquet and ORC files of one source whose columns differ, as one frame with the columns of all."""

from collections.abc import Iterator
from functools import partial, reduce
from urllib.parse import unquote

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, DataType, MapType, StructType

from birchtar.lake.declared import as_declared
from birchtar.lake.errors import LakeError, SchemaMismatchError
from birchtar.lake.load import load
from birchtar.lake.source import Source

_FORMATS = ("orc", "parquet")
_MOST_NAMED = 5


def read_merged(spark: SparkSession, source: Source) -> DataFrame:
    """Return the rows of files or a table that know their types, with the columns that the source declares, or all.

    Of Parquet and ORC files that are all columns of all files, null where a file lacks one: a small Spark job reads the
    files' footers. The option mergeSchema, where the source has it, decides instead. Of Avro files the columns are
    those of one of them.

    Raises:
        SchemaMismatchError: A declared column is in no file.
        LakeError: A column has several types, and none is declared; or as `as_declared`.
    """
    if source.format not in _FORMATS or source.option("mergeSchema") is not None:
        return as_declared(load(spark, source), source)
    merging = source.model_copy(update={"options": source.options | {"mergeSchema": True}})
    try:
        return as_declared(load(spark, merging), source)
    except (PySparkException, Py4JJavaError) as error:
        if "CANNOT_MERGE" not in str(error):
            raise
    from birchtar.lake.schema_groups import read_groups  # what it imports reads files by this module

    frames = list(read_groups(spark, source))
    if source.schema_ is None:
        raise _several_types(frames, source)
    return _united(frames, source)


def _united(frames: list[DataFrame], source: Source) -> DataFrame:
    """Return the declared columns of files that have them in several types, each cast from its own."""
    declared = source.declared() or StructType()
    there = list(dict.fromkeys(name for df in frames for name in df.columns))
    if missing := [name for name in declared.names if name not in there]:
        raise SchemaMismatchError.of(missing, there, source.paths)
    parts = []
    for df in frames:
        lacking = {field.name: F.lit(None).cast(field.dataType) for field in declared if field.name not in df.columns}
        parts.append(as_declared(df.withColumns(lacking), source))
    return reduce(partial(DataFrame.unionByName, allowMissingColumns=True), parts)


def _several_types(frames: list[DataFrame], source: Source) -> LakeError:
    seen: dict[str, tuple[str, str]] = {}
    told = []
    for df in frames:
        file = unquote(df.inputFiles()[0]).removeprefix("file://")
        for path, kind in _leaves(df.schema):
            first, where = seen.setdefault(path.lower(), (kind, file))
            if first != kind:
                told.append(f"`{path}` is {first} in {where} and {kind} in {file}")
    more = f"; and {len(told) - _MOST_NAMED:,} more" if len(told) > _MOST_NAMED else ""
    return LakeError.at(
        source.paths,
        f"files have columns of the same name and different types: {'; '.join(told[:_MOST_NAMED])}{more}. Say by"
        " `conflicts` what becomes of them, or by `schema` which columns are wanted and of which types.",
    )


def _leaves(kind: DataType, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the paths of fields without others inside, with their types."""
    if isinstance(kind, StructType):
        for field in kind.fields:
            yield from _leaves(field.dataType, f"{path}.{field.name}" if path else field.name)
    elif isinstance(kind, ArrayType):
        yield from _leaves(kind.elementType, f"{path}[]")
    elif isinstance(kind, MapType):
        yield from _leaves(kind.keyType, f"keys of {path}")
        yield from _leaves(kind.valueType, f"{path}{{}}")
    else:
        yield path, kind.simpleString()
