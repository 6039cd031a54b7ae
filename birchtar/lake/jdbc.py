"""A database that is read over JDBC: how to reach it, and what it said, without Java's words."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, DataFrameReader, SparkSession

from birchtar.lake.errors import LakeError
from birchtar.lake.source import Source

_T = TypeVar("_T")


class DatabaseError(LakeError):
    """A database refused, or could not be reached."""


def read_table(spark: SparkSession, source: Source) -> DataFrame:
    """Return all rows of a table or query. Asks the database for its columns; the rows are read when Spark needs them.

    With ``partition_column`` several connections read at once, each a range of its values; nulls are in the first.

    Raises:
        DatabaseError: The database cannot be reached, or knows no such user, table or column.
        LakeError: The variable or file that holds user or password is not there.
    """
    return read_relation(spark, source, relation(source))


def read_relation(spark: SparkSession, source: Source, relation: str) -> DataFrame:
    """Return what stands behind FROM in the database's SQL as a frame, partitioned as the source says."""
    reader = connected(spark, source).option("dbtable", relation)
    if source.partition_column is not None:
        reader = reader.options(
            partitionColumn=quoted(spark, source, source.partition_column),
            lowerBound=source.lower_bound,
            upperBound=source.upper_bound,
            numPartitions=source.partitions,
        )
    return asked(source, reader.load)


def query_once(spark: SparkSession, source: Source, query: str) -> list[Any]:
    """Return the rows of a query of our own, which are few."""
    reader = connected(spark, source).option("query", query)
    return asked(source, lambda: reader.load().collect())


def relation(source: Source) -> str:
    """Return what stands behind FROM: the table, or the query in parentheses."""
    if source.table is not None:
        return source.table
    query = (source.query or "").rstrip("; \n")
    return f"({query}\n) birchtar_query"  # on a new line, for the query may end in a comment


def connected(spark: SparkSession, source: Source) -> DataFrameReader:
    """Return a reader that knows the database."""
    options: dict[str, Any] = dict(source.options) | {"url": source.url, "fetchsize": source.fetch_size}
    for key, said in (("user", source.user), ("password", source.password)):
        if said is not None:
            options[key] = secret(said)
    return spark.read.format("jdbc").options(**options)


def secret(said: str) -> str:
    """Return the value that ``env:NAME`` or ``file:/path`` holds; of a file without the end of its last line.

    Raises:
        LakeError: There is no such variable or file. The value itself is never told.
    """
    kind, _, name = said.partition(":")
    if kind == "env":
        if name not in os.environ:
            raise LakeError(f"The environment variable {name} is not set.")
        return os.environ[name]
    try:
        return Path(name).read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise LakeError(f"The file {name} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise LakeError(f"The file {name} is not UTF-8 text.") from None


def quoted(spark: SparkSession, source: Source, name: str) -> str:
    """Return the name of a column as the database's SQL writes it, whatever characters it has."""
    jvm: Any = spark._jvm
    begin, end = jvm.org.apache.spark.sql.jdbc.JdbcDialects.get(source.url).quoteIdentifier("x").split("x")
    return f"{begin}{name.replace(end, end * 2)}{end}"


def asked(source: Source, work: Callable[[], _T]) -> _T:
    """Do something with the database; what it says against it becomes our error.

    Raises:
        DatabaseError: With the database's own sentence.
    """
    try:
        return work()
    except (PySparkException, Py4JJavaError) as error:
        raise DatabaseError(f"{place(source)}: {_said(error)}") from None


def place(source: Source) -> str:
    """Return the address of the database without whatever may be secret in it."""
    kind, _, rest = re.split("[?;]", (source.url or "").removeprefix("jdbc:"), maxsplit=1)[0].partition(":")
    return f"{kind}://{rest.rpartition('@')[2].removeprefix('//')}"


def table_of(source: Source) -> str:
    """Return what is read of a database. A query may be changed and still give the same rows."""
    return f"{source.table or 'a query'} of {place(source)}"


def _said(error: Exception) -> str:
    """Return what the deepest cause says, which is what the database or the network said."""
    cause = getattr(error, "java_exception", None) or getattr(error, "_origin", None)
    said = str(error)
    while cause is not None:
        said = str(cause.getMessage() or said)
        if cause.getClass().getName().endswith("UnknownHostException"):
            said = f"there is no host {said}."
        cause = cause.getCause()
    # PostgreSQL adds the place in our query on a line of its own.
    return re.sub(r"^(FATAL|ERROR): ", "", said.strip().split("\n  Position: ")[0])
