"""What went wrong while Spark ran, as a sentence: never a Java stack trace for a mistake in the user's data or code."""

import re
import traceback

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException, PythonException

_CONDITION = re.compile(r"\[(?P<name>[A-Z][A-Z0-9_.]+)\] (?P<said>.*?)(?: SQLSTATE: \w+|$)", re.DOTALL)
_WRAPPERS = ("FAILED_EXECUTE_UDF", "FAILED_READ_FILE", "TASK_WRITE_FAILED", "WRITING_JOB_ABORTED")
_PYTHON_FRAME = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+), in (?P<function>\S+)')


class JobError(RuntimeError):
    """A job failed; the message says where in the config, and why."""


def sentence(error: BaseException) -> str:
    """Return what an error says to the user, on one line where it fits on one.

    Example:
        >>> sentence(ValueError("There is no column `x`."))
        'There is no column `x`.'
        >>> sentence(KeyError("x"))
        "KeyError: 'x'"
    """
    if isinstance(error, PythonException) or "PythonException" in str(error):
        return _of_python(str(error))
    if isinstance(error, PySparkException | Py4JJavaError):
        return _of_spark(_text(error))
    if isinstance(error, ValueError | OSError | RuntimeError):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{where}"


def _text(error: BaseException) -> str:
    return str(error.java_exception.toString()) if isinstance(error, Py4JJavaError) else str(error)


def _of_spark(text: str) -> str:
    """Take the telling condition out of Spark's text: the innermost one is the cause, those round it only carry it."""
    conditions = [match for match in _CONDITION.finditer(text) if not match["name"].startswith(_WRAPPERS)]
    said = conditions[0]["said"] if conditions else re.sub(r"^[\w.]+(?:Exception|Error): ", "", text)
    lines = [line.strip() for line in said.splitlines()]
    told = [line for line in lines if line and not line.startswith(("at ", "'", "+-", ":-", "==", "^"))]
    return re.sub(r"; line \d+ pos \d+;?$| SQLSTATE: \w+", "", " ".join(told[:3])).rstrip(";")


def _of_python(text: str) -> str:
    """Take, of the trace of a Python function that ran in Spark, the last line and the user's own place."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    raised = next(
        (line for line in reversed(lines) if re.match(r"^[\w.]+(Error|Exception|Interrupt)?: ", line)), lines[-1]
    )
    own = [match for match in _PYTHON_FRAME.finditer(text) if "/pyspark/" not in match["file"]]
    return f"{raised} (in {own[-1]['function']}, {own[-1]['file']}:{own[-1]['line']})" if own else raised
