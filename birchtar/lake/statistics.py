"""What the footers of Parquet files already know, so that nobody has to read their rows for it."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from pyspark.sql import SparkSession
from pyspark.sql.types import StructType

from birchtar.lake.load import load
from birchtar.lake.paths import is_local, local
from birchtar.lake.source import Source

_MOST_FILES = 1000
"""Beyond this many, opening each footer costs more than one pass of Spark."""


def null_fields(spark: SparkSession, source: Source) -> dict[str, bool]:
    """Return, for the paths of fields, whether they are null in every row. Starts no Spark job, reads no rows.

    Only of local Parquet and Delta files that are read without a schema of their own, and only of fields that every
    footer tells of: what lies in arrays and maps, in partition folders, or was written without statistics is left
    out. Of a source without rows nothing is said. A deleted row of Delta still counts, so a field may be told as not
    null that is null in the rows that are left.

    Example:
        >>> import tempfile
        >>> folder = tempfile.mkdtemp() + "/t"
        >>> spark.sql("SELECT 1 AS id, CAST(NULL AS INT) AS x").write.parquet(folder)
        >>> null_fields(spark, Source(path=folder, format="parquet"))
        {'id': False, 'x': True}
    """
    if source.format not in ("parquet", "delta") or source.schema_ is not None:
        return {}
    df = load(spark, source)
    files = df.inputFiles()
    if len(files) > _MOST_FILES or not all(map(is_local, files)):
        return {}
    rows, nulls, told = _counts([Path(local(unquote(file))) for file in files])
    leaves = {_path(names): ".".join(names) for names in _leaves(df.schema)}
    # A footer joins names with dots: where two fields come to the same, it cannot tell them apart.
    unclear = Counter(leaves.values())
    return {
        path: nulls[name] == rows
        for path, name in leaves.items()
        if rows and told[name] == len(files) and unclear[name] == 1
    }


def _counts(files: list[Path]) -> tuple[int, Counter[str], Counter[str]]:
    """Return the number of rows, the nulls of each field, and how many files tell of it."""
    from pyarrow.parquet import read_metadata

    rows, nulls, told = 0, Counter[str](), Counter[str]()
    for file in files:
        footer = read_metadata(file)
        rows += footer.num_rows
        groups = [footer.row_group(number) for number in range(footer.num_row_groups)]
        for position in range(footer.num_columns):
            chunks = [group.column(position) for group in groups]
            if all(chunk.statistics is not None and chunk.statistics.has_null_count for chunk in chunks):
                name = footer.schema.column(position).path
                told[name] += 1
                nulls[name] += sum(chunk.statistics.null_count for chunk in chunks)
    return rows, nulls, told


def _leaves(schema: StructType, outer: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the names that lead to every field that has one value per row."""
    for field in schema.fields:
        names = (*outer, field.name)
        if isinstance(field.dataType, StructType):
            yield from _leaves(field.dataType, names)
        elif field.dataType.typeName() not in ("array", "map", "variant"):
            yield names


def _path(names: tuple[str, ...]) -> str:
    """Return names as transforms write a path: in back-ticks where they hold a dot or a back-tick."""
    return ".".join(f"`{name.replace('`', '``')}`" if "." in name or "`" in name else name for name in names)
