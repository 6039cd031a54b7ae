"""From a plan to frames: inputs are read, steps applied, rejected rows set apart. Nothing is written here."""

import re
import uuid
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame, Observation, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import BooleanType, NullType

from birchtar.lake.files import FileSystem
from birchtar.lake.listing import require_all_read
from birchtar.lake.observed import is_known_empty, observed_nothing
from birchtar.lake.read import read
from birchtar.lake.source import Source
from birchtar.lake.statistics import null_fields
from birchtar.runner.conflicts import read_settled, without_examples
from birchtar.runner.damaged import Found, read_around
from birchtar.runner.failures import JobError, sentence
from birchtar.runner.hidden import Paths, missing_in
from birchtar.runner.located import located
from birchtar.runner.pending import Pending, new_of
from birchtar.runner.plan import FunctionStep, Plan, PlannedTable, QueryStep
from birchtar.runner.problems import Place
from birchtar.runner.quarantine_row import quarantine_row
from birchtar.runner.queries import rename_tables
from birchtar.runner.replayed import READ, RULES, Replayed, entering, labels, read_replayed
from birchtar.runner.rules import ON_TABLES, CheckedTable, PlannedRule, checked
from birchtar.runner.rules import RULES as RULE_KINDS
from birchtar.runner.sensitive import sensitive_fields
from birchtar.runner.steps import (
    FUNCTION_NAME,
    KNOWN_NULLS,
    find_function,
    function_parameters,
    makes_several_tables,
    may_peek,
    table_parameters,
    takes_known_nulls,
    takes_staging,
)
from transforms.choices.count_choices import Conflict
from transforms.core.columns import unused_name
from transforms.errors import say_known
from transforms.paths import parse_paths
from transforms.rejects import ERROR_COLUMN, accepted, has_rejects

Frames = dict[str, DataFrame]

_COUNTED_WHILE_READ = ("avro", "csv", "jdbc", "json", "xml")
"""Formats whose rows are counted as they are read. The others keep their counts in footers or logs, and counting
while reading would keep Spark from passing over what a filter does not want."""


MOST_REJECTS, LONGEST_RECORD = 50_000, 10_000
"""So many rejected rows of one step come with their count, of records up to so many characters. Where that is not
enough, all rejected rows of the step are computed once more: what a driver has to hold is bounded."""

_SHARE = 16
"""The part of the driver's memory that these may take is one in so many."""


@dataclass(frozen=True)
class Rejects:
    """The rows that one input or step could not handle."""

    table: str
    step: str
    df: DataFrame
    """All rows, in ``_error`` those that were rejected, as the quarantine has them."""
    counted: Observation
    """Holds ``rejected``, the number of these rows, once Spark has computed the frame that they were part of; and
    ``records``, these rows, or as many of them as `MOST_REJECTS` and `LONGEST_RECORD` allow."""
    hidden: Paths = frozenset()
    """Fields whose values nobody may read in the quarantine."""


class Observed(NamedTuple):
    """An aggregate of the rows of a frame that Spark counts while it computes the frame for another reason."""

    by: Observation
    aggregate: Column
    columns: Sequence[str] = ()
    """Columns of the frame that are there for it alone."""


@dataclass
class Tables:
    """The frames of a run, by name; those of a collection as ``collection.member``."""

    spark: SparkSession
    staging: str | None
    """A folder that every executor can reach, for steps that stage rows; None where none was named."""
    frames: Frames = field(default_factory=dict)
    members: dict[str, list[str]] = field(default_factory=dict)
    rejects: list[Rejects] = field(default_factory=list)
    read: dict[str, Observation] = field(default_factory=dict)
    """Per input, ``rows`` as they were read; only of the formats that do not keep their own counts."""
    conflicts: dict[str, list[Conflict]] = field(default_factory=dict)
    """Per input, the fields in which values had several types; only of inputs that say what to do then."""
    checks: list[CheckedTable] = field(default_factory=list)
    """Of the tables with rules what the rules say, once Spark has computed them."""
    replayed: frozenset[str] = frozenset()
    """Inputs that a replay does not read: their rows come from the quarantine."""
    kept: list[DataFrame] = field(default_factory=list)
    inputs: Frames = field(default_factory=dict)
    """Per input all its rows, not counted while they are read."""
    notes: list[str] = field(default_factory=list)
    """What the user should know of them."""
    unheard: list[Observation] = field(default_factory=list)
    """Observations that tell nothing of all rows: they ended with a job which may have seen some only, or Spark never
    computed what they are of. What they were to tell is found by jobs of its own."""

    def finished(self) -> list[Observation]:
        """Return the observations that have ended by now."""
        self.spark.sparkContext._jsc.sc().listenerBus().waitUntilEmpty()
        of_rejects, of_rules = [each.counted for each in self.rejects], [each.counted for each in self.checks]
        observations = [*self.read.values(), *of_rejects, *of_rules]
        return [each for each in observations if each._jo is not None and each._jo.future().isCompleted()]

    def hear_all(self, wanted: Set[str]) -> None:
        """Note which observations have not seen their rows, once the outputs are computed.

        Spark leaves out what it finds to be of no use, such as the one side of an inner join where the other is empty;
        the rows there count as read all the same.

        Args:
            wanted: Inputs and tables that the run is to compute.
        """
        counted = [(name, observation, self.inputs[name]) for name, observation in self.read.items()]
        counted += [(each.table, each.counted, each.df) for each in self.rejects]
        self.unheard += [
            observation
            for name, observation, df in counted
            if name in wanted and self._is_unheard(observation) and not is_known_empty(df)
        ]
        self.unheard += [each.counted for each in self.checks if self._is_unheard(each.counted)]

    def _is_unheard(self, observation: Observation) -> bool:
        return observation not in self.unheard and observed_nothing(observation)

    def of(self, name: str) -> Frames:
        """Return the frames that a name stands for: one, or all members of a collection.

        Raises:
            JobError: The collection has no such member.
        """
        if name in self.members:
            return {member: self.frames[member] for member in self.members[name]}
        if name not in self.frames:
            known = self.members.get(name.partition(".")[0], list(self.frames))
            raise JobError(f"there is no table `{name}`. {say_known(name, known, kind='table')}")
        return {name: self.frames[name]}

    def close(self) -> None:
        """Give back what the run held: kept rows, and the folder for staging."""
        for df in self.kept:
            df.unpersist()
        if self.staging is not None:
            FileSystem(self.spark, self.staging).delete(self.staging)


def make_tables(
    spark: SparkSession, plan: Plan, pending: Mapping[str, Pending], damage: Found, replayed: Replayed | None = None
) -> Tables:
    """Return every frame of the plan, made in order and, but for what a step says of itself, not yet computed.

    A frame that is taken up more than once is computed once and kept, in memory as far as it fits.

    Args:
        spark: The run's own session.
        plan: The job.
        pending: Of the bookmarked inputs what this run reads.
        damage: Files that are known to be damaged.
        replayed: Of a replay, the rows that it reads instead of its inputs.

    Raises:
        JobError: An input cannot be read, or a step does not take what it gets. The message begins with its place.
    """
    tables = Tables(spark, _staging(spark), replayed=frozenset(replayed.flowing if replayed else ()))
    maker = _Maker(spark, plan, pending, damage, tables, replayed)
    try:
        maker.make()
    except BaseException:
        tables.close()
        raise
    return tables


class _Maker:
    def __init__(
        self,
        spark: SparkSession,
        plan: Plan,
        pending: Mapping[str, Pending],
        damage: Found,
        tables: Tables,
        replayed: Replayed | None,
    ) -> None:
        self.replayed = replayed
        self.spark = spark
        self.damage = damage
        self.plan = plan
        self.pending = pending
        self.tables = tables
        self.readers = plan.readers()
        self.sensitive = sensitive_fields(plan)
        self.views: dict[str, tuple[str, DataFrame]] = {}

    def make(self) -> None:
        for name, source in self.plan.job.inputs.items():
            place = self.plan.place(("inputs", name))
            with_errors = _located(place, f"input {name}", partial(self._read, name, located(source)))
            self.tables.inputs[name] = with_errors
            self._require_sensitive(name, source, with_errors)
            count = None
            if source.format in _COUNTED_WHILE_READ or source.bookmark or name in self.damage or self.replayed:
                self.tables.read[name] = Observation()
                count = Observed(self.tables.read[name], F.count(F.lit(1)).alias("rows"))
            self._keep(name, self._without_rejects(with_errors, name, "read", count))
        for table in self.plan.tables:
            result = self._table(table)
            if isinstance(result, dict):
                self.tables.members[table.name] = [f"{table.name}.{member}" for member in result]
                self.tables.frames |= {f"{table.name}.{member}": df for member, df in result.items()}
            else:
                self._keep(table.name, result)

    def _require_sensitive(self, name: str, source: Source, df: DataFrame) -> None:
        """Refuse a name of no field: the values that were meant would be shown. Rows of JSON and XML may lack any."""
        missing = missing_in(df.schema, parse_paths(source.sensitive) if source.sensitive else ())
        if not missing:
            return
        said = ".".join(missing[0])
        if source.schema_ is None and source.format in ("json", "xml"):
            self.tables.notes.append(f"input {name}: `sensitive` names `{said}`, which no row has.")
            return
        place = self.plan.place(("inputs", name, "sensitive"))
        known = [column for column in df.columns if column != ERROR_COLUMN]
        raise JobError(
            f"{place}: input {name}: `sensitive` names `{said}`, and there is no such field."
            f" {say_known(missing[0][0], known, kind='field')}"
        )

    def _read(self, name: str, source: Source) -> DataFrame:
        if self.replayed is not None and name in self.replayed.flowing:
            return read_replayed(self.spark, self.replayed, name, source)
        if name in self.pending:
            new = new_of(self.spark, source, self.pending[name])
            if isinstance(new, DataFrame):
                return new
            source = new
        else:
            require_all_read(self.spark, source)
        return read_around(self.spark, source, self.damage.get(name, []), partial(self._read_source, name))

    def _read_source(self, name: str, source: Source) -> DataFrame:
        if source.conflicts is None:
            return read(self.spark, source)
        settled = read_settled(self.spark, source, source.conflicts)
        self.tables.conflicts[name] = without_examples(settled.conflicts, self.sensitive.get((name, READ), frozenset()))
        return settled.df

    def _keep(self, name: str, df: DataFrame) -> None:
        if self.readers[name] > 1:
            df = df.persist(StorageLevel.MEMORY_AND_DISK)
            self.tables.kept.append(df)
        self.tables.frames[name] = df

    def _table(self, table: PlannedTable) -> DataFrame | Frames:
        df: Any = None if table.start is None else self._frame(table.start, table.place)
        for step, name in zip(table.steps, labels(table), strict=False):
            where = f"step {step.name} of table {table.name}"
            df = _located(step.place, where, partial(self._apply, table, step, self._entered(df, table.name, name)))
            if isinstance(df, DataFrame):
                df = self._without_rejects(df, table.name, name)
            elif not isinstance(df, dict):
                raise JobError(f"{step.place}: {where}: gave {type(df).__name__}, not a DataFrame.")
        df = self._entered(df, table.name, RULES)
        rules = [rule for rule in table.rules if rule.kind not in ON_TABLES or self._comes_whole(table)]
        if rules:
            df = self._checked(table, rules, df)
        return df  # type: ignore[no-any-return]  # a user's function may return anything; that was checked above

    def _comes_whole(self, table: PlannedTable) -> bool:
        """Tell whether a rule on the table as a whole means anything: not in a replay, nor where nothing new comes."""
        if self.replayed is not None:
            return False
        new = self.pending.keys() & self.plan.inputs_of(table.name)
        return not new or any(not self.pending[name].is_empty for name in new)

    def _entered(self, df: Any, table: str, step: str) -> Any:
        """Return the rows before a step, in a replay with those that were rejected there."""
        if self.replayed is None or not isinstance(df, DataFrame):
            return df
        return self._without_rejects(entering(self.replayed, df, table, step), table, step)

    def _apply(self, table: PlannedTable, step: FunctionStep | QueryStep, df: DataFrame) -> Any:
        if isinstance(step, QueryStep):
            return self._query(table, step, df)
        arguments = self._arguments(step)
        if (
            takes_known_nulls(step.function, arguments)
            and table.start in self.plan.job.inputs
            and self.plan.job.inputs[table.start].conflicts is None
            and table.start not in self.pending
            and table.start not in self.damage
            and self.replayed is None
            and step is table.steps[0]
        ):
            arguments[KNOWN_NULLS] = null_fields(self.spark, located(self.plan.job.inputs[table.start]))
        if takes_staging(step.function):
            arguments["staging_path"] = self.tables.staging and f"{self.tables.staging}/{table.name}"
        elif makes_several_tables(step.function):
            df = df.persist(StorageLevel.MEMORY_AND_DISK)
            self.tables.kept.append(df)
        if not may_peek(step.name):
            return step.function(df, **arguments)
        before = self.tables.finished()
        made = step.function(df, **arguments)
        self.tables.unheard += [each for each in self.tables.finished() if each not in before]
        return made

    def _arguments(self, call: FunctionStep | PlannedRule) -> dict[str, Any]:
        """Return a function's arguments, with frames and functions where the config has their names."""
        arguments = dict(call.arguments)
        for name in table_parameters(call.function) & arguments.keys():
            arguments[name] = _mapped(arguments[name], lambda said: self._frame(said, call.place))
        for name in function_parameters(call.function) & arguments.keys():
            arguments[name] = _mapped(arguments[name], _as_function)
        return arguments

    def _checked(self, table: PlannedTable, rules: Sequence[PlannedRule], df: DataFrame) -> DataFrame:
        def condition(rule: PlannedRule) -> Any:
            made = rule.function(df, **self._arguments(rule))
            if not isinstance(made, Column):
                raise JobError(f"{rule.place}: rule {rule.name}: gave {type(made).__name__}, not a Column.")
            if rule.kind not in RULE_KINDS:
                kind = df.select("*", made.alias(unused_name(df.columns, "rule"))).schema.fields[-1].dataType
                if not isinstance(kind, BooleanType | NullType):
                    what = f"gave a column of type {kind.simpleString()}, not one that is true for a good row."
                    raise JobError(f"{rule.place}: rule {rule.name}: {what}")
            return made

        conditions = [
            _located(rule.place, f"rule {rule.name} of table {table.name}", partial(condition, rule)) for rule in rules
        ]
        hidden = self.sensitive.get((table.name, RULES), frozenset())
        check = checked(table.name, df, rules, conditions, hidden)
        self.tables.checks.append(check)
        return self._without_rejects(
            check.marked, table.name, RULES, Observed(check.counted, check.numbers, check.masks)
        )

    def _query(self, table: PlannedTable, step: QueryStep, df: DataFrame | None) -> DataFrame:
        own = {} if df is None else {table.name: df}
        names = {found.name for found in step.references}
        views = {name: self._view(name, own[name] if name in own else self._frame(name, step.place)) for name in names}
        renamed = {name: view for name, view in views.items() if name != view}
        return self.spark.sql(rename_tables(step.query, step.references, renamed))

    def _view(self, name: str, df: DataFrame) -> str:
        """Return the name of a view of the frame. No view is ever dropped or replaced: Spark would forget kept rows."""
        for view, (said, seen) in self.views.items():
            if said == name and seen is df:
                return view
        view = unused_name(self.views, re.sub(r"\W", "_", name))
        self.views[view] = (name, df)
        df.createTempView(f"`{view}`")
        return view

    def _frame(self, name: str, place: Place) -> DataFrame:
        try:
            (df,) = self.tables.of(name).values()
        except JobError as error:
            raise JobError(f"{place}: {error}") from None
        except ValueError as error:
            members = ", ".join(self.tables.members[name])
            raise JobError(f"{place}: `{name}` is several tables; name one of {members}.") from error
        return df

    def _without_rejects(self, df: DataFrame, table: str, step: str, also: Observed | None = None) -> DataFrame:
        """Return the good rows; the others are counted, in one look at each row with what ``also`` is to be known."""
        if not has_rejects(df):
            return df.observe(also.by, also.aggregate).drop(*also.columns) if also else df
        counted, numbers = (also.by, [also.aggregate]) if also else (Observation(), [])
        error = F.col(ERROR_COLUMN)
        is_kept = F.length(F.concat_ws("", error["message"], error["record"])) <= LONGEST_RECORD
        # Which ones are kept matters only where not all are. Spark compiles the columns of a frame, but not what an
        # aggregate of an observation asks of them.
        key = unused_name(df.columns, "kept")
        kept = F.when(error.isNotNull() & is_kept, F.xxhash64(error))
        df = df.withColumns({ERROR_COLUMN: quarantine_row(df, table, step), key: kept})
        rejected = [F.count(error).alias("rejected"), self._records(error, F.col(key)).alias("records")]
        df = df.observe(counted, *numbers, *rejected)
        hidden = self.sensitive.get((table, step), frozenset())
        self.tables.rejects.append(Rejects(table, step, df, counted, hidden))
        return accepted(df).drop(key, *(also.columns if also else ()))

    def _records(self, error: Column, key: Column) -> Column:
        """Return an aggregate that holds a bounded number of errors: of those that have a key, any."""
        java: Any = self.spark._jvm
        room = java.java.lang.Runtime.getRuntime().maxMemory() // _SHARE
        return F.max_by(error, key, min(MOST_REJECTS, room // LONGEST_RECORD))


def _located(place: Place, where: str, act: Callable[[], Any]) -> Any:
    """Do something; what goes wrong is told with the place in the config."""
    try:
        return act()
    except JobError:
        raise
    except Exception as error:
        raise JobError(f"{place}: {where}: {sentence(error)}") from error


def _staging(spark: SparkSession) -> str | None:
    """Return a new folder below the setting spark.birchtar.staging; without it, Spark itself keeps staged rows."""
    root = spark.conf.get("spark.birchtar.staging", None)
    return None if root is None else f"{root.rstrip('/')}/{uuid.uuid4().hex}"


def _as_function(said: str) -> Any:
    return find_function(said) if FUNCTION_NAME.fullmatch(said) else said


def _mapped(said: Any, change: Callable[[str], Any]) -> Any:
    """Apply a change to every text in an argument."""
    if isinstance(said, str):
        return change(said)
    if isinstance(said, list):
        return [_mapped(item, change) for item in said]
    if isinstance(said, dict):
        return {key: _mapped(value, change) for key, value in said.items()}
    return said
