"""Texts in a column that hold values: of which type they are."""

import csv
import json
from typing import Literal, NamedTuple

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, StructType

from transforms.core.columns import by_position, schema_of
from transforms.core.type_names import parse_fields, parse_type
from transforms.errors import ColumnTypeError, TransformError
from transforms.nested.values import COLUMN, text_literal

JSON_VALUE = "value"
"""The field of the object round a JSON text."""

SPACE = text_literal(" \t\r\n")

_NOT_BLANK = r"[^ \t\r\n]"

BoxFormat = Literal["avro", "csv", "json", "xml"]

_UNPARSED = "_unparsed by unbox"
"""A name that no field of a user's has."""


class Boxed(NamedTuple):
    """A text in each row, as SQL for the frame by position, and how to read it."""

    sql: str
    format: BoxFormat
    where: str
    separator: str = ","
    escaper: str | None = None


class AvroSchema(NamedTuple):
    """The type of Avro, which only Avro itself can read."""

    text: str


def after_first_line(sql: str) -> str:
    """Return the SQL for what follows the first line of a text; nothing follows an only line."""
    line_end = text_literal("\n")
    ends = f"instr({sql}, {line_end})"
    rest = f"rtrim({line_end}, substr({sql}, {ends} + 1))"
    return f"CASE WHEN {ends} = 0 THEN left({sql}, 0) ELSE {rest} END"


def declared_type(boxed: Boxed, schema: StructType | str) -> DataType | AvroSchema:
    """Return the type that a user's schema stands for.

    Raises:
        TransformError: The text is no schema.
        ColumnTypeError: The format cannot hold a value of this type.
    """
    if boxed.format == "avro":
        if isinstance(schema, StructType):
            raise ColumnTypeError(f"{boxed.where}: Avro takes the JSON of an Avro schema, not a StructType.")
        _read_json(boxed, schema)
        return AvroSchema(schema)
    found = schema if isinstance(schema, StructType) else _type_in(boxed, schema)
    if boxed.format != "json" and not isinstance(found, StructType):
        raise ColumnTypeError(f"{boxed.where}: {boxed.format} cannot be read as {found.simpleString()}.")
    return found


def _type_in(boxed: Boxed, text: str) -> DataType:
    if text.lstrip().startswith("{"):
        try:
            return StructType.fromJson(_read_json(boxed, text))
        except (KeyError, TypeError, ValueError) as error:
            raise TransformError(f"{boxed.where}: `schema` is JSON, but not that of a StructType: {error!r}.") from None
    try:
        return parse_type(text)
    except TransformError as no_type:
        try:
            return parse_fields(text)
        except TransformError as no_fields:
            nested = any(text.lower().lstrip().startswith(f"{name}<") for name in ("array", "map", "struct"))
            raise TransformError(f"{boxed.where}: {no_type if nested else no_fields}") from None


def _read_json(boxed: Boxed, text: str) -> dict[str, object]:
    try:
        return json.loads(text)  # type: ignore[no-any-return]  # what it is, is seen when it is used
    except json.JSONDecodeError as error:
        raise TransformError(f"{boxed.where}: `schema` is no JSON: {error}.") from None


def inferred_type(df: DataFrame, boxed: Boxed) -> DataType:
    """Return the type that all texts fit. Starts one job, which reads them all.

    Raises:
        TransformError: There is nothing to learn from, or the format does not tell its types.
    """
    if boxed.format == "avro":
        raise TransformError(f"{boxed.where}: Avro does not tell its types. Give its JSON as `schema`.")
    if boxed.format == "csv":
        # The text with most separators has the most values.
        most = (
            f"max_by({boxed.sql}, length({boxed.sql}) - length(replace({boxed.sql}, {text_literal(boxed.separator)})))"
        )
        values = _values(boxed, by_position(df, COLUMN).agg(F.expr(most)).collect()[0][0])
        return StructType().add("col0", "string") if not values else _strings([f"col{at}" for at in range(len(values))])
    reader, rows = df.sparkSession.read, by_position(df, COLUMN)
    if boxed.format == "json":
        texts = rows.select(F.expr(json_object(boxed.sql)).alias("text")).where("text IS NOT NULL")
        found = schema_of(reader.json(texts, columnNameOfCorruptRecord=_UNPARSED))
        if JSON_VALUE in found.names:
            return found[JSON_VALUE].dataType
    else:
        texts = rows.select(F.expr(boxed.sql).alias("text"))
        found = schema_of(reader.xml(texts, rowTag="row", columnNameOfCorruptRecord=_UNPARSED))
        if fields := [field for field in found.fields if field.name != _UNPARSED]:
            return StructType(fields)
    raise TransformError(f"{boxed.where}: There is no {boxed.format} to learn a schema from. Declare `schema`.")


def json_object(sql: str, key: str = JSON_VALUE, before: str = "", behind: str = "") -> str:
    """Return the SQL for a JSON object that holds a JSON text, whatever its type; null where that is blank."""
    start, end = text_literal(f'{{"{key}":{before}'), text_literal(f"{behind}}}")
    return f"CASE WHEN {sql} RLIKE {text_literal(_NOT_BLANK)} THEN concat({start}, {sql}, {end}) END"


def is_one_json_object(sql: str) -> str:
    """Return the SQL test for texts that are one JSON object, if they parse at all; others may be one too.

    They end with the only brace that closes; or with the only two, and another object begins in them. So nothing can
    stand behind the object but, where a text in it looks as if an object began, a brace.
    """
    opens, closes = text_literal("{"), text_literal("}")
    ends_once = f"NOT contains({_without_end(sql, 1)}, {closes})"
    begins = " OR ".join(f"contains({sql}, {text_literal(sign)})" for sign in (":{", ": {"))
    ends_twice = f"endswith({sql}, {text_literal('}}')}) AND NOT contains({_without_end(sql, 2)}, {closes})"
    is_one = f"({ends_once} OR {ends_twice} AND ({begins}))"
    return f"startswith({sql}, {opens}) AND endswith({sql}, {closes}) AND {is_one}"


def _without_end(sql: str, number: int) -> str:
    # Signs would have to be counted, bytes need not.
    return f"CAST(substr(CAST({sql} AS BINARY), 1, octet_length({sql}) - {number}) AS STRING)"


def header_type(df: DataFrame, boxed: Boxed) -> DataType:
    """Return the type that the first line of a CSV text tells. Starts one job.

    Raises:
        TransformError: There is no text.
    """
    text = by_position(df, COLUMN).agg(F.expr(f"any_value({boxed.sql}, true)")).collect()[0][0]
    names = _values(boxed, (text or "").partition("\n")[0].rstrip("\r"))
    if not names:
        raise TransformError(f"{boxed.where}: There is no header to learn a schema from. Declare `schema`.")
    return _strings(names)


def _values(boxed: Boxed, text: str | None) -> list[str]:
    escaping = {"doublequote": True} if boxed.escaper is None else {"escapechar": boxed.escaper, "doublequote": False}
    return next(csv.reader([text or ""], delimiter=boxed.separator, **escaping), [])


def _strings(names: list[str]) -> StructType:
    struct = StructType()
    for name in names:
        struct.add(name, "string")
    return struct
