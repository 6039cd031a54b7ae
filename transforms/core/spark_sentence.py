"""Spark's sentence about an expression, in the user's names, and with what resolves the choices that it is about."""

import re
from collections.abc import Sequence

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame

from transforms.choices.choice import FoundChoice, choices_in, plain
from transforms.choices.refused import say_choice
from transforms.core.columns import schema_of
from transforms.nested.values import COLUMN
from transforms.paths import names_and_marks, quote

_COLUMN = rf"\b{COLUMN}(\d+)\b"
_ELEMENT = "namedlambdavariable()"
"""What Spark calls the variables of all lambdas."""
_QUOTED_TYPE = r'"[A-Z]+<[^"]*>"'


def spark_sentence(error: AnalysisException, df: DataFrame) -> str:
    """Return Spark's message without the plan and the Java stack that follow it.

    A column that an expression was bound to by its position has its name again. Of a choice whose name and type are
    in the message it is said what resolves it: Spark tells the user of a struct that they never made.
    """
    match = re.match(r"\s*\[[\w.]+\]\s*(?P<text>.*?)\s*SQLSTATE", str(error), re.DOTALL)
    text = match["text"] if match else str(error).strip().partition("\n")[0]
    sentence = _with_names(text, df.columns)
    about = [say_choice(found) for found in choices_in(schema_of(df)) if _is_about(sentence, found)]
    return " ".join([sentence, *about])


def _with_names(text: str, names: Sequence[str]) -> str:
    if any(re.search(_COLUMN, name) for name in names):
        return text  # which of the two it is cannot be told

    def name(place: re.Match[str]) -> str:
        found = names[int(place[1])] if int(place[1]) < len(names) else place[0]
        return found if re.fullmatch(r"\w+", found) else quote(found)

    return re.sub(_COLUMN, name, text)


def _is_about(sentence: str, found: FoundChoice) -> bool:
    expressions = re.sub(_QUOTED_TYPE, "", sentence).replace("`", "")
    has_name = any(re.search(rf"(?<![\w.]){form}(?![\w.])", expressions) for form in _spellings(found.path))
    return has_name and plain(found.choice).simpleString().lower() in re.sub(r"[\s`]", "", sentence).lower()


def _spellings(path: str) -> list[str]:
    """Return patterns of how Spark writes a path: in an array it may begin at the variable of the elements."""
    pairs = names_and_marks(path, enters_maps=True)
    dotted = re.escape(".".join(name for name, _ in pairs))
    marked = [depth for depth, (_, marks) in enumerate(pairs, start=1) if marks]
    if not marked:
        return [dotted]
    inner = "".join(f".{name}" for name, _ in pairs[marked[-1] :])
    return [dotted, re.escape(f"{_ELEMENT}{inner}")]
