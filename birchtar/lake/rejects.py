"""Records that could not be read stay in the frame, with what is wrong with them in the column ``_error``.

That is the transforms' way too (`transforms.rejects`). Storage does not import transforms, so the column's name and
its three fields are written down here as well; a test holds the two together.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from birchtar.lake.errors import LakeError

ERROR_COLUMN = "_error"

MALFORMED = "MALFORMED"
"""The code of a record that does not parse."""

CAST = "CAST"
"""The code of a record with a value that is not of its declared type."""

ENCODING = "ENCODING"
"""The code of a record with bytes that are no text in the file's encoding."""

TRUNCATED = "TRUNCATED"
"""The code of a packed file that cannot be read to its end."""

CORRUPT_FILE = "CORRUPT_FILE"
"""The code of a file that cannot be read at all, or in which more is wrong than in its records."""

REPLACED = "\ufffd"
"""What Spark puts where bytes are no text."""

CORRUPT = "_birchtar_corrupt_record"
"""Where Spark is told to put the text of a malformed record; a name that no file has."""

EXACT_TIMES = {
    "timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX",
    "timestampNTZFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSS",
}
"""Options of `to_json` by which times keep their microseconds; by default Spark writes milliseconds."""

WHOLE_RECORD = EXACT_TIMES | {"ignoreNullFields": "false"}
"""Options of `to_json` by which a record keeps its nulls, too."""

_MOST_FILES = 500
"""How many files a query may name."""

# url_decode takes a plus for a space.
FILE = "regexp_replace(url_decode(regexp_replace(input_file_name(), '[+]', '%2B')), '^file:/+', '/')"
"""The SQL for the file that a row is from, as a user would write its path."""


def named(name: str) -> Column:
    """Return the column of exactly this name."""
    return F.col(quoted(name))


def quoted(name: str) -> str:
    """Return a name as SQL writes it, whatever signs are in it."""
    return "`" + name.replace("`", "``") + "`"


def literal(text: str) -> str:
    """Return a text as SQL writes it, whatever signs are in it and however Spark reads escapes."""
    return f"CAST(X'{text.encode().hex()}' AS STRING)"


def refuse_error_column(names: Iterable[str], paths: Sequence[str]) -> None:
    """Raise a LakeError where files have a column of the name that we need."""
    if any(name.lower() == ERROR_COLUMN for name in names):
        raise LakeError.at(
            paths, f"there is a column `{ERROR_COLUMN}`; rejected rows need that name. Declare a schema without it."
        )


def any_of(conditions: Sequence[Column]) -> Column:
    """Return whether one of many conditions is true, as a tree of little depth: Java bears no chain of a thousand."""
    conditions = conditions or [F.lit(False)]
    while len(conditions) > 1:
        pairs = zip(conditions[::2], conditions[1::2], strict=False)
        conditions = [*(one | other for one, other in pairs), *conditions[len(conditions) // 2 * 2 :]]
    return conditions[0]


def permissive(options: Mapping[str, object]) -> dict[str, str]:
    """Return a reader's options, such that what does not parse stays, with its text in the column `CORRUPT`."""
    said = {key.lower(): str(value).lower() if value in (True, False) else str(value) for key, value in options.items()}
    return said | {"mode": "PERMISSIVE", "columnnameofcorruptrecord": CORRUPT}


def with_error(
    df: DataFrame,
    kept: Sequence[Column],
    *,
    code: Column,
    message: Column,
    record: Column,
    position: Column | None = None,
) -> DataFrame:
    """Return the kept columns and ``_error``, which is null where ``code`` is. Lazy.

    Where a position is told, the error has it; else it has none.
    """
    # Spark refuses a query that needs nothing but the corrupt record, such as a count of errors. No text is shorter
    # than nothing, but Spark does not know that, and reads the first column too.
    reads_more = F.length(F.coalesce(kept[0].cast("string"), F.lit(""))) >= 0
    told = [code.alias("code"), message.alias("message"), record.alias("record")]
    error = F.struct(*told, *([] if position is None else [position.alias("position")]))
    return df.select(*kept, F.when(code.isNotNull() & reads_more, error).alias(ERROR_COLUMN))


def with_file(df: DataFrame) -> DataFrame:
    """Return the frame with ``file`` and ``position``, null where they are not known, in its ``_error``. Lazy.

    The frame has to come straight from one reader: behind a join or a shuffle Spark does not know the file any more.
    """
    if ERROR_COLUMN not in df.columns:
        return df
    is_placed = "position" in cast("StructType", df.schema[ERROR_COLUMN].dataType).names
    told = {name: f"{ERROR_COLUMN}.{name}" for name in ("code", "message", "record")}
    told |= {
        "file": f"nullif({FILE}, '')",
        "position": f"{ERROR_COLUMN}.position" if is_placed else "CAST(NULL AS BIGINT)",
    }
    return df.withColumn(ERROR_COLUMN, of_errors(told))


def of_errors(fields: Mapping[str, str]) -> Column:
    """Return a struct of some fields, each of which is SQL, on rows that have an error; null on good rows."""
    told = ", ".join(f"'{name}', {value}" for name, value in fields.items())
    return F.expr(f"CASE WHEN {ERROR_COLUMN} IS NOT NULL THEN named_struct({told}) END")


def source_file() -> Column:
    """Return the file that a row is from, as a user would write its path."""
    return F.expr(FILE)


def files_of(rows: DataFrame) -> list[str]:
    """Return the files that rows are from, or some of them where they are more than a query may name. Starts a job."""
    found = rows.select(source_file().alias("file")).distinct().limit(_MOST_FILES + 1)
    return [file for (file,) in found.collect()]


def is_from(files: Sequence[str]) -> Column:
    """Tell whether a row is from one of the files that `files_of` returned; where these are some only, all rows are."""
    return source_file().isin(files) if len(files) <= _MOST_FILES else F.lit(True)
