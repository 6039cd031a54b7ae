"""Parse the text in a column, in place."""

from typing import get_args

from pyspark.sql import DataFrame
from pyspark.sql.types import DataType, StructType

from transforms.core.columns import schema_of
from transforms.errors import TransformError
from transforms.nested.boxed_text import (
    AvroSchema,
    Boxed,
    BoxFormat,
    declared_type,
    inferred_type,
    without_line_end,
)
from transforms.nested.csv_headers import after_first_line, after_header, header_type
from transforms.nested.unboxed import text_at, unboxed
from transforms.paths import parse_path, position_of
from transforms.records.columns import require_error_type


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
    frame that is costly to compute. So JSON and XML get all fields that have a value and a name; a field that has
    values of several types is a STRING, whole numbers are BIGINT. Avro needs a schema.

    A null stays null; so does a text that is empty, blank or, for JSON, ``null``. No row is lost: one whose text does
    not parse, or does not fit the schema, has a null there and is rejected: ``_error``, the last column, has the code
    PARSE and the record as it came in. Its other columns keep their values. Rows rejected earlier pass untouched. Of a
    key that an object has twice the last value counts, and of an element of XML that the schema has once.

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
        with_header: The first line of each CSV text has the names of its values, in whatever order. Without a
            ``schema`` those of all texts are taken; a value whose name a text lacks is null. With one, texts whose
            header has not all of its names, or one twice, are read in the order of the schema.

    Returns:
        The same columns in the same order, then ``_error``.

    Raises:
        TransformError: The format or the schema is none, or there is nothing to learn a schema from.
        PathSyntaxError: The path cannot be read.
        MissingColumnError: There is no such field.
        DuplicateColumnError: The path names several fields, or the header has a name twice.
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
    for name, sign in (("separator", separator), ("escaper", escaper)):
        if sign is not None and len(sign) != 1:
            raise TransformError(f"unbox: `{name}` is one character, got {sign!r}.")
    came, where = schema_of(df), f"unbox, `{path}`"
    require_error_type(came)
    position = position_of(came, parse_path(path))
    text = text_at(came, position, format, where)
    whole = Boxed(text, format, where, separator, escaper)
    has_header = format == "csv" and with_header
    boxed = whole
    if format == "csv":
        boxed = whole._replace(sql=after_first_line(text) if skip_first or with_header else without_line_end(text))
    wanted: DataType | AvroSchema
    if schema is not None:
        wanted = declared_type(boxed, schema)
    else:
        wanted = header_type(df, whole) if has_header else inferred_type(df, boxed)
    if has_header and isinstance(wanted, StructType):
        boxed = whole._replace(sql=after_header(whole, wanted, is_declared=schema is not None))
    return unboxed(df, boxed, wanted, position)
