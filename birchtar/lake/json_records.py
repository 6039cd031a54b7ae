"""JSON records, parsed from their texts to the last sign: what stands behind a value does not get lost.

Spark's parser is content with the first value of a text. So the text is parsed as an element of an array, and behind it
another has to be found there: ``{"all": [<text>, {"end": true}]}``. This is exact whatever the text is, and slow.
"""

from collections.abc import Mapping
from uuid import uuid4

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, BooleanType, DataType, StringType, StructField, StructType, VariantType

from birchtar.lake.rejects import CORRUPT, named, permissive
from birchtar.lake.texts import BARE, TEXT, bare, without_mark

ROW, IS_BROKEN, IS_FOLLOWED = "_birchtar_row", "_birchtar_is_broken", "_birchtar_is_followed"
"""The columns that `parsed` adds; names that no file has."""

_ALL, _END = f"all_{uuid4().hex}", f"end_{uuid4().hex}"
"""Keys that are in no text."""

_PARSED, _IS_LIST = "_birchtar_parsed", "_birchtar_is_list"
_COMMENT = r"^\s*(/\*([^*]|\*(?!/))*\*/\s*)*(//.*)?$"
_DEPTH = 1000
"""How deep Spark lets values be nested."""


def parsed(
    df: DataFrame, item: StructType | VariantType, options: Mapping[str, object], *, opens_lists: bool = True
) -> DataFrame:
    """Return the records of texts. Lazy.

    Args:
        df: Texts, in the column `TEXT`, and other columns.
        item: What a record is. Of a text that is an array each element is a record, unless these are VARIANTs.
        options: Those of Spark's JSON reader.
        opens_lists: Whether an array's elements are records; otherwise it is broken.

    Returns:
        The columns of ``df``, the record, null where nothing of it could be read, whether the text is not what it has
        to be, and whether something stands behind its first value. Blank texts and empty arrays have no row.
    """
    how = permissive(options)
    text = named(TEXT)
    rows = df.withColumn(TEXT, without_mark(text))
    rows = rows.where(text.startswith("{") | ~_is_blank(text, how))
    is_list = _is_list(text) if opens_lists and isinstance(item, StructType) else F.lit(False)
    rows = rows.select("*", is_list.alias(_IS_LIST))
    wrapped = F.when(named(_IS_LIST), _wrapped(text, is_list=True)).otherwise(_wrapped(text, is_list=False))
    rows = rows.select("*", F.from_json(wrapped, _schema(item), _deeper(how)).alias(_PARSED))
    is_whole = _is_whole(named(_PARSED), item, is_list=named(_IS_LIST))
    rows = rows.select("*", (~is_whole).alias(IS_BROKEN))
    found = named(_PARSED).getField(_ALL)
    count = F.when(named(_IS_LIST) & ~named(IS_BROKEN), F.size(found) - 1).otherwise(1)
    # A generator lets no condition through to where it would have the text parsed once more.
    rows = rows.select(*df.columns, IS_BROKEN, F.explode_outer(F.slice(found, F.lit(1), count)).alias(ROW))
    return rows.select(*df.columns, ROW, IS_BROKEN, (named(IS_BROKEN) & says_more(text, how)).alias(IS_FOLLOWED))


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


def list_of(text: Column, item: StructType, options: Mapping[str, str]) -> Column:
    """Tell whether a text from bracket to bracket is one array, of such objects and nothing else."""
    found = F.from_json(_wrapped(text, is_list=True), _schema(item), _deeper(options))
    return _is_whole(found, item, is_list=F.lit(True))


def in_elements(df: DataFrame, item: StructType, options: Mapping[str, object]) -> DataFrame:
    """Return texts with each array that is not one of such objects as the texts of its elements. Lazy.

    An element's text is written anew: its keys are sorted, and 1.10 is 1.1. An array that does not parse, has a key
    twice in an object, holds no object, or has something behind it, stays as it is.
    """
    text, how = named(TEXT), permissive(options)
    # As texts the elements would come with fractions rounded to doubles.
    found = F.from_json(_wrapped(text, is_list=True), _schema(VariantType()), _deeper(how))
    rows = df.select("*", F.when(is_mixed_list(text, item, options), found).alias(_PARSED))
    values = named(_PARSED).getField(_ALL)
    texts = F.transform(
        F.slice(values, F.lit(1), F.greatest(F.size(values) - 1, F.lit(0))), lambda element: F.to_json(element)
    )
    is_whole = _is_whole(named(_PARSED), VariantType(), is_list=F.lit(True))
    has_objects = F.exists(texts, lambda element: element.startswith("{"))
    split = F.when(is_whole & has_objects, texts).otherwise(F.array(text))
    others = [name for name in df.columns if name != TEXT]
    return rows.select(F.explode(split).alias(TEXT), *map(named, others)).select(*map(named, df.columns))


def is_mixed_list(text: Column, item: StructType, options: Mapping[str, object]) -> Column:
    """Tell whether a text goes from bracket to bracket, and is not one array of such objects and nothing else."""
    is_list = F.is_valid_utf8(text) & _is_list(without_mark(text))
    is_mixed = F.when(is_list, ~list_of(without_mark(text), item, permissive(options))).otherwise(F.lit(False))
    return F.when(text.startswith("{"), F.lit(False)).otherwise(is_mixed)  # nothing more is asked of most lines


def says_more(text: Column, options: Mapping[str, str]) -> Column:
    """Tell whether a text begins with a JSON object or array, and there is something behind it."""
    first = [F.from_json(text, kind, dict(options)).cast("string") for kind in ("MAP<STRING, STRING>", "ARRAY<STRING>")]
    kind = StringType()
    alone = F.from_json(_wrapped(text, is_list=False), _schema(kind), _deeper(options))
    return F.coalesce(*first).isNotNull() & ~_is_whole(alone, kind, is_list=F.lit(False))


def _deeper(options: Mapping[str, str]) -> dict[str, str]:
    """Return options for texts that have an object and an array around them."""
    depth = options.get("maxnestingdepth", str(_DEPTH))
    return {**options, "maxnestingdepth": str(int(depth) + 2) if depth.isdecimal() else depth}


def _is_blank(text: Column, options: Mapping[str, str]) -> Column:
    trimmed = bare(text)
    inner = F.btrim(F.substr(trimmed, F.lit(2), F.length(trimmed) - 2), F.lit(BARE))
    is_blank = (trimmed == "") | (_is_list(text) & (inner == ""))
    return is_blank | text.rlike(_COMMENT) if options.get("allowcomments") == "true" else is_blank


def _is_list(text: Column) -> Column:
    trimmed = bare(text)
    return trimmed.startswith("[") & trimmed.endswith("]") & ~text.startswith("{")


def _wrapped(text: Column, *, is_list: bool) -> Column:
    # On a line of its own the end cannot become part of a comment.
    end = F.lit(f'\n,{{"{_END}":true}}]}}')
    if not is_list:
        return F.concat(F.lit(f'{{"{_ALL}":['), text, end)
    # The text's own array is closed only behind the end.
    trimmed = bare(text)
    return F.concat(F.lit(f'{{"{_ALL}":'), F.substr(trimmed, F.lit(1), F.length(trimmed) - 1), end)


def _schema(item: DataType) -> StructType:
    element = StructType([*item.fields, StructField(_END, BooleanType())]) if isinstance(item, StructType) else item
    return StructType([StructField(_ALL, ArrayType(element)), StructField(CORRUPT, StringType())])


def _is_whole(parsed: Column, item: DataType, *, is_list: Column) -> Column:
    """Tell whether the end stands where it has to, right behind the text, and all before it could be read."""
    found = parsed.getField(_ALL)
    last = F.element_at(found, -1)
    if isinstance(item, StructType):
        is_end = last.getField(_END)
    elif isinstance(item, VariantType):
        is_end = F.try_variant_get(last, f"$.{_END}", "boolean")
    else:
        is_end = last == f'{{"{_END}":true}}'
    is_whole = parsed.getField(CORRUPT).isNull() & (is_list | (F.size(found) == 2)) & is_end
    # Spark takes null for an object of which nothing is known.
    if isinstance(item, StructType):
        is_whole = is_whole & ~F.exists(found, lambda element: element.isNull())
    return F.coalesce(is_whole, F.lit(False))
