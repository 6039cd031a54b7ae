"""Bookmarks that a user sets, takes back and forgets."""

import pytest
from processes import start
from sqlalchemy import select

from birchtar.state.bookmark_changes import reset, rewind, set_files, set_mark
from birchtar.state.bookmark_views import bookmarks_below, reads_now, unfinished, view_bookmarks
from birchtar.state.bookmarks import bookmark_in, find_bookmark, move_bookmarks
from birchtar.state.errors import JobBusyError, StateError
from birchtar.state.history import list_runs
from birchtar.state.intents import RunFile, RunInput, record_intent
from birchtar.state.known_files import gone_files, new_files
from birchtar.state.listed import ListedFile, Listing
from birchtar.state.publishing import prepare, succeed
from birchtar.state.runs import begin, release
from birchtar.state.tables import bookmark_marks

A, B, C = (RunFile(f"file:/raw/{name}.csv", 10, 1_000_000) for name in "abc")


def run(state, *files, version=None, keys=None):
    """A run that reads some files, a Delta table up to a version, a database up to keys."""
    owned, before = begin(state, "job"), find(state, "days")
    since = before.run_number if before else 0
    read = [RunInput("days", "files", since, listing(*files).digest(), files)]
    read += [RunInput("table", "delta", until=["id", version])] if version is not None else []
    read += [RunInput("rows", "keys", until=keys)] if keys else []
    record_intent(state, owned, read)
    prepare(state, owned, [])
    succeed(state, owned, {}, lambda connection: move_bookmarks(connection, owned, read, {}))
    return owned


def new(state, *listed):
    def work(connection):
        return sorted(new_files(connection, find_bookmark(connection, "job", "days").id, listing(*listed)).new.paths)

    return state.read(work)


def listing(*files):
    return Listing.of(ListedFile(*file) for file in files)


def find(state, name):
    return state.read(lambda connection: find_bookmark(connection, "job", name))


def marks(state, name):
    found = find(state, name)
    m = bookmark_marks.c
    query = select(m.run_number, m.mark).where(m.bookmark_id == found.id).order_by(m.run_number)
    history = state.read(lambda connection: [tuple(row) for row in connection.execute(query)])
    return found.mark, found.run_number, history


def test_a_rewound_bookmark_is_as_it_was_after_that_run(state):
    run(state, A, version=3)
    run(state, B, version=5)
    run(state, C, version=8)
    trial = rewind(state, "job", None, 1, is_trial=True)
    assert new(state, A, B, C) == []
    changes = rewind(state, "job", None, 1)
    assert trial == changes
    assert [(change.input, change.before, change.after, change.files) for change in changes] == [
        ("days", None, None, 2),
        ("table", ["id", 8], ["id", 3], 0),
    ]
    assert changes[0].examples == (B.path, C.path)
    assert new(state, A, B, C) == [B.path, C.path]
    assert marks(state, "table")[0] == ["id", 3]


def test_a_listing_of_which_all_was_read_is_known_until_something_of_it_is_forgotten(state):
    run(state, A, B)
    assert find(state, "days").mark == listing(A, B).digest()
    assert view_bookmarks(state, "job")[0].mark is None
    rewind(state, "job", "days", 0)
    assert new(state, A, B) == [A.path, B.path]
    run(state, A, B)
    reset(state, "job", "days")
    assert new(state, A, B) == [A.path, B.path]


def test_a_listing_is_not_taken_for_known_if_a_user_changed_the_bookmark_while_it_was_read(state):
    run(state, A)
    changed = A._replace(size=11)
    owned = begin(state, "job")
    read = [RunInput("days", "files", 1, listing(A, B).digest(), (B,))]
    record_intent(state, owned, read)
    set_files(state, "job", "days", listing(changed))
    prepare(state, owned, [])
    succeed(state, owned, {}, lambda connection: move_bookmarks(connection, owned, read, {}))
    found = state.read(
        lambda connection: new_files(connection, find_bookmark(connection, "job", "days").id, listing(A, B))
    )
    assert list(found.changed) == [ListedFile(*A)]


def test_an_input_that_never_had_a_file_may_become_one_of_another_kind(state):
    run(state)
    assert state.write(lambda connection: bookmark_in(connection, "job", "days", "delta")).mark is None
    assert find(state, "days").mark is None


def test_a_change_is_a_run_of_its_own_and_a_part_of_the_history(state):
    run(state, version=3)
    run(state, version=5)
    rewind(state, "job", "table", 1)
    newest, *_ = list_runs(state)
    assert (newest.number, newest.kind, newest.state) == (3, "rewind", "SUCCEEDED")
    assert marks(state, "table") == (["id", 3], 3, [(1, ["id", 3]), (2, ["id", 5]), (3, ["id", 3])])
    rewind(state, "job", "table", 2)
    assert marks(state, "table")[:2] == (["id", 5], 4)


def test_what_is_so_already_is_not_changed_and_not_written_down(state):
    run(state, A, version=3)
    run(state, B)
    assert rewind(state, "job", None, 1)
    assert rewind(state, "job", None, 1) == []
    assert reset(state, "job", None)
    assert reset(state, "job", None) == []
    assert set_mark(state, "job", "table", "delta", ["id", 9])
    assert set_mark(state, "job", "table", "delta", ["id", 9]) == []
    assert set_files(state, "job", "days", listing(A))
    assert set_files(state, "job", "days", listing(A)) == []
    assert [past.kind for past in list_runs(state)] == ["set", "set", "reset", "rewind", "run", "run"]


def test_rewound_to_zero_nothing_is_known_not_even_what_a_user_set(state):
    set_files(state, "job", "days", listing(A))
    run(state, B, keys={"keys": ["id"], "values": ["7"], "order": "asc"})
    rewind(state, "job", None, 0)
    assert new(state, A, B) == [A.path, B.path]
    assert marks(state, "rows")[0] is None


def test_a_rewind_to_before_a_user_set_files_forgets_these_alone_of_later_ones(state):
    run(state, A)
    set_files(state, "job", "days", listing(B))
    rewind(state, "job", "days", 1)
    assert new(state, A, B) == [B.path]


def test_what_was_forgotten_cannot_be_gone_back_to(state):
    for file in (A, B, C):
        run(state, file)
    rewind(state, "job", "days", 1)
    with pytest.raises(StateError, match=r"taken back to run 1 by run 4: what run 3 had read is forgotten"):
        rewind(state, "job", "days", 3)
    run(state, B)
    assert [change.examples for change in rewind(state, "job", "days", 4)] == [(B.path,)]


def test_runs_and_inputs_that_are_not_there_are_named(state):
    run(state, A)
    with pytest.raises(StateError, match="has no run 2: its runs are 1 to 1, and 0 is before the first"):
        rewind(state, "job", None, 2)
    with pytest.raises(StateError, match="no bookmark of an input `dys`. It has those of `days`"):
        rewind(state, "job", "dys", 0)


def test_a_run_that_works_keeps_its_bookmarks_but_files_can_be_made_known_beside_it(state):
    run(state, A)
    works = begin(state, "job")
    record_intent(state, works, read := [RunInput("days", "files", files=(B,))])
    for change in (
        lambda: rewind(state, "job", None, 0),
        lambda: reset(state, "job", None),
        lambda: set_mark(state, "job", "table", "delta", ["id", 1]),
    ):
        with pytest.raises(JobBusyError, match="Run 2 of job `job` works, by process"):
            change()
    assert set_files(state, "job", "days", listing(C))[0].files == 1
    assert state.read(lambda connection: reads_now(connection, "job", B.path)).number == 2
    prepare(state, works, [])
    succeed(state, works, {}, lambda connection: move_bookmarks(connection, works, read, {}))
    assert new(state, A, B, C) == []
    assert begin(state, "job").number == 4


def test_a_run_that_waits_for_its_turn_has_its_number_already(state):
    run(state, A)
    works = begin(state, "job")

    def while_it_waits(_):
        release(state, works)
        with pytest.raises(JobBusyError, match="Run 3 of job `job` is about to begin, by process"):
            rewind(state, "job", None, 0)

    begin(state, "job", when_busy="queue", on_wait=while_it_waits)


@pytest.mark.parametrize("prepared", [False, True], ids=["running", "prepared"])
def test_a_dead_run_is_given_up_before_it_has_published_and_must_be_finished_after(state, url, prepared):
    run(state, A)
    dead = begin(state, "job")
    record_intent(state, dead, [RunInput("days", "files", files=(B,))])
    if prepared:
        prepare(state, dead, [])
    release(state, dead)
    if prepared:
        with pytest.raises(JobBusyError, match="has to be finished first"):
            rewind(state, "job", None, 0)
        return
    rewind(state, "job", None, 0)
    assert [(past.number, past.state) for past in list_runs(state)][:2] == [(3, "SUCCEEDED"), (2, "ABANDONED")]
    assert state.read(lambda connection: unfinished(connection, "job")) is None
    assert begin(state, "job").is_takeover is False


def test_a_reset_bookmark_takes_inputs_of_another_kind(state):
    run(state, A, version=3)
    with pytest.raises(StateError, match="birchtar bookmark reset job days"):
        state.write(lambda connection: bookmark_in(connection, "job", "days", "delta"))
    reset(state, "job", "days")
    assert state.write(lambda connection: bookmark_in(connection, "job", "days", "delta")).kind == "delta"
    assert state.read(lambda connection: find_bookmark(connection, "job", "table")).mark == ["id", 3]


def test_a_view_tells_who_moved_it_last_and_the_latest_files(state):
    run(state, A, B)
    run(state, C)
    (view,) = view_bookmarks(state, "job", files=2)
    assert (view.kind, view.known, view.run_number, view.run_kind, view.history) == ("files", 3, 2, "run", (1, 2))
    assert [(file.path, number) for file, number in view.latest] == [(C.path, 2), (A.path, 1)]
    found = state.read(lambda connection: find_bookmark(connection, "job", "days"))
    assert state.read(lambda connection: gone_files(connection, found.id, listing(B), 5)) == [A.path, C.path]


def test_two_processes_that_change_a_bookmark_at_once_do_it_one_after_the_other(state, url):
    run(state, A, B)
    code = """
        import sys
        from birchtar.state.bookmark_changes import set_files
        from birchtar.state.database import open_state
        from birchtar.state.listed import ListedFile, Listing
        state = open_state(sys.argv[1])
        for number in range(20):
            set_files(state, "job", "days", Listing.of([ListedFile(f"file:/raw/{sys.argv[2]}{number}", 1, 1)]))
    """
    both = [start(code, url, name) for name in "xy"]
    for process in both:
        assert process.wait(timeout=100) == 0, process.stderr.read()
    assert view_bookmarks(state, "job")[0].known == 42
    assert [past.number for past in list_runs(state, limit=50)] == list(range(41, 0, -1))


@pytest.mark.parametrize(
    ("folder", "knows"),
    [
        pytest.param("file:/data/sales", True, id="the folder"),
        pytest.param("file:/data/sales/", True, id="with a stroke"),
        pytest.param("file:/data", True, id="one above"),
        pytest.param("file:/data/Sales", False, id="another case"),
        pytest.param("file:/data/sale", False, id="the beginning of a name"),
        pytest.param("file:/data/sales/a.csv", False, id="a file"),
        pytest.param("file:/data/100%_ü\\", True, id="signs of patterns"),
        pytest.param("file:/data/100%_x\\", False, id="signs of patterns in another name"),
        pytest.param("file:/data/s%", False, id="a pattern"),
    ],
)
def test_a_bookmark_is_found_by_the_folders_of_its_files(state, folder, knows):
    days = [RunFile(f"file:/data/{name}/a.csv", 1, 1) for name in ("sales", "100%_ü\\")]
    run(state, *days)
    assert bookmarks_below(state, folder) == ([("job", "days")] if knows else [])
