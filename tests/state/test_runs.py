"""The life of a run: who owns it, what it means to read, what it publishes, how it ends."""

import threading
import time

import pytest
from processes import all_at_once, outcome, start
from sqlalchemy import func, insert, select, update

from birchtar.state.database import State, now, open_state
from birchtar.state.errors import JobBusyError, JobDoneError, LostRunError
from birchtar.state.heartbeat import Heartbeat
from birchtar.state.history import list_runs
from birchtar.state.intents import RunFile, RunInput, intent, record_intent
from birchtar.state.publishing import RunOutput, fail, mark_published, outputs_of, prepare, succeed
from birchtar.state.runs import PREPARED, RUNNING, Run, begin, release, renew
from birchtar.state.tables import bookmarks, run_files, runs

FILES = (RunFile("raw/a.csv", 10, 1_700_000_000_000_001), RunFile("raw/b.csv", 0, 1_700_000_000_000_002))
INPUTS = [
    RunInput("flights", "files", files=FILES, rows=7, bytes=10),
    RunInput("orders", "delta", since={"version": 3}, until={"version": 5}),
]
OUTPUT = RunOutput("flown", "data/flown", "parquet", {"staged": "_staged/1", "moves": [["a", "b"]]}, 7, 2, 99)

BEGIN_AND_DIE = """
    import os, sys
    from birchtar.state.database import open_state
    from birchtar.state.intents import RunInput, record_intent
    from birchtar.state.publishing import RunOutput, mark_published, prepare
    from birchtar.state.runs import begin
    state = open_state(sys.argv[1])
    run = begin(state, "job")
    record_intent(state, run, [RunInput("a", "keys", since=1, until=9)])
    if sys.argv[2] == "PREPARED":
        prepare(state, run, [RunOutput(name, name, "csv", {}) for name in "xy"], report={"rows": 4})
        mark_published(state, run, "x")
    os.kill(os.getpid(), 9)
"""


def nothing(connection) -> None:
    """Moves no bookmarks."""


def move_bookmark(connection) -> None:
    connection.execute(insert(bookmarks).values(job="job", input="a", kind="keys", mark=9, run_number=1))


def bookmarks_of(state: State) -> int:
    return state.read(lambda connection: connection.scalar(select(func.count()).select_from(bookmarks)))


def end(state: State, run: Run) -> None:
    prepare(state, run, [])
    succeed(state, run, {}, nothing)


def steal(state: State, run: Run) -> Run:
    """Take a run away as another machine would that believes this one dead."""
    release(state, run)
    return begin(state, run.job)


def died(url: str, where: str) -> None:
    process = start(BEGIN_AND_DIE, url, where)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == -9, errors


def test_runs_of_a_job_are_counted_from_one(state):
    for number in (1, 2, 3):
        run = begin(state, "job")
        assert (run.number, run.attempt, run.state, run.is_takeover, run.kind) == (number, 1, RUNNING, False, "run")
        end(state, run)
    assert begin(state, "another", kind="replay").number == 1


def test_a_busy_job_is_refused_with_who_runs_it(state):
    begin(state, "job")
    with pytest.raises(
        JobBusyError,
        match=r"Job `job` is running already: run 1, by process \d+ on \S+, since 20\d\d-\d\d-\d\d \d\d:.* UTC\. Wait",
    ):
        begin(state, "job", when_busy="fail")


def test_a_busy_job_is_waited_for_and_that_is_said_once(state):
    first, said, got = begin(state, "job"), [], []
    waiting = threading.Thread(target=lambda: got.append(begin(state, "job", on_wait=said.append)))
    waiting.start()
    time.sleep(2.5)
    assert (len(said), said[0].number, got) == (1, 1, [])
    end(state, first)
    waiting.join(timeout=60)
    assert [run.number for run in got] == [2]
    assert len(said) == 1


def test_waiting_can_be_interrupted(url):
    code = """
        import sys
        from birchtar.state.database import open_state
        from birchtar.state.runs import begin
        begin(open_state(sys.argv[1]), "job", on_wait=lambda busy: print("waits", flush=True))
    """
    state = open_state(url)
    begin(state, "job")
    process = start(code, url)
    assert process.stdout.readline() == "waits\n"
    process.send_signal(2)
    _, errors = process.communicate(timeout=60)
    assert "KeyboardInterrupt" in errors
    state.engine.dispose()


def test_of_eight_processes_at_once_that_wait_each_gets_its_turn(url):
    code = """
        import sys, time
        from birchtar.state.database import open_state
        from birchtar.state.publishing import prepare, succeed
        from birchtar.state.runs import begin
        go()
        state = open_state(sys.argv[1])
        run = begin(state, "job")
        began = time.time()
        time.sleep(0.05)
        ended = time.time()
        prepare(state, run, [])
        succeed(state, run, {}, lambda connection: None)
        print(run.number, run.attempt, run.is_takeover, began, ended, flush=True)
    """
    said = sorted(said.split() for said in all_at_once(8, code, url))
    assert [line[:3] for line in said] == [[str(number), "1", "False"] for number in range(1, 9)]
    times = [float(moment) for line in said for moment in line[3:]]
    assert times == sorted(times), "two runs at one time"


def test_of_eight_processes_at_once_that_do_not_wait_one_gets_the_run(url):
    code = """
        import sys, time
        from birchtar.state.database import open_state
        from birchtar.state.errors import JobBusyError
        from birchtar.state.runs import begin
        go()
        state = open_state(sys.argv[1])
        try:
            print(begin(state, "job", when_busy="fail").number, flush=True)
        except JobBusyError as error:
            print("busy: run 1" if "run 1, by process" in str(error) else error, flush=True)
        stay()
    """
    assert sorted(said for said in all_at_once(8, code, url)) == ["1"] + ["busy: run 1"] * 7


def test_of_eight_processes_at_once_one_takes_over_what_a_dead_one_left(url):
    died(url, RUNNING)
    code = """
        import sys, time
        from birchtar.state.database import open_state
        from birchtar.state.errors import JobBusyError
        from birchtar.state.runs import begin
        go()
        state = open_state(sys.argv[1])
        try:
            run = begin(state, "job", when_busy="fail")
            print(run.number, run.attempt, run.is_takeover, flush=True)
        except JobBusyError as error:
            print("busy", flush=True)
        stay()
    """
    assert sorted(said for said in all_at_once(8, code, url)) == ["1 2 True"] + ["busy"] * 7


def test_a_run_whose_process_died_is_computed_again_from_the_same_inputs(state, url):
    died(url, RUNNING)
    run = begin(state, "job", when_busy="fail")
    assert (run.number, run.attempt, run.state, run.is_takeover) == (1, 2, RUNNING, True)
    assert intent(state, run) == [RunInput("a", "keys", since=1, until=9)]
    end(state, run)
    assert begin(state, "job").number == 2


def test_a_run_that_died_prepared_is_finished_as_it_was_planned(state, url):
    died(url, PREPARED)
    run = begin(state, "job", when_busy="fail")
    assert (run.number, run.attempt, run.state, run.is_takeover, run.report) == (1, 2, PREPARED, True, {"rows": 4})
    assert [(output.output, output.published_at is not None) for output in outputs_of(state, run)] == [
        ("x", True),
        ("y", False),
    ]
    with pytest.raises(ValueError, match="was prepared by an earlier process"):
        prepare(state, run, [])
    mark_published(state, run, "y")
    succeed(state, run, None, nothing)
    assert [(run.state, run.report) for run in list_runs(state)] == [("SUCCEEDED", {"rows": 4})]


def test_a_process_takes_over_its_own_run_when_it_has_dropped_it(state):
    run = begin(state, "job")
    state.write(lambda connection: connection.execute(update(runs).values(lease_until=now(connection))))
    assert begin(state, "job", when_busy="fail").attempt == run.attempt + 1


def test_an_intent_is_read_back_as_it_was_written(state):
    run = begin(state, "job")
    record_intent(state, run, INPUTS)
    assert intent(state, run) == INPUTS


def test_an_intent_takes_the_place_of_an_earlier_one(state):
    run = begin(state, "job")
    record_intent(state, run, INPUTS)
    record_intent(state, run, [RunInput("flights", "files", files=FILES[1:])])
    assert intent(state, run) == [RunInput("flights", "files", files=FILES[1:])]


def test_an_intent_holds_as_many_files_as_there_are(state):
    run, many = begin(state, "job"), tuple(RunFile(f"{n:06}", n, n) for n in range(25_001))
    record_intent(state, run, [RunInput("flights", "files", files=many)])
    assert intent(state, run)[0].files == many


def test_outputs_are_read_back_with_their_plans(state):
    run = begin(state, "job")
    prepare(state, run, [OUTPUT])
    assert outputs_of(state, run) == [OUTPUT]


def test_a_run_that_succeeds_moves_bookmarks_and_forgets_its_files(state):
    run = begin(state, "job")
    record_intent(state, run, INPUTS)
    prepare(state, run, [OUTPUT])
    mark_published(state, run, "flown")
    succeed(state, run, {"rows": 7}, move_bookmark)
    (told,) = list_runs(state)
    assert (told.job, told.number, told.state, told.report, told.error) == ("job", 1, "SUCCEEDED", {"rows": 7}, None)
    assert told.started_at <= told.prepared_at <= told.finished_at
    assert bookmarks_of(state) == 1
    assert state.read(lambda connection: connection.execute(select(run_files)).all()) == []
    assert [read.input for read in intent(state, run)] == ["flights", "orders"]


def test_what_was_done_is_not_done_again(state):
    run = begin(state, "job")
    prepare(state, run, [OUTPUT])
    prepare(state, run, [OUTPUT])
    mark_published(state, run, "flown")
    published = outputs_of(state, run)
    mark_published(state, run, "flown")
    assert outputs_of(state, run) == published
    succeed(state, run, {}, move_bookmark)
    succeed(state, run, {"other": 1}, move_bookmark)
    assert bookmarks_of(state) == 1
    assert list_runs(state)[0].report == {}


def test_where_bookmarks_cannot_be_moved_the_run_has_not_succeeded(state):
    run = begin(state, "job")
    prepare(state, run, [])

    def fails(connection) -> None:
        move_bookmark(connection)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        succeed(state, run, {}, fails)
    assert (list_runs(state)[0].state, bookmarks_of(state)) == (PREPARED, 0)
    succeed(state, run, {}, move_bookmark)
    assert (list_runs(state)[0].state, bookmarks_of(state)) == ("SUCCEEDED", 1)


def test_a_run_does_not_succeed_before_all_is_published(state):
    run = begin(state, "job")
    prepare(state, run, [OUTPUT])
    with pytest.raises(ValueError, match="has not published its output `flown`"):
        succeed(state, run, {}, nothing)
    with pytest.raises(ValueError, match="has no output `flow`"):
        mark_published(state, run, "flow")


def test_after_a_failure_the_next_run_has_a_new_number(state):
    run = begin(state, "job")
    record_intent(state, run, INPUTS)
    fail(state, run, "Too many rows were rejected.")
    fail(state, run, "again")
    again = begin(state, "job", when_busy="fail")
    assert (again.number, again.attempt, again.is_takeover) == (2, 1, False)
    failed = list_runs(state)[1]
    assert (failed.state, failed.error, failed.finished_at is None) == ("FAILED", "Too many rows were rejected.", False)


def test_a_failure_to_publish_leaves_the_run_for_whoever_comes_next(state):
    run = begin(state, "job")
    prepare(state, run, [OUTPUT])
    fail(state, run, "The disk is full.")
    assert [(told.state, told.error) for told in list_runs(state)] == [(PREPARED, "The disk is full.")]
    again = begin(state, "job", when_busy="fail")
    assert (again.number, again.attempt, again.state) == (1, 2, PREPARED)


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(renew, id="renew"),
        pytest.param(lambda state, run: record_intent(state, run, INPUTS), id="record_intent"),
        pytest.param(lambda state, run: prepare(state, run, [OUTPUT]), id="prepare"),
        pytest.param(lambda state, run: mark_published(state, run, "flown"), id="mark_published"),
        pytest.param(lambda state, run: succeed(state, run, {}, move_bookmark), id="succeed"),
        pytest.param(lambda state, run: fail(state, run, "no"), id="fail"),
    ],
)
@pytest.mark.parametrize("prepared", [False, True], ids=["running", "prepared"])
def test_who_has_lost_a_run_can_change_it_no_more(state, step, prepared):
    run = begin(state, "job")
    if prepared:
        prepare(state, run, [OUTPUT])
    steal(state, run)
    before = list_runs(state)
    with pytest.raises(
        LostRunError, match=r"Run 1 of job `job` was taken over: process \d+ on \S+ has it \(attempt 2\)"
    ):
        step(state, run)
    assert list_runs(state) == before
    assert (bookmarks_of(state), intent(state, run)) == (0, [])


def test_a_finished_run_is_not_changed(state):
    run = begin(state, "job")
    end(state, run)
    with pytest.raises(LostRunError, match="is SUCCEEDED, where RUNNING was expected"):
        record_intent(state, run, INPUTS)


def test_a_heartbeat_renews_the_lease_and_gives_it_back(state):
    run = begin(state, "job")

    def lease():
        return state.read(lambda connection: connection.execute(select(runs.c.lease_until, runs.c.owner)).one())

    first = lease().lease_until
    with Heartbeat(state, run, every=0.1):
        deadline = time.monotonic() + 10
        while lease().lease_until <= first and time.monotonic() < deadline:
            time.sleep(0.05)
        assert lease().lease_until > first
    assert tuple(lease()) == (None, None)
    assert begin(state, "job", when_busy="fail").attempt == 2


def test_a_heartbeat_of_a_run_that_ends_is_quiet(state):
    run = begin(state, "job")
    with Heartbeat(state, run, every=0.05) as heartbeat:
        end(state, run)
        time.sleep(0.5)
        heartbeat.check()
    assert list_runs(state)[0].state == "SUCCEEDED"


def test_a_heartbeat_notices_that_the_run_was_taken_away(state):
    run, stopped = begin(state, "job"), threading.Event()
    heartbeat = Heartbeat(state, run, every=0.1, on_lost=stopped.set)
    heartbeat.__enter__()
    other = steal(state, run)
    assert stopped.wait(10)
    with pytest.raises(LostRunError, match="was taken over"):
        heartbeat.check()
    with pytest.raises(LostRunError, match="was taken over"):
        heartbeat.__exit__(None, None, None)
    renew(state, other)


def test_the_error_of_the_work_is_told_not_that_of_the_heartbeat(state):
    run, stopped = begin(state, "job"), threading.Event()

    def work() -> None:
        with Heartbeat(state, run, every=0.1, on_lost=stopped.set):
            steal(state, run)
            stopped.wait(10)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()


def test_runs_are_listed_newest_first_of_one_job_or_of_all(state):
    for job in ("a", "b", "a"):
        end(state, begin(state, job))
    assert [(run.job, run.number) for run in list_runs(state)] == [("a", 2), ("b", 1), ("a", 1)]
    assert [(run.job, run.number) for run in list_runs(state, "a", limit=1)] == [("a", 2)]
    assert list_runs(state, "unknown") == []


def test_no_run_is_listed_of_an_empty_database(url):
    assert (
        outcome(
            start(
                """
        import sys
        from birchtar.state.database import open_state
        from birchtar.state.history import list_runs
        print(list_runs(open_state(sys.argv[1])))
    """,
                url,
            )
        )
        == "[]"
    )


WAIT_IN_QUEUE = """
    import sys, time
    from birchtar.state.database import open_state
    from birchtar.state.publishing import prepare, succeed
    from birchtar.state.runs import begin
    state = open_state(sys.argv[1])
    tell = lambda busy: print(busy.place is not None, busy.ahead, flush=True)
    run = begin(state, "job", when_busy="queue", on_wait=tell)
    began = time.time()
    time.sleep(0.3)
    prepare(state, run, [])
    succeed(state, run, {}, lambda connection: None)
    print(run.number, began)
"""


def test_those_who_queue_begin_in_the_order_in_which_they_came_and_before_those_who_wait(url):
    state = open_state(url)
    first = begin(state, "job")
    queue = []
    for ahead in range(3):
        queue.append(start(WAIT_IN_QUEUE, url))
        assert queue[-1].stdout.readline() == f"True {ahead}\n"
    waits = start(WAIT_IN_QUEUE.replace('"queue"', '"wait"'), url)
    assert waits.stdout.readline() == "False 3\n"
    assert [(run.number, run.state) for run in list_runs(state)[:3]] == [(4, "WAITING"), (3, "WAITING"), (2, "WAITING")]
    with pytest.raises(JobBusyError, match="is running already: run 1"):
        begin(state, "job", when_busy="fail")
    end(state, first)
    told = [outcome(process).split() for process in [*queue, waits]]
    assert [int(number) for number, _ in told] == [2, 3, 4, 5]
    began = [float(moment) for _, moment in told]
    assert began == sorted(began)
    state.engine.dispose()


def test_who_waits_is_in_the_way_of_those_who_do_not_queue(state, url):
    first = begin(state, "job")
    process = start(WAIT_IN_QUEUE, url)
    process.stdout.readline()
    end(state, first)
    process.send_signal(19)  # it is stopped before it sees that its turn has come, or runs already
    try:
        with pytest.raises(JobBusyError, match="is (waited for|running) already: run 2, by process"):
            begin(state, "job", when_busy="fail")
    finally:
        process.send_signal(18)
    assert outcome(process).startswith("2 ")


@pytest.mark.parametrize("signal", [9, 2], ids=["killed", "interrupted"])
def test_a_process_that_died_while_it_waited_has_lost_its_place(state, url, signal):
    first = begin(state, "job")
    dead = start(WAIT_IN_QUEUE, url)
    dead.stdout.readline()
    behind = start(WAIT_IN_QUEUE, url)
    assert behind.stdout.readline() == "True 1\n"
    dead.send_signal(signal)
    dead.communicate(timeout=60)
    end(state, first)
    assert outcome(behind).startswith("3 ")
    kept = [(run.number, run.state, run.error) for run in list_runs(state) if run.number == 2]
    assert kept == ([(2, "ABANDONED", "Its process died while it waited.")] if signal == 9 else [])


def test_the_first_of_the_queue_takes_over_the_run_whose_process_died(state, url):
    first = begin(state, "job")
    process = start(WAIT_IN_QUEUE, url)
    process.stdout.readline()
    release(state, first)
    assert outcome(process).startswith("1 ")
    assert [(run.number, run.attempt, run.state) for run in list_runs(state)] == [(1, 2, "SUCCEEDED")]


def test_runs_of_different_scopes_go_beside_each_other_and_have_names_of_their_own(state):
    ordinary = begin(state, "job")
    one, other = (begin(state, "job", kind="backfill", scope=day) for day in ("monday", "tuesday"))
    assert [run.number for run in (ordinary, one, other)] == [1, 2, 3]
    assert len({run.writer for run in (ordinary, one, other)}) == 3
    assert ordinary.writer == ordinary.job_key
    # Folders that begin so are what dead runs of the job have left, and are deleted.
    assert not one.writer.startswith(f"{ordinary.writer}-")
    with pytest.raises(JobBusyError, match="run 2"):
        begin(state, "job", scope="monday", when_busy="fail")
    again = steal(state, ordinary)
    assert (again.number, again.scope) == (1, None)
    release(state, one)
    taken = begin(state, "job", scope="monday", once=True)
    assert (taken.number, taken.kind, taken.is_takeover, taken.writer) == (2, "backfill", True, one.writer)


def test_what_is_to_run_once_runs_again_only_where_it_has_not_succeeded(state):
    fail(state, begin(state, "job", scope="monday", once=True), "no")
    end(state, begin(state, "job", scope="monday", once=True))
    with pytest.raises(JobDoneError, match="Run 2 of job `job` has done monday already"):
        begin(state, "job", scope="monday", once=True)
    assert begin(state, "job", scope="monday").number == 3
