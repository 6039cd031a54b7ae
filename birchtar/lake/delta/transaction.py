"""A Delta transaction that writes its files now and commits them later, or never.

Spark's `df.write.format("delta").save()` does both in one call of Delta's `WriteIntoDelta`. Here its two halves are
called by themselves, so every rule of Delta holds as it would there: constraints, generated columns, conflicts.
"""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from pyspark.sql import DataFrame

from birchtar.lake.delta.dead_files import delete_empty
from birchtar.lake.delta.lock import committing
from birchtar.lake.delta.log import Log
from birchtar.lake.delta.plan import StagedFile
from birchtar.lake.label import Label
from birchtar.lake.sink import COMPRESSION_NAMES, DEFAULT_COMPRESSION, Sink


@dataclass(frozen=True)
class Pending:
    """Files that are written, and the transaction that would make them part of the table."""

    log: Log
    transaction: Any
    data: Any
    operation: Any
    files: list[StagedFile]
    changes: bool
    """Whether a commit would change rows, or columns, or make the table."""

    def commit(self) -> int | None:
        """Commit, if there is something to change, and return the new version.

        Raises:
            Exception: Another commit came in between and does not go with this one; see `is_conflict`.
        """
        if not self.changes:
            return None
        with committing(self.log.path):
            made = self.transaction.commitIfNeeded(self.data.actions(), self.operation, self.data.stringTags())
        return int(made.get()) if made.isDefined() else None


def write_uncommitted(df: DataFrame, sink: Sink, path: str, label: Label) -> Pending:
    """Write the rows of a frame to data files of the table. Starts the Spark jobs that compute the frame.

    While it runs, what the frame reads of the same table is read in the transaction, as Delta itself does it.
    """
    log = Log(df.sparkSession, path)
    transaction = log.java.startTransaction()
    # Having read the label, the transaction conflicts with any other that commits it first. To read it by `txnVersion`
    # would start Spark jobs over the log.
    transaction.readTxn().addOne(label.app)
    options = _options(df, sink, label)
    command = _command(df, sink, log, options)
    active = getattr(getattr(log.delta, "OptimisticTransaction$"), "MODULE$")
    active.setActive(transaction)
    try:
        data = command.writeAndReturnCommitData(transaction, log.session, log.none(), False)
    finally:
        active.clearActive()
    files, touches = _files(data.actions())
    if not files:
        delete_empty(log, label, _added(data.actions()) if sink.replace_where else ())
    changes = touches or bool(transaction.newMetadata().isDefined())
    return Pending(log, transaction, data, _operation(log, command, options), files, changes)


def _options(df: DataFrame, sink: Sink, label: Label) -> dict[str, str]:
    compression = sink.compression or DEFAULT_COMPRESSION["delta"]
    options = {"compression": COMPRESSION_NAMES["delta"][compression]}
    options |= {
        key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in sink.options.items()
    }
    if sink.replace_where is not None:
        options["replaceWhere"] = sink.replace_where
    elif sink.mode == "overwrite_partitions":
        options["partitionOverwriteMode"] = "dynamic"
    elif sink.mode == "overwrite":
        options["overwriteSchema"] = "true"
    elif sink.schema_changes in ("evolve", "widen", "rescue"):
        options["mergeSchema"] = "true"
    return options | {"txnAppId": label.app, "txnVersion": str(label.version)}


def _command(df: DataFrame, sink: Sink, log: Log, options: dict[str, str]) -> Any:
    mode = log.jvm.org.apache.spark.sql.SaveMode.valueOf("Append" if sink.mode == "append" else "Overwrite")
    parsed = log.delta.DeltaOptions(_scala_map(log, options), log.session.sessionState().conf())
    properties = {key: value for key, value in options.items() if key.startswith("delta.")}
    return log.delta.commands.WriteIntoDelta(
        log.java,
        mode,
        parsed,
        _scala_list(log, sink.partition_by),
        _scala_map(log, properties),
        df._jdf,
        log.none(),
        log.none(),
        False,
    )


def _operation(log: Log, command: Any, options: dict[str, str]) -> Any:
    """Return what the table's history shall say; the same as `df.write` would."""
    given = command.options()
    some = log.jvm.scala.Option.apply
    return getattr(log.delta, "DeltaOperations$Write")(
        command.mode(),
        some(command.partitionColumns()),
        given.replaceWhere(),
        given.userMetadata(),
        some(True) if "partitionOverwriteMode" in options else log.none(),
        some(True) if "overwriteSchema" in options else log.none(),
        some(True) if "mergeSchema" in options else log.none(),
        given.replaceOn(),
        given.replaceUsing(),
    )


def _files(actions: Any) -> tuple[list[StagedFile], bool]:
    """Return the files that hold the frame's rows, and whether any file comes or goes.

    They come first. Behind them is what `replaceWhere` removes, and copies of its files without the replaced rows.
    """
    files: list[StagedFile] = []
    touches = False
    iterator = actions.iterator()
    while iterator.hasNext():
        action = json.loads(iterator.next().json())
        if "remove" in action:
            return files, True
        if "add" in action and "deletionVector" not in action["add"]:
            files.append(_staged_file(action["add"]))
        touches = touches or "add" in action
    return files, touches


def _added(actions: Any) -> set[str]:
    """Return the names of all files that come, copies without the replaced rows too."""
    iterator, names = actions.iterator(), set()
    while iterator.hasNext():
        action = json.loads(iterator.next().json())
        if "add" in action:
            names.add(unquote(action["add"]["path"]).rpartition("/")[2])
    return names


def _staged_file(add: dict[str, Any]) -> StagedFile:
    # A session may have Delta's statistics off; then the rows are known only to whoever counts the frame.
    rows = int(json.loads(add.get("stats") or "{}").get("numRecords", 0))
    return {"path": unquote(add["path"]), "partition": add["partitionValues"], "rows": rows, "bytes": int(add["size"])}


def _scala_list(log: Log, items: list[str]) -> Any:
    listed = log.jvm.java.util.ArrayList()
    for item in items:
        listed.add(item)
    return log.jvm.scala.jdk.javaapi.CollectionConverters.asScala(listed).toSeq()


def _scala_map(log: Log, items: dict[str, str]) -> Any:
    made = log.jvm.scala.collection.immutable.HashMap()
    for key, value in items.items():
        made = made.updated(key, value)
    return made
