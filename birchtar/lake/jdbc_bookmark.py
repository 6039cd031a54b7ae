"""Rows of a database table that are new by their keys: columns that only ever grow, or only ever shrink."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import DataType, DateType, NumericType, StringType, TimestampNTZType, TimestampType

from birchtar.lake.errors import LakeError
from birchtar.lake.jdbc import asked, connected, place, query_once, quoted, read_relation, relation
from birchtar.lake.source import Source
from transforms.errors import say_known

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")


@dataclass(frozen=True)
class KeyMark:
    """The keys of the last row that was read."""

    keys: list[str]
    values: list[str]
    """As texts that the database itself reads back without loss."""

    def as_json(self) -> dict[str, list[str]]:
        """Return what the state database keeps."""
        return asdict(self)
