"""Dates that stand in the paths of files."""

import re
from datetime import UTC, datetime

_FIELDS = {
    "Y": r"\d{4}",
    "m": r"\d{2}",
    "d": r"\d{2}",
    "H": r"\d{2}",
    "M": r"\d{2}",
    "S": r"\d{2}",
    "j": r"\d{3}",
    "y": r"\d{2}",
}


class PatternError(ValueError):
    """A pattern does not say where in a path a date stands."""


class DatedPaths:
    """Finds the date in a path by a pattern such as ``day=%Y-%m-%d`` or ``%Y/%m/%d``; the last one, if there are more.

    Raises:
        PatternError: The pattern has no year, or a field that is none of ``%Y %y %m %d %j %H %M %S``.

    Example:
        >>> DatedPaths("day=%Y-%m-%d").date_of("file:/days/day=2024-01-31/a.csv").isoformat()
        '2024-01-31T00:00:00+00:00'
        >>> DatedPaths("%Y/%m").date_of("file:/days/a.csv") is None
        True
    """

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        fields, expression = re.findall(r"%(.)", pattern), ""
        wrong = [field for field in fields if field not in {*_FIELDS, "%"}]
        if wrong or not {"Y", "y"} & set(fields) or len(fields) != len(set(fields)):
            known = " ".join(f"%{field}" for field in _FIELDS)
            raise PatternError(f"--pattern {pattern}: takes each of {known} once at most, and a year; %% is a %.")
        self._format = "".join(f"%{field} " for field in fields if field != "%")
        for part in re.split(r"(%.)", pattern):
            name = part[1:] if part.startswith("%") and len(part) > 1 else ""
            expression += f"({_FIELDS[name]})" if name in _FIELDS else re.escape("%" if name else part)
        self._expression = re.compile(rf"(?<!\d){expression}(?!\d)")

    def date_of(self, path: str) -> datetime | None:
        """Return the date in a path, in UTC; None where there is none that exists."""
        for match in reversed(list(self._expression.finditer(path))):
            try:
                return datetime.strptime(" ".join(match.groups()) + " ", self._format).replace(tzinfo=UTC)
            except ValueError:
                continue
        return None
