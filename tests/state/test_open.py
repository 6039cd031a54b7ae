"""Opening the state database: made, brought to the newest version, or refused with a sentence."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from postgres_server import PostgresServer
from processes import all_at_once, outcome, start
from sqlalchemy import delete, insert, inspect, select, text

from birchtar.runner.submit import packages_zip
from birchtar.state import migrations
from birchtar.state.connect import WRITES, connect, state_url
from birchtar.state.database import StateError, open_state
from birchtar.state.tables import bookmark_files, bookmarks, jobs, metadata, quarantine, run_files

OPEN_AND_LOOK = """
    import sys
    from birchtar.state.database import open_state
    from birchtar.state.tables import jobs
    state = open_state(sys.argv[1])
    found = state.read(lambda connection: connection.execute(jobs.select()).all())
    print(found, "alembic" in sys.modules, flush=True)
"""


def test_without_a_word_it_is_in_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.delenv("BIRCHTAR_STATE_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    assert open_state().place == f"{tmp_path}/.birchtar/state.db"
    assert (tmp_path / ".birchtar/state.db").is_file()


def test_a_variable_says_where_it_is(tmp_path, monkeypatch):
    monkeypatch.setenv("BIRCHTAR_STATE_URL", f"sqlite:///{tmp_path}/elsewhere.db")
    assert open_state().place == f"{tmp_path}/elsewhere.db"


def test_a_change_of_the_folder_does_not_move_it(tmp_path, monkeypatch):
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path)
    state = open_state("sqlite:///state.db")
    monkeypatch.chdir(tmp_path / "other")
    state.engine.dispose()
    state.write(lambda connection: connection.execute(insert(jobs).values(name="flights", key="k")))
    assert sqlite3.connect(tmp_path / "state.db").execute("SELECT name FROM jobs").fetchall() == [("flights",)]


def test_what_was_written_is_there_when_it_is_opened_again(url):
    open_state(url).write(lambda connection: connection.execute(insert(jobs).values(name="flights", key="k")))
    assert open_state(url).read(lambda connection: connection.scalars(select(jobs.c.name)).all()) == ["flights"]


def test_the_migrations_make_the_tables_of_the_code(state):
    def differences(connection):
        return compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata)

    assert state.read(differences) == []


def made_by_an_earlier_program(url: str, revision: str, *rows: str) -> None:
    """Make a database as it was in a revision, with rows."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    engine = connect(state_url(url))
    with engine.connect().execution_options(**{WRITES: True}) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        for row in rows:
            connection.execute(text(row))
        connection.commit()
    engine.dispose()


def test_a_database_of_an_earlier_program_keeps_its_rows(url):
    made_by_an_earlier_program(
        url,
        "0002",
        "INSERT INTO jobs VALUES ('job', 'k')",
        "INSERT INTO runs (id, job, number, state, attempt, kind, started_at)"
        " VALUES (7, 'job', 1, 'RUNNING', 1, 'run', '2024-01-31 00:00:00')",
        "INSERT INTO run_files VALUES (7, 'days', 'file:/a', 3, 5)",
        "INSERT INTO bookmarks (id, job, input, kind, run_number) VALUES (4, 'job', 'days', 'files', 1)",
        "INSERT INTO bookmark_files VALUES (4, 'file:/a', 9, 3, 5, 1), (4, 'file:/b', 2, 4, 6, 1)",
        'INSERT INTO quarantine (run_id, job, "table", step, rule, code, "rows", resolved, path)'
        " VALUES (7, 'job', 'sales', 'read', '', 'CAST', 5, 2, 'data/quarantine/job')",
    )
    state = open_state(url)

    def kept(connection):
        tables = (run_files, bookmark_files, quarantine)
        return [list(map(tuple, connection.execute(select(table)))) for table in tables]

    assert state.read(kept) == [
        [(7, "days", "file:/a", 3, 5)],
        [(4, "file:/a", 9, 3, 5, 1), (4, "file:/b", 2, 4, 6, 1)],
        [(1, 7, "job", "sales", "read", "", "CAST", 5, 2, "data/quarantine/job")],
    ]

    def keys(connection):
        there = inspect(connection)
        return [there.get_pk_constraint(name)["constrained_columns"] for name in ("run_files", "bookmark_files")]

    assert state.read(keys) == [[], []]
    assert state.read(lambda connection: compare_metadata(MigrationContext.configure(connection), metadata)) == []
    state.write(lambda connection: connection.execute(delete(bookmarks)))
    assert state.read(kept)[1] == []
    more = {"run_id": 7, "job": "job", "table": "t", "step": "s", "rule": "", "code": "c", "path": "p"}
    state.write(lambda connection: connection.execute(insert(quarantine).values(**more, rows=1, resolved=0)))
    assert [row[0] for row in state.read(kept)[2]] == [1, 2]
    state.engine.dispose()


def test_the_revisions_are_those_of_the_files():
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    files = ScriptDirectory.from_config(config).walk_revisions()
    assert [script.revision for script in files] == list(reversed(migrations.REVISIONS))


def test_eight_processes_open_a_new_database_at_once(url):
    said = all_at_once(8, OPEN_AND_LOOK.replace("    state =", "    go()\n    state ="), url)
    assert {line.split()[0] for line in said} == {"[]"}


def test_one_of_the_newest_version_is_opened_without_alembic(url):
    open_state(url)
    assert outcome(start(OPEN_AND_LOOK, url)) == "[] False"


def test_a_database_of_a_newer_program_is_refused(state, url):
    state.write(lambda connection: connection.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    with pytest.raises(
        StateError, match=r"has the version 9999, which .* does not know \(it knows 0001, 0002, 0003\).*newer"
    ):
        open_state(url)


def test_it_is_made_also_by_a_program_that_travels_in_a_zip(tmp_path, monkeypatch, sqlite_url):
    monkeypatch.setenv("BIRCHTAR_HOME", str(tmp_path))
    process = start(
        "    import birchtar\n    print(birchtar.__file__)" + OPEN_AND_LOOK,
        sqlite_url,
        cwd=tmp_path,
        env={"PYTHONPATH": str(packages_zip())},
    )
    assert outcome(process).splitlines() == [f"{tmp_path}/submit/birchtar.zip/birchtar/__init__.py", "[] True"]


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(
        StateError, match=f"{tmp_path}/no/state.db cannot be made: there is no folder {tmp_path}/no. Make"
    ):
        open_state(f"sqlite:///{tmp_path}/no/state.db")


@pytest.fixture
def closed() -> Iterator[Path]:
    """A folder that everybody may enter and nobody may write to; pytest's own are closed to others."""
    with TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        place = Path(name, "closed")
        place.mkdir()
        yield place
        place.chmod(0o755)


@pytest.mark.parametrize("exists", [True, False], ids=["the file is there", "the file is not there"])
def test_a_place_that_cannot_be_written_is_refused(closed, exists):
    if exists:
        open_state(f"sqlite:///{closed}/state.db").engine.dispose()
        (closed / "state.db").chmod(0o444)
    closed.chmod(0o555)
    # Root may write anywhere, so the process becomes nobody, when all is loaded.
    code = """
        import os, sys, sqlalchemy.dialects.sqlite
        from birchtar.state.database import StateError, open_state
        if os.geteuid() == 0:
            os.setgroups([]), os.setgid(65534), os.setuid(65534)
        try:
            state = open_state(sys.argv[1], patience=3)
            state.write(lambda connection: connection.exec_driver_sql("INSERT INTO jobs VALUES ('a', 'k')"))
        except StateError as error:
            print(error)
    """
    said = outcome(start(code, f"sqlite:///{closed}/state.db"))
    assert f"The state database {closed}/state.db cannot be used" in said
    assert "Make the file and its folder writable, or name another place in BIRCHTAR_STATE_URL." in said


def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(tmp_path):
    (tmp_path / "state.db").write_text("a diary, not a database, and quite long enough to be one\n" * 20)
    with pytest.raises(StateError, match=f"{tmp_path}/state.db cannot be used: file is not a database. Restore a copy"):
        open_state(f"sqlite:///{tmp_path}/state.db")
    assert (tmp_path / "state.db").read_text().startswith("a diary")


def test_a_damaged_database_is_refused(tmp_path):
    place = tmp_path / "state.db"
    open_state(f"sqlite:///{place}").engine.dispose()
    whole = place.read_bytes()
    place.write_bytes(whole[:100] + b"\xff" * (len(whole) - 100))
    with pytest.raises(StateError, match="malformed. Restore a copy of it, or move it away"):
        open_state(f"sqlite:///{place}")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        pytest.param({"password": "wr0ng"}, "Check user and password", id="wrong password"),
        pytest.param({"password": None}, "Check user and password", id="no password"),
        pytest.param({"user": "bob"}, "Check user and password", id="unknown user"),
        pytest.param({"host": "nowhere.invalid"}, "Check the host's name", id="unknown host"),
        pytest.param({"database": "nothing"}, "Make it with `createdb`", id="unknown database"),
        pytest.param({"query": "?sslmood=no"}, "Check what follows `?`", id="unknown option"),
    ],
)
def test_what_a_server_refuses_is_said_at_once_without_the_password(postgres: PostgresServer, change, says):
    parts = {"user": "ada", "password": postgres.password, "host": "127.0.0.1", "database": "postgres", "query": ""}
    parts |= change
    secret = f":{parts['password']}" if parts["password"] else ""
    url = f"postgresql://{parts['user']}{secret}@{parts['host']}:{postgres.port}/{parts['database']}{parts['query']}"
    with pytest.raises(StateError) as caught:
        open_state(url, patience=600)
    said = str(caught.value)
    assert f"{parts['host']}:{postgres.port}/{parts['database']} cannot be used: " in said
    assert says in said
    assert postgres.password not in said
    assert "wr0ng" not in said


def test_a_server_that_does_not_run_is_waited_for_and_then_named(caplog):
    with pytest.raises(StateError, match=r"ada:\*\*\*@127.0.0.1:1/etl cannot be used for 6 s: .*refused.*server runs"):
        open_state("postgresql://ada:secret@127.0.0.1:1/etl", patience=6)
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == [
        "Waiting up to 6 s for the state database postgresql"
    ]


def test_a_user_who_may_not_make_tables_is_told_so(postgres: PostgresServer, postgres_url):
    postgres.run(
        "CREATE ROLE cy LOGIN PASSWORD 'pw'; REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        postgres_url.rpartition("/")[2],
    )
    with pytest.raises(StateError, match="permission denied for schema public.* GRANT this user what it lacks"):
        open_state(postgres_url.replace("ada", "cy").replace(postgres.password, "pw"))


@pytest.mark.parametrize(
    ("url", "says"),
    [
        pytest.param("/data/state.db", "is not the URL of a database. Write sqlite:////", id="a path"),
        pytest.param("mysql://h/d", "cannot be kept in `mysql`. Write sqlite:////", id="another database"),
        pytest.param("sqlite://", "needs a database in a file", id="memory"),
        pytest.param("sqlite:///:memory:", "needs a database in a file", id="memory by name"),
        pytest.param("postgresql://u:s3cret@h:x/d", "is not the URL of a database", id="a port that is no number"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused(url, says):
    with pytest.raises(StateError) as caught:
        open_state(url)
    assert says in str(caught.value)
    assert "s3cret" not in str(caught.value)
