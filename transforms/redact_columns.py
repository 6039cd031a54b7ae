"""Put asterisks in the place of texts."""

from collections.abc import Sequence

from pyspark.sql import DataFrame

from transforms.core.patterns import count_groups, literal_replacement
from transforms.nested.text_fields import change_texts
from transforms.nested.values import text_literal


def redact_columns(
    df: DataFrame, columns: str | Sequence[str], *, replacement: str = "*******", pattern: str | None = None
) -> DataFrame:
    """Replace texts, or what matches a pattern in them, by a fixed text. Null stays null. Lazy.

    Numbers, dates and booleans become texts; the empty text is replaced too.

    Glue: Detect PII's REDACT, and PARTIAL_REDACT by a pattern. Cost: lazy, no pass of its own.

    Args:
        df: Any frame.
        columns: Paths of columns, or of fields inside structs and arrays; of an array of texts each element.
        replacement: What stands there instead, taken literally.
        pattern: Replace only the matches of this regular expression of Java, each as a whole.

    Returns:
        The same columns in the same order; those named are texts.

    Raises:
        TransformError: There are no columns, or the pattern is no regular expression.
        PathSyntaxError: A path cannot be read.
        MissingColumnError: A column is not there.
        DuplicateColumnError: A path names several fields.
        ColumnTypeError: A column is a struct, a map or binary.

    Example:
        >>> df = spark.createDataFrame([("Ada", "tel. 555-0199"), (None, "none")], "name STRING, note STRING")
        >>> df.transform(redact_columns, "name").transform(redact_columns, "note", pattern="[0-9-]+").collect()
        [Row(name='*******', note='tel. *******'), Row(name=None, note='none')]

    Source:
        reference: Glue transforms, "Detect PII".
    """
    new = text_literal(replacement)
    if pattern is None:
        return change_texts(df, columns, lambda text: new, where="redact_columns")
    count_groups(df.sparkSession, pattern, where="redact_columns, `pattern`")
    what, instead = text_literal(pattern), text_literal(literal_replacement(replacement))
    return change_texts(df, columns, lambda text: f"regexp_replace({text}, {what}, {instead})", where="redact_columns")
