"""CSV texts that begin with their own header: their values in the order of one schema."""

from collections import Counter

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from transforms.core.columns import by_position
from transforms.errors import DuplicateColumnError, TransformError
from transforms.nested.boxed_text import SPACE, Boxed, strings, without_line_end
from transforms.nested.values import COLUMN, text_literal

_END = text_literal("\n")
_QUOTE = '"'
_MOST_HEADERS = 1_000


def header_type(df: DataFrame, boxed: Boxed) -> StructType:
    """Return the type of which the first lines of all CSV texts tell: the names of the most frequent one come first.

    Starts one job.

    Raises:
        TransformError: There is no text, or there are too many different headers.
        DuplicateColumnError: A header has a name twice.
    """
    header = _first_line(boxed.sql)
    headers = by_position(df, COLUMN).where(F.expr(f"btrim({header}, {SPACE}) <> ''"))
    told = headers.groupBy(F.expr(_names(header, boxed)).alias("names")).count()
    found = told.orderBy(F.desc("count"), "names").limit(_MOST_HEADERS + 1).collect()
    if len(found) > _MOST_HEADERS:
        raise TransformError(
            f"{boxed.where}: There are more than {_MOST_HEADERS:,} different headers. Declare `schema`."
        )
    names: dict[str, None] = {}
    for own, _ in found:
        if twice := [name for name, times in Counter(own).items() if times > 1]:
            raise DuplicateColumnError(f"{boxed.where}: the header has `{twice[0]}` more than once. Declare `schema`.")
        names |= dict.fromkeys(own)
    if not names:
        raise TransformError(f"{boxed.where}: There is no header to learn a schema from. Declare `schema`.")
    return strings(list(names))


def after_header(boxed: Boxed, wanted: StructType, *, is_declared: bool) -> str:
    """Return the SQL for what follows the first line of a text, with the values in the order of a type.

    By their names in the text's own header. Where it lacks one, the value is empty; but if the type is declared, the
    values stay in their own order: the schema then says what they are called. A text that has more or fewer values
    than names, or a name that was not learnt, becomes one that does not parse.
    """
    body, header, separator = after_first_line(boxed.sql), _first_line(boxed.sql), text_literal(boxed.separator)
    own, cells = _names(header, boxed), _cells(body, boxed)
    names = f"array({', '.join(map(text_literal, wanted.names))})"
    ordered = f"transform({names}, n -> coalesce(get({cells}, array_position({own}, n) - 1), ''))"
    is_usual = f"{header} = {text_literal(boxed.separator.join(wanted.names))}"
    is_misfit = f"array_size({cells}) <> array_size({own})"
    if is_declared:
        has_others = f"array_size(array_except({names}, {own})) > 0"
        is_usual += f" OR {has_others} OR array_size({own}) > array_size(array_distinct({own}))"
    else:
        is_misfit += f" OR array_size(array_except({own}, {names})) > 0"
    return (
        f"CASE WHEN {is_usual} OR btrim({body}, {SPACE}) = '' THEN {body}"
        f" WHEN {is_misfit} THEN {text_literal('x' + boxed.separator * len(wanted.names))}"
        f" WHEN {body} IS NOT NULL THEN concat_ws({separator}, {ordered}) END"
    )


def after_first_line(sql: str) -> str:
    """Return the SQL for what follows the first line of a text; nothing follows an only line."""
    ends = f"instr({sql}, {_END})"
    return f"CASE WHEN {ends} = 0 THEN left({sql}, 0) ELSE {without_line_end(f'substr({sql}, {ends} + 1)')} END"


def _first_line(sql: str) -> str:
    return without_line_end(f"substring_index({sql}, {_END}, 1)")


def _names(header: str, boxed: Boxed) -> str:
    """Return the SQL for the names in a header, without the quotes that some may stand in."""
    quoted = text_literal(rf'(?s)^"({_inside(boxed)})"(.*)$')
    inner, behind = f"regexp_extract(c, {quoted}, 1)", f"regexp_extract(c, {quoted}, 2)"
    if boxed.escaper is None:
        plain = f"replace({inner}, {text_literal(_QUOTE * 2)}, {text_literal(_QUOTE)})"
    else:
        plain = f"regexp_replace({inner}, {text_literal(f'(?s){_sign(boxed.escaper)}(.)')}, {text_literal('$1')})"
    name = f"CASE WHEN c RLIKE {quoted} THEN concat({plain}, {behind}) ELSE c END"
    return f"transform({_cells(header, boxed)}, c -> {name})"


def _cells(sql: str, boxed: Boxed) -> str:
    """Return the SQL for the values of a line as they are written, in quotes or not."""
    end = _sign(boxed.separator)
    cell = rf'(?s){end}((?:"{_inside(boxed)}")?[^{end}]*+)'
    return f"regexp_extract_all(concat({text_literal(boxed.separator)}, {sql}), {text_literal(cell)}, 1)"


def _inside(boxed: Boxed) -> str:
    """Return the pattern of what stands between quotes."""
    if boxed.escaper is None:
        return '(?:[^"]|"")*+'
    escaper = _sign(boxed.escaper)
    return rf'(?:[^"{escaper}]|{escaper}.)*+'


def _sign(character: str) -> str:
    return rf"\x{{{ord(character):x}}}"
