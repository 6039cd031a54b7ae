"""Take parts of a text into columns of their own, by a regular expression."""

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from transforms.core.columns import schema_of
from transforms.core.new_columns import put_columns, require_single_names
from transforms.core.patterns import count_groups
from transforms.errors import TransformError
from transforms.nested.row_values import row_value, text_of


def extract_regex(df: DataFrame, column: str, pattern: str, new_columns: str | Sequence[str | None]) -> DataFrame:
    r"""Add a column of text for each group of the first match of a regular expression. Lazy.

    A pattern without groups gives its whole match. Only a null source gives nulls: a text without a match gives an
    empty text in every new column, and so does a group that has no part in the match.

    Glue: Studio's Regex Extractor (``gs_regex_extract``). Cost: lazy, no pass of its own.

    Args:
        df: Any frame.
        column: Path of the text. A number, date or boolean is taken as Spark writes it.
        pattern: A regular expression of Java.
        new_columns: A name for each group; an empty one or null skips the group, and so do names left away at the
            end. A column of such a name is replaced in its place.

    Returns:
        The same columns in the same order, then the new ones.

    Raises:
        TransformError: The pattern is no regular expression, or there are more names than groups, or none.
        PathSyntaxError: The path cannot be read.
        MissingColumnError: The column is not there.
        DuplicateColumnError: A new name comes twice, or differs from a column's only in case.
        ColumnTypeError: The column is nested or binary.

    Example:
        >>> df = spark.createDataFrame([("2013-01-02",), ("never",)], "day STRING")
        >>> df.transform(extract_regex, "day", r"(\d+)-(\d+)-(\d+)", ["year", None, "date"]).collect()
        [Row(day='2013-01-02', year='2013', date='02'), Row(day='never', year='', date='')]

    Source:
        reference: Glue transforms, "Regex extractor".
    """
    where = "extract_regex"
    names = [new_columns] if isinstance(new_columns, str) else list(new_columns)
    text = text_of(row_value(schema_of(df), column, where=where), where=where)
    groups = count_groups(df.sparkSession, pattern, where=f"{where}, `pattern`")
    if len(names) > max(groups, 1) or not any(names):
        said = f"{groups} groups, so at most {groups} names" if groups else "no group, so one name"
        raise TransformError(f"{where}: the pattern {pattern!r} has {said}; got {len(names)}: {names}.")
    wanted = {name: number for number, name in enumerate(names, start=1 if groups else 0) if name}
    require_single_names([name for name in names if name], where=where)
    return put_columns(df, {name: F.regexp_extract(text, pattern, number) for name, number in wanted.items()})
