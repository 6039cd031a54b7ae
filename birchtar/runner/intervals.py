"""The intervals of a backfill: a range of times or of numbers, in steps."""

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

Bound = datetime | Decimal
"""A moment in UTC, or a number."""

_STEP = re.compile(r"(\d+)(min|h|d|w|mo|y)")
_LENGTHS = {"min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_MONTHS = {"mo": 1, "y": 12}
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_MOST = 100_000


class IntervalError(ValueError):
    """A range cannot be divided as it was said."""


@dataclass(frozen=True)
class Interval:
    """From one bound on, up to and without another."""

    start: Bound
    end: Bound

    def __str__(self) -> str:
        return f"{say_bound(self.start)}..{say_bound(self.end)}"


def intervals(start: str, end: str, step: str) -> list[Interval]:
    """Divide a range. The last interval is shorter where the steps do not end with the range.

    Args:
        start: A date, a time, which without a zone is in UTC, or a number. The first that is in the range.
        end: The same; the first that is not in it any more.
        step: Of times such as 15min, 6h, 1d, 2w, 1mo, 1y; of numbers a number.

    Raises:
        IntervalError: One of them is none of these, or they do not go together.

    Example:
        >>> [str(each) for each in intervals("2024-01-30", "2024-02-02", "2d")]
        ['2024-01-30..2024-02-01', '2024-02-01..2024-02-02']
        >>> [str(each) for each in intervals("0", "25", "10")]
        ['0..10', '10..20', '20..25']
    """
    first, last = _bound("--from", start), _bound("--to", end)
    if isinstance(first, datetime) and isinstance(last, datetime):
        points = _moments(first, last, step)
    elif isinstance(first, Decimal) and isinstance(last, Decimal):
        points = _numbers(first, last, step)
    else:
        raise IntervalError(f"--from {start} and --to {end}: one is a number, the other is a time.")
    found = list(points)
    if len(found) < 2:
        raise IntervalError(f"--from {start} is not before --to {end}.")
    return [Interval(*pair) for pair in pairwise(found)]


def say_bound(bound: Bound) -> str:
    """Return a bound as it can be said again: a midnight as a date.

    Example:
        >>> say_bound(datetime(2024, 1, 31, tzinfo=UTC)), say_bound(datetime(2024, 1, 31, 6, 30, tzinfo=UTC))
        ('2024-01-31', '2024-01-31T06:30')
    """
    if isinstance(bound, Decimal):
        return f"{bound:f}"
    naive = bound.replace(tzinfo=None)
    if naive.time().isoformat() == "00:00:00":
        return naive.date().isoformat()
    return naive.isoformat(timespec="auto" if naive.second or naive.microsecond else "minutes")


def parse_interval(said: str) -> Interval:
    """Return an interval from its text.

    Example:
        >>> str(parse_interval("2024-01-31..2024-02-01T06:30"))
        '2024-01-31..2024-02-01T06:30'
    """
    start, _, end = said.partition("..")
    return Interval(_bound("start", start), _bound("end", end))


def overlap(one: Interval, other: Interval) -> bool:
    """Return whether two intervals have something in common. Times and numbers have not.

    Example:
        >>> overlap(parse_interval("0..10"), parse_interval("9..12")), overlap(*map(parse_interval, ("0..9", "9..12")))
        (True, False)
    """
    if type(one.start) is not type(other.start):
        return False
    return one.start < other.end and other.start < one.end  # type: ignore[operator]  # they are of one kind


def _bound(option: str, said: str) -> Bound:
    if _NUMBER.fullmatch(said):
        return Decimal(said)
    try:
        moment = datetime.fromisoformat(said)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        what = "a date such as 2024-01-31, a time such as 2024-01-31T06:00, or a number"
        raise IntervalError(f"{option} has to be {what}, not {said}.") from None


def _moments(first: datetime, last: datetime, step: str) -> Iterator[Bound]:
    match = _STEP.fullmatch(step)
    if match is None or not match[1].strip("0"):
        raise IntervalError(f"--step has to be a length such as 15min, 6h, 1d, 2w, 1mo or 1y, not {step}.")
    point, taken = first, 0
    while point < last:
        yield point
        taken = _counted(taken, step)
        # From the beginning each time: a month after January 31 is February 29, and another one is March 31.
        try:
            point = _later(first, taken * int(match[1]), match[2])
        except (ValueError, OverflowError):
            what = "leads past the year 9999, which is the last that has dates: take a shorter one, or an earlier --to"
            raise IntervalError(f"--step {step} {what}.") from None
    if first < last:
        yield last


def _later(moment: datetime, number: int, unit: str) -> datetime:
    if unit in _LENGTHS:
        return moment + number * _LENGTHS[unit]
    month = moment.month - 1 + number * _MONTHS[unit]
    year, month = moment.year + month // 12, month % 12 + 1
    return moment.replace(year=year, month=month, day=min(moment.day, monthrange(year, month)[1]))


def _numbers(first: Decimal, last: Decimal, step: str) -> Iterator[Bound]:
    if not _NUMBER.fullmatch(step) or Decimal(step) <= 0:
        raise IntervalError(f"--step has to be a number above 0, as --from is one, not {step}.")
    point, taken = first, 0
    while point < last:
        yield point
        taken = _counted(taken, step)
        point = first + taken * Decimal(step)
    if first < last:
        yield last


def _counted(taken: int, step: str) -> int:
    if taken >= _MOST:
        raise IntervalError(f"--step {step}: these are more than {_MOST:,} intervals.")
    return taken + 1
