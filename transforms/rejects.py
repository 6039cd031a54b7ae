"""How a transform gives back a record that it could not handle: in the frame itself, with its error.

A transform that runs a user's function adds a column ``_error`` behind all others. It is null on a good row. On a
rejected row it tells what went wrong and holds the record as it came in, and every other column is null, unless the
transform says otherwise. Rejected rows pass later transforms of this kind untouched, so a chain of them ends in one
frame from which `accepted` and `rejected` take their part. Glue's error records travel with the frame likewise.
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

ERROR_COLUMN = "_error"
ERROR_TYPE = "struct<code: string, message: string, record: string>"
"""``code`` names the kind of error, ``message`` says it, ``record`` is the input record as JSON text."""


def has_rejects(df: DataFrame) -> bool:
    """Return whether the frame has a column for rejected rows. Starts no Spark job."""
    return ERROR_COLUMN in df.columns


def accepted(df: DataFrame) -> DataFrame:
    """Return the good rows, without the error column. Lazy; a frame that has no such column comes back as it is.

    Example:
        >>> df = spark.sql(f"SELECT 1 AS id, CAST(NULL AS {ERROR_TYPE}) AS _error")
        >>> df.transform(accepted).collect()
        [Row(id=1)]
    """
    return df.where(F.col(ERROR_COLUMN).isNull()).drop(ERROR_COLUMN) if has_rejects(df) else df


def rejected(df: DataFrame) -> DataFrame:
    """Return what was rejected: columns ``code``, ``message`` and ``record``, one row per rejected record. Lazy.

    Example:
        >>> df = spark.sql("SELECT named_struct('code', 'FUNCTION', 'message', 'm', 'record', '{}') AS _error")
        >>> df.transform(rejected).collect()
        [Row(code='FUNCTION', message='m', record='{}')]
    """
    if not has_rejects(df):
        return df.sparkSession.createDataFrame([], "code STRING, message STRING, record STRING")
    return df.where(F.col(ERROR_COLUMN).isNotNull()).select(f"{ERROR_COLUMN}.*")
