"""Estimates of missing values by models of Spark ML that learn from the other columns of the same rows."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as t

from transforms.core.columns import by_position, schema_of
from transforms.core.missing_values import as_type, present
from transforms.errors import ColumnTypeError, TransformError
from transforms.nested.row_values import RowValue, column_values, wrong_type

_MOST_WORDS = 32
"""Different texts that a feature may have; each becomes a number, 0 or 1, of its own."""

_MOST_CLASSES = 100
"""Different values of a text that can be estimated."""

_WORDS = (t.StringType, t.BooleanType)


class _Known(NamedTuple):
    """What two passes over the columns tell."""

    present: int
    missing: int
    classes: list[Any] | None
    """The values that a text or boolean has; None for numbers."""
    numbers: list[Column]
    """The features as numbers, none of them null."""


def with_estimates(
    df: DataFrame, target: RowValue, features: Sequence[RowValue] | None, *, seed: int
) -> tuple[DataFrame, Column]:
    """Return the frame `by_position`, with more columns behind, and the target with estimates where it is missing.

    Raises:
        ColumnTypeError: The target or a feature is of a type that no model takes, or has too many values.
        TransformError: There is no value to learn from, or no column; or there is no Spark ML here.
    """
    if not isinstance(target.data_type, (t.NumericType, *_WORDS)):
        raise wrong_type(target, "which no model estimates.", where="fill_missing")
    known = _look(df, target, _candidates(df, target) if features is None else features, are_named=features is not None)
    rows = by_position(df)
    if known.missing == 0:
        return rows, target.column
    if known.present == 0:
        raise TransformError(f"fill_missing: `{target.name}` has no value at all to learn from.")
    if known.classes is not None and len(known.classes) == 1:
        return rows, F.coalesce(present(target), F.lit(known.classes[0]))
    if not known.numbers:
        raise TransformError(
            "fill_missing: there is no column to learn from. A model takes numbers, booleans, and texts of at most"
            f" {_MOST_WORDS} values."
        )
    return _learnt(rows, target, known, seed)


def _candidates(df: DataFrame, target: RowValue) -> list[RowValue]:
    return [
        value
        for value in column_values(schema_of(df))
        if value.position != target.position[:1] and isinstance(value.data_type, (t.NumericType, *_WORDS))
    ]


def _look(df: DataFrame, target: RowValue, features: Sequence[RowValue], *, are_named: bool) -> _Known:
    wrong = next((value for value in features if not isinstance(value.data_type, (t.NumericType, *_WORDS))), None)
    if wrong is not None:
        raise wrong_type(wrong, "from which no model learns.", where="fill_missing")
    values = [target, *features]
    rows = by_position(df).select(*(_known(value).alias(f"v{at}") for at, value in enumerate(values)))
    looks = [F.count("*").alias("rows")]
    for at, value in enumerate(values):
        of_kind = F.approx_count_distinct if isinstance(value.data_type, _WORDS) else F.avg
        looks += [F.count(f"v{at}").alias(f"n{at}"), of_kind(f"v{at}").alias(f"s{at}")]
    (found,) = rows.agg(*looks).collect()
    sets = {
        at: F.collect_set(f"v{at}").alias(f"w{at}")
        for at, value in enumerate(values)
        if isinstance(value.data_type, _WORDS) and found[f"s{at}"] <= 2 * (_MOST_WORDS if at else _MOST_CLASSES)
    }
    words = rows.agg(*sets.values()).collect()[0].asDict() if sets else {}
    classes = None
    if isinstance(target.data_type, _WORDS):
        classes = sorted(words.get("w0", range(_MOST_CLASSES + 1)))
        if len(classes) > _MOST_CLASSES:
            raise ColumnTypeError(
                f"fill_missing: `{target.name}` has more than {_MOST_CLASSES} different values, too many to estimate."
            )
    numbers: list[Column] = []
    for at, value in enumerate(values[1:], start=1):
        if not isinstance(value.data_type, _WORDS):
            numbers += _number(value, found[f"s{at}"], has_missing=found[f"n{at}"] < found["rows"])
        elif len(words.get(f"w{at}", range(_MOST_WORDS + 1))) <= _MOST_WORDS:
            numbers += [F.when(value.column == word, 1.0).otherwise(0.0) for word in sorted(words[f"w{at}"])]
        elif are_named:
            raise ColumnTypeError(
                f"fill_missing: a model does not learn from `{value.name}`, which has more than {_MOST_WORDS} values."
            )
    return _Known(found["n0"], found["rows"] - found["n0"], classes, numbers)


def _known(value: RowValue) -> Column:
    """Return the value, and null where it is missing or no model can take it."""
    if isinstance(value.data_type, t.NumericType):
        number = value.column.cast("double")
        return F.when(F.abs(number) < float("inf"), number)
    return present(value)


def _number(value: RowValue, mean: float | None, *, has_missing: bool) -> list[Column]:
    known = _known(value)
    filled = F.coalesce(known, F.lit(0.0 if mean is None else mean))
    return [filled, F.when(known.isNull(), 1.0).otherwise(0.0)] if has_missing else [filled]


def _learnt(rows: DataFrame, target: RowValue, known: _Known, seed: int) -> tuple[DataFrame, Column]:
    label, classes = _known(target), None
    if known.classes is not None:
        classes = F.array(*map(F.lit, known.classes))
        label = F.array_position(classes, label).cast("double") - 1
    try:
        from pyspark.ml.classification import RandomForestClassifier
        from pyspark.ml.functions import array_to_vector
        from pyspark.ml.regression import LinearRegression

        data = rows.select("*", array_to_vector(F.array(*known.numbers)).alias("features"), label.alias("label"))
        learner = LinearRegression() if classes is None else RandomForestClassifier(numTrees=30, maxDepth=8, seed=seed)
        model = learner.fit(data.where("label IS NOT NULL").select("features", "label"))
        judged = model.transform(data)
    except (ImportError, NotImplementedError, PySparkException) as error:
        cause = str(error).strip().partition("\n")[0]
        raise TransformError(
            f"fill_missing: Spark ML, which how='model' needs, does not learn in this session: {cause}"
        ) from error
    if classes is None:
        new = as_type(F.col("prediction"), target.data_type)
    else:
        new = F.element_at(classes, (F.col("prediction") + 1).cast("int"))
    return judged, F.coalesce(present(target), new)
