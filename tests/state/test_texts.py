"""Texts of any length, and with any sign in them, are kept as they are, or as near to that as a database can."""

import random

import pytest

from birchtar.state.abandon import give_up
from birchtar.state.bookmark_changes import set_files
from birchtar.state.bookmark_views import reads_now, view_bookmarks
from birchtar.state.bookmarks import bookmark_in, move_bookmarks
from birchtar.state.history import list_runs
from birchtar.state.intents import RunFile, RunInput, intent, record_intent
from birchtar.state.known_files import explain, new_files
from birchtar.state.listed import ListedFile, Listing
from birchtar.state.publishing import fail, prepare, succeed
from birchtar.state.quarantine import RejectedRows, index_rejects, list_rejects, resolve_rejects
from birchtar.state.runs import begin


def long(characters: int, seed: int) -> str:
    """Return a text that no database can make shorter."""
    return "".join(random.Random(seed).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=characters))


@pytest.mark.parametrize("field", ["table", "step", "rule", "code"])
def test_rejected_rows_are_counted_whatever_the_length_of_their_reason(state, field):
    told = {"table": "sales", "step": "rules", "rule": "", "code": "RULE"}
    one, other = (RejectedRows(**told | {field: long(10_000, seed)}, rows=7, path="p") for seed in (1, 2))
    run = begin(state, "job")
    prepare(state, run, [])
    succeed(state, run, {}, lambda connection: index_rejects(connection, run, [one, other]))
    resolved = (1, one.table, one.step, one.rule, one.code, 4)
    state.write(lambda connection: resolve_rejects(connection, "job", [resolved]))
    assert [(getattr(each, field), each.rows, each.resolved) for each in list_rejects(state, "job")] == [
        (getattr(one, field), 7, 4),
        (getattr(other, field), 7, 0),
    ]


def test_a_file_is_read_and_known_whatever_the_length_of_its_path(state):
    one, other = (RunFile(f"file:/{long(4_000, seed)}", 1, 1_000_000) for seed in (1, 2))
    run = begin(state, "job")
    record_intent(state, run, read := [RunInput("days", "files", files=(one,))])
    assert intent(state, run) == read
    assert state.read(lambda connection: reads_now(connection, "job", one.path)).number == 1
    prepare(state, run, [])
    succeed(state, run, {}, lambda connection: move_bookmarks(connection, run, read, {}))
    set_files(state, "job", "days", Listing.of([ListedFile(*other)]))
    (view,) = view_bookmarks(state, "job")
    assert [(file.path, number) for file, number in view.latest] == [(other.path, 2), (one.path, 1)]

    def known(connection):
        bookmark = bookmark_in(connection, "job", "days", "files").id
        listed = Listing.of([ListedFile(*one)._replace(size=2), ListedFile(*other)])
        return list(new_files(connection, bookmark, listed).changed), explain(connection, bookmark, other.path, listed)

    changed, explained = state.read(known)
    assert changed == [(one.path, 2, 1_000_000)]
    assert (explained.state, explained.run_number) == ("known", 2)


FOREIGN = "bytes \0 and \udcff that are no text"
KEPT = "bytes \ufffd and \\udcff that are no text"


def test_an_error_is_told_whatever_signs_are_in_it(state):
    fail(state, begin(state, "job"), FOREIGN)
    assert [(run.state, run.error) for run in list_runs(state)] == [("FAILED", KEPT)]


def test_a_run_is_given_up_whatever_signs_are_in_the_reason(state):
    run = begin(state, "job")
    state.write(lambda connection: give_up(connection, run.id, FOREIGN))
    assert [(run.state, run.error) for run in list_runs(state)] == [("ABANDONED", KEPT)]


@pytest.mark.parametrize("field", ["step", "rule", "code"])
def test_rejected_rows_are_counted_whatever_signs_are_in_their_reason(state, field):
    told = {"table": "sales", "step": "rules", "rule": "", "code": "RULE"} | {field: FOREIGN}
    run = begin(state, "job")
    prepare(state, run, [], report={"reason": FOREIGN})
    found = RejectedRows(**told, rows=7, path="p")
    succeed(state, run, None, lambda connection: index_rejects(connection, run, [found]))
    resolved = (1, found.table, found.step, found.rule, found.code, 4)
    state.write(lambda connection: resolve_rejects(connection, "job", [resolved]))
    assert [(getattr(each, field), each.rows, each.resolved) for each in list_rejects(state)] == [(KEPT, 7, 4)]
    assert list_runs(state)[0].report == {"reason": FOREIGN}
