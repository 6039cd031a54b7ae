"""The names under which intervals of backfills are remembered."""

from birchtar.runner.intervals import Interval, parse_interval


def parse_scope(scope: str) -> tuple[Interval, str]:
    """Return the interval that a `Span.scope` names, and the pattern of dates in paths, empty where there is none.

    Example:
        >>> interval, pattern = parse_scope("2024-01-01..2024-01-02 by day=%Y-%m-%d")
        >>> str(interval), pattern
        ('2024-01-01..2024-01-02', 'day=%Y-%m-%d')
    """
    said, _, pattern = scope.partition(" by ")
    return parse_interval(said), pattern
