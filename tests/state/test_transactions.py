"""A piece of work is done wholly and once, whatever happens to the database meanwhile."""

import threading
import time
from datetime import UTC, datetime

import psycopg
import pytest
from postgres_server import PostgresServer
from processes import start
from proxy import breaking_wire
from sqlalchemy import Connection, insert, select, text
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError

from birchtar.state import connect
from birchtar.state.database import State, StateError, now, open_state
from birchtar.state.tables import bookmarks, jobs
from birchtar.state.trouble import is_passing

LOCK = """
    import sqlite3, sys, time
    connection = sqlite3.connect(sys.argv[1], isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    print("locked", flush=True)
    time.sleep(float(sys.argv[2]))
"""


class Work:
    """Adds jobs of one name each time it is called, and counts the calls."""

    def __init__(self, *names: str, fails: Exception | None = None) -> None:
        self.names, self.fails, self.calls = names, fails, 0

    def __call__(self, connection: Connection) -> str:
        self.calls += 1
        for name in self.names:
            connection.execute(insert(jobs).values(name=name, key="k"))
        if self.fails:
            raise self.fails
        return "done"


def names(state: State) -> list[str]:
    return list(state.read(lambda connection: connection.scalars(select(jobs.c.name).order_by(jobs.c.name))))


def test_work_gives_back_what_it_returns(state):
    assert state.write(Work("a")) == "done"
    assert names(state) == ["a"]


def test_work_that_breaks_a_rule_of_the_tables_is_undone_and_not_tried_again(state):
    work = Work("a", "b", "a")
    with pytest.raises(IntegrityError):
        state.write(work)
    assert (work.calls, names(state)) == (1, [])


def test_work_with_a_bug_is_undone_and_not_tried_again(state):
    work = Work("a", fails=ZeroDivisionError("a bug"))
    with pytest.raises(ZeroDivisionError, match="a bug"):
        state.write(work)
    assert (work.calls, names(state)) == (1, [])


def test_wrong_sql_is_a_bug_and_no_trouble_of_the_database(state):
    with pytest.raises((OperationalError, ProgrammingError)):
        state.write(lambda connection: connection.execute(text("SELECT nothing FROM nowhere")))


def test_foreign_keys_are_kept(state):
    orphan = insert(bookmarks).values(job="nobody's", input="x", kind="keys", run_number=1)
    with pytest.raises(IntegrityError):
        state.write(lambda connection: connection.execute(orphan))


def test_what_reads_sees_one_moment_and_lets_others_write(state):
    def look_twice(connection: Connection) -> list[list[str]]:
        before = list(connection.scalars(select(jobs.c.name)))
        state.write(Work("a"))
        return [before, list(connection.scalars(select(jobs.c.name)))]

    assert state.read(look_twice) == [[], []]
    assert names(state) == ["a"]


def test_who_writes_keeps_other_writers_out_from_the_first_look_on(sqlite_url):
    state, other = open_state(sqlite_url), open_state(sqlite_url, patience=0)

    def look_then_write(connection: Connection) -> None:
        connection.execute(select(jobs)).all()
        with pytest.raises(StateError, match="is locked"):
            other.write(Work("b"))
        connection.execute(insert(jobs).values(name="a", key="k"))

    state.write(look_then_write)
    assert names(state) == ["a"]


def test_threads_write_side_by_side(state):
    threads = [threading.Thread(target=state.write, args=(Work(f"job {n}"),)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert names(state) == [f"job {n}" for n in range(8)]


def test_no_json_is_null(state):
    state.write(Work("a"))
    state.write(
        lambda connection: connection.execute(
            insert(bookmarks).values(job="a", input="x", kind="files", mark=None, schema={"fields": []}, run_number=1)
        )
    )
    row = state.read(
        lambda connection: connection.execute(select(bookmarks.c.mark.is_(None), bookmarks.c.schema)).one()
    )
    assert tuple(row) == (True, {"fields": []})


def test_the_present_is_told_in_utc(state):
    moment = state.read(now)
    assert moment.tzinfo == UTC
    assert abs((datetime.now(UTC) - moment).total_seconds()) < 2


def test_a_lock_of_another_process_is_waited_out(sqlite_url, caplog):
    state = open_state(sqlite_url, patience=60)
    holder = start(LOCK, state.place, 5)
    assert holder.stdout.readline() == "locked\n"
    began = time.monotonic()
    state.write(Work("a"))
    assert time.monotonic() - began > 3
    assert names(state) == ["a"]
    assert [record.getMessage() for record in caplog.records] == [
        f"Waiting up to 60 s for the state database {state.place}: database is locked."
    ]
    holder.wait()


def test_a_lock_that_stays_is_named(sqlite_url):
    state = open_state(sqlite_url, patience=2)
    holder = start(LOCK, state.place, 60)
    assert holder.stdout.readline() == "locked\n"
    with pytest.raises(StateError, match=f"{state.place} cannot be used for 2 s: database is locked. Another process"):
        state.write(Work("a"))
    holder.kill()
    holder.wait()
    state.write(Work("b"))
    assert names(state) == ["b"]


def test_a_row_that_another_machine_keeps_locked_is_waited_for(postgres_url, monkeypatch):
    # Shorter than the lock is held.
    monkeypatch.setattr(connect, "_POSTGRESQL_SETTINGS", "SET lock_timeout = '200ms'")
    state, other = open_state(postgres_url), open_state(postgres_url)
    state.write(Work("a"))
    locked, free = threading.Event(), threading.Event()

    def hold(connection: Connection) -> None:
        connection.execute(select(jobs).with_for_update())
        locked.set()
        free.wait(2)

    holder = threading.Thread(target=other.write, args=(hold,))
    holder.start()
    locked.wait()
    state.write(lambda connection: connection.execute(select(jobs).with_for_update()))
    holder.join()


def test_a_server_that_stops_and_starts_is_waited_for(postgres: PostgresServer, postgres_url):
    state = open_state(postgres_url)
    state.write(Work("a"))
    postgres.stop()
    waiting = threading.Thread(target=state.write, args=(Work("b"),))
    waiting.start()
    time.sleep(2)
    assert waiting.is_alive()
    postgres.start()
    waiting.join(timeout=60)
    assert names(state) == ["a", "b"]


def test_work_that_a_restart_of_the_server_broke_is_done_again_as_a_whole(postgres: PostgresServer, postgres_url):
    state, calls = open_state(postgres_url), []

    def work(connection: Connection) -> None:
        calls.append(len(calls))
        connection.execute(insert(jobs).values(name=f"a{calls[-1]}", key="k"))
        if len(calls) == 1:
            postgres.stop()
            postgres.start()
        connection.execute(insert(jobs).values(name=f"b{calls[-1]}", key="k"))

    state.write(work)
    assert (calls, names(state)) == ([0, 1], ["a1", "b1"])


@pytest.mark.parametrize(
    ("said", "passes"),
    [
        ("connection to server failed: FATAL:  the database system is starting up", True),
        ("connection to server failed: FATAL:  sorry, too many clients already", True),
        ("connection to server failed: FATAL:  remaining connection slots are reserved for roles with SUPERUSER", True),
        ('connection to server failed: FATAL:  database "etl" does not exist', False),
        ('connection to server failed: FATAL:  role "ada" is not permitted to log in', False),
    ],
)
def test_what_a_server_says_to_who_connects_passes_or_not(said, passes):
    assert is_passing(OperationalError(None, None, psycopg.OperationalError(said))) is passes


@pytest.mark.parametrize(
    ("breaks", "calls"),
    [pytest.param("after", 1, id="its answer is lost"), pytest.param("before", 2, id="it is lost itself")],
)
def test_work_is_done_once_though_the_wire_breaks_at_the_commit(postgres: PostgresServer, postgres_url, breaks, calls):
    with breaking_wire(postgres.port, b"COMMIT\0", breaks) as wire:
        state = open_state(postgres_url.replace(f":{postgres.port}/", f":{wire.port}/"))
        work, number = Work(), iter("abc")
        wire.armed = True
        assert state.write(lambda connection: (work(connection), Work(next(number))(connection))[1]) == "done"
        assert (wire.broken, work.calls) == (1, calls)
        assert names(state) == [["a"], ["b"]][calls - 1]
