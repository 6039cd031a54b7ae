"""Which tables an SQL text reads, found without starting Spark."""

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlglot import exp

_WORD = re.compile(
    r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|--[^\n]*"""
    r"""|(?P<name>(?:`[^`]+`|[^\W\d]\w*)(?:\.(?:`[^`]+`|\w+))*)"""
)
"""A quoted text, a comment, or a name; only the last has the group."""

_LAST_NAME = re.compile(r"`(?:[^`]|``)+`$|\w+$")

_OUTER_JOIN = re.compile(r"\b(right|full)\s+(?:outer\s+)?join\b", re.IGNORECASE)

_GROUPING = re.compile(r"\b(group\s+by|distinct|over\s*\(|limit)", re.IGNORECASE)

_SIMPLE_TYPES = {
    *("boolean", "tinyint", "smallint", "int", "integer", "bigint", "long", "float", "double", "decimal"),
    *("string", "binary", "date", "timestamp", "timestamp_ntz", "variant", "void"),
}
"""Those that need no parser, which takes a quarter of a second to load."""


class QueryError(ValueError):
    """The text is not one query."""


class UnreadableQueryError(QueryError):
    """The text did not parse; whether it is SQL all the same, only Spark's own parser can tell."""


@dataclass(frozen=True)
class Reference:
    """A table that an SQL text reads: its dotted name, and the characters where it stands in the text."""

    name: str
    start: int
    end: int
    aliased: bool


def tables_read(query: str) -> list[Reference]:
    """Return every table that the query reads, in the order of the text.

    Names that the query gives to parts of its own (``WITH x AS``) are not among them.

    Raises:
        UnreadableQueryError: The text does not parse.
        QueryError: The text parses, but is not a query, or is more than one.

    Example:
        >>> [found.name for found in tables_read("WITH x AS (SELECT 1) SELECT * FROM x JOIN a.b USING (id)")]
        ['a.b']
    """
    import sqlglot  # takes a quarter of a second to load, and many jobs have no SQL
    from sqlglot import exp
    from sqlglot.errors import SqlglotError
    from sqlglot.optimizer.scope import traverse_scope

    try:
        statements = sqlglot.parse(query, dialect="spark")
        if len(statements) != 1 or not isinstance(statements[0], exp.Query | exp.Values):
            raise QueryError("has to be one query: SELECT, WITH or VALUES")
        scopes = traverse_scope(statements[0])
        sources = [source for scope in scopes for _, source in scope.selected_sources.values()]
    except SqlglotError as error:
        raise UnreadableQueryError(f"is not SQL: {_first_sentence(error)}") from error
    tables = {id(source): source for source in sources if isinstance(source, exp.Table) and source.name}
    return sorted(map(_reference, tables.values()), key=lambda reference: reference.start)


def words_read(query: str, known: Container[str]) -> list[Reference]:
    """Return every known name in a text that `tables_read` cannot parse, wherever it stands outside quoted texts.

    Example:
        >>> [found.name for found in words_read("SELECT a:b.c FROM flights WHERE x = 'planes'", {"flights", "planes"})]
        ['flights']
    """
    found = (match for match in _WORD.finditer(query) if match["name"])
    names = ((match["name"].replace("`", ""), match.start(), match.end()) for match in found)
    return [Reference(name, start, end, aliased=True) for name, start, end in names if name in known]


def outer_join(query: str) -> str | None:
    """Return `right` or `full` where a query has such a join, which keeps rows of the second table that match nothing.

    In a text that does not parse, the words count.

    Example:
        >>> outer_join("SELECT * FROM a FULL OUTER JOIN b USING (id)")
        'full'
        >>> outer_join("SELECT * FROM a LEFT JOIN b USING (id)")
    """
    from sqlglot import exp

    statements = _statements(query)
    if statements is None:
        sides = [match[1].upper() for match in _OUTER_JOIN.finditer(query)]
    else:
        sides = [join.side for parsed in statements for join in parsed.find_all(exp.Join)]
    return next((side.lower() for side in sides if side in ("RIGHT", "FULL")), None)


def grouping(query: str) -> str | None:
    """Return what in a query makes rows that depend on several others; None if nothing does.

    What is only joined, or asked for in a condition, does not count. In a text that does not parse, the words count.

    Example:
        >>> grouping("SELECT town, count(*) FROM people GROUP BY town"), grouping("SELECT DISTINCT town FROM people")
        ('GROUP BY', 'DISTINCT')
        >>> grouping("SELECT p.* FROM people p JOIN (SELECT max(day) AS day FROM days) USING (day)")
    """
    from sqlglot import exp

    kinds: dict[type[exp.Expr], str] = {
        exp.Group: "GROUP BY",
        exp.Distinct: "DISTINCT",
        exp.Window: "a window",
        exp.Limit: "LIMIT",
        exp.AggFunc: "an aggregate",
    }
    statements = _statements(query)
    if statements is None:
        found = [match[0].upper() for match in _GROUPING.finditer(query)]
    else:
        found = [
            said
            for parsed in statements
            for kind, said in kinds.items()
            for node in parsed.find_all(kind)
            if node.find_ancestor(exp.Join, exp.Where) is None
        ]
    return next(iter(found), None)


def _statements(query: str) -> "list[exp.Expr] | None":
    """Return what a text consists of, None where it does not parse."""
    import sqlglot
    from sqlglot.errors import SqlglotError

    try:
        return [parsed for parsed in sqlglot.parse(query, dialect="spark") if parsed]
    except SqlglotError:
        return None


def tables_flowing(query: str) -> list[str]:
    """Return the tables whose rows a query hands on: of each side of a UNION the first, not those joined to it.

    Of a text that does not parse there are none.

    Example:
        >>> tables_flowing("WITH x AS (SELECT * FROM a) SELECT id FROM x JOIN b USING (id) UNION (SELECT id FROM c)")
        ['a', 'c']
    """
    import sqlglot
    from sqlglot.errors import SqlglotError

    try:
        return list(dict.fromkeys(_flowing(sqlglot.parse_one(query, dialect="spark"), {})))
    except SqlglotError:
        return []


def _flowing(query: "exp.Expr", parts: "Mapping[str, exp.Expr]") -> Iterator[str]:
    """Yield those of a part of a query, within which other parts have names."""
    from sqlglot import exp

    if isinstance(query, exp.Query):
        parts = {**parts, **{part.alias: part.this for part in query.ctes}}
    if isinstance(query, exp.Subquery):
        yield from _flowing(query.this, parts)
    elif isinstance(query, exp.SetOperation):
        yield from _flowing(query.this, parts)
        if isinstance(query, exp.Union):  # what EXCEPT and INTERSECT name second is only looked up
            yield from _flowing(query.expression, parts)
    elif isinstance(query, exp.Select) and (first := query.args.get("from_")):
        yield from _flowing(first.this, parts)
    elif isinstance(query, exp.Table) and query.name:
        name = ".".join(part.name for part in query.parts)
        if name in parts:  # within itself a part is not looked into again
            yield from _flowing(parts[name], {other: part for other, part in parts.items() if other != name})
        else:
            yield name


def complaint_of_spark(query: str) -> str | None:
    """Return what Spark's own parser has against a query; None if nothing. Starts Spark, if it does not run yet."""
    from pyspark.errors import PySparkException

    from birchtar.runner.failures import sentence
    from birchtar.runner.session import start

    session: Any = start()
    try:
        session._jsparkSession.sessionState().sqlParser().parseQuery(query)
    except PySparkException as error:
        return sentence(error)
    return None


def rename_tables(query: str, references: Iterable[Reference], new_names: Mapping[str, str]) -> str:
    """Return the query with the tables that it reads under new names; what is not in ``new_names`` stays.

    A table without an alias gets its old last name as one, so that columns qualified by it still resolve.

    Example:
        >>> query = "SELECT c.id FROM b.c"
        >>> rename_tables(query, tables_read(query), {"b.c": "b_c"})
        'SELECT c.id FROM `b_c` AS `c`'
    """
    for reference in sorted(references, key=lambda reference: -reference.start):
        if reference.name in new_names:
            last = _LAST_NAME.search(query[reference.start : reference.end])
            alias = f" AS `{last[0].strip('`')}`" if last and not reference.aliased else ""
            renamed = f"`{new_names[reference.name]}`{alias}"
            query = query[: reference.start] + renamed + query[reference.end :]
    return query


def is_type(text: str) -> bool:
    """Return whether a text names a type of Spark SQL; inside a nested type it does not look closely.

    Example:
        >>> is_type("array<int>"), is_type("void"), is_type("intt")
        (True, True, False)
    """
    if text.lower() in _SIMPLE_TYPES:
        return True
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        return bool(exp.DataType.build(text, dialect="spark"))
    except SqlglotError:
        return False


def _reference(table: "exp.Table") -> Reference:
    parts = table.parts
    name = ".".join(part.name for part in parts)
    return Reference(name, parts[0].meta["start"], parts[-1].meta["end"] + 1, bool(table.alias))


def _first_sentence(error: Exception) -> str:
    details = getattr(error, "errors", None)
    if not details:
        return str(error).splitlines()[0]
    first = details[0]
    near = f" near `{first['highlight']}`" if first.get("highlight") else ""
    what = "something is missing" if first["description"].startswith("Required keyword") else "it breaks off"
    return f"{what}{near}, line {first['line']} of the text"
