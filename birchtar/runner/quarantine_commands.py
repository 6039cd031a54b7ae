"""The commands `birchtar quarantine ...`."""

from pathlib import Path
from typing import Annotated

import typer

from birchtar.runner.command_options import Profile, Settings, Verbose, spark_when_needed

app = typer.Typer(no_args_is_help=True, help="Rows that were rejected: which, why, and through the job once more.")

Reason = Annotated[str | None, typer.Option("--reason", metavar="CODE", help="Only rows of this code, such as CAST.")]
RunNumber = Annotated[int | None, typer.Option("--run", metavar="NUMBER", help="Only rows of this run.")]
OfTable = Annotated[str | None, typer.Option("--table", metavar="NAME", help="Only rows of this input or table.")]
OfRule = Annotated[str | None, typer.Option("--rule", metavar="NAME", help="Only rows that broke this rule.")]
Where = Annotated[
    str | None,
    typer.Option("--where", metavar="SQL", help="Only rows for which this holds, on the quarantine's columns."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON: one list, or of records one object a line.")]


@app.command("list")
def list_(
    job: Annotated[str | None, typer.Argument(metavar="[JOB]", help="Only this job's.", show_default=False)] = None,
    as_json: AsJson = False,
) -> None:
    """Print which runs rejected how many rows, where, why, and how many a replay has resolved. Starts no Spark."""
    from birchtar.runner.quarantine_table import print_index
    from birchtar.state.database import open_state
    from birchtar.state.quarantine import list_rejects

    print_index(list_rejects(open_state(must_exist=True), job), as_json=as_json)


@app.command()
def show(
    job: Annotated[str, typer.Argument(metavar="JOB", help="The job whose rejected rows are meant.")],
    reason: Reason = None,
    run: RunNumber = None,
    table: OfTable = None,
    rule: OfRule = None,
    where: Where = None,
    limit: Annotated[int, typer.Option(metavar="NUMBER", help="How many, at most.", min=1)] = 20,
    as_json: AsJson = False,
) -> None:
    """Print rejected rows that no replay has resolved, the newest first. Starts Spark only for --where."""
    from birchtar.runner.quarantine_table import print_records
    from birchtar.runner.quarantined import records, require_here

    require_here(job, {"code": reason, "run": run, "table": table, "rule": rule})
    if where is None:
        found = records(job, reason=reason, run=run, table=table, rule=rule, limit=limit)
    else:
        from birchtar.runner.replayed import Selection, chosen_records

        with spark_when_needed("local") as start:
            found = chosen_records(start(), job, Selection(reason, run, table, rule, where), limit)
    print_records(found, as_json=as_json)


@app.command()
def replay(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="The corrected job.")],
    reason: Reason = None,
    run: RunNumber = None,
    table: OfTable = None,
    rule: OfRule = None,
    where: Where = None,
    settings: Settings = None,
    profile: Profile = "local",
    verbose: Verbose = False,
) -> None:
    """Send rejected rows through the corrected job, exactly once, and mark them as resolved."""
    from birchtar.runner.load import load

    plan = load(config, settings or ())
    from birchtar.runner.output_console import message_console, teller
    from birchtar.runner.progress import Progress
    from birchtar.runner.replay import replay as replay_job
    from birchtar.runner.replayed import Selection
    from birchtar.runner.summary import print_summary
    from birchtar.state.database import open_state

    console, state = message_console(), open_state(must_exist=True)
    selection = Selection(reason, run, table, rule, where)
    with spark_when_needed(profile, verbose=verbose) as start:
        spark = start()
        with Progress(console, spark.sparkContext) as progress:
            reports = replay_job(plan, spark, state, progress, selection, on_wait=teller(console))
        for report in reports:
            print_summary(report)
