"""Where commands print their tables."""

from rich.console import Console

_PLAIN_WIDTH = 180
"""Columns where there is no terminal to fit into."""


def output_console() -> Console:
    """Return the terminal or, away from one, a console of a width that tables fit into."""
    console = Console()
    return console if console.is_terminal else Console(width=_PLAIN_WIDTH)
