"""Rows of a database table that are new by their keys: columns that only ever grow, or only ever shrink.

A row that is committed late, with keys below those that were read already, is not found: keys are to be given in the
order of commits, or a run is to stay away from the newest ones by a condition in the input's `query`.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from difflib import get_close_matches
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import DataType, DateType, NumericType, StringType, StructType, TimestampNTZType, TimestampType

from birchtar.lake.errors import LakeError
from birchtar.lake.jdbc import asked, connected, place, query_once, quoted, read_relation, relation, table_of
from birchtar.lake.source import Source

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")

_NEW = "birchtar_new"
"""What our own queries call their tables, as the SQL of some databases asks for a name."""


@dataclass(frozen=True)
class KeyMark:
    """The keys of the last row that was read."""

    keys: list[str]
    values: list[str]
    """As texts that the database itself reads back without loss."""
    order: str = "asc"
    of: str | None = field(default=None, compare=False)
    """The table that they are of; None where that is not known."""

    @classmethod
    def at(cls, source: Source, values: list[str]) -> "KeyMark":
        """Return the mark of a source's own keys at some values."""
        return cls(source.bookmark_keys, values, source.bookmark_order, table_of(source))

    def as_json(self) -> dict[str, Any]:
        """Return what the state database keeps; `KeyMark(**json)` reads it back."""
        return asdict(self)


def newest_keys(spark: SparkSession, source: Source, since: KeyMark | None) -> KeyMark | None:
    """Return the last keys in the table right now; None where there are none after a mark.

    Raises:
        LakeError: A key is not a column, has a type that has no order, or is null in some rows; or the mark is one of
            other keys.
        DatabaseError: The database cannot be reached, or knows no such user or table.
    """
    types = _key_types(source, _schema(spark, source))
    _require_same(source, since)
    _refuse_nulls(spark, source)
    keys = {name: quoted(spark, source, name) for name in types}
    texts = [_as_text(spark, source, keys[name], kind) for name, kind in types.items()]
    direction = "DESC" if source.bookmark_order == "asc" else "ASC"
    found = _where(spark, source, types, since, None)
    query = _first(spark, source, found, texts, [f"{key} {direction}" for key in keys.values()])
    rows = query_once(spark, source, query)
    if not rows:
        return None
    values = [_text_of(value, kind, source) for value, kind in zip(rows[0], types.values(), strict=True)]
    return KeyMark.at(source, values)


def read_keys(spark: SparkSession, source: Source, since: KeyMark | None, until: KeyMark | None) -> DataFrame:
    """Return the rows behind one mark, up to and including another; none where ``until`` is None.

    The database itself chooses them, by its own order of texts. With the same marks it chooses the same rows, but for
    those that were changed there meanwhile.

    Args:
        spark: The session.
        source: A table or query with ``bookmark_keys``.
        since: Where the last run stopped; None for the first, which reads from the beginning.
        until: Where this one stops, as `newest_keys` told.

    Raises:
        LakeError, DatabaseError: As `newest_keys`.
    """
    types = _key_types(source, _schema(spark, source))
    for mark in (since, until):
        _require_same(source, mark)
    if until is None:
        return read_relation(spark, source, relation(source)).limit(0)
    return read_relation(spark, source, _where(spark, source, types, since, until))


def read_range(spark: SparkSession, source: Source, start: str, end: str) -> DataFrame:
    """Return the rows whose first key is at least one value, and less than another.

    Args:
        spark: The session.
        source: A table or query with ``bookmark_keys``.
        start: A number, a date, or a time in UTC, as texts.
        end: The same.

    Raises:
        LakeError: The key is of a type to which these do not belong, or null in some rows; or as `newest_keys`.
        DatabaseError: As `newest_keys`.
    """
    types = _key_types(source, _schema(spark, source))
    _refuse_nulls(spark, source)
    name, kind = next(iter(types.items()))
    key = quoted(spark, source, name)
    first, last = (_literal(_bound(text, name, kind, source), kind, source) for text in (start, end))
    found = f"(SELECT * FROM {relation(source)} WHERE {key} >= {first} AND {key} < {last}) {_NEW}"  # noqa: S608
    return read_relation(spark, source, found)


def count_in_ranges(
    spark: SparkSession,
    source: Source,
    since: KeyMark | None,
    until: KeyMark | None,
    ranges: Iterable[tuple[str, str]],
) -> int:
    """Return how many rows between two marks lie in some ranges, as `read_keys` and `read_range` have them.

    Ranges of another kind than the first key, such as of numbers where that is a date, have none.
    """
    types = _key_types(source, _schema(spark, source))
    name, kind = next(iter(types.items()))
    key, parts = quoted(spark, source, name), []
    for bounds in _joined(ranges):
        try:
            first, last = (_literal(_bound(text, name, kind, source), kind, source) for text in bounds)
        except LakeError:
            continue
        parts.append(f"({key} >= {first} AND {key} < {last})")
    if not parts:
        return 0
    between = _where(spark, source, types, since, until)
    ((rows,),) = query_once(spark, source, f"SELECT count(*) AS n FROM {between} WHERE {' OR '.join(parts)}")  # noqa: S608
    return int(rows)


def _joined(ranges: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield ranges, as one where one ends with the begin of another.

    Example:
        >>> list(_joined([("10", "20"), ("0", "10"), ("0", "10"), ("30", "40")]))
        [('0', '20'), ('30', '40')]
    """
    ends = dict(ranges)
    for start in sorted(ends.keys() - set(ends.values())):
        end = ends[start]
        while end in ends:
            end = ends[end]
        yield start, end


def _bound(text: str, name: str, kind: DataType, source: Source) -> str:
    """Return a bound as the database reads it."""
    is_number, is_date = _NUMBER.fullmatch(text) is not None, "T" not in text
    if is_number != isinstance(kind, NumericType) or (not is_date and isinstance(kind, DateType | StringType)):
        raise LakeError(f"{place(source)}: the key `{name}` is {kind.simpleString()}: {text} is none of its values.")
    if not isinstance(kind, TimestampType | TimestampNTZType):
        return text
    moment = text.replace("T", " ") if not is_date else f"{text} 00:00"
    # PostgreSQL takes a time without a zone for one of its session's, where the column keeps moments.
    return f"{moment}+00" if (source.url or "").startswith("jdbc:postgresql") else moment


def _schema(spark: SparkSession, source: Source) -> StructType:
    reader = connected(spark, source).option("dbtable", relation(source))
    return asked(source, lambda: reader.load().schema)


def _key_types(source: Source, schema: StructType) -> dict[str, DataType]:
    types = {}
    for name in source.bookmark_keys:
        if name not in schema.names:
            close = get_close_matches(name, schema.names, 1)
            hint = f"Did you mean `{close[0]}`?" if close else f"There are: {', '.join(schema.names)}."
            raise LakeError(f"{place(source)}: bookmark_keys: there is no column `{name}`. {hint}")
        types[name] = schema[name].dataType
        if not isinstance(types[name], NumericType | DateType | TimestampType | TimestampNTZType | StringType):
            what = f"`{name}` is {types[name].simpleString()}. Keys are numbers, dates, timestamps, texts or UUIDs."
            raise LakeError(f"{place(source)}: bookmark_keys: {what}")
    return types


def _require_same(source: Source, mark: KeyMark | None) -> None:
    if mark is not None and mark.of not in (None, table_of(source)):
        values = " ".join(f"--keys {key}={value}" for key, value in zip(mark.keys, mark.values, strict=True))
        raise LakeError(
            f"the bookmark is one of {mark.of}, not of {table_of(source)}: rows of that up to {values} would be passed"
            " over. Reset the bookmark to read all of them; or, if these are the same rows, say so with"
            f" `birchtar bookmark set CONFIG INPUT {values}`."
        )
    if mark is not None and (mark.keys, mark.order) != (source.bookmark_keys, source.bookmark_order):
        raise LakeError(
            f"{place(source)}: the bookmark is one of {', '.join(mark.keys)} ({mark.order}), not of"
            f" {', '.join(source.bookmark_keys)} ({source.bookmark_order}). Reset it to read all rows again."
        )


def _refuse_nulls(spark: SparkSession, source: Source) -> None:
    missing = " OR ".join(f"{quoted(spark, source, name)} IS NULL" for name in source.bookmark_keys)
    ((rows,),) = query_once(spark, source, f"SELECT count(*) AS n FROM {relation(source)} WHERE {missing}")  # noqa: S608
    if rows:
        raise LakeError(
            f"{place(source)}: {rows} rows have a null in {' or '.join(f'`{name}`' for name in source.bookmark_keys)}:"
            " no bookmark would ever find them. Take other keys, or a query that gives them a value or leaves them out."
        )


def _where(
    spark: SparkSession, source: Source, types: dict[str, DataType], since: KeyMark | None, until: KeyMark | None
) -> str:
    """Return the relation of the rows between two marks."""
    after, before = (">", "<") if source.bookmark_order == "asc" else ("<", ">")
    keys = [quoted(spark, source, name) for name in types]
    parts = []
    for mark, operator, last in ((since, after, after), (until, before, f"{before}=")):
        if mark is not None:
            literals = [_literal(*pair, source) for pair in zip(mark.values, types.values(), strict=True)]
            parts.append(_compared(keys, literals, operator, last))
    if not parts:
        return relation(source)
    return f"(SELECT * FROM {relation(source)} WHERE {' AND '.join(parts)}) {_NEW}"  # noqa: S608


def _compared(keys: list[str], literals: list[str], operator: str, last: str) -> str:
    """Return the condition that keys, one after the other as in a dictionary, are on one side of some values.

    Example:
        >>> _compared(["a", "b"], ["1", "2"], ">", ">=")
        '(a >= 1 AND (a > 1 OR (b >= 2)))'
    """
    key, literal = keys[0], literals[0]
    if len(keys) == 1:
        return f"({key} {last} {literal})"
    deeper = _compared(keys[1:], literals[1:], operator, last)
    # The first half says nothing new, but an index on the first key helps with it.
    return f"({key} {operator}= {literal} AND ({key} {operator} {literal} OR {deeper}))"


def _first(spark: SparkSession, source: Source, found: str, columns: list[str], order: list[str]) -> str:
    """Return the query for the first row in an order, in the database's own words for it."""
    jvm: Any = spark._jvm
    packages = jvm.org.apache.spark.sql
    dialect = packages.jdbc.JdbcDialects.get(source.url)
    options = packages.execution.datasources.jdbc.JDBCOptions(
        source.url, found, jvm.org.apache.spark.api.python.PythonUtils.toScalaMap({})
    )
    texts = jvm.java.lang.String
    gateway: Any = spark.sparkContext._gateway
    arrays = []
    for items in (columns, order):
        array = gateway.new_array(texts, len(items))
        for position, item in enumerate(items):
            array[position] = item
        arrays.append(array)
    builder = dialect.getJdbcSQLQueryBuilder(options)
    return str(builder.withColumns(arrays[0]).withSortOrders(arrays[1]).withLimit(1).build())


def _as_text(spark: SparkSession, source: Source, key: str, kind: DataType) -> str:
    """Return the expression of a key that comes over without loss: of a timestamp its text, which Java may shift."""
    if not isinstance(kind, TimestampType | TimestampNTZType):
        return key
    jvm: Any = spark._jvm
    string = jvm.org.apache.spark.sql.types.DataTypes.StringType
    if (source.url or "").startswith(("jdbc:mysql", "jdbc:mariadb")):
        return f"CAST({key} AS CHAR)"
    dialect = jvm.org.apache.spark.sql.jdbc.JdbcDialects.get(source.url)
    return f"CAST({key} AS {dialect.getJDBCType(string).get().databaseTypeDefinition()})"


def _text_of(value: Any, kind: DataType, source: Source) -> str:
    text = str(value)
    if isinstance(kind, NumericType) and not _NUMBER.fullmatch(text):
        raise LakeError(f"{place(source)}: bookmark_keys: {text} is the last key, and no number comes after it.")
    return text


def _literal(text: str, kind: DataType, source: Source) -> str:
    r"""Return a key as the database's SQL writes it. No text gets out of its quotes.

    Example:
        >>> from pyspark.sql.types import IntegerType, StringType
        >>> pg = Source(format="jdbc", url="jdbc:postgresql://h/d", table="t")
        >>> print(_literal("12", IntegerType(), pg), _literal("o'x", StringType(), pg))
        12 'o''x'
    """
    if isinstance(kind, NumericType):
        if not _NUMBER.fullmatch(text):
            raise LakeError(f"{place(source)}: the bookmark holds {text!r} for a number. Reset it.")
        return text
    if "\0" in text:
        raise LakeError(f"{place(source)}: the bookmark holds a text with a null character. Reset it.")
    if (source.url or "").startswith(("jdbc:mysql", "jdbc:mariadb")):
        text = text.replace("\\", "\\\\")  # to MySQL alone, a backslash inside a text is special
    return "'" + text.replace("'", "''") + "'"
