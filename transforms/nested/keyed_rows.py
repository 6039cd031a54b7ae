"""Rows that carry a key and are computed once, so that all tables derived from them agree on the keys.

A key counts rows, and rows that Spark computes a second time may come in another order. Hence they are kept. What is
kept has no names that could be ambiguous or that a file format refuses: columns are ``c0``, ``c1``, ... by position,
and so are the members of a struct in which one name is not plain (`member_names`). The last column is the key.
"""

import re
import secrets
from uuid import uuid4

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, DataType, MapType, StringType, StructField, StructType

from transforms.core.columns import by_position, has_twins

ROW_KEY = "row_key"

_PLAIN_NAME = re.compile("[A-Za-z_][A-Za-z0-9_]*")


def keep_keyed_rows(df: DataFrame, *, staging_path: str | None) -> DataFrame:
    """Return the rows of a frame with a key, as described above. Starts one job, which computes ``df`` once.

    Args:
        df: Any frame.
        staging_path: Folder in which a new folder is made that keeps the rows as Parquet. If None, the executors keep
            them in memory and on their disks (a local checkpoint).
    """
    columns = [_by_position(f"c{position}", field.dataType) for position, field in enumerate(df.schema.fields)]
    # Two runs start so far apart that their keys do not meet; the other half of the positive longs is for counting.
    start = F.lit(secrets.randbelow(2**62))
    keyed = by_position(df).select(*columns, (F.monotonically_increasing_id() + start).alias(ROW_KEY))
    if staging_path is None:
        # Not lazily: until all of a lazy checkpoint is there, concurrent or repeated tasks could count differently.
        return keyed.localCheckpoint(eager=True)
    path = f"{staging_path.rstrip('/')}/{uuid4()}"
    keyed.write.parquet(path)
    return df.sparkSession.read.schema(keyed.schema).parquet(path)


def member_names(struct: StructType) -> list[str]:
    """Return what the members of a struct are called in kept rows.

    They keep plain names, for to rename them Spark makes each value anew; odd ones, and those that differ only in case,
    give way to ``c0``, ``c1``, ....

    Example:
        >>> member_names(StructType([StructField("id", StringType()), StructField("unit price", StringType())]))
        ['c0', 'c1']
    """
    if all(map(_PLAIN_NAME.fullmatch, struct.names)) and not has_twins(struct):
        return struct.names
    return [f"c{position}" for position in range(len(struct.names))]


def _by_position(name: str, data_type: DataType) -> Column:
    plain = _plain(data_type)
    return F.col(name) if plain == data_type else F.col(name).cast(plain).alias(name)


def _plain(data_type: DataType) -> DataType:
    if isinstance(data_type, ArrayType):
        return ArrayType(_plain(data_type.elementType), data_type.containsNull)
    if isinstance(data_type, MapType):
        return MapType(_plain(data_type.keyType), _plain(data_type.valueType), data_type.valueContainsNull)
    if not isinstance(data_type, StructType):
        return data_type
    if not data_type.fields:
        return StringType()  # Parquet cannot keep a struct without members, and only its presence counts.
    named = zip(member_names(data_type), data_type.fields, strict=True)
    return StructType(
        [StructField(name, _plain(field.dataType), field.nullable, field.metadata) for name, field in named]
    )
