"""A rejected row as the quarantine has it."""

from typing import cast

from pyspark.sql import Column, DataFrame
from pyspark.sql.types import StructType

from birchtar.lake.rejects import literal, of_errors, quoted
from transforms.rejects import ERROR_COLUMN

FIELDS = {
    "table": "string",
    "step": "string",
    "code": "string",
    "message": "string",
    "record": "string",
    "rule": "string",
    "file": "string",
    "position": "bigint",
    "replay_of": "string",
    "hidden": "boolean",
}
"""What is told of every rejected row: ``code``, ``message`` and ``record`` by what rejected it, ``rule``, ``file``,
``position`` and ``replay_of`` where they are known."""


def quarantine_row(df: DataFrame, table: str, step: str) -> Column:
    """Return the errors of a frame that has some, each as a struct of `FIELDS`; null on a good row.

    Example:
        >>> df = spark.sql("SELECT named_struct('code', 'CAST', 'message', 'm', 'record', '{}') AS _error")
        >>> df.select(quarantine_row(df, "flights", "read").alias("row")).first().row.table
        'flights'
    """
    known = {"table": literal(table), "step": literal(step), "hidden": "false"}
    fields = cast("StructType", df.schema[ERROR_COLUMN].dataType).names
    known |= {name: f"{ERROR_COLUMN}.{quoted(name)}" for name in fields}
    return of_errors({name: f"CAST({known.get(name, 'NULL')} AS {kind})" for name, kind in FIELDS.items()})
