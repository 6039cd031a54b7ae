"""A process is killed before each statement and each commit of a run, and the next one finds all whole and ends it."""

import json

import pytest
from processes import outcome, start

# The processes are forked from one that holds no connection: a start of Python for each would take minutes.
VICTIMS = """
    import itertools, json, os, psycopg, sys, sqlalchemy.dialects.postgresql.psycopg, sqlalchemy.dialects.sqlite
    from sqlalchemy import event, func, insert, select
    from birchtar.state.database import open_state
    from birchtar.state.intents import RunFile, RunInput, intent, record_intent
    from birchtar.state.publishing import RunOutput, mark_published, outputs_of, prepare, succeed
    from birchtar.state.runs import PREPARED, begin
    from birchtar.state.tables import bookmarks, run_files, run_inputs, runs

    URL = sys.argv[1]
    FILES = tuple(RunFile(name, 1, 2) for name in "ab")

    def work(state, job):
        run = begin(state, job, when_busy="fail")
        if run.state != PREPARED:
            record_intent(state, run, [RunInput("i", "files", files=FILES), RunInput("j", "keys", until=9)])
            prepare(state, run, [RunOutput(name, name, "csv", {"plan": 1}) for name in "xy"], report={"rows": 2})
        for output in outputs_of(state, run):
            if not output.published_at:
                mark_published(state, run, output.output)
        mark = {"job": job, "input": "i", "kind": "files", "run_number": run.number}
        succeed(state, run, None, lambda connection: connection.execute(insert(bookmarks).values(mark)))

    def killed_at(number, job):
        state, steps = open_state(URL), itertools.count(1)
        def step(*_):
            if next(steps) == number:
                os.kill(os.getpid(), 9)
        event.listen(state.engine, "before_cursor_execute", step)
        event.listen(state.engine, "commit", step)
        work(state, job)

    def look(state, job):
        def rows(connection):
            found = connection.execute(select(runs).where(runs.c.job == job)).all()
            count = lambda table: connection.scalar(
                select(func.count()).select_from(table).where(table.c.run_id == found[0].id)) if found else 0
            marks = connection.scalar(select(func.count()).select_from(bookmarks).where(bookmarks.c.job == job))
            outputs = outputs_of(state, found[0]) if found else []
            return {
                "runs": [[run.number, run.state, run.attempt, run.report] for run in found],
                "inputs": count(run_inputs),
                "files": count(run_files),
                "outputs": len(outputs),
                "published": sum(output.published_at is not None for output in outputs),
                "bookmarks": marks,
            }
        return state.read(rows)

    def forked(task):
        child = os.fork()
        if not child:
            try:
                task()
            except BaseException as error:
                print(repr(error), file=sys.stderr, flush=True)
                os._exit(1)
            os._exit(0)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def finished(job):
        state = open_state(URL)
        before = look(state, job)
        if before["runs"] == [] or before["runs"][0][1] != "SUCCEEDED":
            work(state, job)
        print(json.dumps([before, look(state, job)]), flush=True)

    for number in itertools.count(1):
        code = forked(lambda: killed_at(number, f"job {number}"))
        assert code in (0, -9), code
        assert forked(lambda: finished(f"job {number}")) == 0
        if code == 0:
            break
"""

DONE = {"inputs": 2, "files": 0, "outputs": 2, "published": 2, "bookmarks": 1}
NOT_PUBLISHED = {"published": 0, "bookmarks": 0}
WHOLE = [
    {"runs": [], "inputs": 0, "files": 0, "outputs": 0} | NOT_PUBLISHED,
    {"runs": [[1, "RUNNING", 1, None]], "inputs": 0, "files": 0, "outputs": 0} | NOT_PUBLISHED,
    {"runs": [[1, "RUNNING", 1, None]], "inputs": 2, "files": 2, "outputs": 0} | NOT_PUBLISHED,
    *(
        {
            "runs": [[1, "PREPARED", 1, {"rows": 2}]],
            "inputs": 2,
            "files": 2,
            "outputs": 2,
            "published": n,
            "bookmarks": 0,
        }
        for n in (0, 1, 2)
    ),
    {"runs": [[1, "SUCCEEDED", 1, {"rows": 2}]]} | DONE,
]
"""All that may be found after a kill, in the order in which a run comes through it."""


@pytest.mark.usefixtures("state")
def test_a_run_killed_anywhere_is_whole_and_is_finished_once(url):
    *found, untouched = [json.loads(line) for line in outcome(start(VICTIMS, url)).splitlines()]
    assert untouched == [WHOLE[-1], WHOLE[-1]]
    places = [WHOLE.index(after_kill) for after_kill, _ in found]
    assert places == sorted(places)
    assert set(places) == set(range(len(WHOLE) - 1)), "nothing follows the commit that ends the run"
    for place, (_, after_all) in zip(places, found, strict=True):
        # Who was killed before its first commit has left nothing to take over.
        assert after_all == {"runs": [[1, "SUCCEEDED", 1 if place == 0 else 2, {"rows": 2}]]} | DONE
