"""How many rejected rows a run bears: a number, or a share of what it read."""

from decimal import Decimal

Threshold = int | str


def is_passed(most: Threshold, rejected: int, read: int) -> bool:
    """Return whether more rows were rejected than a threshold allows.

    Example:
        >>> is_passed(100, 100, 5000), is_passed(100, 101, 5000)
        (False, True)
        >>> is_passed("1%", 50, 5000), is_passed("1%", 51, 5000), is_passed("0%", 0, 0)
        (False, True, False)
    """
    if isinstance(most, int):
        return rejected > most
    return rejected * 100 > Decimal(most.rstrip("%")) * read
