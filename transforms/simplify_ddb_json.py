"""Take the type tags of DynamoDB out of its JSON."""

from pyspark.sql import DataFrame

from transforms.nested.ddb_json import attributes_to_columns


def simplify_ddb_json(df: DataFrame) -> DataFrame:
    """Put plain values in the stead of DynamoDB's tagged ones: ``{"id": {"S": "x"}}`` becomes ``{"id": "x"}``.

    Lazy, and by the schema alone. The fields of ``Item`` become columns. ``S``, ``N``, ``B``, ``BOOL``, ``SS``, ``NS``
    and ``BS`` become their values with their types: numbers stay strings. ``M`` becomes a struct, ``L`` an array, and
    ``NULL`` alone a field of the type null. The elements of a list lose their tags too, if they are all of one type
    and no maps; otherwise they stay as they are. A field that is now null and now a value is that value; one that
    holds values of several types keeps its tags.

    Glue: simplify_ddb_json. Cost: lazy, no pass of its own.

    Args:
        df: A frame of DynamoDB JSON, as an export to S3 has it, with or without ``Item`` round the attributes.

    Returns:
        The attributes in the stead of ``Item``; other columns as they are, without tags if they have any.

    Raises:
        DuplicateColumnError: An attribute has the name of another column.

    Example:
        >>> item = "named_struct('id', named_struct('S', 'x'), 'l', named_struct('L', array(named_struct('N', '1'))))"
        >>> spark.sql(f"SELECT {item} AS Item").transform(simplify_ddb_json).collect()
        [Row(id='x', l=['1'])]

    Source:
        reference: Glue transforms, "simplify_ddb_json". Mixed types of one field are our choice.
    """
    return attributes_to_columns(df, open_lists=True)
