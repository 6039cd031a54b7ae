"""Options that several commands have, and Spark for the length of a command."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Replace a value of the config: inputs.flights.path=FILE."),
]
Profile = Annotated[str, typer.Option(metavar="NAME", help="How Spark is set up: a file of conf/spark.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show Spark's warnings and whole traces.")]

StartSpark = Callable[[], "SparkSession"]
"""Starts Spark when it is called first, and gives the same session from then on."""


@contextmanager
def spark_when_needed(profile: str, *, verbose: bool = False) -> Iterator[StartSpark]:
    """Give what starts Spark, and stop Spark at the end, if it was started."""
    running: list[SparkSession] = []

    def started() -> "SparkSession":
        if not running:
            from birchtar.runner.session import start

            with Console(stderr=True).status("Starting Spark"):
                running.append(start(profile, verbose=verbose))
            # Spark's own handler calls Java from inside the call that was interrupted; stopping Spark does as well.
            signal.signal(signal.SIGINT, signal.default_int_handler)
        return running[0]

    try:
        yield started
    finally:
        for spark in running:
            spark.stop()
