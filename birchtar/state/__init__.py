"""What is remembered from run to run: one database, which several processes use at once. Knows no Spark.

The life of a run, told without the work that is done between the lines:

    >>> from tempfile import TemporaryDirectory
    >>> from birchtar.state.database import open_state
    >>> from birchtar.state.heartbeat import Heartbeat
    >>> from birchtar.state.intents import RunFile, RunInput, record_intent
    >>> from birchtar.state.publishing import RunOutput, mark_published, outputs_of, prepare, succeed
    >>> from birchtar.state.runs import PREPARED, begin
    >>> folder = TemporaryDirectory()
    >>> state = open_state(f"sqlite:///{folder.name}/state.db")
    >>> run = begin(state, "flights")
    >>> with Heartbeat(state, run):
    ...     if run.state != PREPARED:  # as it is where it was taken over from a process that died late
    ...         record_intent(state, run, [RunInput("flights", "files", files=(RunFile("flights.csv", 99, 0),))])
    ...         prepare(state, run, [RunOutput("flown", "data/flown", "parquet", plan={})], report={"rows": 7})
    ...     for output in outputs_of(state, run):
    ...         if not output.published_at:
    ...             mark_published(state, run, output.output)
    ...     succeed(state, run, None, also=lambda connection: None)
    >>> begin(state, "flights").number
    2
"""
