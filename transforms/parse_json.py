"""Parse a text of JSON."""

from collections.abc import Iterator

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, StringType, StructField, StructType

from transforms.core.columns import by_position, schema_of
from transforms.core.new_columns import name_in_place, require_clear_names
from transforms.core.type_names import parse_fields, parse_type
from transforms.errors import TransformError
from transforms.nested.row_values import row_value, text_of
from transforms.records.columns import require_error_type
from transforms.rejects import ERROR_COLUMN, has_rejects

_VALUE, _BAD = "value", "bad"


def parse_json(
    df: DataFrame,
    column: str,
    *,
    schema: str | None = None,
    sample_ratio: float = 1.0,
    new_column: str | None = None,
) -> DataFrame:
    """Parse a text of JSON into a struct, an array, or whatever type is said. Lazy with a ``schema``.

    Without one it starts a job at once, one pass over the texts, to find the schema: fields in alphabetical order,
    ints as BIGINT, and a field of several types as the text that stands there. A record that comes later and does not
    fit the schema is rejected.

    No row is lost. A text that is no JSON, or does not fit the schema, rejects the row with the code JSON: it stays in
    the frame with all its other values and with its error in ``_error``, the last column; the parsed column is null.
    A null, a blank text and JSON's ``null`` give null. A missing field is null; a field that the schema lacks is left
    out.

    Glue: Studio's Parse JSON Column. Cost: lazy with a schema, else one pass over the column.

    Args:
        df: Any frame.
        column: Path of the text.
        schema: The type in SQL's words: the fields of a struct (``a STRING, b INT``) or a whole type
            (``ARRAY<STRING>``, ``MAP<STRING, INT>``).
        sample_ratio: The share of the texts to find the schema from, where none is said.
        new_column: Name of the parsed column; by default it takes the place of the text.

    Returns:
        The same columns in the same order, a new one behind them, then ``_error``.

    Raises:
        TransformError: The schema cannot be read, no text tells one, or the ratio is not above 0 and at most 1.
        PathSyntaxError: The path cannot be read.
        MissingColumnError: The column is not there.
        DuplicateColumnError: The path names several fields, or the new name differs from a column's only in case.
        ColumnTypeError: The column is no text.

    Example:
        >>> df = spark.createDataFrame([(1, '{"town": "Ulm"}'), (2, '{"town')], "id INT, home STRING")
        >>> rows = df.transform(parse_json, "home", schema="town STRING").collect()
        >>> [(row.home, row._error and row._error.code) for row in rows]
        [(Row(town='Ulm'), None), (None, 'JSON')]

    Source:
        reference: Glue transforms, "Parse JSON column". What becomes of a text that does not parse Glue does not say.
    """
    require_error_type(schema_of(df))
    value = row_value(schema_of(df), column, where="parse_json")
    text = text_of(value, where="parse_json")
    name = name_in_place(value, new_column, where="parse_json")
    names = [other for other in df.columns if other != ERROR_COLUMN]
    require_clear_names(names, [name])
    wrapped = F.when(F.btrim(text) != "", F.concat(F.lit(f'{{"{_VALUE}":'), text, F.lit("}")))
    wanted = _found(df, wrapped, sample_ratio, column) if schema is None else _said(schema)
    rows = by_position(df).select("*", _parsed(wrapped, wanted).alias("parsed"))
    good, error = _good_or_error(df, f"`{value.name}` is no JSON of the type {wanted.simpleString()}")
    kept = [
        good.alias(name) if other == name else F.col(f"c{position}").alias(other)
        for position, other in enumerate(df.columns)
        if other != ERROR_COLUMN
    ]
    added = [] if name in names else [good.alias(name)]
    return rows.select(*kept, *added, error.alias(ERROR_COLUMN))


def _said(schema: str) -> DataType:
    try:
        return parse_type(schema)
    except TransformError as no_type:
        try:
            return parse_fields(schema)
        except TransformError as no_fields:
            raise TransformError(
                f"parse_json cannot read the schema {schema!r}. Write fields, as in 'a STRING, b INT', or a type, as in"
                f" 'ARRAY<STRING>'. As a type: {no_type} As fields: {no_fields}"
            ) from None


def _found(df: DataFrame, wrapped: Column, ratio: float, column: str) -> DataType:
    if not 0 < ratio <= 1:
        raise TransformError(f"parse_json: `sample_ratio` is above 0 and at most 1, got {ratio}.")
    texts = by_position(df).select(wrapped.alias("text")).where("text IS NOT NULL")
    sample = texts if ratio == 1 else texts.sample(ratio, seed=0)
    found = df.sparkSession.read.json(sample, columnNameOfCorruptRecord=_BAD).schema
    if _VALUE not in found.names:
        raise TransformError(f"parse_json: no text in `{column}` tells a schema. Say one, as in schema='a STRING'.")
    return found[_VALUE].dataType


def _parsed(wrapped: Column, wanted: DataType) -> Column:
    """Parse the text as the one field of an object: so its type may be any, and what is behind it does not pass."""
    schema = StructType([StructField(_VALUE, wanted), StructField(_BAD, StringType())])
    return F.from_json(wrapped, schema, {"mode": "PERMISSIVE", "columnNameOfCorruptRecord": _BAD})


def _good_or_error(df: DataFrame, message: str) -> tuple[Column, Column]:
    bad = F.col("parsed").getField(_BAD).isNotNull()
    record = F.to_json(F.struct(*(F.col(f"c{at}").alias(name) for at, name in _fields(df))))
    error = F.struct(F.lit("JSON").alias("code"), F.lit(message).alias("message"), record.alias("record"))
    errors, good = F.when(bad, error), F.when(~bad, F.col("parsed").getField(_VALUE))
    if not has_rejects(df):
        return good, errors
    earlier = F.col(f"c{df.columns.index(ERROR_COLUMN)}")
    return F.when(earlier.isNull(), good), F.coalesce(earlier, errors)


def _fields(df: DataFrame) -> Iterator[tuple[int, str]]:
    return ((at, name) for at, name in enumerate(df.columns) if name != ERROR_COLUMN)
