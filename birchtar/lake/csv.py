"""CSV files, read as texts first: no value is lost because it is not what its column should be."""

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, StringType, StructField, StructType

from birchtar.lake.errors import SchemaMismatchError
from birchtar.lake.rejects import CAST, MALFORMED, named, with_error
from birchtar.lake.source import Source

_CORRUPT = "_corrupt_record"

_WHOLE = r"^[+-]?\d{1,19}$"
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_DATE = r"^\d{4}-\d{2}-\d{2}$"
_TIMESTAMP = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}"

_INFERRED = {"int": _WHOLE, "bigint": _WHOLE, "double": _NUMBER, "date": _DATE, "timestamp": _TIMESTAMP}
"""The types that a column of texts can turn out to be, narrowest first, with the shape that its texts must have."""


def read_csv(spark: SparkSession, source: Source) -> DataFrame:
    """Return the rows of CSV files, typed.

    Columns are found by the names in the header; every file must have the same header. A line with too many or too
    few values, and with a declared schema a value that is not of its type, make a row with an ``_error``. Without a
    schema the types are the narrowest that fit every row; that takes a Spark job over all rows.

    Raises:
        SchemaMismatchError: A column of the declared schema is not in the header.
    """
    options = {key: value for key, value in source.options.items() if key not in ("dateFormat", "timestampFormat")}
    reader = spark.read.options(**options).option("header", source.header)
    names = reader.csv(source.paths).columns
    declared = source.declared()
    if declared is not None and not source.header:
        names = [*declared.names[: len(names)], *names[len(declared.names) :]]
    if declared is not None and (missing := [name for name in declared.names if name not in names]):
        raise SchemaMismatchError.of(missing, names, source.paths)
    texts = StructType([StructField(name, StringType()) for name in [*names, _CORRUPT]])
    df = (
        reader.schema(texts)
        .option("mode", "PERMISSIVE")
        .option("columnNameOfCorruptRecord", _CORRUPT)
        .option("enforceSchema", not source.header)
        .option("nullValue", source.null_values[0] if len(source.null_values) == 1 else "")
        .csv(source.paths)
    )
    if len(source.null_values) > 1:
        df = df.select(*(_without(named(name), source.null_values).alias(name) for name in names), _CORRUPT)
    if declared is None:
        return _typed(df, _inferred(df, names), source)
    return _typed(df, {field.name: field.dataType for field in declared.fields}, source)


def _without(text: Column, null_values: list[str]) -> Column:
    return F.when(~text.isin(null_values), text)


def _typed(df: DataFrame, types: Mapping[str, DataType | str], source: Source) -> DataFrame:
    cast = {name: _cast(named(name), kind, source) for name, kind in types.items()}
    misfits = {
        name: named(name).isNotNull() & cast[name].isNull() for name, kind in types.items() if not _is_text(kind)
    }
    corrupt = named(_CORRUPT)
    misfit = F.lit(False)
    for one in misfits.values():
        misfit = misfit | one
    said = [
        F.when(bad, F.concat(F.lit(f"`{name}` is not {_article(types[name])}: "), named(name)))
        for name, bad in misfits.items()
    ]
    where = F.concat(F.lit("In "), F.regexp_replace(F.input_file_name(), "^file:/+", "/"), F.lit(": "))
    return with_error(
        df,
        [column.alias(name) for name, column in cast.items()],
        code=F.when(corrupt.isNotNull(), MALFORMED).when(misfit, CAST),
        message=F.concat(
            where,
            F.when(corrupt.isNotNull(), f"The line does not have {len(df.columns) - 1} values.").otherwise(
                F.concat_ws("; ", *said)
            ),
        ),
        record=F.coalesce(corrupt, F.to_json(F.struct(*map(named, df.columns[:-1])))),
    )


def _cast(text: Column, kind: DataType | str, source: Source) -> Column:
    name = kind if isinstance(kind, str) else kind.simpleString()
    pattern = source.options.get(f"{name}Format") if name in ("date", "timestamp") else None
    if pattern is not None:
        return F.try_to_timestamp(text, F.lit(pattern)).cast(name)
    return text if _is_text(kind) else text.try_cast(kind)


def _is_text(kind: DataType | str) -> bool:
    return kind == "string" or isinstance(kind, StringType)


def _article(kind: DataType | str) -> str:
    name = kind if isinstance(kind, str) else kind.simpleString()
    return f"an {name}" if name[0] in "aeiou" else f"a {name}"


def _inferred(df: DataFrame, names: list[str]) -> dict[str, DataType | str]:
    """Find the narrowest type that fits every text of a column, for all columns in one pass over the rows."""
    checks = [
        F.bool_and(F.when(text.isNotNull(), text.rlike(shape) & text.try_cast(kind).isNotNull()))
        for text in map(named, names)
        for kind, shape in _INFERRED.items()
    ]
    checks += [F.bool_and(F.lower(named(name)).isin("true", "false")) for name in names]
    found = list(df.where(named(_CORRUPT).isNull()).select(*checks).first() or [])
    types: dict[str, DataType | str] = {}
    for position, name in enumerate(names):
        fits = found[position * len(_INFERRED) : (position + 1) * len(_INFERRED)]
        is_truth = found[len(names) * len(_INFERRED) + position]
        kinds = [kind for kind, fit in zip(_INFERRED, fits, strict=True) if fit]
        types[name] = kinds[0] if kinds else "boolean" if is_truth else "string"
    return types
