"""Texts in a column that hold values: of which type they are."""

import csv
import json
from io import StringIO
from typing import Literal, NamedTuple
from uuid import uuid4

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, DataType, StringType, StructField, StructType

from transforms.core.columns import by_position, schema_of
from transforms.core.type_names import parse_fields, parse_type
from transforms.errors import ColumnTypeError, TransformError
from transforms.nested.values import COLUMN, text_literal

JSON_VALUE = "value"
"""The field of the object round a JSON text."""

SPACE = text_literal(" \t\r\n")

BROKEN = text_literal("<")
"""A text that is neither JSON nor XML."""

_LINE_END = "\n"
_AROUND = r"(?:\s++|<!--.*?-->)*+"
_PROLOG = r"\ufeff?(?:\s++|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^\[>]*+(?:\[.*?\]\s*+)?>)*+"
_ATTRIBUTES = r"""(?:[^<>"'/]++|"[^"<]*+"|'[^'<]*+'|/(?!>))*+"""
_ONE_ELEMENT = rf"(?s)^({_PROLOG})<([^\s<>/!?]++)(.*)</\2\s*+>{_AROUND}$"
_EMPTY_ELEMENT = rf"(?s)^({_PROLOG})<[^\s<>/!?]++({_ATTRIBUTES})/>{_AROUND}$"

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


def without_line_end(sql: str) -> str:
    """Return the SQL for a text without the ends of lines behind it."""
    return f"rtrim({text_literal(chr(13) + _LINE_END)}, {sql})"


def one_xml_element(sql: str) -> str:
    """Return the SQL for an XML text that parses only if it is one element, with a prolog and comments round it.

    Spark's parser is content with the first element of a text. Here the first start tag and the last end tag get a name
    of their own; so they do not fit together where they are not of the same element.
    """
    root = f"root_{uuid4().hex}"
    full, empty = text_literal(_ONE_ELEMENT), text_literal(_EMPTY_ELEMENT)
    return (
        f"CASE WHEN btrim({sql}, {SPACE}) = '' THEN {sql}"
        f" WHEN {sql} RLIKE {full} THEN regexp_replace({sql}, {full}, {text_literal(f'$1<{root}$3</{root}>')})"
        f" WHEN {sql} RLIKE {empty} THEN regexp_replace({sql}, {empty}, {text_literal(f'$1<{root}$2></{root}>')})"
        f" WHEN {sql} IS NOT NULL THEN {BROKEN} END"
    )


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
        return StructType().add("col0", "string") if not values else strings([f"col{at}" for at in range(len(values))])
    reader, rows = df.sparkSession.read, by_position(df, COLUMN)
    if boxed.format == "json":
        texts = rows.select(F.expr(json_object(boxed.sql)).alias("text")).where("text IS NOT NULL")
        found = _without_twins(schema_of(reader.json(texts, columnNameOfCorruptRecord=_UNPARSED)))
        if JSON_VALUE in found.names:
            return found[JSON_VALUE].dataType
    else:
        texts = rows.select(F.expr(one_xml_element(boxed.sql)).alias("text")).where(f"text <> {BROKEN}")
        found = schema_of(reader.xml(texts, rowTag="row", columnNameOfCorruptRecord=_UNPARSED))
        if fields := [field for field in found.fields if field.name != _UNPARSED]:
            return StructType(fields)
    raise TransformError(f"{boxed.where}: There is no {boxed.format} to learn a schema from. Declare `schema`.")


def _without_twins(struct: StructType) -> StructType:
    """Return a struct with one field for each name. Spark infers two of a key that stands twice in an object."""
    fields: dict[str, StructField] = {}
    for field in struct.fields:
        data_type = _without_twins_in(field.dataType)
        if field.name in fields and fields[field.name].dataType != data_type:
            data_type = StringType()
        fields[field.name] = StructField(field.name, data_type)
    return StructType(list(fields.values()))


def _without_twins_in(data_type: DataType) -> DataType:
    if isinstance(data_type, ArrayType):
        return ArrayType(_without_twins_in(data_type.elementType))
    return _without_twins(data_type) if isinstance(data_type, StructType) else data_type


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


def _values(boxed: Boxed, text: str | None) -> list[str]:
    escaping = {"doublequote": True} if boxed.escaper is None else {"escapechar": boxed.escaper, "doublequote": False}
    lines = StringIO(text or "", newline="")
    try:
        return next(csv.reader(lines, delimiter=boxed.separator, **escaping), [])
    except csv.Error as error:
        raise TransformError(f"{boxed.where}: There is no schema to learn: {error}. Declare `schema`.") from None


def strings(names: list[str]) -> StructType:
    """Return a struct of texts."""
    struct = StructType()
    for name in names:
        struct.add(name, "string")
    return struct
