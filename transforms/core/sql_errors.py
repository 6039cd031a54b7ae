"""Spark's complaints about a user's expression, told as one of our errors."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from pyspark.errors import AnalysisException, ParseException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from transforms.core.columns import schema_of
from transforms.core.spark_sentence import spark_sentence
from transforms.errors import (
    ColumnTypeError,
    DuplicateColumnError,
    MissingColumnError,
    TransformError,
    closest,
    say_known,
)
from transforms.paths import format_path, parse_path, quote

Part = TypeVar("Part")

Expression = Column | str
"""A Spark column or the text of an SQL expression. Names in SQL text follow Spark: any case, back-ticks round a dot."""


def analysed(
    make: Callable[[], DataFrame],
    df: DataFrame,
    *,
    where: str,
    names: Sequence[str] | None = None,
    said: str | None = None,
) -> DataFrame:
    """Return the frame that ``make`` builds from ``df``, once Spark has analysed it. Starts no Spark job.

    Args:
        make: Builds the frame with a user's expression.
        df: The frame whose columns the expression may name.
        where: What holds the expression, for the error's sentence.
        names: What the expression may name, if that is not the columns of ``df``.
        said: The user's own text, where ``make`` puts it into a longer one.

    Raises:
        TransformError: Spark cannot parse or resolve the expression. For a name that is not there it is a
            MissingColumnError, for a name that two columns share a DuplicateColumnError, for a type a ColumnTypeError.
    """
    try:
        made = make()
        if type(made).__module__.startswith("pyspark.sql.connect"):
            # Classic Spark has analysed it by now; Connect has not, and `where` alone would take the old schema.
            schema_of(made.select("*"))
    except AnalysisException as error:
        if error.getCondition() == "UNRESOLVED_ROUTINE":
            raise TransformError(f"{where}: {_say_no_function(error, df.sparkSession)}") from None
        if isinstance(error, ParseException) and said is not None:
            error = _parse_error(df, said) or error
        raise _translated(error, df, list(df.columns if names is None else names), where) from None
    return made


def _parse_error(df: DataFrame, text: str) -> ParseException | None:
    """Return what Spark says of an expression by itself, if it does not parse."""
    try:
        schema_of(df.select(F.expr(text)))
    except ParseException as error:
        return error
    except AnalysisException:
        pass
    return None


def analysed_parts(
    make: Callable[[Sequence[Part]], DataFrame],
    parts: Sequence[Part],
    df: DataFrame,
    *,
    where: str,
    where_of: Callable[[Part], str],
    names_of: Callable[[Part], Sequence[str]] | None = None,
    said_in: Callable[[Part], str] | None = None,
) -> DataFrame:
    """Return the frame that ``make`` builds of all parts at once; an error is told of the part that it comes of.

    Args:
        make: Builds the frame with the user's expressions, or types, in some parts.
        parts: What the user said, part by part.
        df: The frame whose columns the expressions may name.
        where: What holds all parts, for an error that none of them makes alone.
        where_of: What holds a part.
        names_of: What a part may name, if that is not the columns of ``df``.
        said_in: The user's own text in a part, where ``make`` puts it into a longer one.

    Raises:
        TransformError: As `analysed`.
    """
    try:
        return analysed(lambda: make(parts), df, where=where)
    except TransformError:
        for part in parts:
            names = None if names_of is None else names_of(part)
            said = None if said_in is None else said_in(part)
            analysed(partial(make, [part]), df, where=where_of(part), names=names, said=said)
        raise


def _translated(error: AnalysisException, df: DataFrame, names: list[str], where: str) -> TransformError:
    condition = error.getCondition() or ""
    about = error.getMessageParameters() or {}
    if condition.startswith("UNRESOLVED_COLUMN"):
        return MissingColumnError(f"{where}: {_say_missing(about['objectName'], names)}")
    if condition == "FIELD_NOT_FOUND":
        field, known = about["fieldName"].strip("`"), [name.strip("`") for name in about["fields"].split(", ")]
        return MissingColumnError(f"{where}: There is no field `{field}`. {say_known(field, known, kind='field')}")
    if condition == "AMBIGUOUS_REFERENCE":
        wanted = ".".join(parse_path(about["name"])).lower()
        same = ", ".join(f"`{name}`" for name in names if name.lower() == wanted)
        return DuplicateColumnError(
            f"{where}: {about['name']} can mean more than one column: {same or about['referenceNames']}."
            " Expressions do not tell upper from lower case; rename a column first."
        )
    if condition.startswith("UNSUPPORTED_GENERATOR"):
        return TransformError(
            f"{where}: An expression gives one value for each row, and a function in it makes several rows of one. Use"
            " the transform `explode`, or a query."
        )
    if condition in ("MISSING_GROUP_BY", "MISSING_AGGREGATION"):
        return TransformError(
            f"{where}: An expression is of one row, and an aggregate function in it, such as `sum`, of many. Use the"
            " transform `aggregate` or a query; for the elements of an array there is SQL's function `aggregate`."
        )
    kind = ColumnTypeError if "DATA_TYPE_MISMATCH" in condition.replace("DATATYPE", "DATA_TYPE") else TransformError
    return kind(f"{where}: {spark_sentence(error, df)}")


def _say_missing(object_name: str, names: list[str]) -> str:
    path = parse_path(object_name)
    dotted = closest(".".join(path), [name for name in names if "." in name])
    if len(path) > 1 and dotted is not None:
        return f"There is no column `{path[0]}`. For the column with a dot in its name write {quote(dotted)}."
    return f"There is no column `{path[0]}`. {say_known(path[0], names, kind='column')}"


def _say_no_function(error: AnalysisException, spark: SparkSession) -> str:
    """Return the sentence on a function that is not there. Asks Spark which there are."""
    path = parse_path((error.getMessageParameters() or {})["routineName"])
    known = [row[0] for row in spark.sql("SHOW FUNCTIONS").collect() if row[0].isidentifier()]
    near = closest(path[-1].lower(), known)
    hint = f"Did you mean `{near}`?" if near else "`SHOW FUNCTIONS` in Spark lists those there are."
    return f"There is no function `{format_path(path)}`. {hint}"
