"""Columns of a table that take a wider type, by Delta's type widening: no file is written anew."""

from pyspark.sql.types import StructType

from birchtar.lake.delta.lock import committing
from birchtar.lake.delta.log import Log

_PROPERTY = "delta.enableTypeWidening"


def widen(log: Log, columns: dict[str, str]) -> None:
    """Give columns their new types. Does nothing for those that have them, so it can be done again.

    The table gets the property `delta.enableTypeWidening`; readers that do not know it refuse the table.
    """
    if not columns:
        return
    have = {field.name: field.dataType.simpleString() for field in StructType.fromJson(log.schema())}
    table = f"ALTER TABLE delta.`{log.path.replace('`', '``')}`"
    statements = [
        f"{table} ALTER COLUMN `{name.replace('`', '``')}` TYPE {kind}"
        for name, kind in columns.items()
        if have[name] != kind
    ]
    if statements and log.properties().get(_PROPERTY) != "true":
        statements.insert(0, f"{table} SET TBLPROPERTIES ('{_PROPERTY}' = 'true')")
    for statement in statements:
        with committing(log.path):
            log.spark.sql(statement)
