"""The functions that `aggregate` and `pivot` know, Studio's list."""

from collections.abc import Callable

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql import types as t

from transforms.errors import TransformError, say_known
from transforms.nested.row_values import RowValue, with_mark, wrong_type

_NUMBERS: dict[str, tuple[str, Callable[[Column], Column]]] = {
    "avg": ("avg({})", F.avg),
    "kurtosis": ("kurtosis({})", F.kurtosis),
    "skewness": ("skewness({})", F.skewness),
    "stddev_pop": ("stddev_pop({})", F.stddev_pop),
    "stddev_samp": ("stddev_samp({})", F.stddev_samp),
    "sum": ("sum({})", F.sum),
    "sumDistinct": ("sum(DISTINCT {})", F.sum_distinct),
    "var_pop": ("var_pop({})", F.var_pop),
    "var_samp": ("var_samp({})", F.var_samp),
}
_ORDERED: dict[str, tuple[str, Callable[[Column], Column]]] = {
    "countDistinct": ("count(DISTINCT {})", F.count_distinct),
    "max": ("max({})", F.max),
    "min": ("min({})", F.min),
}
_ANY: dict[str, tuple[str, Callable[[Column], Column]]] = {
    "count": ("count({})", F.count),
    "first": ("first({})", F.first),
    "last": ("last({})", F.last),
}
_FUNCTIONS = _NUMBERS | _ORDERED | _ANY


def aggregation(value: RowValue, function: str, *, where: str) -> tuple[str, Column]:
    """Return Spark's name for a function of a column, such as ``sum(amount)``, and the aggregate.

    Raises:
        TransformError: There is no such function.
        ColumnTypeError: It does not take values of this type.
    """
    if function not in _FUNCTIONS:
        raise TransformError(
            f"{where}: there is no function `{function}`. {say_known(function, _FUNCTIONS, kind='function')}"
        )
    needs = None
    if function in _NUMBERS and not _adds(value.data_type):
        needs = "numbers; cast it first"
    elif function in _ORDERED and not _compares(value.data_type):
        needs = "values that compare"
    if needs:
        raise wrong_type(value, f"but {function} needs {needs}.", where=where)
    label, make = _FUNCTIONS[function]
    made = make(value.column)
    return label.format(value.name), with_mark(made, value.opened) if keeps_type(function) else made


def keeps_type(function: str) -> bool:
    """Return whether a function gives one of the values that it is of."""
    return function in ("first", "last", "max", "min")


def _adds(data_type: t.DataType) -> bool:
    return isinstance(data_type, t.NumericType | t.NullType)


def _compares(data_type: t.DataType) -> bool:
    if isinstance(data_type, t.ArrayType):
        return _compares(data_type.elementType)
    if isinstance(data_type, t.StructType):
        return all(_compares(field.dataType) for field in data_type.fields)
    return not isinstance(data_type, t.MapType | t.VariantType | t.CalendarIntervalType | t.UserDefinedType)
