"""Where commands print: what they are asked for, and beside it what they have to say meanwhile."""

from collections.abc import Callable

from rich.console import Console

_PLAIN_WIDTH = 180
"""Columns where there is no terminal to fit into."""


def output_console() -> Console:
    """Return the terminal or, away from one, a console of a width that tables fit into."""
    console = _plain()
    return console if console.is_terminal else _plain(_PLAIN_WIDTH)


def message_console() -> Console:
    """Return the console of standard error."""
    return _plain(stderr=True)


def teller(console: Console) -> Callable[[object], None]:
    """Return what prints anything as the text that it is."""
    return lambda said: console.print(str(said), soft_wrap=True)


def _plain(width: int | None = None, *, stderr: bool = False) -> Console:
    """Return a console to which texts are texts: names and patterns of a user's may look like its markup."""
    return Console(width=width, stderr=stderr, markup=False, emoji=False, highlight=False)
