"""Parse a text of JSON."""

from pyspark.sql import DataFrame

from transforms.core.columns import schema_of
from transforms.core.new_columns import name_in_place, require_clear_names
from transforms.errors import TransformError
from transforms.nested.boxed_text import Boxed, declared_type, inferred_type
from transforms.nested.row_values import row_value
from transforms.nested.unboxed import text_at, unboxed
from transforms.records.columns import require_error_type
from transforms.rejects import ERROR_COLUMN


def parse_json(
    df: DataFrame,
    column: str,
    *,
    schema: str | None = None,
    sample_ratio: float = 1.0,
    new_column: str | None = None,
) -> DataFrame:
    """Parse a text of JSON into a struct, an array, or whatever type is said. Lazy with a ``schema``.

    Without one it starts a job at once, one pass over the texts, to find the schema: fields in alphabetical order,
    ints as BIGINT, and a field of several types as the text that stands there. A record that comes later and does not
    fit the schema is rejected.

    No row is lost. A text that is no JSON, or does not fit the schema, rejects the row with the code PARSE: it stays in
    the frame with all its other values and with its error in ``_error``, the last column; the parsed column is null.
    A null, a blank text and JSON's ``null`` give null. A missing field is null; a field that the schema lacks is left
    out.

    Glue: Studio's Parse JSON Column. Cost: lazy with a schema, else one pass over the column.

    Args:
        df: Any frame.
        column: Path of the text.
        schema: The type in SQL's words: the fields of a struct (``a STRING, b INT``) or a whole type
            (``ARRAY<STRING>``, ``MAP<STRING, INT>``).
        sample_ratio: The share of the texts to find the schema from, where none is said.
        new_column: Name of the parsed column; by default it takes the place of the text.

    Returns:
        The same columns in the same order, a new one behind them, then ``_error``.

    Raises:
        TransformError: The schema cannot be read, no text tells one, or the ratio is not above 0 and at most 1.
        PathSyntaxError: The path cannot be read.
        MissingColumnError: The column is not there.
        DuplicateColumnError: The path names several fields, or the new name differs from a column's only in case.
        ColumnTypeError: The column is no text.

    Example:
        >>> df = spark.createDataFrame([(1, '{"town": "Ulm"}'), (2, '{"town')], "id INT, home STRING")
        >>> rows = df.transform(parse_json, "home", schema="town STRING").collect()
        >>> [(row.home, row._error and row._error.code) for row in rows]
        [(Row(town='Ulm'), None), (None, 'PARSE')]

    Source:
        reference: Glue transforms, "Parse JSON column". What becomes of a text that does not parse Glue does not say.
    """
    if not 0 < sample_ratio <= 1:
        raise TransformError(f"parse_json: `sample_ratio` is above 0 and at most 1, got {sample_ratio}.")
    came, where = schema_of(df), f"parse_json, `{column}`"
    require_error_type(came)
    value = row_value(came, column, where="parse_json")
    name = name_in_place(value, new_column, where="parse_json")
    names = [other for other in came.names if other != ERROR_COLUMN]
    require_clear_names(names, [name])
    boxed = Boxed(text_at(came, value.position, "json", where), "json", where)
    if schema is not None:
        wanted = declared_type(boxed, schema)
    else:
        wanted = inferred_type(df if sample_ratio == 1 else df.sample(sample_ratio, seed=0), boxed)
    return unboxed(df, boxed, wanted, (came.names.index(name),) if name in names else name)
