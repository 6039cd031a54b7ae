"""What a run did, for people: a few rows of each output, then the counts."""

from pyspark.sql import SparkSession
from rich import box
from rich.filesize import decimal
from rich.table import Table
from rich.text import Text

from birchtar.lake.paths import absolute
from birchtar.runner.output_console import output_console
from birchtar.runner.report import Report
from birchtar.runner.rules import say

_WIDEST_CELL = 24
_MOST_COLUMNS = 9
_CSV = {"header": "true", "escape": '"', "multiLine": "true"}
_MOST_CONFLICTS = 20
_MOST_LINES = 60


def print_summary(report: Report) -> None:
    """Print rows and bytes in and out per table, rejected rows, places and the time that the run took."""
    table = Table("", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("table", overflow="fold")
    filtered = {each.output: each.filtered for each in report.tables}
    for heading in ("rows", "filtered", "size", "files"):
        table.add_column(heading, justify="right")
    table.add_column("place", overflow="fold")
    for read in report.inputs:
        files = "" if read.files is None else _count(read.files)
        table.add_row("in", read.name, _count(read.rows), "", decimal(read.bytes), files, read.path)
    for wrote in report.outputs:
        place = f"{wrote.path} ({wrote.format})"
        dropped = _count(filtered[wrote.name]) if wrote.name in filtered else ""
        table.add_row("out", wrote.name, _count(wrote.rows), dropped, decimal(wrote.bytes), _count(wrote.files), place)
    for rejected in report.rejects:
        name = f"{rejected.table}, {rejected.rule or rejected.step}"
        table.add_row("rejected", name, _count(rejected.rows), "", "", "", f"{rejected.path} (parquet)")
    console = output_console()
    console.print(table)
    for number, conflict in enumerate(report.conflicts):
        if number == _MOST_CONFLICTS:
            more = f"... and {len(report.conflicts) - number:,} more fields; `conflicts: fail` lists all of them"
            console.print(more, soft_wrap=True)
            break
        line = f"several types in {conflict.input}, {conflict.what}"
        console.print(line, soft_wrap=True)
    for rule in report.rules:
        if rule.action == "warn" and not rule.holds:
            console.print(say(rule), soft_wrap=True)
    if report.resolved:
        number = sum(each.rows for each in report.resolved)
        again = sum(each.rows for each in report.rejects)
        rest = f": {again:,} were rejected again, and are in the quarantine as rows of this run" if again else ""
        console.print(f"replayed {number:,} rejected rows of earlier runs{rest}", soft_wrap=True)
    for note in report.notes:
        console.print(note, soft_wrap=True)
    console.print(f"{report.job}: done in {report.seconds:.1f} s")


def print_rows(spark: SparkSession, report: Report, number: int) -> None:
    """Print the first rows of every output, as they are read back from its files.

    Before them the schema of each input that has fields with values of several types.
    """
    console = output_console()
    for name, schema in report.schemas.items() if number else ():
        lines = schema.splitlines()
        rest = [f"... and {len(lines) - _MOST_LINES:,} more lines"] if len(lines) > _MOST_LINES else []
        text = "\n".join([f"{name}:", *lines[:_MOST_LINES], *rest, ""])
        console.print(text, soft_wrap=True)
    for wrote in report.outputs if number else []:
        df = spark.read.format(wrote.format).options(**(_CSV if wrote.format == "csv" else {}))
        rows = df.load(absolute(wrote.path)).limit(number).collect()
        names = list(rows[0].asDict()) if rows else []
        shown = names[:_MOST_COLUMNS]
        more = f", {len(names) - len(shown)} more columns" if len(names) > len(shown) else ""
        title = f"{wrote.name}: {_count(wrote.rows)} rows{more}"
        table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
        for name in shown:
            table.add_column(Text(name))
        for row in rows:
            table.add_row(*(Text(_cut(row[position])) for position in range(len(shown))))
        console.print(table)


def _count(number: int | None) -> str:
    return "-" if number is None else f"{number:,}"


def _cut(value: object) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= _WIDEST_CELL else text[: _WIDEST_CELL - 1] + "…"
