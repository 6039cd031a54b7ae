"""Parse the text in a column, in place."""

from typing import get_args

from pyspark.sql import DataFrame
from pyspark.sql.types import BinaryType, DataType, NullType, StringType, StructType

from transforms.core.columns import schema_of
from transforms.errors import ColumnTypeError, TransformError
from transforms.nested.boxed_text import (
    AvroSchema,
    Boxed,
    BoxFormat,
    after_first_line,
    declared_type,
    header_type,
    inferred_type,
    parsed_rows,
    value_and_test,
)
from transforms.nested.rebuild import Change, rebuild
from transforms.nested.values import COLUMN, Named, Value, member, row_of, text_literal, value_at
from transforms.paths import Position, parse_path, position_of, quote
from transforms.records.columns import require_error_type
from transforms.rejects import ERROR_COLUMN, ERROR_TYPE


def unbox(
    df: DataFrame,
    path: str,
    format: BoxFormat,  # noqa: A002  # Glue's name
    *,
    schema: StructType | str | None = None,
    separator: str = ",",
    escaper: str | None = None,
    skip_first: bool = False,
    with_header: bool = False,
) -> DataFrame:
    """Put what a text says in the stead of the text: a struct, or for JSON whatever the schema is.

    With a ``schema`` this is lazy. Without one it first reads all texts once, in one Spark job, to learn it; cache a
    frame that is costly to compute. So JSON and XML get all fields there are, by name; a field that has values of
    several types is a STRING, whole numbers are BIGINT. Avro needs a schema.

    A null stays null; so does a text that is empty, blank or, for JSON, ``null``. No row is lost: one whose text does
    not parse, or does not fit the schema, has a null there and is rejected: ``_error``, the last column, has the code
    PARSE and the record as it came in. Its other columns keep their values. Rows rejected earlier pass untouched.

    Glue: Unbox; Studio's Parse JSON column. Cost: lazy with a schema, else one pass to find it.

    Args:
        df: Any frame.
        path: The column, or a field inside structs; not inside arrays. Binary is read as UTF-8; Avro must be binary.
        format: What the text is. CSV holds one record per text.
        schema: The type of the value, as DDL (``a INT, b STRING``, ``ARRAY<STRING>``), the JSON of a StructType, or a
            StructType. For Avro its own JSON.
        separator: Between the values of CSV.
        escaper: In quoted values of CSV, the character that makes the next one literal; by default quotes are doubled.
        skip_first: Pass over the first line of each CSV text.
        with_header: The first line of each CSV text has the names. Without a ``schema`` those of one text are taken.

    Returns:
        The same columns in the same order, then ``_error``.

    Raises:
        TransformError: The format or the schema is none, or there is nothing to learn a schema from.
        PathSyntaxError: The path cannot be read.
        MissingColumnError: There is no such field.
        DuplicateColumnError: The path names several fields.
        ColumnTypeError: The field is no text, or lies inside an array.

    Example:
        >>> df = spark.createDataFrame([(1, '{"a": 5}'), (2, "oops")], "id INT, payload STRING")
        >>> [(row.id, row.payload, row._error and row._error.code) for row in unbox(df, "payload", "json").collect()]
        [(1, Row(a=5), None), (2, None, 'PARSE')]

    Source:
        reference: Glue transforms, "Unbox", "Parse JSON column". Blank texts are our choice.
    """
    if format not in get_args(BoxFormat):
        raise TransformError(f"unbox cannot read format={format!r}. It knows {', '.join(get_args(BoxFormat))}.")
    came, where = schema_of(df), f"unbox, `{path}`"
    require_error_type(came)
    position = position_of(came, parse_path(path))
    text = _text(came, position, format, where)
    if format == "csv" and (skip_first or with_header):
        header, text = text, after_first_line(text)
    else:
        header = text
    boxed = Boxed(text, format, where, separator, escaper)
    wanted: DataType | AvroSchema
    if schema is not None:
        wanted = declared_type(boxed, schema)
    elif format == "csv" and with_header:
        wanted = header_type(df, boxed._replace(sql=header))
    else:
        wanted = inferred_type(df, boxed)
    return _unboxed(parsed_rows(df, boxed, wanted), boxed, wanted, position, came)


def _text(schema: StructType, position: Position, format: BoxFormat, where: str) -> str:  # noqa: A002
    value = value_at(schema, position)
    if format == "avro" and isinstance(value.data_type, BinaryType):
        return value.sql
    if format != "avro" and isinstance(value.data_type, StringType):
        return value.sql
    if format != "avro" and isinstance(value.data_type, BinaryType):
        return f"decode({value.sql}, 'UTF-8')"
    wanted = "binary" if format == "avro" else "a string or binary"
    raise ColumnTypeError(
        f"{where}: {format} has to be {wanted}, but the field is of type {value.data_type.simpleString()}."
    )


def _unboxed(
    rows: DataFrame, boxed: Boxed, wanted: DataType | AvroSchema, position: Position, came: StructType
) -> DataFrame:
    """Return the rows with the parsed value, their last column, in its place, and with the errors."""
    last = len(came.fields)
    parsed = member(row_of(schema_of(rows)), last)
    value, is_bad = value_and_test(boxed, parsed, wanted)
    record = [f"{COLUMN}{at} AS {quote(name)}" for at, name in enumerate(came.names) if name != ERROR_COLUMN]
    message = text_literal(f"The text is no {boxed.format} of the schema that was asked for: {boxed.where}")
    error = (
        f"CASE WHEN {is_bad} THEN CAST(struct('PARSE' AS code, {message} AS message,"
        f" to_json(struct({', '.join(record)}), map('ignoreNullFields', 'false')) AS record) AS {ERROR_TYPE}) END"
    )
    changes: dict[Position, Change] = {position: lambda field, scope: [Named(field.name, value, {})]}
    if ERROR_COLUMN in came.names:
        earlier = came.names.index(ERROR_COLUMN)
        error = f"coalesce({COLUMN}{earlier}, {error})"
        changes[(earlier,)] = lambda field, scope: []
    changes[(last,)] = lambda field, scope: [Named(ERROR_COLUMN, Value(error, NullType(), is_kept=False), {})]
    return rebuild(rows, changes)
