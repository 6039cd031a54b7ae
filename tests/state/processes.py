"""Real processes that do something with the state database, all from the same moment on."""

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).parents[2]

_CAN_BE_INTERRUPTED = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
"""Who starts the tests in the background may have told them, and so their children, not to listen."""


def start(code: str, *arguments: object, **how) -> subprocess.Popen[str]:
    """Start Python with some code. It sees the arguments as `sys.argv[1:]`; its working folder is not the checkout."""
    return subprocess.Popen(
        [sys.executable, "-c", _CAN_BE_INTERRUPTED + dedent(code), *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": ""} | how.pop("env", {}),
        **how,
    )


def outcome(process: subprocess.Popen[str], *, said: str = "") -> str:
    """Return what a process printed, after it ended well."""
    out, errors = process.communicate(said, timeout=120)
    assert process.returncode == 0, errors
    return out.strip()


_TOGETHER = """
import atexit, os
import alembic.command, psycopg, sqlalchemy.dialects.postgresql.psycopg, sqlalchemy.dialects.sqlite

started, ended = os.pipe(), os.pipe()

def go():
    for _ in range(NUMBER - 1):
        child = os.fork()
        if not child:
            break
        atexit.register(os.waitpid, child, 0)
    meet(started)

def stay():
    meet(ended)

def meet(pipe):
    # Nothing is ever written: reading ends when the last process has come here, and has closed its end.
    os.close(pipe[1])
    os.read(pipe[0], 1)
"""


def all_at_once(number: int, code: str, *arguments: object) -> list[str]:
    """Return the lines that several processes printed, one each.

    The code imports what it needs, then calls `go()`: from there on it runs in all of them, from the same moment on.
    `stay()` waits until all have come to their end.
    """
    lines = outcome(start(_TOGETHER.replace("NUMBER", str(number)) + dedent(code), *arguments)).splitlines()
    assert len(lines) == number, lines
    return lines
