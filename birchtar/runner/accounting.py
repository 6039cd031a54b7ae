"""Read = written + rejected + filtered, for every output that is made of one input row by row.

All these numbers are counted while the outputs are written, for other reasons; so the check costs nothing. Only where
they do not agree are rows counted again: Spark may count those of a task twice that it ran twice.
"""

from collections.abc import Iterator
from typing import NamedTuple

from birchtar.runner.failures import JobError
from birchtar.runner.plan import FunctionStep, Plan, PlannedTable
from birchtar.runner.replayed import READ
from birchtar.runner.report import Report, TableReport
from birchtar.runner.tables import Tables

FILTERS = frozenset({"filter_rows", "remove_null_rows"})
"""Steps that give for each row it or none."""

ONE_FOR_ONE = frozenset(
    {
        "add_current_timestamp",
        "add_identifier",
        "add_uuid",
        "apply_mapping",
        "array_to_columns",
        "autobalance",
        "cast_fields",
        "concatenate",
        "derive_column",
        "drop_fields",
        "drop_null_fields",
        "extract_json_paths",
        "extract_regex",
        "fill_missing",
        "filter_array",
        "format_timestamp",
        "hash_columns",
        "map_array",
        "mask_columns",
        "parse_json",
        "redact_columns",
        "rename_field",
        "resolve_choice",
        "select_fields",
        "split_string",
        "to_timestamp",
        "unbox",
        "with_fields",
    }
)
"""Steps that give for each row exactly one, or reject it."""


class _Way(NamedTuple):
    """How the rows of one input become those of an output."""

    input: str
    output: str
    tables: tuple[PlannedTable, ...]

    @property
    def steps(self) -> list[str]:
        return [f"{step.name} of table {table.name}" for table in self.tables for step in table.steps]

    @property
    def may_filter(self) -> bool:
        return any(step.name in FILTERS for table in self.tables for step in table.steps)


def account(plan: Plan, tables: Tables, report: Report) -> list[TableReport]:
    """Return for each such output what became of the rows of its input. Starts no Spark job where numbers agree.

    Raises:
        JobError: Rows are gone, or are there twice, which no step of the job is for: a mistake of ours.
    """
    return [told for way in _ways(plan) if (told := _accounted(way, tables, report)) is not None]


def _ways(plan: Plan) -> Iterator[_Way]:
    by_name = {table.name: table for table in plan.tables}
    for output in plan.job.outputs:
        name, passed = output, list[PlannedTable]()
        while name in by_name and _is_by_rows(by_name[name]):
            passed.append(by_name[name])
            name = by_name[name].start or ""
        if name in plan.job.inputs:
            yield _Way(name, output, tuple(reversed(passed)))


def _is_by_rows(table: PlannedTable) -> bool:
    known = FILTERS | ONE_FOR_ONE
    return all(isinstance(step, FunctionStep) and step.name in known for step in table.steps)


def _accounted(way: _Way, tables: Tables, report: Report) -> TableReport | None:
    read = next(each.rows for each in report.inputs if each.name == way.input)
    written = next((each.rows for each in report.outputs if each.name == way.output), None)
    if read is None or written is None:
        return None
    passed = {table.name for table in way.tables}
    by_reading = sum(each.rows for each in report.rejects if (each.table, each.step) == (way.input, READ))
    rejected = by_reading + sum(each.rows for each in report.rejects if each.table in passed)
    came = read + sum(each.rows for each in report.resolved if each.table in passed)
    filtered = came - written - rejected
    if _holds(way, filtered):
        return TableReport(way.output, way.input, came, written, rejected, filtered)
    entered, found = tables.frames[way.input].count(), tables.frames[way.output].count()
    came = entered + by_reading + came - read
    filtered = came - found - rejected
    if found == written and not _holds(way, filtered):
        raise JobError(
            f"{way.output}: of {came:,} rows of {way.input}, {written:,} were written and {rejected:,} rejected;"
            f" {_what(filtered)} in {', '.join(way.steps) or 'reading'}. This is a mistake in Birchtar, not in your"
            " data: please report it with the config. Nothing was published."
        )
    return TableReport(way.output, way.input, came, written, rejected, max(filtered, 0))


def _holds(way: _Way, filtered: int) -> bool:
    return filtered == 0 or (filtered > 0 and way.may_filter)


def _what(filtered: int) -> str:
    return f"{filtered:,} are gone" if filtered > 0 else f"{-filtered:,} are there that nobody read,"
