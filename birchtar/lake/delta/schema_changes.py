"""What happens to rows whose columns are not the table's: `schema_changes` of an output."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import (
    AtomicType,
    BinaryType,
    DataType,
    StructField,
    StructType,
)

from birchtar.lake.errors import LakeError
from birchtar.lake.exact_casts import exact, has_cast, is_same
from birchtar.lake.rejects import EXACT_TIMES, named, quoted
from birchtar.lake.sink import SchemaChanges
from birchtar.lake.wider_types import extends, widens

RESCUED = "_rescued_data"


@dataclass
class Fit:
    """Rows that fit a table once its columns are widened."""

    df: DataFrame
    warnings: list[str] = field(default_factory=list)
    widen: dict[str, str] = field(default_factory=dict)
    """Columns of the table whose type has to become another first."""


@dataclass(frozen=True)
class _Pair:
    """A column of the rows, and the table's of the same name, whatever its case."""

    ours: StructField
    theirs: StructField | None


def fit(
    df: DataFrame, table: StructType | None, how: SchemaChanges, path: str, never_rescued: Collection[str] = ()
) -> Fit:
    """Bring rows into a table's columns. Lazy.

    =================== ============================ ================ ================ ==========================
    difference          warn                         evolve           widen            rescue
    =================== ============================ ================ ================ ==========================
    new column          left out, warning            added            added            into ``_rescued_data``
    missing column      null, warning                null             null             null
    narrower type       cast                         cast             cast             cast
    wider type          error                        error            table is widened cast; what does not fit rescued
    other type          error                        error            error            cast; what does not fit rescued
    new nested field    error                        added            added            the whole value rescued
    =================== ============================ ================ ================ ==========================

    A row that lacks a column says null of it to `scd2`; to `merge` it says nothing.

    A value that is rescued is null in its column; ``_rescued_data`` holds a JSON object of such values by column, and
    null where there are none. It is a column of the table from the first write on.

    Args:
        df: The rows.
        table: The table's columns; None where there is no table yet.
        how: Any but ``fail``, which `require_fitting_columns` does.
        path: The table's folder, for messages.
        never_rescued: Columns by which rows are told apart: rows that are null there would be taken for one another.

    Raises:
        LakeError: A difference that is not allowed; all of them are named.
    """
    if how == "rescue" and RESCUED in df.columns:
        raise LakeError.at(
            [path], f"the rows have a column `{RESCUED}` already; `schema_changes: rescue` needs that name."
        )
    if table is None:
        return Fit(df.withColumn(RESCUED, F.lit(None).cast("string")) if how == "rescue" else df)
    known = {column.name.lower(): column for column in table}
    pairs = [_Pair(column, known.get(column.name.lower())) for column in df.schema]
    if how == "rescue":
        if problems := list(_problems([pair for pair in pairs if pair.ours.name in never_rescued], how)):
            raise LakeError.at(
                [path],
                f"rows are merged by these columns, so they cannot be rescued: {'; '.join(problems)}. Cast them first.",
            )
        return Fit(_rescued(df, pairs))
    if problems := list(_problems(pairs, how)):
        raise LakeError.at(
            [path],
            f"`schema_changes: {how}` does not allow: {'; '.join(problems)}."
            " Cast the columns, or say `schema_changes: rescue`.",
        )
    fitting = Fit(df.select(*(_cast(pair) for pair in pairs if pair.theirs or how != "warn")))
    if how == "warn":
        fitting.warnings += _warnings(pairs, table)
    for pair in pairs:
        if pair.theirs and widens(pair.theirs.dataType, pair.ours.dataType):
            fitting.widen[pair.theirs.name] = pair.ours.dataType.simpleString()
    return fitting


def _problems(pairs: list[_Pair], how: SchemaChanges) -> Iterator[str]:
    for pair in pairs:
        if pair.theirs is None:
            continue
        ours, theirs = pair.ours.dataType, pair.theirs.dataType
        fits = is_same(ours, theirs) or widens(ours, theirs)
        if not (
            fits or (how in ("evolve", "widen") and extends(ours, theirs)) or (how == "widen" and widens(theirs, ours))
        ):
            yield f"`{pair.ours.name}` is {theirs.simpleString()} there and {ours.simpleString()} here"


def _warnings(pairs: list[_Pair], table: StructType) -> Iterator[str]:
    here = {pair.ours.name.lower() for pair in pairs}
    yield from (f"`{pair.ours.name}` is not in the table and was left out" for pair in pairs if not pair.theirs)
    yield from (f"`{column.name}` is missing and came out null" for column in table if column.name.lower() not in here)


def _cast(pair: _Pair) -> Column:
    column = named(pair.ours.name)
    if pair.theirs and widens(pair.ours.dataType, pair.theirs.dataType):
        return column.cast(pair.theirs.dataType).alias(pair.ours.name)
    return column


def _rescued(df: DataFrame, pairs: list[_Pair]) -> DataFrame:
    kept, rescued = [], []
    for pair in pairs:
        column, name = named(pair.ours.name), pair.ours.name
        if pair.theirs is None:
            rescued.append(column.alias(name))
        elif is_same(pair.ours.dataType, pair.theirs.dataType):
            kept.append(column)
        elif widens(pair.ours.dataType, pair.theirs.dataType):
            kept.append(_cast(pair))
        else:
            value = _attempt(name, pair.ours.dataType, pair.theirs.dataType)
            kept.append(value.alias(name))
            rescued.append(F.when(value.isNull(), column).alias(name))
    told = F.to_json(F.struct(*rescued), EXACT_TIMES) if rescued else F.lit(None).cast("string")
    return df.select(*kept, F.nullif(told, F.lit("{}")).alias(RESCUED))


def _attempt(name: str, ours: DataType, theirs: DataType) -> Column:
    """Return the value in the table's type, and null where that would lose anything of it; see `exact`."""
    simple = isinstance(ours, AtomicType) and isinstance(theirs, AtomicType) and not isinstance(ours, BinaryType)
    if not simple or not has_cast(ours, theirs):
        return F.lit(None).cast(theirs)
    return F.expr(exact(quoted(name), ours, theirs).value)
