"""Rows that wait in a hidden Parquet folder beside the table, where Delta's own files cannot hold them yet."""

from pyspark.sql import DataFrame, Observation, SparkSession
from pyspark.sql import functions as F

from birchtar.lake.delta.plan import StagedFile
from birchtar.lake.files import FileSystem
from birchtar.lake.observed import observed_rows
from birchtar.lake.paths import is_local, local


def write_folder(df: DataFrame, folder: str) -> tuple[list[StagedFile], int]:
    """Write a frame to a new folder, and return its files and the number of its rows.

    Rows are counted for the folder as a whole, while they are written: its files all say 0.
    """
    counted = Observation()
    df.observe(counted, F.count(F.lit(1)).alias("rows")).write.option("compression", "lz4_raw").parquet(folder)
    files = FileSystem(df.sparkSession, folder)
    listed: list[StagedFile] = [
        {"path": file.name, "partition": {}, "rows": 0, "bytes": file.size} for file in files.data_files(folder)
    ]
    rows = observed_rows(counted)
    return listed, df.sparkSession.read.parquet(folder).count() if rows is None else rows


def delete_folder(spark: SparkSession, folder: str) -> None:
    """Delete a folder that `birchtar.lake.hidden.hidden_folder` named; that it is gone already is no error."""
    name = folder.rstrip("/").rpartition("/")[2]
    if not (name.startswith(".") and name.endswith(".staged")):
        raise ValueError(f"{folder} is no folder for staging.")
    if is_local(folder):
        folder = f"file:{local(folder)}"
    FileSystem(spark, folder).delete(folder)
