"""What a run did: rows, bytes and places. Kept with the run in the state database."""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class InputReport:
    """What a run read of one input."""

    name: str
    rows: int | None
    """None where Spark found that it did not need the input's rows."""
    bytes: int
    path: str
    files: int | None = None
    """Of a bookmarked input, how many were new; None of others."""


@dataclass(frozen=True)
class OutputReport:
    """What a run wrote to one table."""

    name: str
    rows: int
    files: int
    bytes: int
    path: str
    format: str


@dataclass(frozen=True)
class TableReport:
    """What became of the rows of an input in an output that is made of it row by row."""

    output: str
    input: str
    rows_in: int
    """All that was read, and in a replay what entered behind."""
    rows: int
    rejected: int
    filtered: int


@dataclass(frozen=True)
class RejectReport:
    """The rows that one input or step could not handle, or one rule refused, and where they are now."""

    table: str
    step: str
    rows: int
    path: str
    codes: dict[str, int] = field(default_factory=dict)
    """How many rows were rejected for each reason."""
    rule: str = ""


@dataclass(frozen=True)
class ResolvedReport:
    """Rejected rows of an earlier run that a replay has sent through the job again."""

    run: int
    table: str
    step: str
    rule: str
    code: str
    rows: int


@dataclass(frozen=True)
class ConflictReport:
    """A field of an input in which values had several types."""

    input: str
    what: str
    """Its path, and the types, how often each occurred, and an example of it."""


@dataclass(frozen=True)
class RuleReport:
    """What became of one rule of a table."""

    table: str
    rule: str
    action: str
    place: str
    """Where the rule stands in the config."""
    holds: bool
    rows: int
    broken: int | None
    """How many rows broke it; None of a rule on the table as a whole."""
    found: str | None
    """A row that broke it, as JSON; of a rule on the table the number or moment that decided it. None of a rule that
    rejects: its rows are in the quarantine."""


@dataclass
class Report:
    """What a run did."""

    job: str
    number: int = 0
    attempt: int = 1
    inputs: list[InputReport] = field(default_factory=list)
    outputs: list[OutputReport] = field(default_factory=list)
    rejects: list[RejectReport] = field(default_factory=list)
    tables: list[TableReport] = field(default_factory=list)
    """Only of outputs that are made of one input row by row."""
    resolved: list[ResolvedReport] = field(default_factory=list)
    rules: list[RuleReport] = field(default_factory=list)
    conflicts: list[ConflictReport] = field(default_factory=list)
    schemas: dict[str, str] = field(default_factory=dict)
    """Of the inputs with such fields, the schema as text."""
    input_schemas: dict[str, str] = field(default_factory=dict)
    """Of the bookmarked inputs the schema, as Spark writes it in JSON, for runs in which they have nothing new."""
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)
    """What a user has to know beside the counts, such as that a dead run was finished."""

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values, for the state database."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Report":
        """Return the report that `as_json` gave.

        Example:
            >>> report = Report("flights", 7, inputs=[InputReport("a", 3, 10, "a.csv")])
            >>> Report.from_json(report.as_json()) == report
            True
        """
        parts = {
            "inputs": [InputReport(**each) for each in values["inputs"]],
            "outputs": [OutputReport(**each) for each in values["outputs"]],
            "rejects": [RejectReport(**each) for each in values["rejects"]],
            "tables": [TableReport(**each) for each in values.get("tables", ())],
            "resolved": [ResolvedReport(**each) for each in values.get("resolved", ())],
            "rules": [RuleReport(**each) for each in values["rules"]],
            "conflicts": [ConflictReport(**each) for each in values["conflicts"]],
        }
        return cls(**(values | parts))
