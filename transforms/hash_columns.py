"""Replace texts by their hash."""

import hashlib
import hmac
from collections.abc import Sequence

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StringType

from transforms.core.columns import by_position, schema_of
from transforms.core.salts import read_salt
from transforms.errors import TransformError
from transforms.nested.rebuild import Change, rebuild
from transforms.nested.row_values import RowValue, row_values, text_of
from transforms.nested.text_fields import change_texts
from transforms.nested.values import COLUMN, Value


def hash_columns(df: DataFrame, columns: str | Sequence[str], *, salt_from: str | None = None) -> DataFrame:
    """Replace texts by their SHA-256, 64 hexadecimal digits; equal texts have equal hashes. Null stays null. Lazy.

    The hash is of the text in UTF-8; numbers, dates and booleans are taken as Spark writes them. Names, numbers and
    the like can be found from a plain hash by trying all there are: a salt, kept secret, hinders that. With one the
    hash is the HMAC-SHA-256 under it. The salt is read when this is called and goes to Spark inside a function, so it
    appears in no plan and no log of Spark's; that function runs in Python, some times slower than the plain hash.

    Glue: Detect PII's SHA256_HASH. Cost: lazy, no pass of its own.

    Args:
        df: Any frame.
        columns: Paths of columns, or of fields inside structs and arrays; of an array of texts each element. With a
            salt not inside arrays.
        salt_from: Where the salt is: ``env:NAME`` for a variable of the environment, ``file:PATH`` for a file.

    Returns:
        The same columns in the same order; those named are texts.

    Raises:
        TransformError: There are no columns, or there is no salt where it should be.
        PathSyntaxError: A path cannot be read.
        MissingColumnError: A column is not there.
        DuplicateColumnError: A path names several fields.
        ColumnTypeError: A column is a struct, a map or binary, or with a salt inside an array.

    Example:
        >>> df = spark.createDataFrame([("abc",), (None,)], "name STRING")
        >>> [row.name and row.name[:8] for row in df.transform(hash_columns, "name").collect()]
        ['ba7816bf', None]

    Source:
        reference: Glue transforms, "Detect PII". Glue knows no salt.
    """
    if salt_from is None:
        return change_texts(df, columns, lambda text: f"sha2({text}, 256)", where="hash_columns")
    salt, schema = read_salt(salt_from, where="hash_columns, `salt_from`"), schema_of(df)
    values = row_values(schema, columns, where="hash_columns with a salt")
    if not values:
        raise TransformError("hash_columns needs at least one column.")
    return _salted(df, values, salt)


def _salted(df: DataFrame, values: Sequence[RowValue], salt: bytes) -> DataFrame:
    def salted_hash(texts: pa.Array) -> pa.Array:
        return pa.array([_hmac(salt, text) for text in texts.to_pylist()], pa.string())

    salted = F.arrow_udf(salted_hash, "string")  # type: ignore[attr-defined]  # public, but missing in PySpark's types
    width = len(df.columns)
    texts = [text_of(value, where="hash_columns with a salt") for value in values]
    hashes = [salted(text).alias(f"h{at}") for at, text in enumerate(texts)]
    rows = by_position(df).select("*", *hashes).toDF(*df.columns, *(f"h{at}" for at in range(len(values))))
    changes = {value.position: _instead(width + at) for at, value in enumerate(values)}
    return rebuild(rows, changes | {(width + at,): lambda field, scope: [] for at in range(len(values))})


def _instead(position: int) -> Change:
    value = Value(f"{COLUMN}{position}", StringType())
    return lambda field, scope: [field._replace(value=value)]


def _hmac(salt: bytes, text: str | None) -> str | None:
    return None if text is None else hmac.new(salt, text.encode(), hashlib.sha256).hexdigest()
