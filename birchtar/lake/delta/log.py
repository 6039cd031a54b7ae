"""A table's log, read through Delta's own classes: what costs no scan, no history and no Spark job over rows."""

import json
from typing import Any
from urllib.parse import unquote

from pyspark.sql import SparkSession

from birchtar.lake.label import Label


class Log:
    """The log of one Delta table, whether the table is there yet or not."""

    def __init__(self, spark: SparkSession, path: str) -> None:
        self.spark = spark
        self.path = path
        jvm: Any = spark._jvm
        self.jvm = jvm
        self.session: Any = spark._jsparkSession
        # A thread that has done nothing by Spark yet has no session, which Delta needs to look into a checkpoint.
        sessions = jvm.org.apache.spark.sql.classic.SparkSession
        if sessions.getActiveSession().isEmpty():
            sessions.setActiveSession(self.session)
        self.delta = jvm.org.apache.spark.sql.delta
        self.java = self.delta.DeltaLog.forTable(self.session, path)

    def none(self) -> Any:
        """Return Scala's None."""
        return self.jvm.scala.Option.empty()

    def snapshot(self) -> Any:
        """Return the newest snapshot: one listing of the log's folder."""
        return self.java.update(False, self.none(), self.none())

    def version(self) -> int:
        """Return the table's newest version; -1 where there is no table."""
        return int(self.snapshot().version())

    def has_published(self, label: Label) -> bool:
        """Return whether this write, or a later one of its app, is in the table."""
        last = self._last_of(label.app)
        return last is not None and last >= label.version

    def _last_of(self, app: str) -> int | None:
        """Return the last write of an app. Starts a Spark job only if the version's checksum does not list the apps."""
        snapshot = self.snapshot()
        checksum = snapshot.checksumOpt()
        listed = checksum.get().setTransactions() if checksum.isDefined() else self.none()
        if listed.isDefined():
            apps = listed.get()
            return next(
                (int(each.version()) for each in map(apps.apply, range(apps.size())) if each.appId() == app), None
            )
        last = snapshot.transactions().get(app)
        return int(last.get()) if last.isDefined() else None

    def properties(self) -> dict[str, str]:
        """Return the table's properties."""
        listed = json.loads(self.snapshot().metadata().json())["metaData"]["configuration"]
        return dict(listed)

    def constraints(self) -> list[str]:
        """Return the conditions of the table's CHECK constraints, as SQL."""
        return [said for key, said in sorted(self.properties().items()) if key.startswith("delta.constraints.")]

    def partition_columns(self) -> list[str]:
        """Return the columns that are folders, outermost first."""
        return list(json.loads(self.snapshot().metadata().json())["metaData"]["partitionColumns"])

    def schema(self) -> dict[str, Any]:
        """Return the table's schema, as Spark writes it in JSON."""
        return dict(json.loads(self.snapshot().schema().json()))

    def commit(self, version: int) -> list[dict[str, Any]]:
        """Return the actions of one commit, as the log's file has them."""
        lines = self.java.store().read(self._file(version), self.java.newDeltaHadoopConf()).mkString("\n")
        return [json.loads(line) for line in lines.splitlines() if line]

    def committed_files(self, *, after: int) -> set[str] | None:
        """Return the data files that commits after a version have added; None where the log holds no longer all."""
        versions = range(after + 1, self.version() + 1)
        if versions and not self._holds(versions[0]):
            return None
        actions = (action for version in versions for action in self.commit(version))
        return {unquote(action["add"]["path"]) for action in actions if "add" in action}

    def is_clustered(self) -> bool:
        """Return whether the table's rows are kept clustered by some columns."""
        table = self.jvm.org.apache.spark.sql.delta.skipping.clustering.ClusteredTableUtils
        return bool(table.getClusterBySpecOptional(self.snapshot()).isDefined())

    def _file(self, version: int) -> Any:
        return self.jvm.org.apache.hadoop.fs.Path(self.java.logPath(), f"{version:020d}.json")

    def _holds(self, version: int) -> bool:
        file = self._file(version)
        return bool(file.getFileSystem(self.java.newDeltaHadoopConf()).exists(file))

    def commit_of(self, label: Label, after: int) -> tuple[int, list[dict[str, Any]]] | None:
        """Return the version and the actions of the commit that published a write, if it came after a version."""
        for version in range(self.version(), after, -1):
            actions = self.commit(version)
            if {"appId": label.app, "version": label.version}.items() <= _transaction(actions).items():
                return version, actions
        return None


def _transaction(actions: list[dict[str, Any]]) -> dict[str, Any]:
    return next((action["txn"] for action in actions if "txn" in action), {})


def holds_plain_parquet(log: Log) -> bool:
    """Return whether data files of the table, read as Parquet, give the very rows that were written to them."""
    properties = {key.lower(): value.lower() for key, value in log.properties().items()}
    if properties.get("delta.columnmapping.mode", "none") != "none":
        return False
    return not any("delta.identity.start" in field["metadata"] for field in log.schema()["fields"])
