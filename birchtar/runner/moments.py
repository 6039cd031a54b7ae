"""Times of files, as people read them."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(modified: int) -> datetime:
    """Return the moment that a number of microseconds since 1970 stands for.

    Where it lies outside of the years 1 to 9999 it is their first or last one.
    """
    try:
        return _EPOCH + timedelta(microseconds=modified)
    except OverflowError:
        return (datetime.max if modified > 0 else datetime.min).replace(tzinfo=UTC)


def shown(modified: int) -> str:
    """Return it as a text, to the second where it is a whole one.

    Example:
        >>> shown(1_700_000_000_000_000), shown(1_700_000_000_000_001), shown(300_000_000_000_000_000)
        ('2023-11-14 22:13:20', '2023-11-14 22:13:20.000001', 'after the year 9999')
    """
    at = moment(modified)
    if at - _EPOCH != timedelta(microseconds=modified):
        return "after the year 9999" if modified > 0 else "before the year 1"
    return at.replace(tzinfo=None).isoformat(" ")
