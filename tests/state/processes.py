"""Real processes that do something with the state database, all from the same moment on."""

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).parents[2]


def start(code: str, *arguments: object, **how) -> subprocess.Popen[str]:
    """Start Python with some code. It sees the arguments as `sys.argv[1:]`; its working folder is not the checkout."""
    return subprocess.Popen(
        [sys.executable, "-c", dedent(code), *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)} | how.pop("env", {}),
        **how,
    )


def outcome(process: subprocess.Popen[str], *, said: str = "") -> str:
    """Return what a process printed, after it ended well."""
    out, errors = process.communicate(said, timeout=120)
    assert process.returncode == 0, errors
    return out.strip()


def all_at_once(number: int, code: str, *arguments: object) -> list[str]:
    """Return what each of several processes printed that began `code` together, when all had loaded what they import.

    The code calls `go()` where they shall wait for each other.
    """
    wait = "def go():\n    print('ready', flush=True)\n    input()\n"
    processes = [start(wait + dedent(code), *arguments) for _ in range(number)]
    for process in processes:
        assert process.stdout.readline() == "ready\n", process.communicate()
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    return [outcome(process) for process in processes]
