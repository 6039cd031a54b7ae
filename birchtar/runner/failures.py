"""What went wrong while Spark ran, as a sentence: never a Java stack trace for a mistake in the user's data or code."""

import re
import traceback
from collections.abc import Iterator

_CONDITION = re.compile(r"\[(?P<name>[A-Z][A-Z0-9_.]+)\] (?P<said>.*?)(?: SQLSTATE: \w+|$)", re.DOTALL)
_CONDITION_NAME = re.compile(r"\[[A-Z][A-Z0-9_.]+\] ")
WRAPPERS = ("FAILED_EXECUTE_UDF", "FAILED_READ_FILE", "TASK_WRITE_FAILED", "WRITING_JOB_ABORTED")
_TWINS = (
    "{} is there twice, if upper and lower case are one, as they are to Spark unless its profile (--profile, a file of"
    " conf/spark) says `spark.sql.caseSensitive: true`. Else let a JSON input's `schema` name the one that is meant, or"
    " give a column of the table another name first, as `rename_field` does."
)
ROW_VALUES = re.compile(r" (is )?violated by row with values:.*", re.DOTALL)
"""What Delta says of a constraint. Values may be such as nobody should read; rules with `reject` show them, masked."""

_ADVICE = {"CAST_INVALID_INPUT": " The step `cast_fields` with `misfits: reject` sends such rows to the quarantine."}
HEADER = re.compile(
    r"CSV header.*? Header(?: length)?: (?P<found>.*?),?\s+[Ss]chema(?: size)?: (?P<first>[^\n]*)"
    r".*?CSV file: (?P<file>[^\n]+)",
    re.DOTALL,
)
_HEADERS_DIFFER = (
    "{}: its header {}, that of the first file {}. The CSV files of an input need the same columns in the same order:"
    " read those that differ as an input of their own, and put them together with `union`, which goes by names."
)
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
    # Here, for many a command has no more of this module to do with than the name of its error.
    from py4j.protocol import Py4JJavaError
    from pyspark.errors import PySparkException, PythonException

    if isinstance(error, PythonException) or "PythonException" in str(error):
        return _of_python(str(error))
    if isinstance(error, PySparkException | Py4JJavaError):
        return _of_spark(list(texts_of(error)))
    if isinstance(error, ValueError | OSError | RuntimeError):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{where}"


def texts_of(error: BaseException) -> Iterator[str]:
    """Yield what Spark said, then what each deeper cause says."""
    cause = getattr(error, "java_exception", None) or getattr(error, "_origin", None)
    if cause is None:
        yield str(error)
    while cause is not None:
        yield str(cause.toString())
        cause = cause.getCause()


def _of_spark(texts: list[str]) -> str:
    """Take the telling sentence out of Spark's texts: those that only carry another one are passed over."""
    if header := next(filter(None, map(HEADER.search, texts)), None):
        return _of_header(header)
    for match in (match for text in texts for match in _CONDITION.finditer(text)):
        if match["name"] == "COLUMN_ALREADY_EXISTS" and (named := re.search("`.*`", match["said"])):
            return _TWINS.format(named[0])
        if not match["name"].startswith(WRAPPERS):
            return bare(match["said"]) + advice(match["name"])
    outer = _CONDITION.search(texts[0])
    said = bare(outer["said"] if outer else texts[0])
    root = bare(texts[-1])
    return said if root in said or len(texts) == 1 else f"{said} {root}"


def advice(condition: str) -> str:
    """Return what we add to one of Spark's conditions; often nothing."""
    return _ADVICE.get(condition, "")


def _of_header(header: re.Match[str]) -> str:
    """Tell of a CSV file whose columns are others than the first file's: their names or, so Spark, their number."""
    file, found, first = re.sub("^file:/*", "/", header["file"]), header["found"], header["first"]
    if found.isdecimal():
        return _HEADERS_DIFFER.format(file, f"has {found} columns", first)
    return _HEADERS_DIFFER.format(file, f"is `{found}`", f"`{first}`")


def bare(text: str) -> str:
    """Return the sentence of a text, without Java's class, the place in Java, Spark's plans, and a row's values."""
    text = ROW_VALUES.sub(" is violated by a row.", text)
    lines = [line.strip() for line in re.sub(r"^[\w.$]+(?:Exception|Error): ", "", text).splitlines()]
    told = [line for line in lines if line and not line.startswith(("at ", "'", "+-", ":-", "==", "^"))]
    sentence = re.sub(r"; line \d+ pos \d+;?$| SQLSTATE: \w+", "", " ".join(told[:3])).rstrip(";")
    return _CONDITION_NAME.sub("", sentence).strip()


def _of_python(text: str) -> str:
    """Take, of the trace of a Python function that ran in Spark, the last line and the user's own place."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    raised = next(
        (line for line in reversed(lines) if re.match(r"^[\w.]+(Error|Exception|Interrupt)?: ", line)), lines[-1]
    )
    own = [match for match in _PYTHON_FRAME.finditer(text) if "/pyspark/" not in match["file"]]
    return f"{raised} (in {own[-1]['function']}, {own[-1]['file']}:{own[-1]['line']})" if own else raised
