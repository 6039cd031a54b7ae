"""Tables below a folder that holds nothing else, and what others than Spark see in them."""

from pathlib import Path

import pytest
from deltalake import DeltaTable

from birchtar.lake.delta import Published, publish, stage
from birchtar.lake.label import Label
from birchtar.lake.sink import Sink


class Table:
    """A Delta table of the test's own."""

    def __init__(self, spark, folder: Path) -> None:
        self.spark = spark
        self.folder = folder
        self.path = f"file:{folder}"

    def sink(self, **settings) -> Sink:
        return Sink(path=str(self.folder), format="delta", **settings)

    def stage(self, df, run, **settings):
        return stage(df, self.sink(**settings), self.path, Label("job", "out", run))

    def publish(self, plan, run, staged=None, **settings) -> Published:
        return publish(self.spark, self.sink(**settings), self.path, Label("job", "out", run), plan, staged)

    def write(self, df, run, **settings) -> Published:
        staged = self.stage(df, run, **settings)
        return self.publish(staged.plan, run, staged, **settings)

    def jobs_of_write(self, df, run, **settings) -> int:
        """Write, and return how many Spark jobs that took."""
        context, group = self.spark.sparkContext, f"{self.folder} {run}"
        context.setJobGroup(group, "")
        try:
            self.write(df, run, **settings)
        finally:
            context.setLocalProperty("spark.jobGroup.id", None)
        return len(context.statusTracker().getJobIdsForGroup(group))

    def rows(self, *columns) -> list[tuple]:
        """Return the rows as deltalake, a reader that is not Spark, sees them, sorted."""
        table = self.other().to_pyarrow_table(columns=list(columns) or None)
        rows = zip(*table.to_pydict().values(), strict=True)
        return sorted(rows, key=lambda row: [(value is not None, value) for value in row])

    def other(self) -> DeltaTable:
        return DeltaTable(str(self.folder))

    def version(self) -> int:
        return self.other().version()

    def data_files(self) -> set[str]:
        """Return all Parquet files below the folder, committed or not."""
        return {str(file.relative_to(self.folder)) for file in self.folder.rglob("*.parquet")}

    def beside(self) -> list[str]:
        return sorted(entry.name for entry in self.folder.parent.iterdir())


@pytest.fixture
def table(spark, tmp_path: Path) -> Table:
    (tmp_path / "lake").mkdir()
    return Table(spark, tmp_path / "lake" / "table")
