"""Make columns of the attributes in DynamoDB's JSON."""

from pyspark.sql import DataFrame

from transforms.nested.ddb_json import attributes_to_columns


def unnest_ddb_json(df: DataFrame) -> DataFrame:
    """Make columns of DynamoDB's attributes, without their type tags; what is in lists keeps its tags.

    Lazy, and by the schema alone. It does what `simplify_ddb_json` does, but leaves the elements of lists as they are.

    Glue: unnest_ddb_json. Cost: lazy, no pass of its own.

    Args:
        df: A frame of DynamoDB JSON, as an export to S3 has it, with or without ``Item`` round the attributes.

    Returns:
        The attributes in the stead of ``Item``; other columns as they are, without tags if they have any.

    Raises:
        DuplicateColumnError: An attribute has the name of another column.

    Example:
        >>> struct = "named_struct('id', named_struct('S', 'x'), 'l', named_struct('L', array(named_struct('S', 'a'))))"
        >>> spark.sql(f"SELECT {struct} AS Item").transform(unnest_ddb_json).collect()
        [Row(id='x', l=[Row(S='a')])]

    Source:
        reference: Glue transforms, "unnest_ddb_json".
    """
    return attributes_to_columns(df, open_lists=False)
