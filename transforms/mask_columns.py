"""Hide the middle of texts and keep their ends."""

from collections.abc import Sequence

from pyspark.sql import DataFrame

from transforms.errors import TransformError
from transforms.nested.text_fields import change_texts
from transforms.nested.values import text_literal


def mask_columns(
    df: DataFrame, columns: str | Sequence[str], *, keep_first: int = 0, keep_last: int = 0, mask: str = "*"
) -> DataFrame:
    """Replace the characters of texts by a mask, but for some at the ends. Null stays null. Lazy.

    A text keeps its length. One that is not longer than what would stay is hidden whole. Numbers, dates and booleans
    become texts. To hide what matches a pattern see `redact_columns`.

    Glue: Detect PII's PARTIAL_REDACT. Cost: lazy, no pass of its own.

    Args:
        df: Any frame.
        columns: Paths of columns, or of fields inside structs and arrays; of an array of texts each element.
        keep_first: How many characters stay at the beginning.
        keep_last: How many stay at the end.
        mask: What stands for each hidden character.

    Returns:
        The same columns in the same order; those named are texts.

    Raises:
        TransformError: There are no columns, or fewer than 0 characters are to stay.
        PathSyntaxError: A path cannot be read.
        MissingColumnError: A column is not there.
        DuplicateColumnError: A path names several fields.
        ColumnTypeError: A column is a struct, a map or binary.

    Example:
        >>> df = spark.createDataFrame([("4556 1234 5678",), ("12",), (None,)], "card STRING")
        >>> [row.card for row in df.transform(mask_columns, "card", keep_last=4).collect()]
        ['**********5678', '**', None]

    Source:
        reference: Glue transforms, "Detect PII".
    """
    if keep_first < 0 or keep_last < 0:
        raise TransformError(f"mask_columns cannot keep {min(keep_first, keep_last)} characters.")
    sign, kept = text_literal(mask), keep_first + keep_last

    def masked(text: str) -> str:
        length = f"char_length({text})"
        hidden = f"concat(left({text}, {keep_first}), repeat({sign}, {length} - {kept}), right({text}, {keep_last}))"
        return f"IF({length} <= {kept}, repeat({sign}, {length}), {hidden})"

    return change_texts(df, columns, masked, where="mask_columns")
