"""Functions of SQL that make several rows of one: no value of a row is made by them."""

import re

from pyspark.sql import Column
from pyspark.sql import functions as F

_GENERATOR = re.compile(r"\b((pos)?explode(_outer)?|inline(_outer)?|stack|json_tuple)`?\s*\(", re.IGNORECASE)


def one_value(expression: str) -> str:
    r"""Return the SQL text such that Spark refuses it if it makes several rows of one.

    Spark lets such functions stand alone, but in no other. A text that may hold one is put into another that does
    nothing.

    Example:
        >>> one_value("a + 1"), one_value("explode(tags)")
        ('a + 1', 'coalesce(explode(tags)\n)')
    """
    # A comment at the text's end would take the bracket in.
    return f"coalesce({expression}\n)" if _GENERATOR.search(expression) else expression


def one_value_column(column: Column) -> Column:
    """Return a column likewise."""
    return F.coalesce(column) if _GENERATOR.search(str(column)) else column
