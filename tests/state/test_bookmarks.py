"""The bookmark of an input, made by the first run that reads it."""

import threading
import time

import pytest

from birchtar.state.bookmarks import bookmark_in, bookmark_of, find_bookmark
from birchtar.state.errors import LostRunError
from birchtar.state.runs import begin, lock_job, release


def test_a_run_and_a_user_may_make_the_first_bookmark_of_an_input_at_once(state):
    run, is_made, by_user = begin(state, "job"), threading.Event(), []

    def work(connection):
        lock_job(connection, "job")
        by_user[:] = [bookmark_in(connection, "job", "days", "files")]
        is_made.set()
        time.sleep(1)  # for the run to ask, before this is committed

    user = threading.Thread(target=lambda: state.write(work))
    user.start()
    assert is_made.wait(30)
    found = state.write(lambda connection: bookmark_of(connection, run, "days", "files"))
    user.join(30)
    assert [found] == by_user


def test_who_has_lost_a_run_makes_no_bookmark(state):
    run = begin(state, "job")
    release(state, run)
    begin(state, "job")
    with pytest.raises(LostRunError, match="was taken over"):
        state.write(lambda connection: bookmark_of(connection, run, "days", "files"))
    assert state.read(lambda connection: find_bookmark(connection, "job", "days")) is None
