"""What a checked config comes to: the tables in the order in which they can be made."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any

from birchtar.runner.document import Location
from birchtar.runner.job_name import job_name
from birchtar.runner.problems import Place
from birchtar.runner.queries import Reference
from birchtar.runner.rules import PlannedRule
from birchtar.runner.spec import Job


@dataclass(frozen=True)
class FunctionStep:
    """A call of a transform, or of the user's own function, on the table so far."""

    name: str
    function: Callable[..., Any]
    arguments: dict[str, Any]
    """As the config gives them; of the parameters that take tables and functions, still their names."""
    place: Place


@dataclass(frozen=True)
class QueryStep:
    """An SQL text over the job's tables; in the steps of a table, its own name means the table so far."""

    query: str
    references: tuple[Reference, ...]
    place: Place
    name: str = "sql"


Step = FunctionStep | QueryStep


@dataclass(frozen=True)
class PlannedTable:
    """One table of a job, ready to be made."""

    name: str
    start: str | None
    """The input or table that the steps begin with; None where the first step is a query."""
    steps: tuple[Step, ...]
    reads: frozenset[str]
    """The inputs and tables it needs, among them ``start``."""
    is_collection: bool
    place: Place
    rules: tuple[PlannedRule, ...] = ()


@dataclass(frozen=True)
class Plan:
    """A job whose config holds no mistake that can be found without its data."""

    file: str
    job: Job
    tables: tuple[PlannedTable, ...]
    """Every table after those that it reads."""
    places: dict[Location, Place] = field(repr=False, default_factory=dict)

    @property
    def name(self) -> str:
        """The name by which the job's runs are remembered: that of its config, without the ending."""
        return job_name(self.file)

    def place(self, location: Location) -> Place:
        """Return where a key of the config stands."""
        return self.places.get(location, Place(self.file, 1, 1))

    def readers(self) -> Counter[str]:
        """Return how often each input and table is taken up, by tables and outputs together."""
        read = Counter(name for table in self.tables for name in table.reads)
        tables = {table.name for table in self.tables}
        read.update(owner(name, tables) for name in self.job.outputs)
        return read

    def wanted(self) -> set[str]:
        """Return the inputs and tables that outputs are made of, or rules are to be asked of."""
        outputs = [owner(name, self._reads().keys()) for name in self.job.outputs]
        return made_of([*outputs, *(table.name for table in self.tables if table.rules)], self._reads())

    def inputs_of(self, name: str) -> set[str]:
        """Return the inputs that a table, an output or a member of a collection is made of; of an input, itself."""
        return made_of([owner(name, self._reads().keys())], self._reads()) & self.job.inputs.keys()

    def waits_for_new(self, output: str) -> bool:
        """Return whether an output is made of an input with a bookmark: no run gives it the same rows again."""
        return any(self.job.inputs[name].bookmark for name in self.inputs_of(output))

    def _reads(self) -> dict[str, frozenset[str]]:
        return {table.name: table.reads for table in self.tables}


def owner(name: str, tables: Set[str]) -> str:
    """Return the table that a name belongs to: of ``countries.root`` the collection ``countries``.

    Example:
        >>> owner("countries.root", {"countries"})
        'countries'
        >>> owner("flights", {"countries"})
        'flights'
    """
    collection, dot, _ = name.partition(".")
    return collection if dot and collection in tables else name


def made_of(names: Iterable[str], reads: Mapping[str, frozenset[str]]) -> set[str]:
    """Return all inputs and tables that some are made of, directly or through others, and these themselves.

    Example:
        >>> sorted(made_of(["a"], {"a": frozenset({"b", "x"}), "b": frozenset({"y", "a"}), "c": frozenset("z")}))
        ['a', 'b', 'x', 'y']
    """
    seen: set[str] = set()
    ahead = list(names)
    while ahead:
        if (here := ahead.pop()) not in seen:
            seen.add(here)
            ahead += reads.get(here, ())
    return seen


def in_order(reads: dict[str, frozenset[str]]) -> tuple[list[str], list[str]]:
    """Return the tables in an order in which each comes after what it reads, and, instead, a cycle if there is one.

    Example:
        >>> in_order({"a": frozenset({"b"}), "b": frozenset({"input"})})
        (['b', 'a'], [])
        >>> in_order({"a": frozenset({"b"}), "b": frozenset({"a"})})
        ([], ['a', 'b', 'a'])
    """
    try:
        order = TopologicalSorter(
            {name: sorted(wanted & reads.keys()) for name, wanted in reads.items()}
        ).static_order()
        return list(order), []
    except CycleError as error:
        return [], list(reversed(error.args[1]))
