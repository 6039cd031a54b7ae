"""Texts in a column that hold values: of which type they are, and the SQL that parses them."""

import csv
import json
from dataclasses import replace
from typing import Literal, NamedTuple

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, DataType, MapType, StructType, VariantType

from transforms.core.columns import by_position, schema_of, unused_name
from transforms.core.sql_errors import analysed
from transforms.core.type_names import parse_fields, parse_type, type_text
from transforms.errors import ColumnTypeError, TransformError
from transforms.nested.values import COLUMN, Value, members, struct_of, text_literal

BoxFormat = Literal["avro", "csv", "json", "xml"]

_UNPARSED = "_unparsed"
_SPACE = text_literal(" \t\r\n")


class Boxed(NamedTuple):
    """A text in each row, as SQL for the frame by position, and how to read it."""

    sql: str
    format: BoxFormat
    where: str
    separator: str
    escaper: str | None


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
    nested = (ArrayType, MapType, StructType, VariantType) if boxed.format == "json" else (StructType,)
    if not isinstance(found, nested):
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
    texts = by_position(df, COLUMN).select(F.expr(boxed.sql).alias("text"))
    reader, unparsed = df.sparkSession.read, secret_name()
    if boxed.format == "json":
        found = schema_of(reader.json(texts, columnNameOfCorruptRecord=unparsed))
    else:
        found = schema_of(reader.xml(texts, rowTag="row", columnNameOfCorruptRecord=unparsed))
    fields = [field for field in found.fields if field.name != unparsed]
    if not fields:
        raise TransformError(
            f"{boxed.where}: There is no {boxed.format} object to learn a schema from. Declare `schema`."
        )
    return StructType(fields)


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


def secret_name() -> str:
    """Return a name that no field of a user's has."""
    return "_unparsed by unbox"


def _values(boxed: Boxed, text: str | None) -> list[str]:
    escaping = {"doublequote": True} if boxed.escaper is None else {"escapechar": boxed.escaper, "doublequote": False}
    return next(csv.reader([text or ""], delimiter=boxed.separator, **escaping), [])


def _strings(names: list[str]) -> StructType:
    struct = StructType()
    for name in names:
        struct.add(name, "string")
    return struct


def parsed_rows(df: DataFrame, boxed: Boxed, wanted: DataType | AvroSchema) -> DataFrame:
    """Return the frame with the parsed value behind its columns. Lazy.

    Raises:
        TransformError: Spark cannot read the format with this schema.
    """
    names = schema_of(df).names
    parsed = F.expr(_parse(boxed, wanted))

    def with_parsed() -> DataFrame:
        return by_position(df, COLUMN).select("*", parsed.alias("parsed")).toDF(*names, "parsed")

    if not isinstance(wanted, AvroSchema):
        return analysed(with_parsed, df, where=boxed.where)
    try:
        return analysed(with_parsed, df, where=boxed.where)
    except TransformError:
        raise
    except Exception as error:  # what Avro says of its schema comes as one of many classes of Java's
        message = next(
            (line for line in str(error).splitlines() if "Exception:" in line), str(error).partition("\n")[0]
        )
        raise TransformError(f"{boxed.where}: Avro cannot use the schema: {message.strip()}") from None


def _parse(boxed: Boxed, wanted: DataType | AvroSchema) -> str:
    if isinstance(wanted, AvroSchema):
        return f"from_avro({boxed.sql}, {text_literal(wanted.text)}, map('mode', 'PERMISSIVE'))"
    if isinstance(wanted, VariantType):
        return f"try_parse_json({boxed.sql})"
    options = {"mode": "PERMISSIVE"}
    if boxed.format == "csv":
        options |= {"sep": boxed.separator, "escape": '"' if boxed.escaper is None else boxed.escaper}
    if isinstance(wanted, StructType):
        unparsed = unused_name(wanted.names, _UNPARSED)
        wanted = StructType([*wanted.fields]).add(unparsed, "string")
        options["columnNameOfCorruptRecord"] = unparsed
    pairs = ", ".join(f"{text_literal(key)}, {text_literal(value)}" for key, value in options.items())
    return f"from_{boxed.format}({boxed.sql}, {text_literal(type_text(wanted))}, map({pairs}))"


def value_and_test(boxed: Boxed, parsed: Value, wanted: DataType | AvroSchema) -> tuple[Value, str]:
    """Return the parsed value, null where the text did not parse, and the SQL test for such texts."""
    blanks = "('', 'null')" if boxed.format == "json" else "('')"
    if isinstance(wanted, AvroSchema):
        return _avro_and_test(boxed, parsed, wanted)
    if not isinstance(parsed.data_type, StructType):
        not_blank = f"btrim({boxed.sql}, {_SPACE}) NOT IN {blanks}"
        return parsed, f"{boxed.sql} IS NOT NULL AND {parsed.sql} IS NULL AND {not_blank}"
    *fields, unparsed = members(parsed)
    struct = struct_of(fields)
    is_good = f"{parsed.sql} IS NOT NULL AND {unparsed.value.sql} IS NULL"
    if boxed.format == "csv":
        is_good += f" AND btrim({boxed.sql}, {_SPACE}) <> ''"
    value = Value(f"CASE WHEN {is_good} THEN {struct.sql} END", struct.data_type, is_kept=False)
    return value, f"{unparsed.value.sql} IS NOT NULL AND btrim({unparsed.value.sql}, {_SPACE}) NOT IN {blanks}"


def _avro_and_test(boxed: Boxed, parsed: Value, wanted: AvroSchema) -> tuple[Value, str]:
    test = f"{boxed.sql} IS NOT NULL AND {parsed.sql} IS NULL"
    schema = json.loads(wanted.text)
    fields = schema.get("fields", []) if isinstance(schema, dict) else []
    if isinstance(parsed.data_type, StructType) and any("null" not in field.get("type", "") for field in fields):
        # What is no such record comes as one whose fields are all null, also those that Avro never has as null.
        nulls = " AND ".join(f"{field.value.sql} IS NULL" for field in members(parsed))
        test = f"{boxed.sql} IS NOT NULL AND {nulls}"
    return replace(parsed, sql=f"CASE WHEN NOT ({test}) THEN {parsed.sql} END"), test
