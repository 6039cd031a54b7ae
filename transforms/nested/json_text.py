"""JSON texts of rows that lose nothing of them."""

from transforms.nested.values import text_literal

EXACT_TIMES = {
    "timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX",
    "timestampNTZFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSS",
}
"""Options of `to_json` by which times keep their microseconds; by default Spark writes milliseconds."""

WHOLE_RECORD = EXACT_TIMES | {"ignoreNullFields": "false"}
"""Options of `to_json` by which a record keeps its nulls, too."""


def sql_options(options: dict[str, str]) -> str:
    """Return options as an SQL map.

    Example:
        >>> record = f"to_json(named_struct('a', null), {sql_options(WHOLE_RECORD)})"
        >>> spark.sql(f"SELECT {record} AS record").collect()
        [Row(record='{"a":null}')]
    """
    return f"map({', '.join(text_literal(text) for pair in options.items() for text in pair)})"
