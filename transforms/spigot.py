"""Write a sample of the rows beside the job, to look at."""

import re
import uuid
from pathlib import Path

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from transforms.choices.bare_choices import bare_choices
from transforms.core.columns import by_position
from transforms.errors import TransformError
from transforms.nested.json_text import EXACT_TIMES


def spigot(df: DataFrame, path: str, *, top: int = 100, probability: float = 1.0, seed: int | None = None) -> DataFrame:
    r"""Write some rows to a new file of JSON lines, and return the frame as it is.

    Starts one job at once, which computes as many partitions of ``df`` as it takes to find the rows, and no more;
    what a shuffle or a sort needs, it does compute. Glue writes when the frame itself is computed; ours comes before,
    and if ``df`` would not come out the same again, the sample shows what it was this time.

    Each call adds a file of its own, so runs that repeat, or go side by side, do not disturb each other. The file is
    whole when it gets its name; no reader meets half of one. Nothing is ever removed. Fields that are null are left
    out of their line, as Spark's JSON does. A choice is the value that it holds. No rows make an empty file.

    Glue: Spigot. Cost: one job for the sample, on the first partitions.

    Args:
        df: Any frame.
        path: A folder. Without a scheme, or with ``file:``, it is on the machine that runs this Python, relative to
            the current folder, and the file is ``sample-<id>.json``. Elsewhere (``s3a:``, ``hdfs:``) Spark writes the
            file, to a folder ``sample=<id>`` in it.
        top: How many rows at most.
        probability: With which probability each row is taken, until there are enough.
        seed: Makes the choice the same again for the same partitions.

    Returns:
        The frame itself.

    Raises:
        TransformError: ``top`` is negative, or the probability is not between 0 and 1.

    Example:
        >>> import tempfile, pathlib
        >>> folder = tempfile.mkdtemp()
        >>> df = spark.createDataFrame([(1, "a"), (2, None)], "id INT, name STRING")
        >>> df.transform(spigot, folder, top=1).count()
        2
        >>> [file.read_text() for file in pathlib.Path(folder).iterdir()]
        ['{"id":1,"name":"a"}\n']

    Source:
        reference: Glue transforms, "Spigot".
    """
    if top < 0:
        raise TransformError(f"spigot cannot write {top} rows.")
    if not 0 <= probability <= 1:
        raise TransformError(f"spigot: a probability is between 0 and 1, got {probability}.")
    taken = df if probability == 1 else df.sample(float(probability), seed)
    record = F.struct(*(F.col(f"c{at}").alias(name) for at, name in enumerate(df.columns)))
    line = F.to_json(record, EXACT_TIMES).alias("value")
    sample = by_position(bare_choices(taken)).select(line).limit(top)
    name = uuid.uuid4().hex
    scheme = re.match(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+):", path)
    if scheme and scheme["scheme"] != "file":
        _write_there(sample, path, name)
    else:
        _write_here(sample, Path(re.sub("^file:(//[^/]*)?", "", path)), name)
    return df


def _write_there(sample: DataFrame, folder: str, name: str) -> None:
    sample.coalesce(1).write.text(f"{folder.rstrip('/')}/sample={name}")


def _write_here(sample: DataFrame, folder: Path, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    lines = "".join(f"{row.value}\n" for row in sample.collect())
    hidden = folder / f".sample-{name}.json"
    hidden.write_text(lines, encoding="utf-8")
    hidden.replace(folder / f"sample-{name}.json")
