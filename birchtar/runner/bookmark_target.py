"""Whose bookmark a command is about: a job by its name or by its config."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from birchtar.runner.job_name import job_name
from birchtar.state.errors import StateError

if TYPE_CHECKING:
    from birchtar.lake.source import Source
    from birchtar.runner.spec import Job
    from birchtar.state.database import State

_CONFIGS = (".yaml", ".yml")


@dataclass(frozen=True)
class Target:
    """A job, as a command names it."""

    job: str
    config: Path | None


def target_of(said: str) -> Target:
    """Return the job that a name or the path of a config stands for; its ending tells a config from a name.

    Example:
        >>> target_of("conf/jobs/flights.yaml").job, target_of("flights").job, target_of("flights.2013").job
        ('flights', 'flights', 'flights.2013')
    """
    is_config = said.lower().endswith(_CONFIGS)
    return Target(job_name(said), Path(said)) if is_config else Target(said, None)


def require_job(state: "State", job: str) -> None:
    """Refuse a job that never ran and has no bookmark.

    Raises:
        StateError: With the closest name.
    """
    from birchtar.state.history import job_names

    if job not in (known := job_names(state)):
        from transforms.errors import say_known

        raise StateError(f"{state.place} knows no job `{job}`. {say_known(job, known, kind='job')}")


def bookmarked(config: Path, job: "Job", input_name: str | None) -> "dict[str, Source]":
    """Return the inputs of a config that have a bookmark, with paths as Spark takes them: one of them, or all.

    Raises:
        JobError: There is none, or none of this name.
    """
    from birchtar.runner.failures import JobError
    from birchtar.runner.located import located
    from transforms.errors import say_known

    found = {name: located(source) for name, source in job.inputs.items() if source.bookmark}
    if not found:
        raise JobError(f"{config}: no input has a bookmark (`bookmark: true`): every run reads all of each.")
    if input_name is None:
        return found
    if input_name not in found:
        what = "has no bookmark" if input_name in job.inputs else "is not there"
        raise JobError(
            f"{config}: the input `{input_name}` {what}. {say_known(input_name, found, kind='bookmarked input')}"
        )
    return {input_name: found[input_name]}
