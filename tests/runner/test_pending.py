"""What is new to a run is found, and written down, only as long as the run is ours."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from birchtar.runner.load import load
from birchtar.runner.pending import find_pending
from birchtar.state.bookmark_changes import rewind
from birchtar.state.bookmarks import move_bookmarks
from birchtar.state.buckets import bucket_of
from birchtar.state.database import State, open_state
from birchtar.state.errors import LostRunError
from birchtar.state.publishing import prepare, succeed
from birchtar.state.runs import begin, release

JOB = """
inputs: {days: {path: days, format: csv, bookmark: true}}
outputs: {days: {path: out, format: parquet, mode: append}}
"""


@dataclass(frozen=True)
class Pausing(State):
    """A state database before whose second write this process is stopped, and wakes up when others have gone on."""

    meanwhile: Callable[[], None] = print
    writes: list[object] = field(default_factory=list)

    def write(self, work):
        self.writes.append(work)
        if len(self.writes) == 2:
            self.meanwhile()
        return super().write(work)


def two_in_a_bucket(folder):
    """Return two files whose paths are in one bucket of the known files."""
    by_bucket = {}
    for number in range(65_537):
        file = folder / f"{number}.csv"
        if (other := by_bucket.setdefault(bucket_of(f"file:{file}"), file)) != file:
            return other, file
    return None


def read_all(plan, state):
    """Be a run that reads what is new."""
    run = begin(state, "job")
    read = [each.read for each in find_pending(plan, None, state, run).values()]
    prepare(state, run, [])
    succeed(state, run, {}, lambda connection: move_bookmarks(connection, run, read, {}))


@pytest.mark.usefixtures("each_state")
def test_a_process_that_was_stopped_does_not_undo_what_a_user_changed_meanwhile(config, place):
    """Two runs read a file each. The first is gone, so that there is something to settle; the second is forgotten."""
    (place / "days").mkdir()
    goes, stays = two_in_a_bucket(place / "days")
    state, plan = open_state(), load(config(JOB))
    for file in (goes, stays):
        file.write_text("id\n1\n")
        read_all(plan, state)
    goes.unlink()
    stopped = begin(state, "job")

    def meanwhile():
        release(state, stopped)
        assert rewind(state, "job", "days", 1)[0].files == 1

    with pytest.raises(LostRunError, match="is ABANDONED"):
        find_pending(plan, None, Pausing(state.engine, state.patience, meanwhile=meanwhile), stopped)
    found = find_pending(plan, None, state, begin(state, "job"))["days"]
    assert [file.path for file in found.read.files] == [f"file:{stays}"]
