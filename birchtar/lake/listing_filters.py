"""The options of Spark's reader that choose files by name and time, for files that are listed without Spark."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from birchtar.lake.errors import LakeError
from birchtar.lake.globs import name_pattern
from birchtar.state.listed import ListedFile

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def file_filter(options: Mapping[str, str], spark: "SparkSession | None") -> Callable[[ListedFile], bool] | None:
    """Return what tells whether a file is wanted; None where all are.

    ``modifiedBefore`` and ``modifiedAfter`` are exclusive and to the millisecond. Outside of UTC they mean what they
    mean to Spark 4.2, which takes the distance of the time zone from UTC into account twice.

    Args:
        options: Of Spark's reader, names in lower case.
        spark: Knows the session's time zone.

    Raises:
        LakeError: An option is no glob or no time.
    """
    tests: list[Callable[[ListedFile], bool]] = []
    if glob := options.get("pathglobfilter"):
        fits = name_pattern(glob).fullmatch
        tests.append(lambda file: fits(file.path.rpartition("/")[2]) is not None)
    zone = _zone(options, spark)
    if before := options.get("modifiedbefore"):
        latest = _moment("modifiedBefore", before, zone)
        tests.append(lambda file: _shown(file, zone) < latest)
    if after := options.get("modifiedafter"):
        earliest = _moment("modifiedAfter", after, zone)
        tests.append(lambda file: _shown(file, zone) > earliest)
    return (lambda file: all(test(file) for test in tests)) if tests else None


def _zone(options: Mapping[str, str], spark: "SparkSession | None") -> ZoneInfo:
    name = options.get("timezone") or (spark.conf.get("spark.sql.session.timeZone") if spark else None) or "UTC"
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError) as error:
        raise LakeError(f"The option timeZone: there is no time zone {name}.") from error


def _moment(option: str, said: str, zone: ZoneInfo) -> datetime:
    try:
        moment = datetime.fromisoformat(said)
    except ValueError as error:
        raise LakeError(f"The option {option} has to be a time such as 2024-01-31T23:59:59, not {said}.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _shown(file: ListedFile, zone: ZoneInfo) -> datetime:
    """Return, as a moment in UTC, what a clock in the zone showed when a file was changed."""
    try:
        moment = _EPOCH + timedelta(milliseconds=file.modified // 1000)
        return moment.astimezone(zone).replace(tzinfo=UTC)
    except OverflowError:  # outside of the years 1 to 9999
        return (datetime.max if file.modified > 0 else datetime.min).replace(tzinfo=UTC)
