"""What the columns of a query's result are made of, by their names in the tables that it reads."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from birchtar.runner.derived import ANYTHING, AS_IT_IS, Made, meet
from birchtar.runner.hidden import plain
from transforms.paths import Path

if TYPE_CHECKING:
    from sqlglot import exp


class _Output(NamedTuple):
    """A column of a table, or several."""

    name: Path
    """Empty where it is not known."""
    made: list[Made]
    is_one: bool = True


class _UnfollowedError(ValueError):
    """The text is no query that is known here."""


_ALL = _Output((), [AS_IT_IS], is_one=False)

_Parts = Mapping[str, list[_Output]]
"""What a query has given names to, such as by ``WITH x AS``."""

_Sources = list[tuple[str, list[_Output]]]
"""The tables of a FROM, by the names that columns are qualified by."""


def made_by_query(query: str) -> list[Made]:
    """Return what a query makes. Of a text that cannot be followed, anything may be made of anything.

    Example:
        >>> made_by_query("SELECT i.id, person.card AS c FROM i")[-1]
        Made(new=('c',), source=('person', 'card'), is_same=True)
        >>> made_by_query("WITH a(x, y) AS (SELECT id, card FROM i) SELECT upper(y) AS z FROM a")
        [Made(new=('z',), source=('card',), is_same=False)]
    """
    import sqlglot
    from sqlglot.errors import SqlglotError

    for dialect in ("spark", "databricks"):  # which has the paths into variants, as Spark by now does
        try:
            return _all_made(_columns(sqlglot.parse_one(query, dialect=dialect), {}))
        except (SqlglotError, _UnfollowedError):
            pass
    return [ANYTHING]


def _columns(query: "exp.Expr", parts: _Parts) -> list[_Output]:
    from sqlglot import exp

    if isinstance(query, exp.Query):
        with_ = query.args.get("with_")
        for part in query.ctes:
            known = parts if not with_ or not with_.recursive else {**parts, part.alias.lower(): [_any()]}
            parts = {**parts, part.alias.lower(): _renamed(_columns(part.this, known), part.args.get("alias"))}
    if isinstance(query, exp.SetOperation):
        return _stacked(query, _columns(query.this, parts), _columns(query.expression, parts))
    if isinstance(query, exp.Subquery | exp.Table | exp.Values):
        return _table(query, parts, [])
    if not isinstance(query, exp.Select):
        raise _UnfollowedError
    from_ = query.args.get("from_")
    sources = _sources([from_.this] if from_ else [], query, parts)
    found: list[_Output] = []
    for projection in query.expressions:
        found += _projected(projection, _Scope(parts, sources, found, bool(query.args.get("joins"))))
    return found


def _sources(first: "Iterable[exp.Expr]", query: "exp.Expr", parts: _Parts) -> _Sources:
    sources: _Sources = []
    joined = [join.this for join in query.args.get("joins") or ()]
    for table in [*first, *joined, *(query.args.get("laterals") or ())]:
        sources.append((table.alias_or_name.lower(), _table(table, parts, sources)))
    return sources


def _table(table: "exp.Expr", parts: _Parts, before: _Sources) -> list[_Output]:
    """Return the columns of something in a FROM; a LATERAL one sees those before it."""
    from sqlglot import exp

    inner = table.this
    if isinstance(table, exp.Values):
        found = [_Output((), [], is_one=False)]
    elif isinstance(table, exp.Lateral) and not isinstance(inner, exp.Query):
        found = [_Output((), _loose((), inner, _Scope(parts, before, [])), is_one=False)]
    elif isinstance(table, exp.Subquery) and isinstance(inner, exp.Query | exp.Values | exp.Table):
        found = _columns(inner, parts)
    elif isinstance(table, exp.Table) and isinstance(inner, exp.Identifier):
        is_part = len(table.parts) == 1 and table.name.lower() in parts
        found = parts[table.name.lower()] if is_part else [_ALL]
    else:
        found = [_any()]
    found = [*found, *(each for _, columns in _sources([], table, parts) for each in columns)]
    if table.args.get("pivots"):
        found = [_Output((), _blurred((), found), is_one=False)]
    return _renamed(found, table.args.get("alias"))


class _Scope(NamedTuple):
    """What an expression can name."""

    parts: _Parts
    sources: _Sources
    found: Sequence[_Output]
    """The columns to the left of it."""
    is_joined: bool = False

    def all(self) -> list[_Output]:
        return [each for _, columns in self.sources for each in columns]

    def named(self, names: Sequence[str]) -> Iterator[tuple[Path, Sequence[_Output]]]:
        """Yield what a name may mean: a path, and the columns among which it is one."""
        path = tuple(names)
        yield plain(path), [*self.all(), *(each for each in self.found if each.name)]
        for table, columns in self.sources:
            for at, name in enumerate(path[:-1]):
                if table in (name.lower(), ""):  # in parentheses there may be tables of any names
                    yield plain(path[at + 1 :]), columns


def _projected(projection: "exp.Expr", scope: _Scope) -> list[_Output]:
    from sqlglot import exp

    if any(star.args.get("replace") or star.args.get("rename") for star in projection.find_all(exp.Star)):
        return [_any()]
    if projection.is_star:
        names = [part.name for part in projection.parts[:-1]] if isinstance(projection, exp.Column) else []
        return list(_of_star(names, scope))
    if isinstance(projection, exp.Aliases):
        named = [plain((alias.name,)) for alias in projection.expressions]
        return [_Output(name, _loose(name, projection.this, scope)) for name in named]
    value = projection.this if isinstance(projection, exp.Alias) else projection
    names = _names(value)
    if not names and value is projection:
        makes_one = not isinstance(value, exp.Anonymous | exp.Explode | exp.Inline | exp.Stack | exp.QueryTransform)
        return [_Output((), _loose((), value, scope), makes_one)]
    name = plain((projection.alias or names[-1],))
    if names:
        made = [each for path, columns in scope.named(names) for each in _of(name, path, columns, is_same=True)]
    else:
        made = _loose(name, value, scope)
    return [_Output(name, made)]


def _of_star(names: Sequence[str], scope: _Scope) -> Iterator[_Output]:
    tables = [columns for table, columns in scope.sources if names and names[-1].lower() == table]
    for columns in tables if names else [scope.all()]:
        # A key that a join names once is there once, wherever.
        yield from (each._replace(is_one=each.is_one and not scope.is_joined) for each in columns)
    if names and (not tables or len(names) > 1):
        made = [each for path, columns in scope.named(names) for each in _of((), path, columns, is_same=True)]
        yield _Output((), made, is_one=False)


def _names(value: "exp.Expr") -> list[str]:
    """Return the names of a column, or of a field of one; nothing of another expression."""
    from sqlglot import exp

    if isinstance(value, exp.Column):
        return [part.name for part in value.parts]
    if isinstance(value, exp.Dot) and isinstance(value.expression, exp.Identifier) and (names := _names(value.this)):
        return [*names, value.expression.name]
    return []


def _loose(new: Path, value: "exp.Expr", scope: _Scope) -> list[Made]:
    """Return all that an expression is made of. How many there are of something tells nothing of what it is."""
    from sqlglot import exp

    made: list[Made] = []
    for node in value.walk(prune=lambda node: isinstance(node, exp.Count | exp.Query)):
        if isinstance(node, exp.Query):
            made += _blurred(new, _columns(node, scope.parts))
            named = [_names(column) for column in node.find_all(exp.Column)]
        elif isinstance(node, exp.Star) or (isinstance(node, exp.Column) and node.is_star):
            named = [[]]
        else:
            named = [_names(node)] if isinstance(node, exp.Column) else []
        for names in named:
            made += [each for path, columns in scope.named(names) for each in _of(new, path, columns, is_same=False)]
    return made


def _of(new: Path, path: Path, columns: Iterable[_Output], *, is_same: bool) -> Iterator[Made]:
    """Yield what a field of some columns is made of, as that of a new one."""
    for made in _all_made(columns):
        if meet(path, made.new):
            inside = path[len(made.new) :] if made.is_same else ()
            name = new + made.new[len(path) :] if is_same else new
            yield Made(name, made.source + inside, is_same and made.is_same)


def _renamed(columns: list[_Output], alias: "exp.Expr | None") -> list[_Output]:
    """Return columns under the names that a list behind an alias gives them, by position."""
    names = [plain((name.name,)) for name in (alias.args.get("columns") or ())] if alias else []
    if not names:
        return columns
    if len(names) == len(columns) and all(each.is_one for each in columns):
        return [_Output(name, _under(name, each)) for name, each in zip(names, columns, strict=True)]
    return [_Output(name, _blurred(name, columns)) for name in names]


def _stacked(query: "exp.SetOperation", first: list[_Output], second: list[_Output]) -> list[_Output]:
    """Return the columns of a UNION and the like: those of the first, by position; where that is not known, any."""
    from sqlglot import exp

    if query.args.get("by_name"):
        return [each._replace(is_one=False) for each in (*first, *second)]
    if len(first) == len(second) and all(each.is_one for each in (*first, *second)):
        pairs = zip(first, second, strict=True)
        return [_Output(each.name, [*each.made, *_under(each.name, other)]) for each, other in pairs]
    tables = {table.sql() for table in query.find_all(exp.Table)}
    if first == second == [_ALL] and len({table.split(" ")[0] for table in tables}) == 1 and not query.ctes:
        return first
    return [_Output((), _blurred((), [*first, *second]), is_one=False)]


def _under(name: Path, column: _Output) -> list[Made]:
    if not name:
        return _blurred((), [column])
    return [Made(name + new[len(column.name) :], source, is_same) for new, source, is_same in column.made]


def _blurred(name: Path, columns: Iterable[_Output]) -> list[Made]:
    return [Made(name, made.source) for made in _all_made(columns)]


def _any() -> _Output:
    return _Output((), [ANYTHING], is_one=False)


def _all_made(columns: Iterable[_Output]) -> list[Made]:
    return list(dict.fromkeys(made for column in columns for made in column.made))
