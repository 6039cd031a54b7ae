"""The command `birchtar backfill`."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from birchtar.runner.command_options import Profile, Settings, Verbose, spark_when_needed

if TYPE_CHECKING:
    from birchtar.runner.backfill import Outcome
    from birchtar.runner.span import Span

FAILED = 1


def backfill(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="A job's config, such as conf/jobs/flights.yaml.")],
    start: Annotated[str, typer.Option("--from", metavar="A", help="The first date, time (UTC) or number.")],
    end: Annotated[str, typer.Option("--to", metavar="B", help="The first that does not belong to it any more.")],
    step: Annotated[str, typer.Option(metavar="STEP", help="15min, 6h, 1d, 2w, 1mo, 1y; of numbers a number.")] = "1d",
    by: Annotated[
        Literal["time", "path"],
        typer.Option(help="Files lie in an interval by when they were changed, or by a date in their paths."),
    ] = "time",
    pattern: Annotated[
        str | None, typer.Option(metavar="PATTERN", help="How that date stands there: day=%Y-%m-%d or %Y/%m/%d.")
    ] = None,
    parallel: Annotated[int, typer.Option(metavar="N", help="How many intervals run at once.", min=1)] = 1,
    again: Annotated[bool, typer.Option("--again", help="Also intervals and files that were read before.")] = False,
    settings: Settings = None,
    profile: Profile = "local",
    verbose: Verbose = False,
) -> None:
    """Run a job for each interval of a range, each once: what succeeded is passed over the next time.

    An interval that lies over another that succeeded is refused where an output appends.

    Bookmarked inputs read what lies in the interval: files by time or path, a database's table by its first key, a
    Delta table by when it was committed. Bookmarks stay where they are.
    """
    from birchtar.runner.load import load

    plan, spans = load(config, settings or ()), _spans(start, end, step, by, pattern)
    from birchtar.runner.apart import require_apart
    from birchtar.runner.backfill import backfill as run_backfill
    from birchtar.runner.backfill import done_before, notes_of, require_backfillable
    from birchtar.runner.output_console import message_console, teller
    from birchtar.runner.progress import Progress
    from birchtar.state.database import open_state

    notes, state, console = require_backfillable(plan, spans), open_state(), message_console()
    if not again:
        state.read(lambda connection: require_apart(connection, plan, spans))
    done = [] if again else done_before(state, plan, spans)
    ahead = [span for span in spans if span.interval not in {outcome.interval for outcome in done}]
    outcomes = list(done)
    if ahead:
        with spark_when_needed(profile, verbose=verbose) as started:
            spark = started()
            with Progress(console, spark.sparkContext) as progress:
                outcomes += run_backfill(
                    plan, spark, state, progress, ahead, parallel=parallel, again=again, on_wait=teller(console)
                )
    order = {span.interval: position for position, span in enumerate(spans)}
    outcomes.sort(key=lambda outcome: order[outcome.interval])
    _print(outcomes, [*notes, *notes_of(outcomes)])
    if any(outcome.state == "FAILED" for outcome in outcomes):
        raise typer.Exit(FAILED)


def _spans(start: str, end: str, step: str, by: str, pattern: str | None) -> "list[Span]":
    from birchtar.runner.dated_paths import DatedPaths, PatternError
    from birchtar.runner.intervals import IntervalError, intervals
    from birchtar.runner.span import Span

    if (by == "path") != (pattern is not None):
        missing = "--by path needs --pattern, such as" if by == "path" else "--pattern is for --by path:"
        raise typer.BadParameter(f"{missing} --by path --pattern 'day=%Y-%m-%d'.")
    try:
        dates = DatedPaths(pattern) if pattern is not None else None
        return [Span(interval, dates) for interval in intervals(start, end, step)]
    except (IntervalError, PatternError) as error:
        raise typer.BadParameter(str(error)) from None


def _print(outcomes: "Iterable[Outcome]", notes: Iterable[str]) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from birchtar.runner.output_console import output_console

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("interval", "state", "run", "read", "written", "rejected", "seconds"):
        table.add_column(heading, justify="left" if heading in ("interval", "state") else "right", no_wrap=True)
    table.add_column("error", overflow="fold")
    for outcome in outcomes:
        counts = (outcome.run, outcome.read, outcome.written, outcome.rejected)
        shown = ["-" if count is None else f"{count:,}" for count in counts]
        seconds = f"{outcome.seconds:,.1f}" if outcome.seconds else "-"
        table.add_row(str(outcome.interval), outcome.state, *shown, seconds, Text(outcome.error))
    console = output_console()
    console.print(table)
    for note in notes:
        console.print(note, soft_wrap=True)
