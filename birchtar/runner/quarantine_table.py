"""Rejected rows, and the index of them, as tables for people or as JSON."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table
from rich.text import Text

from birchtar.runner.output_console import output_console

if TYPE_CHECKING:
    from birchtar.state.quarantine import Indexed

_NUMBERS = ("run", "rows", "resolved")
_LONGEST = 2_000
"""Characters of a record that are shown; JSON has all of them."""


def print_index(found: "Sequence[Indexed]", *, as_json: bool = False) -> None:
    """Print which runs rejected what."""
    if as_json:
        _plain(json.dumps([vars(each) for each in found], indent=2, ensure_ascii=False))
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("job", "run", "table", "step", "rule", "code", "rows", "resolved", "place"):
        table.add_column(heading, justify="right" if heading in _NUMBERS else "left", overflow="fold")
    for each in found:
        words = (each.job, each.run, each.table, each.step, each.rule, each.code, each.rows, each.resolved, each.path)
        table.add_row(*(Text(f"{word:,}" if isinstance(word, int) else word) for word in words))
    output_console().print(table)


def print_records(found: Sequence[dict[str, Any]], *, as_json: bool = False) -> None:
    """Print rejected rows: what is wrong with each, where it is from, and its text."""
    for row in found:
        if as_json:
            _plain(json.dumps(row, default=str, ensure_ascii=False))
        else:
            lines = "\n".join(record_lines(row))
            output_console().print(f"run {row['run']}, {lines}", soft_wrap=True)


def record_lines(row: Mapping[str, Any]) -> list[str]:
    """Return lines that tell of a rejected row: where and why, the message, and the record as far as it is known."""
    place = "" if row["file"] is None else f"  {row['file']}"
    rule = "" if not row["rule"] else f', rule "{row["rule"]}"'
    lines = [f"{row['table']}, {row['step']}{rule}: {row['code']}{place}", f"  {row['message']}"]
    if row["record"] is not None:
        lines.append(f"  {_cut(row['record'])}")
    return [_visible(line) for line in lines]


def _visible(line: str) -> str:
    """Write control characters out: a record may hold what a terminal obeys."""
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in line)


def _cut(record: str) -> str:
    return record if len(record) <= _LONGEST else f"{record[:_LONGEST]}… ({len(record):,} characters)"


def _plain(text: str) -> None:
    output_console().print(text, soft_wrap=True)
