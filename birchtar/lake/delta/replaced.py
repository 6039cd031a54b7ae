"""Rows for `replace_where`: only such as the condition holds for."""

from pyspark.sql import DataFrame, Observation
from pyspark.sql import functions as F

from birchtar.lake.errors import LakeError
from birchtar.lake.observed import observed_rows


class Guard:
    """Counts the rows that a condition does not hold for, while the others are written."""

    def __init__(self, condition: str) -> None:
        self.condition = condition
        self.outside = Observation()

    def inside(self, df: DataFrame) -> DataFrame:
        """Return the rows for which the condition is true; where it is null it is not. Lazy."""
        holds = F.coalesce(F.expr(self.condition), F.lit(False))
        self.others = df.where(~holds)
        return df.observe(self.outside, F.count_if(~holds).alias("rows")).where(holds)

    def check(self, path: str) -> None:
        """Refuse rows outside the condition, once the others are written.

        Raises:
            LakeError: There were some.
        """
        rows = observed_rows(self.outside)
        if rows is None:  # Spark has left them all out, as where it can tell that the condition is never true
            rows = self.others.count()
        if rows:
            raise LakeError.at(
                [path],
                f"replace_where: for {rows} of the new rows `{self.condition}` is not true. The next run would"
                " not replace them, and add them again. Filter them, or widen the condition.",
            )
