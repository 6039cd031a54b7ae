"""Turn the fields of all structs into columns with dotted names."""

from pyspark.sql import DataFrame

from transforms.flatten import flatten


def unnest(df: DataFrame) -> DataFrame:
    """Put the fields of each struct in its stead, at all depths, as columns named ``struct.field``.

    Lazy. A null struct gives nulls, a struct without fields no column. Arrays and maps stay as they are (use
    `relationalize` to make tables of them), and so do choices, which have to be resolved first, and ``_error``.

    Glue: UnnestFrame, unnest. Cost: lazy, no pass of its own.

    Args:
        df: Any frame.

    Returns:
        The columns in the order of the schema. A name that holds a dot keeps it: write it in back-ticks later on.

    Raises:
        DuplicateColumnError: Two columns would get the same name, as ``a.b`` and the field ``b`` of ``a``.

    Example:
        >>> df = spark.sql("SELECT 1 AS id, named_struct('city', 'Ulm', 'zips', array('89073')) AS home")
        >>> df.transform(unnest).show()
        +---+---------+---------+
        | id|home.city|home.zips|
        +---+---------+---------+
        |  1|      Ulm|  [89073]|
        +---+---------+---------+
        <BLANKLINE>

    Source:
        reference: Glue transforms, "UnnestFrame". Its pages do not agree on arrays; the printed ones stay arrays.
    """
    return flatten(df)
