"""The values of a row that a rule looks at."""

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from transforms.core.columns import schema_of
from transforms.errors import DuplicateColumnError, TransformError
from transforms.nested.row_values import RowValue, row_value
from transforms.paths import quote


def rule_value(df: DataFrame, path: str, *, rule: str) -> RowValue:
    """Return the value at a path, as a column of the frame itself: rules stand beside SQL texts, which need its names.

    Raises:
        PathSyntaxError: The path cannot be read.
        MissingColumnError: There is no such field.
        DuplicateColumnError: The path names several fields, for Spark, which does not tell upper from lower case.
        ColumnTypeError: The field lies inside an array, so a row has no one value of it.
    """
    where = f"The rule `{rule}`"
    value = row_value(schema_of(df), path, where=where)
    if sum(name.lower() == value.path[0].lower() for name in df.columns) > 1:
        raise DuplicateColumnError(f"{where}: several columns are called `{value.path[0]}` in some case. Rename them.")
    return value._replace(column=F.col(".".join(map(quote, value.path))))


def rule_values(df: DataFrame, paths: str | Sequence[str], *, rule: str) -> list[RowValue]:
    """Return the values at one or several paths.

    Raises:
        TransformError: There are no paths; or as `rule_value`.
    """
    if not paths:
        raise TransformError(f"The rule `{rule}` needs at least one column.")
    return [rule_value(df, path, rule=rule) for path in ([paths] if isinstance(paths, str) else paths)]
