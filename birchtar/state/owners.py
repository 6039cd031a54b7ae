"""Who works on a run, and whether that process still lives."""

import os
import socket
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

import psutil

_SAME_START = 2
"""Seconds by which two looks at one process's start may differ. No system gives a number out again so soon."""


@dataclass(frozen=True)
class Owner:
    """A process, so that no later one can be taken for it."""

    host: str
    boot: str
    """The boot of this machine and, in a container, its space of process numbers: where `pid` means something."""
    pid: int
    started: float
    """Seconds from the boot to the start of the process; unlike a time of day no clock that is set changes it."""

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


@cache
def _of_pid(pid: int) -> Owner:
    return Owner(socket.gethostname(), _boot(), pid, _started(psutil.Process(pid)))


def this_process() -> Owner:
    """Return the process that asks; a forked one gets its own."""
    return _of_pid(os.getpid())


def is_alive(owner: Owner, lease_until: datetime, *, now: datetime) -> bool:
    """Whether a process still works on what it owns.

    A process of this machine is looked at: it is dead at once when it has ended, also where its number was given to
    another since, and it lives however long it is stopped. One that cannot be looked at lives until its lease ends; so
    does our own, for what we have dropped ourselves without saying so must not keep us waiting for ever.

    Args:
        owner: The process.
        lease_until: Until when it said it would work, at the least.
        now: The present, by the clock that leases go by (`birchtar.state.database.now`).
    """
    here = this_process()
    if owner == here or (owner.host, owner.boot) != (here.host, here.boot):
        return lease_until > now
    if not psutil.pid_exists(owner.pid):
        return False
    try:
        process = psutil.Process(owner.pid)
        # A zombie has ended; it only waits, perhaps for ever, for its parent to notice.
        return abs(_started(process) - owner.started) < _SAME_START and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        # It is there, but we may not see it: systems can hide the processes of other users.
        return lease_until > now


def _started(process: psutil.Process) -> float:
    return round(process.create_time() - psutil.boot_time(), 2)


def _boot() -> str:
    """Return what changes with every boot, and between containers that may share a host's name."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return f"{psutil.boot_time():.0f}"
