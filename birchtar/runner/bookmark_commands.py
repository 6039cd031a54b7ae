"""The commands `birchtar bookmark ...`: how far a job has read, and how a user moves that."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from birchtar.runner.bookmark_target import Target, bookmarked, require_job, target_of
from birchtar.runner.command_options import Profile, Settings, spark_when_needed
from birchtar.runner.job_name import job_name

if TYPE_CHECKING:
    from birchtar.runner import spec
    from birchtar.state.bookmark_changes import Change
    from birchtar.state.database import State

app = typer.Typer(no_args_is_help=True, help="Show and move what jobs remember of their inputs.")

Job = Annotated[
    str,
    typer.Argument(metavar="JOB|CONFIG", help="A job's name, or its config: a .yaml or .yml.", show_default=False),
]
Config = Annotated[Path, typer.Argument(metavar="CONFIG", help="A job's config, such as conf/jobs/flights.yaml.")]
OneInput = Annotated[str | None, typer.Argument(metavar="[INPUT]", help="Only this input.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@app.command()
def show(job: Job, input_name: OneInput = None, as_json: AsJson = False) -> None:
    """Print how far each input has been read, by which run, and the latest files."""
    from birchtar.runner.bookmark_prints import print_views, view_as_json
    from birchtar.state.bookmark_views import view_bookmarks
    from birchtar.state.errors import StateError

    target, state = target_of(job), _state()
    require_job(state, target.job)
    views = [view for view in view_bookmarks(state, target.job) if input_name in (None, view.input)]
    if not views:
        which = f"of an input `{input_name}`" if input_name else "yet: it has none after a run with `bookmark: true`"
        raise StateError(f"Job `{target.job}` has no bookmark {which}.")
    if as_json:
        _print_json({"job": target.job, "bookmarks": [view_as_json(view) for view in views]})
    else:
        print_views(views)


@app.command()
def diff(
    config: Config,
    input_name: OneInput = None,
    settings: Settings = None,
    limit: Annotated[int, typer.Option(metavar="FILES", help="How many files to name.", min=1)] = 20,
    as_json: AsJson = False,
    profile: Profile = "local",
) -> None:
    """Print what the next run would read, without running."""
    from birchtar.runner.bookmark_diff import comes_first
    from birchtar.runner.bookmark_diff import diff as diff_of
    from birchtar.runner.bookmark_prints import diff_as_json, print_diff, say, say_run

    said, job = _load(config, settings), job_name(config)
    inputs = bookmarked(config, said, input_name)
    with _state_to_look_at() as state, spark_when_needed(profile) as start:
        found, first = diff_of(state, job, inputs, start), comes_first(state, job)
    if as_json:
        unfinished = first and {"run": first.number, "state": first.state}
        _print_json({"job": job, "unfinished_run": unfinished, "inputs": [diff_as_json(each) for each in found]})
        return
    if first:
        if first.state == "PREPARED":
            then = "the next one only publishes what it has computed, unless its process does"
        else:
            then = "the next one waits for it, or computes it again if its process died"
        say(f"{say_run(first)}, is not finished: {then}.")
    print_diff(found, limit)


@app.command()
def explain(
    config: Config,
    file: Annotated[str, typer.Argument(metavar="FILE", help="The path of a file.")],
    settings: Settings = None,
    as_json: AsJson = False,
    profile: Profile = "local",
) -> None:
    """Print why a file was read or not, by which run, and whether the next one would read it."""
    from birchtar.runner.bookmark_explain import explain_file
    from birchtar.runner.bookmark_prints import plain, print_verdicts, say, verdict_as_json
    from birchtar.runner.located import located

    said, job = _load(config, settings), job_name(config)
    inputs = {name: located(source) for name, source in said.inputs.items()}
    with _state_to_look_at() as state, spark_when_needed(profile) as start:
        verdicts, closest = explain_file(state, job, inputs, file, start)
    if as_json:
        _print_json({"file": file, "inputs": [verdict_as_json(each) for each in verdicts], "closest": closest})
        return
    print_verdicts(verdicts)
    if not verdicts:
        hint = f" Did you mean {plain(closest)}?" if closest else ""
        say(f"{file}: outside of the paths of all inputs, and no run has read it.{hint}")


@app.command()
def rewind(
    job: Job,
    input_name: OneInput = None,
    to: Annotated[
        int, typer.Option("--to", metavar="RUN", help="The run after which it was so; 0: before the first.", min=0)
    ] = ...,  # type: ignore[assignment]  # typer's word for an option that has to be said
    yes: Yes = False,
) -> None:
    """Take bookmarks back to where they were after a run: what later runs read is read again."""
    from birchtar.state.bookmark_changes import rewind as rewind_bookmarks

    target, state = target_of(job), _state()
    require_job(state, target.job)
    _take_back(target, lambda is_trial: rewind_bookmarks(state, target.job, input_name, to, is_trial=is_trial), yes)


@app.command()
def reset(job: Job, input_name: OneInput = None, yes: Yes = False) -> None:
    """Forget what bookmarks know: the next run reads from the beginning."""
    from birchtar.state.bookmark_changes import reset as reset_bookmarks

    target, state = target_of(job), _state()
    require_job(state, target.job)
    _take_back(target, lambda is_trial: reset_bookmarks(state, target.job, input_name, is_trial=is_trial), yes)


@app.command(name="set")
def set_(
    config: Config,
    input_name: Annotated[str, typer.Argument(metavar="INPUT", help="The input.")],
    files: Annotated[
        list[str] | None, typer.Option(metavar="PATH", help="A file, folder or glob that is known from now on.")
    ] = None,
    all_known: Annotated[bool, typer.Option("--all-known", help="All that is there now is known.")] = False,
    version: Annotated[int | None, typer.Option(metavar="N", help="The last known version of a Delta table.")] = None,
    keys: Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE", help="The last known keys.")] = None,
    settings: Settings = None,
    profile: Profile = "local",
) -> None:
    """Make known what shall not be read, or say from where on the next run reads."""
    from birchtar.runner.bookmark_prints import print_changes, say
    from birchtar.runner.bookmark_set import Wish, set_bookmark

    said, job = _load(config, settings), job_name(config)
    source, state = bookmarked(config, said, input_name)[input_name], _state(must_exist=False)
    wish = Wish(files or (), all_known, version, keys or ())
    with spark_when_needed(profile) as start:
        changes = set_bookmark(state, job, input_name, source, wish, start)
    print_changes(changes, verb="are known now, and will not be read")
    if not changes:
        say("Nothing to change: it is so already.")


def _take_back(target: Target, change: "Callable[[bool], list[Change]]", yes: bool) -> None:
    """Say what would be read again, ask, and do it."""
    from birchtar.runner.bookmark_prints import print_changes, say
    from birchtar.runner.bookmark_warning import warning
    from birchtar.state.errors import StateError

    found = change(True)
    if not found:
        say("Nothing to change: it is so already.")
        return
    print_changes(found, verb="will be read again")
    say(warning(target))
    if not yes:
        if not sys.stdin.isatty():
            raise StateError("Nothing was changed: --yes says that it shall be done, where nobody can be asked.")
        typer.confirm("Go on?", abort=True)
    change(False)
    say("Done.")


def _state(*, must_exist: bool = True) -> "State":
    from birchtar.state.database import open_state

    return open_state(must_exist=must_exist)


@contextmanager
def _state_to_look_at() -> "Iterator[State]":
    """Give the state database or, before the first run, an empty one that is gone afterwards: looking makes none."""
    from birchtar.state.database import open_state
    from birchtar.state.errors import NoStateError

    try:
        yield open_state(must_exist=True)
    except NoStateError:
        with TemporaryDirectory() as folder:
            yield open_state(f"sqlite:///{folder}/state.db")


def _load(config: Path, settings: list[str] | None) -> "spec.Job":
    from birchtar.runner.load_job import load_job

    return load_job(config, settings or ())


def _print_json(value: object) -> None:
    typer.echo(json.dumps(value, indent=2))
