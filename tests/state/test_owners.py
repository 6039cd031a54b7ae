"""Whether a process still works on its run."""

import json
import os
import signal
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psutil
import pytest
from processes import start

from birchtar.state.owners import Owner, is_alive, this_process

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ENDED, RUNS = NOW - timedelta(hours=1), NOW + timedelta(seconds=1)

SAY_WHO = """
    import json, time
    from dataclasses import asdict
    from birchtar.state.owners import this_process
    print(json.dumps(asdict(this_process())), flush=True)
    time.sleep(120)
"""


@pytest.fixture
def other():
    """Another process of this machine, and the owner that it says it is."""
    process = start(SAY_WHO)
    yield process, Owner(**json.loads(process.stdout.readline()))
    process.kill()
    process.communicate()


def test_a_process_says_always_the_same_of_itself():
    assert this_process() == this_process()
    assert this_process().pid == os.getpid()


def test_a_process_of_this_machine_lives_however_old_its_lease_is(other):
    assert is_alive(other[1], ENDED, now=NOW)


def test_a_stopped_process_lives(other):
    other[0].send_signal(signal.SIGSTOP)
    assert is_alive(other[1], ENDED, now=NOW)


def test_a_killed_process_is_dead_at_once_though_its_lease_runs(other):
    process, owner = other
    process.kill()
    process.wait()
    assert not is_alive(owner, RUNS, now=NOW)


def test_a_killed_process_is_dead_though_its_parent_has_not_noticed(other):
    process, owner = other
    process.kill()
    end = time.monotonic() + 10
    while is_alive(owner, RUNS, now=NOW) and time.monotonic() < end:
        time.sleep(0.01)
    assert psutil.Process(owner.pid).status() == psutil.STATUS_ZOMBIE
    assert not is_alive(owner, RUNS, now=NOW)


def test_a_later_process_with_the_same_number_is_another(other):
    assert not is_alive(replace(other[1], started=other[1].started - 60), RUNS, now=NOW)


@pytest.mark.parametrize("elsewhere", [{"host": "elsewhere"}, {"boot": "another boot"}])
def test_a_process_that_cannot_be_looked_at_lives_as_long_as_its_lease(other, elsewhere):
    owner = replace(other[1], **elsewhere)
    assert is_alive(owner, RUNS, now=NOW)
    assert not is_alive(owner, NOW, now=NOW)


def test_of_its_own_a_process_owns_what_it_renews():
    assert is_alive(this_process(), RUNS, now=NOW)
    assert not is_alive(this_process(), ENDED, now=NOW)


def test_a_forked_process_is_another():
    reading, writing = os.pipe()
    this_process()
    child = os.fork()
    if not child:
        os.write(writing, str(this_process().pid).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert int(os.read(reading, 100)) == child
