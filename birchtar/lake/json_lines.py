"""JSON, an object per line, at the speed of Spark's own reader, and with a look at what stands behind each object.

Spark's parser is content with the first value of a line. A line from brace to brace with no closing brace between them
cannot hold more than one. Any other object gets one key more, the last one: where the parser does not meet that key,
the object ended before the line did. Its text goes with it, as the first key; so it is known also when the parser is
content.
"""

from uuid import uuid4

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import BooleanType, StringType, StructField, StructType

from birchtar.lake.json_records import json_options, list_of, says_more
from birchtar.lake.json_texts import BARE, TEXT, bare, folders_of, without_mark
from birchtar.lake.raw_text import escaped
from birchtar.lake.rejects import CORRUPT, ENCODING, MALFORMED, named
from birchtar.lake.source import Source

_TEXT, _END, _TOLD = (f"{name}_{uuid4().hex}" for name in ("text", "end", "told"))
"""Keys that are in no line, and a word that begins none."""

_UNDECODED, _FOLLOWED, _BROKEN = "u", "f", "b"
"""What is told of a line that is not worth parsing, in a letter."""

_FIRST = f'{{"{_TEXT}":"'


def read_lines(
    spark: SparkSession, source: Source, texts: DataFrame, schema: StructType, *, checks_encoding: bool
) -> tuple[DataFrame, Column, Column, Column]:
    """Return the rows of lines, and of each the code of what is wrong, whether more stands behind, and its text. Lazy.

    Args:
        spark: The session.
        source: JSON files.
        texts: Their lines, and the columns of their folders, as `load_texts` returns them.
        schema: What is in the lines.
        checks_encoding: Whether lines that are not UTF-8 are rejected.
    """
    options = json_options(source.options)
    lines = texts.select(_prepared(schema, options, checks_encoding=checks_encoding).alias(TEXT))
    extra = [StructField(_TEXT, StringType()), StructField(_END, BooleanType()), StructField(CORRUPT, StringType())]
    df = spark.read.options(**options).schema(StructType([*schema.fields, *extra])).json(lines)
    folders = [folder.alias(name) for name, folder in folders_of(texts)]
    df = df.select("*", *folders)
    corrupt = named(CORRUPT)
    is_followed = corrupt.isNull() & named(_TEXT).isNotNull() & named(_END).isNull()
    is_undecoded = corrupt.startswith(f"{_TOLD}{_UNDECODED}")
    code = F.when(corrupt.isNull() & ~is_followed, None).when(is_undecoded, ENCODING).otherwise(MALFORMED)
    return df, code, is_followed | corrupt.startswith(f"{_TOLD}{_FOLLOWED}"), _record()


def is_single(line: Column) -> Column:
    """Tell quickly whether a line is UTF-8 and beyond doubt holds one value; what is in doubt may."""
    # Keys alone are looked for; that takes half as long as to parse. Behind an object that ends early there is no
    # second key, and with another key behind the object there are three.
    keys = F.json_object_keys(F.concat(F.lit('{"":'), line, F.lit(f',"{_END}":true}}')))
    has_one = _is_flat(line) | (line == "") | F.coalesce(F.size(keys) == 2, F.lit(False))
    return F.is_valid_utf8(line) & has_one


def _is_flat(line: Column) -> Column:
    # Signs would have to be counted, bytes need not.
    bits = line.cast("binary")
    but_last = F.substr(bits, F.lit(1), F.octet_length(bits) - 1).cast("string")
    return line.startswith("{") & line.endswith("}") & ~F.contains(but_last, F.lit("}"))


def _prepared(schema: StructType, options: dict[str, str], *, checks_encoding: bool) -> Column:
    """Return a line such that parsing it tells what is wrong with it."""
    line, trimmed = without_mark(named(TEXT)), bare(named(TEXT))
    is_flat = _is_flat(line)
    inner = F.substr(trimmed, F.lit(2), F.length(trimmed) - 2)
    more = F.concat(F.lit(_FIRST), F.hex(line), F.lit('",'), inner, F.lit(f'\n,"{_END}":true}}'))
    is_list = trimmed.startswith("[")
    told = F.when(says_more(line, options), _FOLLOWED).otherwise(_BROKEN)
    is_good_list = (F.btrim(inner, F.lit(BARE)) == "") | list_of(line, schema, options)
    marked = F.concat(F.lit(_TOLD), told, line)
    prepared = F.when(is_flat, line).when(trimmed.startswith("{") & trimmed.endswith("}"), more)
    prepared = prepared.when(is_list & trimmed.endswith("]") & (trimmed != "]") & is_good_list, line)
    prepared = prepared.when(is_list | trimmed.startswith("{"), marked).otherwise(line)
    if not checks_encoding:
        return prepared
    # Java's texts, through which lines go, know no broken bytes.
    undecoded = F.concat(F.lit(f"{_TOLD}{_UNDECODED}"), F.hex(line))
    return F.when(~F.is_valid_utf8(line), undecoded).otherwise(prepared)


def _record() -> Column:
    corrupt, behind = named(CORRUPT), len(_TOLD) + 2
    hidden = F.substring_index(F.substr(corrupt, F.lit(len(_FIRST) + 1)), '"', 1)
    told = F.substr(corrupt, F.lit(behind))
    return (
        F.when(corrupt.isNull(), F.unhex(_TEXT).cast("string"))
        .when(corrupt.startswith(f"{_TOLD}{_UNDECODED}"), escaped(F.unhex(told)))
        .when(corrupt.startswith(_TOLD), told)
        .when(corrupt.startswith(_FIRST), F.unhex(hidden).cast("string"))
        .otherwise(corrupt)
    )
