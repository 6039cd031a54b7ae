"""Parse the texts in a column: each becomes its value, or rejects its row."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, BinaryType, DataType, NullType, StringType, StructType

from transforms.choices.refused import refuse_choice
from transforms.core.columns import by_position, schema_of, unused_name
from transforms.core.sql_errors import analysed
from transforms.core.type_names import type_text
from transforms.errors import ColumnTypeError, TransformError
from transforms.nested.boxed_text import (
    BROKEN,
    SPACE,
    AvroSchema,
    Boxed,
    BoxFormat,
    is_one_json_object,
    json_object,
    one_xml_element,
)
from transforms.nested.json_text import WHOLE_RECORD, sql_options
from transforms.nested.rebuild import Change, rebuild
from transforms.nested.values import COLUMN, Named, Value, member, members, row_of, struct_of, text_literal, value_at
from transforms.paths import Position, quote
from transforms.rejects import ERROR_COLUMN, ERROR_TYPE

_WRAPPED, _END = f"wrapped_{uuid4().hex}", f"end_{uuid4().hex}"
"""Keys that no text has."""

_UNPARSED = "_unparsed"


def text_at(schema: StructType, position: Position, format: BoxFormat, where: str) -> str:  # noqa: A002
    """Return the SQL for the text at a place of the frame by position.

    Raises:
        ColumnTypeError: It is no text.
    """
    value = value_at(schema, position)
    if format == "avro" and isinstance(value.data_type, BinaryType):
        return value.sql
    if format != "avro" and isinstance(value.data_type, StringType):
        return value.sql
    if format != "avro" and isinstance(value.data_type, BinaryType):
        text = f"CAST({value.sql} AS STRING)"
        return text if format == "csv" else f"CASE WHEN is_valid_utf8({text}) THEN {text} ELSE {BROKEN} END"
    refuse_choice(schema, position, where=where)
    wanted = "binary" if format == "avro" else "a string or binary"
    raise ColumnTypeError(
        f"{where}: {format} has to be {wanted}, but the field is of type {value.data_type.simpleString()}."
    )


def unboxed(df: DataFrame, boxed: Boxed, wanted: DataType | AvroSchema, place: Position | str) -> DataFrame:
    """Return the frame with the parsed value at a place, or in a new column, and with the errors behind it. Lazy.

    A text that does not parse, or does not fit the type, rejects the row with the code PARSE.

    Raises:
        TransformError: Spark cannot read the format with this schema.
    """
    came = schema_of(df)
    rows, last = _parsed_rows(df, boxed, wanted), len(came.fields)
    row = row_of(schema_of(rows))
    value, is_bad = _value_and_test(boxed, member(row, last), member(row, last + 1), wanted)
    error = f"CASE WHEN {is_bad} THEN {_error(came, boxed)} END"
    changes: dict[Position, Change] = {}
    if ERROR_COLUMN in came.names:
        earlier = came.names.index(ERROR_COLUMN)
        error = f"coalesce({COLUMN}{earlier}, {error})"
        value = replace(value, sql=f"CASE WHEN {COLUMN}{earlier} IS NULL THEN {value.sql} END")
        changes[(earlier,)] = lambda field, scope: []
    behind = [Named(ERROR_COLUMN, Value(error, NullType(), is_kept=False), {})]
    if isinstance(place, str):
        behind.insert(0, Named(place, value, {}))
    else:
        changes[place] = lambda field, scope: [Named(field.name, value, {})]
    changes[(last,)] = lambda field, scope: []
    changes[(last + 1,)] = lambda field, scope: behind
    return rebuild(rows, changes)


def _error(came: StructType, boxed: Boxed) -> str:
    record = [f"{COLUMN}{at} AS {quote(name)}" for at, name in enumerate(came.names) if name != ERROR_COLUMN]
    message = text_literal(f"The text is no {boxed.format} of the schema that was asked for: {boxed.where}")
    return (
        f"CAST(struct('PARSE' AS code, {message} AS message,"
        f" to_json(struct({', '.join(record)}), {sql_options(WHOLE_RECORD)}) AS record) AS {ERROR_TYPE})"
    )


def _parsed_rows(df: DataFrame, boxed: Boxed, wanted: DataType | AvroSchema) -> DataFrame:
    """Return the frame with the text to parse behind its columns, and with its value. Lazy.

    Spark compiles no expression inside the one that parses. That the text is used beside it keeps it out of there.

    Raises:
        TransformError: Spark cannot read the format with this schema.
    """
    names = schema_of(df).names
    text = boxed.sql
    if boxed.format == "json":
        text = _json_to_the_end(text, wanted)
    elif boxed.format == "xml":
        text = one_xml_element(text)
    parsed = _parse(boxed, f"{COLUMN}{len(names)}", wanted)

    def with_parsed() -> DataFrame:
        texts = by_position(df, COLUMN).selectExpr("*", f"{text} AS {COLUMN}{len(names)}")
        return texts.select("*", F.expr(parsed).alias("parsed")).toDF(*names, "text", "parsed")

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


def _parse(boxed: Boxed, text: str, wanted: DataType | AvroSchema) -> str:
    if isinstance(wanted, AvroSchema):
        return f"from_avro({text}, {text_literal(wanted.text)}, map('mode', 'PERMISSIVE'))"
    if boxed.format == "json":
        wanted = _with_the_end(wanted)
    assert isinstance(wanted, StructType)  # noqa: S101  # nothing else is left
    unparsed = unused_name(wanted.names, _UNPARSED)
    wanted = StructType([*wanted.fields]).add(unparsed, "string")
    options = {"mode": "PERMISSIVE", "columnNameOfCorruptRecord": unparsed}
    if boxed.format == "csv":
        options |= {"sep": boxed.separator, "escape": '"' if boxed.escaper is None else boxed.escaper}
    pairs = ", ".join(f"{text_literal(key)}, {text_literal(value)}" for key, value in options.items())
    return f"from_{boxed.format}({text}, {text_literal(type_text(wanted))}, map({pairs}))"


def _json_to_the_end(sql: str, wanted: DataType | AvroSchema) -> str:
    """Return the SQL for a text of which no end can be passed over.

    Spark's parser is content with the first value of a text. Between brackets, and with a field behind it, a text does
    not parse where more stands behind its value. Most texts can be seen to have nothing there, and stay as they are.
    """
    wrapped = json_object(sql, _WRAPPED, "[", f'],"{_END}":true')
    return (
        f"CASE WHEN {is_one_json_object(sql)} THEN {sql} ELSE {wrapped} END"
        if isinstance(wanted, StructType)
        else wrapped
    )


def _with_the_end(wanted: DataType) -> StructType:
    """Return what such a text has to be parsed as."""
    fields = [*wanted.fields] if isinstance(wanted, StructType) else []
    return StructType(fields).add(_WRAPPED, ArrayType(wanted)).add(_END, "boolean")


def _value_and_test(boxed: Boxed, text: Value, parsed: Value, wanted: DataType | AvroSchema) -> tuple[Value, str]:
    """Return the parsed value, null where the text did not parse, and the SQL test for such texts."""
    if isinstance(wanted, AvroSchema):
        return _avro_and_test(boxed, parsed, wanted)
    *fields, unparsed = members(parsed)
    if boxed.format == "json":
        *direct, values, end = fields
        is_good = f"{end.value.sql} AND size({values.value.sql}) < 2"
        found = f"WHEN {is_good} THEN get({values.value.sql}, 0)"
        if isinstance(wanted, StructType):
            found = f"WHEN {values.value.sql} IS NULL THEN {struct_of(direct).sql} {found}"
            is_good = f"{values.value.sql} IS NULL OR {is_good}"
        is_bad = f"{text.sql} IS NOT NULL AND ({unparsed.value.sql} IS NOT NULL OR NOT coalesce({is_good}, false))"
        has_none = f"{text.sql} IS NULL OR {unparsed.value.sql} IS NOT NULL"
        return Value(f"CASE WHEN {has_none} THEN NULL {found} END", wanted, is_kept=False), is_bad
    struct = struct_of(fields)
    is_good = f"{parsed.sql} IS NOT NULL AND {unparsed.value.sql} IS NULL"
    if boxed.format == "csv":
        is_good += f" AND btrim({text.sql}, {SPACE}) <> ''"
    value = Value(f"CASE WHEN {is_good} THEN {struct.sql} END", struct.data_type, is_kept=False)
    return value, f"{unparsed.value.sql} IS NOT NULL AND btrim({unparsed.value.sql}, {SPACE}) <> ''"


def _all_null(types: Sequence[Any]) -> bytes | None:
    r"""Return how Avro writes a record whose fields are all null; None where one never is.

    Of each field that is null, unless that is all it can be, stands the place of that type among its types.

    Example:
        >>> _all_null(["null", ["null", "int"], ["string", "null"]]), _all_null([["null", "int"], "int"])
        (b'\x00\x02', None)
    """
    if any("null" not in said for said in types):
        return None
    return bytes(2 * said.index("null") for said in types if not isinstance(said, str))


def _avro_and_test(boxed: Boxed, parsed: Value, wanted: AvroSchema) -> tuple[Value, str]:
    test = f"{boxed.sql} IS NOT NULL AND {parsed.sql} IS NULL"
    schema = json.loads(wanted.text)
    fields = schema.get("fields", []) if isinstance(schema, dict) else []
    if isinstance(parsed.data_type, StructType) and fields:
        # What is no such record comes as one whose fields are all null. Of those that are, there is one at most.
        nulls = " AND ".join(f"{field.value.sql} IS NULL" for field in members(parsed))
        written = _all_null([field.get("type", "") for field in fields])
        differs = "" if written is None else f" AND {boxed.sql} <> X'{written.hex()}'"
        test = f"{boxed.sql} IS NOT NULL AND {nulls}{differs}"
    return replace(parsed, sql=f"CASE WHEN NOT ({test}) THEN {parsed.sql} END"), test
