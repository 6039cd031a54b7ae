"""Expressions about what is inside a row: SQL text whose names are bound to the fields round the place it is for.

A name means a field of the innermost struct, else of the struct round that one, and so on up to the columns of the
row. ``_`` is the innermost value itself, an element of an array or a struct, and ``_row.name`` is a column whatever is
further inside. A name is taken as it is spelt; in another case only where one field alone has it.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pyspark.sql.types import StructType

from transforms.errors import DuplicateColumnError, MissingColumnError, TransformError, say_known
from transforms.nested.values import COLUMN, ELEMENT, Value, member
from transforms.paths import Path, fields_of, find, quote

ITSELF, ROW = "_", "_row"

_TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*|/\*.*?\*/)
    |(?P<text>[rR]'[^']*'|[rR]"[^"]*"|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    |`(?P<quoted>(?:[^`]|``)+)`
    |(?P<number>\d[\d.]*(?:[eE][+-]?\d+)?\w*|\.\d+(?:[eE][+-]?\d+)?\w*)
    |(?P<word>[^\W\d]\w*)
    |(?P<mark>->|=>|::|.)""",
    re.VERBOSE | re.DOTALL,
)

_WORDS = """
    all and any array as asc at between both by case cast collate cross current_catalog current_database current_date
    current_schema current_time current_timestamp current_user date day dayofyear days desc distinct div else end escape
    except exists extract false filter first following for from group having hour hours ignore ilike in interval is
    last leading like limit localtime map microsecond microseconds millisecond milliseconds minute minutes mod month
    months not null nulls or order outer over overlay partition placing position preceding quarter range regexp respect
    right left rlike row rows second seconds select session_user similar some struct substring substr table then time
    timestamp timestamp_ltz timestamp_ntz to trailing trim true try_cast unbounded unknown user using when where window
    with within week weeks year years zone
"""
_KEYWORDS = frozenset(_WORDS.split())
"""Words that SQL may mean otherwise than as a name. Whether it does, only Spark's parser can tell."""


_NESTED = ("array", "map", "struct")
"""Types that hold others."""


class _Token(NamedTuple):
    kind: str
    text: str
    lead: str = ""
    """The white space before it; a comment counts as some."""


def bind(text: str, scope: Sequence[Value], itself: Value, *, where: str) -> str:
    """Return the SQL text with its names bound, in brackets.

    Args:
        text: An SQL expression.
        scope: The values round the place, the row first and the innermost last. What is no struct has no names.
        itself: What ``_`` is.
        where: What holds the expression, for the error's sentence.

    Raises:
        TransformError: The text is empty, or a bracket or a quote in it is not closed.
        MissingColumnError: ``_row.name`` is not there.
        DuplicateColumnError: A name can mean several fields of one struct.
    """
    tokens = list(_tokens(text, where))
    variables = _lambda_variables(tokens)
    bound: list[str] = []
    around: dict[str, str] = {}
    in_types = _inside_types(tokens)
    for at, token in enumerate(tokens):
        name = None if at in in_types else _name(tokens, at)
        bound.append(token.lead)
        if _is_dot_of_row(tokens, at):
            continue
        if name is None:
            bound.append(_original(token))
        elif name == ITSELF:
            bound.append(itself.sql or _complain(where, "`_` is an element or a struct, and here is neither."))
        elif _is_dot_of_row(tokens, at + 1):
            continue
        elif _is_dot_of_row(tokens, at - 1):
            bound.append(_require(name, scope[0], where))
        elif token.kind == "word" and (name.lower() in _KEYWORDS or name.lower() in variables):
            value = _find(name, scope, where)
            if value is not None:
                around[name.lower()] = value
            bound.append(token.text)
        else:
            bound.append(_find(name, scope, where) or _original(token))
    body = f"({''.join(bound).strip()})"
    for name, value in around.items():
        # Where a word may be SQL's own, the field becomes a variable of that name: then Spark's parser decides.
        body = f"transform(array({value}), {quote(name)} -> {body})[0]"
    return body


def structs_round(schema: StructType, path: Path) -> list[Value]:
    """Return what lies round the field of a path, from the outside in, for `names_in`; the row is not among it."""
    found = (fields_of(find(schema, path[:depth]) or schema) for depth in range(1, len(path)))
    return [Value("", struct) for struct in found if struct is not None]


def names_in(scope: Sequence[Value]) -> list[str]:
    """Return all names that an expression may use, for what an error says."""
    return [name for value in scope if isinstance(value.data_type, StructType) for name in value.data_type.names]


def _tokens(text: str, where: str) -> Iterator[_Token]:
    open_brackets: list[str] = []
    lead = ""
    closing = {")": "(", "]": "["}
    for match in _TOKEN.finditer(text):
        kind = str(match.lastgroup)
        token = _Token(kind, match[kind], lead)
        lead = " " if kind == "space" else ""
        if kind == "space":
            continue
        if kind == "word" and re.match(rf"({COLUMN}|{ELEMENT})\d+$", token.text):
            raise MissingColumnError(f"{where}: There is no field `{token.text}`.")
        if kind == "mark" and token.text in ("'", '"', "`"):
            _complain(where, f"A quote {token.text} at character {match.start() + 1} is not closed.")
        if kind == "mark" and token.text in ("(", "["):
            open_brackets.append(token.text)
        if (
            token.text in closing
            and kind == "mark"
            and (not open_brackets or open_brackets.pop() != closing[token.text])
        ):
            _complain(where, f"A bracket {token.text} at character {match.start() + 1} closes none.")
        yield token
    if open_brackets:
        _complain(where, f"A bracket {open_brackets[-1]} is not closed.")
    if not text.strip():
        _complain(where, "The expression is empty.")


def _complain(where: str, what: str) -> str:
    raise TransformError(f"{where}: {what}")


def _lambda_variables(tokens: Sequence[_Token]) -> set[str]:
    """Return the names that lambdas in the text give to their arguments."""
    found: set[str] = set()
    for at, token in enumerate(tokens):
        if token.text != "->" or token.kind != "mark":
            continue
        before = at - 1
        if tokens[before].text == ")":
            while before > 0 and tokens[before].text != "(":
                before -= 1
        found |= {inner.text.lower() for inner in tokens[before:at] if inner.kind == "word"}
    return found


def _inside_types(tokens: Sequence[_Token]) -> set[int]:
    """Return the places of what stands in the angle brackets of a type, as in ``CAST(_ AS STRUCT<price: DOUBLE>)``."""
    found: set[int] = set()
    for at in range(1, len(tokens) - 1):
        names_type = tokens[at - 1].text.lower() in ("as", "::") and tokens[at - 1].kind != "quoted"
        if not names_type or tokens[at].text.lower() not in _NESTED or tokens[at + 1].text != "<":
            continue
        depth, place = 1, at + 2
        while depth and place < len(tokens):
            found.add(place)
            depth += {"<": 1, ">": -1}.get(tokens[place].text, 0)
            place += 1
    return found


def _name(tokens: Sequence[_Token], at: int) -> str | None:
    """Return the name that a token may be for a field; None for what is none in this place."""
    token = tokens[at]
    if token.kind not in ("word", "quoted"):
        return None
    before = tokens[at - 1] if at else _Token("", "")
    after = tokens[at + 1].text if at + 1 < len(tokens) else ""
    follows_as = before.kind == "word" and before.text.lower() == "as"
    if follows_as or (before.kind == "mark" and before.text in ("::", ":")):
        return None  # the name of a type or of a new field, or a path into a variant
    if before.kind == "mark" and before.text == "." and not _is_dot_of_row(tokens, at - 1):
        return None
    if after == "=>" or (after == "(" and token.kind == "word"):
        return None
    return token.text.replace("``", "`") if token.kind == "quoted" else token.text


def _is_dot_of_row(tokens: Sequence[_Token], at: int) -> bool:
    """Return whether here is the dot of ``_row.name``."""
    if not 0 < at < len(tokens) - 1 or tokens[at].text != "." or tokens[at].kind != "mark":
        return False
    is_row = tokens[at - 1].kind == "word" and tokens[at - 1].text == ROW
    return is_row and (at == 1 or tokens[at - 2].text != ".") and tokens[at + 1].kind in ("word", "quoted")


def _original(token: _Token) -> str:
    return f"`{token.text}`" if token.kind == "quoted" else token.text


def _find(name: str, scope: Sequence[Value], where: str) -> str | None:
    for value in reversed(scope):
        index = _index(name, value, where)
        if index is not None:
            return member(value, index).sql
    return None


def _require(name: str, row: Value, where: str) -> str:
    index = _index(name, row, where)
    if index is None:
        names = row.data_type.names if isinstance(row.data_type, StructType) else []
        raise MissingColumnError(f"{where}: There is no column `{name}`. {say_known(name, names, kind='column')}")
    return member(row, index).sql


def _index(name: str, value: Value, where: str) -> int | None:
    names = value.data_type.names if isinstance(value.data_type, StructType) else []
    same = [at for at, known in enumerate(names) if known == name]
    same = same or [at for at, known in enumerate(names) if known.lower() == name.lower()]
    if len(same) > 1:
        known = ", ".join(f"`{names[at]}`" for at in same)
        raise DuplicateColumnError(f"{where}: `{name}` can mean more than one field: {known}. Rename one first.")
    return same[0] if same else None
