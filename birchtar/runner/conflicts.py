"""Inputs whose fields hold values of several types: storage reads them, transforms find the types."""

from functools import partial

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from birchtar.lake.csv import cast_text, kind_of, read_texts
from birchtar.lake.errors import LakeError
from birchtar.lake.json import read_json, read_variants
from birchtar.lake.rejects import FILE
from birchtar.lake.sampling import sampled
from birchtar.lake.schema_groups import read_groups
from birchtar.lake.source import Conflicts, Source
from birchtar.runner.hidden import HIDDEN, Paths, covers
from transforms.choices.count_choices import Conflict
from transforms.choices.settle_choices import Settled, merged_frames, typed_rows
from transforms.choices.text_types import typed_texts
from transforms.paths import parse_path

_LAST_OF_TWINS = "spark.sql.variant.allowDuplicateKeys"
"""A JSON object may have a key twice; Spark's reader takes the last. This makes a VARIANT of it do the same."""


def read_settled(spark: SparkSession, source: Source, conflicts: Conflicts) -> Settled:
    """Return the rows of a source, and the fields in which values had several types.

    Rows that do not parse have their ``_error``, as `birchtar.lake.read.read` describes. Starts Spark jobs over all
    rows of JSON and CSV; for the others only where the schemas of files differ.

    Raises:
        ConflictError: There is a conflict, and ``conflicts`` is ``fail``.
        LakeError: JSON or CSV files hold nothing to take the columns from.
    """
    if source.format == "json":
        spark.conf.set(_LAST_OF_TWINS, "true")
        all_rows, some = (partial(_json, spark, source, share) for share in (None, source.sampling_ratio))
        settled = typed_rows(all_rows, conflicts, some=some, file_path=FILE)
        if not [name for name in settled.df.columns if name != "_error"]:
            raise LakeError.at(source.paths, "there is no JSON object to take the columns from. Declare a schema.")
        return settled
    if source.format == "csv":
        texts = read_texts(spark, source)
        return typed_texts(
            texts,
            partial(kind_of, source=source),
            partial(cast_text, source=source),
            conflicts,
            some=None if source.sampling_ratio is None else sampled(texts, source.sampling_ratio),
            file_path=FILE,
        )
    return merged_frames(list(read_groups(spark, source)), conflicts, file_path=FILE)


def without_examples(conflicts: list[Conflict], paths: Paths) -> list[Conflict]:
    """Return conflicts without the examples of fields whose values nobody may read."""
    return [
        each._replace(types=tuple(kind._replace(example=HIDDEN) for kind in each.types))
        if covers(paths, parse_path(each.path))
        else each
        for each in conflicts
    ]


def _json(spark: SparkSession, source: Source, share: float | None, schema: StructType | None) -> DataFrame:
    if schema is None:
        return read_variants(spark, source, share=share)
    return sampled(read_json(spark, source, schema), share)
