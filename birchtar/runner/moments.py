"""Times of files, as people read them."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(modified: int) -> datetime:
    """Return the moment that a number of microseconds since 1970 stands for."""
    return _EPOCH + timedelta(microseconds=modified)


def shown(modified: int) -> str:
    """Return it as a text, to the second where it is a whole one.

    Example:
        >>> shown(1_700_000_000_000_000), shown(1_700_000_000_000_001)
        ('2023-11-14 22:13:20', '2023-11-14 22:13:20.000001')
    """
    return moment(modified).replace(tzinfo=None).isoformat(" ")
