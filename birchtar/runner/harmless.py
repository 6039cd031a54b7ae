"""What went wrong, told without any value of the data: for jobs that hide some."""

import os
import re
import traceback
from collections.abc import Iterator, Mapping
from typing import Any

from birchtar.lake.jdbc import DatabaseError
from birchtar.runner.failures import HEADER, ROW_VALUES, WRAPPERS, advice, bare, sentence, texts_of
from birchtar.runner.hidden import HIDDEN, hide_values

_OURS = ("birchtar", "transforms", "awsglue")
"""Whose errors say what they say in our words."""

_WITHHELD = "The rest is withheld, for it may hold what the job masks."

_NAMES = frozenset(
    {
        *("ansiConfig", "config", "configKey", "failFastMode", "mapKeyDedupPolicy", "mode"),
        *("colName", "columnName", "fieldName", "objectName", "objectNames", "proposal", "relationName", "tableName"),
        *("func", "funcName", "functionName", "operation", "operator"),
        *("actualNum", "expectedNum", "invalidNumColumns", "paramIndex", "precision", "refNumColumns", "scale"),
    }
)
_TYPES = ("Type", "Types")
"""Parameters of Spark's conditions that are names, numbers of columns and, by the ends of their names, types; never
values."""

_OF_QUERIES = frozenset({"sqlExpr", "hint"})
"""Those that are harmless where Spark complains of a query before any row is read."""

_CONDITION = re.compile(r"\s*(?:[\w.$]+: )?\[([A-Z][A-Z0-9_.]+)\] ")
_FRAME = re.compile(r'^  File "(?P<file>[^"]+)", line (?P<line>\d+), in (?P<function>\S+)', re.MULTILINE)
_RAISED = re.compile(r"^(?P<kind>[^\W\d][\w.]*)(?::|$)", re.MULTILINE)


def harmless(error: BaseException) -> str:
    """Return what an error says, as `sentence` does, with nothing in it that may be a value.

    Our own sentences stay. Of Spark's each parameter is hidden that is no name and no type, of a Python function there
    are the kind of error and the place, and of Java's other errors the kind.

    Example:
        >>> harmless(KeyError("4711"))
        'KeyError. The rest is withheld, for it may hold what the job masks.'
    """
    # Here, for many a command has no more of this module to do with than its name.
    from py4j.protocol import Py4JJavaError
    from pyspark.errors import PySparkException

    if isinstance(error, DatabaseError):
        return f"{str(error).partition(': ')[0]}: the database complains. {_WITHHELD}"
    if type(error).__module__.partition(".")[0] in _OURS:
        return _of_ours(error)
    if "PythonException" in f"{type(error).__name__} {error}":
        return _of_python(str(error))
    if isinstance(error, PySparkException | Py4JJavaError):
        return _of_spark(error)
    if isinstance(error, OSError) and error.errno:
        return f"{type(error).__name__}: {os.strerror(error.errno)}"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "/pyspark/" not in frame.filename]
    where = f" (in {frames[-1].name}, {frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}{where}. {_WITHHELD}"


def _of_ours(error: BaseException) -> str:
    """Return one of our sentences; what it repeats of another error's is told anew."""
    text, cause = str(error), error.__cause__ or error.__context__
    repeated = next((said for said in _said_of(cause) if said in text), None) if cause else None
    if cause is None or repeated is None:
        return hide_values(text)
    before, _, after = text.rpartition(repeated)  # behind the place, in which there are texts as well
    return f"{hide_values(before)}{harmless(cause)}{hide_values(after)}"


def _said_of(error: BaseException) -> Iterator[str]:
    """Yield how an error may be repeated in another, the longest text first."""
    said = {sentence(error), str(error), *(bare(text) for text in texts_of(error))}
    yield from sorted(filter(None, said), key=len, reverse=True)


def _of_spark(error: BaseException) -> str:
    """Tell of the first condition that says more than that there is another one below it."""
    from pyspark.errors import AnalysisException, ParseException

    texts = list(texts_of(error))
    if isinstance(error, ParseException) or "[COLUMN_ALREADY_EXISTS]" in texts[0]:
        return sentence(error)  # a query is the config's, and a name no value
    if header := next(filter(None, map(HEADER.search, texts)), None):
        return f"{re.sub('^file:/*', '/', header['file'])}: its header is not that of the first file. {_WITHHELD}"
    if constraint := next(filter(ROW_VALUES.search, texts), None):
        return bare(constraint)
    names = _NAMES | _OF_QUERIES if isinstance(error, AnalysisException) else _NAMES
    told = [(match[1], dict[str, str]()) for text in texts if (match := _CONDITION.match(text))]
    for condition, parameters in [*_conditions(error), *told]:
        if not condition.startswith(WRAPPERS):
            known = {key: value for key, value in parameters.items() if key in names or key.endswith(_TYPES)}
            said = _filled(condition, known)
            return (bare(said) if said else f"Spark says {condition}. {_WITHHELD}") + advice(condition)
    kind = re.match(r"[\w.$]+", texts[-1])
    return f"{kind[0].rpartition('.')[2] if kind else type(error).__name__}. {_WITHHELD}"


def _conditions(error: BaseException) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield Spark's conditions and their parameters, from the outermost cause to the deepest."""
    from py4j.java_gateway import is_instance_of
    from pyspark import SparkContext
    from pyspark.errors import PySparkException

    cause: Any = getattr(error, "java_exception", None) or getattr(error, "_origin", None)
    if cause is None and isinstance(error, PySparkException) and (condition := error.getCondition()):
        yield condition, {}
    gateway = SparkContext._gateway
    while cause is not None and gateway is not None:
        if is_instance_of(gateway, cause, "org.apache.spark.SparkThrowable") and (condition := cause.getCondition()):
            yield condition, {key: str(value) for key, value in dict(cause.getMessageParameters()).items()}
        cause = cause.getCause()


def _filled(condition: str, parameters: Mapping[str, str]) -> str | None:
    """Return Spark's sentence with these parameters, and others hidden; None where Spark itself has no such sentence.

    So it is for conditions of Delta's and of other extensions.
    """
    from py4j.protocol import Py4JError
    from pyspark import SparkContext
    from pyspark.errors import PySparkException

    jvm: Any = SparkContext._jvm
    if jvm is None:
        return None
    helper = jvm.org.apache.spark.SparkThrowableHelper
    try:
        names = helper.getMessageParameters(condition)
        filled = jvm.java.util.HashMap()
        for name in [names.apply(at) for at in range(names.size())]:
            filled.put(name, parameters.get(name, HIDDEN))
        return str(helper.getMessage(condition, filled))
    except (Py4JError, PySparkException):
        return None


def _of_python(text: str) -> str:
    """Tell of an error in a function that ran in Spark: its kind, and the last place that is the user's own."""
    trace = text.rpartition("Traceback (most recent call last):")[2].lstrip("\n")
    frames = [frame for frame in _FRAME.finditer(trace) if "/pyspark/" not in frame["file"]]
    raised = _RAISED.search(trace)
    kind = raised["kind"] if raised else "An error"
    place = f" (in {frames[-1]['function']}, {frames[-1]['file']}:{frames[-1]['line']})" if frames else ""
    return f"{kind}{place}. {_WITHHELD}"
