"""The command `birchtar`. What a command does not need, it does not import: most answer without Spark."""

import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from birchtar.runner import backfill_command, bookmark_commands, quarantine_commands
from birchtar.runner.command_options import Profile, Settings, Verbose, spark_when_needed
from birchtar.runner.problems import ConfigError, Problem
from birchtar.runtime.errors import RuntimeSetupError
from birchtar.state.errors import StateError

if TYPE_CHECKING:
    from birchtar.runner.plan import Plan

FAILED = 1
BAD_CONFIG = 2

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Glue-style ETL on plain Spark."
)
app.add_typer(bookmark_commands.app, name="bookmark")
app.add_typer(quarantine_commands.app, name="quarantine")
app.command()(backfill_command.backfill)

Configs = Annotated[
    list[Path], typer.Argument(metavar="CONFIG...", help="Job configs, such as conf/jobs/flights.yaml.")
]
Kept = Annotated[str, typer.Argument(metavar="PATH|JOB", help="A table's folder, or the config of the job.")]


@app.command()
def run(
    configs: Configs,
    settings: Settings = None,
    show: Annotated[int, typer.Option(metavar="ROWS", help="Print so many rows of each output at the end.")] = 0,
    profile: Profile = "local",
    verbose: Verbose = False,
) -> None:
    """Run jobs, one after the other, in one Spark session."""
    plans = _load(configs, settings or ())
    from birchtar.runner.output_console import message_console, teller
    from birchtar.runner.progress import Progress
    from birchtar.runner.run import may_follow
    from birchtar.runner.run import run as run_job
    from birchtar.runner.summary import print_rows, print_summary
    from birchtar.state.database import open_state

    console, state = message_console(), open_state()
    with spark_when_needed(profile, verbose=verbose) as start:
        spark = start()
        for number, plan in enumerate(plans, 1):
            report = None
            try:
                # One that had died is finished first; what has come since is for the next, where that doubles no rows.
                while report is None or (report.attempt > 1 and (report.resolved or may_follow(plan))):
                    with Progress(console, spark.sparkContext) as progress:
                        report = run_job(plan, spark, state, progress, on_wait=teller(console))
                    print_rows(spark, report, show)
                    print_summary(report)
            except Exception:
                if left := plans[number:]:
                    typer.echo(f"Not run: {', '.join(str(each.file) for each in left)}.", err=True)
                raise


@app.command()
def abandon(job: Annotated[str, typer.Argument(metavar="JOB", help="The job's name.")]) -> None:
    """Give up a job's unfinished run, without starting Spark. Only where running the job again cannot finish it."""
    from birchtar.runner.already_there import already_there
    from birchtar.runner.bookmark_target import require_job
    from birchtar.state.abandon import abandon as abandon_runs
    from birchtar.state.database import open_state

    state = open_state(must_exist=True)
    require_job(state, job)
    given_up = abandon_runs(state, job)
    for run in given_up:
        _say(f"{job}: run {run.number} was {run.state}, and is given up. Its inputs are read again by the next run.")
        if run.published:
            _say(f"  Already published, so that appended rows will be there twice: {', '.join(run.published)}.")
        for output in run.unpublished:
            for line in already_there(output):
                _say(f"  {line}")
    if not given_up:
        _say(f"{job}: no run is unfinished.")


@app.command()
def validate(configs: Configs, settings: Settings = None) -> None:
    """Check job configs, without starting Spark, and print all that is wrong in them."""
    for plan in _load(configs, settings or ()):
        _say(f"{plan.file}: {len(plan.job.inputs)} inputs, {len(plan.tables)} tables, {len(plan.job.outputs)} outputs.")


@app.command()
def schema() -> None:
    """Print the JSON schema of job configs, for editors."""
    from birchtar.runner.schema import job_schema

    _say(json.dumps(job_schema(), indent=2))


@app.command()
def transforms() -> None:
    """Print all transforms with their arguments and costs, as Markdown."""
    from birchtar.runner.transforms_page import transforms_page

    typer.echo(transforms_page(), nl=False)


@app.command()
def runs(
    job: Annotated[str | None, typer.Argument(metavar="[JOB]", help="Only this job's.", show_default=False)] = None,
    limit: Annotated[int, typer.Option(metavar="NUMBER", help="How many, at most.", min=1)] = 20,
) -> None:
    """Print the latest runs, newest first, without starting Spark."""
    from birchtar.runner.bookmark_target import require_job
    from birchtar.runner.runs_table import print_runs
    from birchtar.state.database import open_state
    from birchtar.state.history import list_runs

    state = open_state(must_exist=True)
    if job:
        require_job(state, job)
    print_runs(list_runs(state, job, limit=limit))


@app.command()
def setup() -> None:
    """Fetch what Spark needs beside the Python packages, and make it start quickly. Does nothing where all is there."""
    from birchtar.runner.warm_up import record_class_data
    from birchtar.runtime.fetch_jars import fetch_jars
    from birchtar.runtime.java import use_java

    java = use_java()
    for jar in fetch_jars():
        _say(f"Fetched {jar.coordinates} to {jar.path}.")
    if archive := record_class_data(java):
        _say(f"Recorded Spark's classes in {archive}: it starts in half the time.")


@app.command()
def doctor() -> None:
    """Print what was found on this machine, and what is wrong, without starting Spark."""
    from birchtar.runtime.doctor import findings

    found = list(findings())
    for finding in found:
        _say(f"{'ok   ' if finding.good else 'WRONG'}  {finding.name:<8}  {finding.says}")
    if not all(finding.good for finding in found):
        raise typer.Exit(FAILED)


@app.command()
def submit(
    configs: Configs,
    settings: Settings = None,
    show: Annotated[int, typer.Option(metavar="ROWS", help="Print so many rows of each output at the end.")] = 0,
    master: Annotated[str, typer.Option(metavar="URL", help="The cluster, as spark-submit names it.")] = "local[2]",
    conf: Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE", help="A setting for spark-submit.")] = None,
    verbose: Verbose = False,
) -> None:
    """Run jobs through spark-submit: on a cluster, or as a cluster would."""
    _load(configs, settings or ())
    from birchtar.runner.submit import submit_command

    arguments = [*map(str, configs), *(f"--set={setting}" for setting in settings or ()), f"--show={show}"]
    arguments += ["--verbose"] if verbose else []
    command = submit_command(arguments, master=master, conf=conf or (), verbose=verbose)
    os.execv(command[0], command)  # noqa: S606 - our own spark-submit takes this process's place


@app.command()
def shell(profile: Profile = "local") -> None:
    """Open a PySpark shell with Birchtar, Delta and Avro on its paths."""
    from birchtar.runner.submit import shell_command

    command = shell_command(profile)
    os.execv(command[0], command)  # noqa: S606 - the shell takes this process's place


@app.command()
def compact(
    table: Kept,
    target_size: Annotated[str | None, typer.Option(metavar="SIZE", help="How large files become: 128m.")] = None,
    zorder: Annotated[str | None, typer.Option(metavar="A,B", help="Bring rows together by columns (Delta).")] = None,
    where: Annotated[str | None, typer.Option(metavar="SQL", help="A condition on partition columns.")] = None,
    header: Annotated[
        bool | None,
        typer.Option("--header/--no-header", help="Whether a folder's CSV files begin with their columns."),
    ] = None,
    profile: Profile = "local",
    verbose: Verbose = False,
) -> None:
    """Put the small files of tables together. Rows stay as they are, and so do other jobs' writes meanwhile."""
    from dataclasses import replace

    from birchtar.lake.maintain import compact as compact_table
    from birchtar.runner.maintained import require_unread, tables_of

    columns = tuple(name.strip() for name in (zorder or "").split(",") if name.strip())
    with spark_when_needed(profile, verbose=verbose) as start:
        for found in tables_of(table):
            found = replace(
                found,
                target_size=target_size or found.target_size,
                zorder_by=columns or found.zorder_by,
                header=found.header if header is None else header,
            )
            require_unread(found)
            done = compact_table(start, found, where)
            for left in done.left:
                _say(f"Left as it is: {left}")
            _say(f"{found.path}: {done.files_before} files became {done.files_after}.")


@app.command()
def vacuum(
    table: Kept,
    older_than: Annotated[str, typer.Option(metavar="AGE", help="What is younger stays: 7d, 12h.")] = "7d",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print what would be deleted.")] = False,
    profile: Profile = "local",
    verbose: Verbose = False,
) -> None:
    """Delete what dead runs left beside tables; of Delta tables also the files that only old versions need."""
    from birchtar.lake.maintain import age
    from birchtar.lake.maintain import vacuum as vacuum_table
    from birchtar.runner.maintained import require_published, tables_of

    with spark_when_needed(profile, verbose=verbose) as start:
        for found in tables_of(table):
            require_published(found)
            gone = vacuum_table(start, found, age(older_than), dry_run=dry_run)
            for path in gone:
                _say(f"{'Would delete' if dry_run else 'Deleted'} {path}")
            _say(f"{found.path}: {len(gone)} {'to delete' if dry_run else 'deleted'}.")


def main(arguments: list[str] | None = None) -> None:
    """Run the command line: exit code 0, 1 where something failed, 2 where the call or a config is wrong."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        app(arguments)
    except ConfigError as error:
        _fail(str(error), BAD_CONFIG)
    except (RuntimeSetupError, StateError) as error:
        _fail(str(error), FAILED)
    except Exception as error:
        if {"--verbose", "-v"} & set(arguments):
            raise
        from birchtar.lake.errors import LakeError
        from birchtar.runner.failures import JobError, sentence

        unexpected = "" if isinstance(error, JobError | LakeError) else "Unexpected: "
        _fail(f"{unexpected}{sentence(error)}\n--verbose shows the whole trace.", FAILED)


def _load(configs: Iterable[Path], settings: Iterable[str]) -> "list[Plan]":
    """Load all configs, each of which may read what one before it writes; what is wrong in any is said together."""
    from birchtar.runner.load import load

    plans: list[Plan] = []
    problems: list[Problem] = []
    for config in configs:
        try:
            plans.append(
                load(config, settings, [output.path for plan in plans for output in plan.job.outputs.values()])
            )
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    return plans


def _say(text: str) -> None:
    typer.echo(text)


def _fail(text: str, code: int) -> None:
    typer.echo(text, err=True)
    sys.exit(code)
