"""A PostgreSQL server of the tests' own: its data in a temporary folder, nothing safe from a power cut, one user."""

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg
from postgres_programs import NoPostgresError, Programs

USER = "ada"
_STARTS_IN = 60
"""Seconds."""

_NOBODY = 65534
"""PostgreSQL refuses to be run by root, so root runs it as nobody."""

_SETTINGS = {
    "fsync": "off",
    "jit": "off",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "60",
}


class PostgresServer:
    """A server on a free port of 127.0.0.1 that asks for a password; it can be stopped and started again."""

    def __init__(self, programs: Programs) -> None:
        self.password = secrets.token_hex(8)
        self.port = _free_port()
        self._place = Path(tempfile.mkdtemp(prefix="birchtar-postgres-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._programs = _reachable(programs, self._place)
        if os.geteuid() == 0:
            os.chown(self._place, _NOBODY, _NOBODY)
        self._make_cluster()

    def start(self) -> None:
        settings = [f"-c{key}={value}" for key, value in (_SETTINGS | {"port": str(self.port)}).items()]
        log = (self._place / "log").open("ab")
        self._process = subprocess.Popen(
            [self._programs.folder / "postgres", "-D", self._place / "data", *settings],
            stderr=log,
            stdout=log,
            **self._how(),
        )
        end = time.monotonic() + _STARTS_IN
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > end:
                raise NoPostgresError(f"PostgreSQL does not start: {(self._place / 'log').read_text()[-1000:]}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Break all connections, and end."""
        if self._process:
            self._process.send_signal(2)
            self._process.wait(_STARTS_IN)
            self._process = None

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self._place, ignore_errors=True)

    def url(self, database: str) -> str:
        return f"postgresql://{USER}:{self.password}@127.0.0.1:{self.port}/{database}"

    def run(self, statement: str, database: str = "postgres") -> list[tuple]:
        """Run a statement outside of transactions, and return its rows."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            done = connection.execute(statement)
            return done.fetchall() if done.description else []

    def _make_cluster(self) -> None:
        asked = self._place / "password"
        asked.write_text(self.password)
        asked.chmod(0o644)
        options = ["--no-sync", "--no-locale", "--encoding=UTF8", "--auth=scram-sha-256", f"--pwfile={asked}"]
        command = [self._programs.folder / "initdb", f"--username={USER}", *options, self._place / "data"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, **self._how())
        if done.returncode:
            raise NoPostgresError(f"PostgreSQL here makes no database: {(done.stderr + done.stdout).strip()[-1000:]}")

    def _answers(self) -> bool:
        try:
            self.run("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def _how(self) -> dict:
        who = {"user": _NOBODY, "group": _NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        return {"env": {**os.environ, **self._programs.environment}, "cwd": self._place, **who}


def _reachable(programs: Programs, place: Path) -> Programs:
    """Return programs that whoever runs the server may enter: a checkout below /root is closed to others."""
    if os.geteuid() != 0 or not programs.environment:
        return programs
    if all(folder.stat().st_mode & 0o005 == 0o005 for folder in programs.folder.parents):
        return programs
    whole = programs.folder.parents[4]
    place.chmod(0o755)
    shutil.copytree(whole, place / "debian", symlinks=True)
    libraries = programs.environment["LD_LIBRARY_PATH"].replace(str(whole), str(place / "debian"))
    return Programs(place / "debian" / programs.folder.relative_to(whole), {"LD_LIBRARY_PATH": libraries})


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
