"""Bookmarks as tables and sentences for people, and as JSON for programs."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich import box
from rich.filesize import decimal
from rich.table import Table
from rich.text import Text

from birchtar.runner.moments import moment, shown
from birchtar.runner.output_console import output_console
from birchtar.state.bookmark_views import BookmarkView, Reader
from birchtar.state.bookmarks import FILES
from birchtar.state.listed import ListedFile

if TYPE_CHECKING:
    from birchtar.runner.bookmark_diff import InputDiff
    from birchtar.runner.bookmark_explain import Verdict
    from birchtar.state.bookmark_changes import Change


Json = dict[str, Any]


def print_views(views: Iterable[BookmarkView]) -> None:
    """Print a line per bookmark, and its latest files below."""
    table = _table("input", "kind", "mark", "known", "run", "moved (UTC)", "latest files")
    for view in views:
        known = "-" if view.known is None else f"{view.known:,}"
        at = f"{view.moved_at:%Y-%m-%d %H:%M:%S}" if view.moved_at else "-"
        files = "\n".join(f"{plain(file.path)} (run {number})" for file, number in view.latest)
        run = f"{view.run_number} ({view.run_kind})" if view.run_kind not in (None, "run") else str(view.run_number)
        mark = say_mark(view.kind, view.mark)
        table.add_row(*map(Text, (view.input, view.kind, mark, known, run, at, files)))
    _print(table)


def view_as_json(view: BookmarkView) -> Json:
    """Return what `bookmark show --json` prints of one bookmark."""
    return {
        "input": view.input,
        "kind": view.kind,
        "mark": view.mark,
        "known_files": view.known,
        "run": view.run_number,
        "run_kind": view.run_kind,
        "moved_at": _iso(view.moved_at),
        "latest_files": [{**_file(file), "run": number} for file, number in view.latest],
        "history": list(view.history),
    }


def print_diff(found: "Iterable[InputDiff]", limit: int) -> None:
    """Print what the next run would read: a sentence per input, and its files."""
    for diff in found:
        say(f"{diff.input}: {_summary(diff)}")
        if diff.kind == FILES and diff.reads:
            table = _table("", "size", "changed (UTC)", "file")
            for state, file in diff.reads[:limit]:
                table.add_row(state, decimal(file.size), shown(file.modified), Text(plain(file.path)))
            _print(table)
            if (more := len(diff.reads) - limit) > 0:
                say(f"... and {more:,} more files; --limit shows more, --json all")
        for file in diff.ignored[:limit]:
            say(f"  changed, and not read again (`changed_files: report`): {plain(file.path)}")
        if diff.some_gone:
            say(f"  gone: {', '.join(map(plain, diff.some_gone))}{' ...' if diff.gone > len(diff.some_gone) else ''}")
        for commit in diff.commits[:limit]:
            at = f"{commit.at:%Y-%m-%d %H:%M:%S}" if commit.at else ""
            say(f"  version {commit.version}  {at}  {commit.operation}")


def diff_as_json(diff: "InputDiff") -> Json:
    """Return what `bookmark diff --json` prints of one input."""
    told: Json = {"input": diff.input, "kind": diff.kind, "nothing_new": diff.is_empty}
    if diff.kind != FILES:
        return told | {"since": diff.since, "until": diff.until}
    return told | {
        "reads": [{"state": state, **_file(file)} for state, file in diff.reads],
        "left": diff.left,
        "ignored": [_file(file) for file in diff.ignored],
        "known": diff.known,
        "gone": diff.gone,
        "some_gone": diff.some_gone,
    }


def print_verdicts(verdicts: "Iterable[Verdict]") -> None:
    """Print what each input makes of a file."""
    for verdict in verdicts:
        say(f"input {verdict.input}:")
        if verdict.read_by and verdict.read_as:
            how = "made known" if verdict.read_by.kind == "set" else "read"
            then = verdict.read_as
            by = say_run(verdict.read_by)
            say(f"  {how} by {by}; it then had {then.size:,} bytes, and was of {shown(then.modified)} UTC")
        if verdict.reads_now:
            say(f"  {say_run(verdict.reads_now)} is to read it, and is {verdict.reads_now.state}")
        if verdict.listed:
            say(f"  there: {verdict.listed.size:,} bytes, of {shown(verdict.listed.modified)} UTC")
        will = "the next run reads it" if verdict.is_next else "the next run does not read it"
        say(f"  {verdict.state}: {will}: {verdict.why}")


def verdict_as_json(verdict: "Verdict") -> Json:
    """Return what `bookmark explain --json` prints of one input."""
    return {
        "input": verdict.input,
        "state": verdict.state,
        "next_run_reads_it": verdict.is_next,
        "why": verdict.why,
        "read_by": _reader(verdict.read_by),
        "read_as": verdict.read_as and _file(verdict.read_as),
        "listed": verdict.listed and _file(verdict.listed),
        "reads_now": _reader(verdict.reads_now),
    }


def print_changes(changes: "Sequence[Change]", *, verb: str) -> None:
    """Print what becomes of each bookmark; the verb says what happens to the files."""
    for change in changes:
        if change.kind == FILES:
            more = f" and {change.files - len(change.examples):,} more" if change.files > len(change.examples) else ""
            say(f"{change.input}: {change.files:,} files {verb}: {', '.join(map(plain, change.examples))}{more}")
        else:
            before, after = (say_mark(change.kind, mark) for mark in (change.before, change.after))
            say(f"{change.input}: from {before} to {after}")


def say_mark(kind: str, mark: Any) -> str:
    """Return a mark as a text.

    Example:
        >>> say_mark("delta", ["6f", 7]), say_mark("keys", {"keys": ["id"], "values": ["3"], "order": "asc"})
        ('version 7', 'id=3')
        >>> say_mark("files", None), say_mark("delta", None)
        ('-', 'the beginning')
    """
    if kind == FILES:
        return "-"
    if mark is None:
        return "the beginning"
    if kind == "keys":
        return ", ".join(f"{key}={value}" for key, value in zip(mark["keys"], mark["values"], strict=True))
    return f"version {mark[1]}"


def say_run(run: Reader) -> str:
    """Return which run it is, and when it was."""
    kind = "" if run.kind == "run" else f" ({run.kind})"
    return f"run {run.number}{kind}, {run.at:%Y-%m-%d %H:%M:%S} UTC"


def plain(path: str) -> str:
    """Return a path as people write it.

    Example:
        >>> plain("file:/data/a.csv"), plain("s3a://lake/a.csv")
        ('/data/a.csv', 's3a://lake/a.csv')
    """
    return path.removeprefix("file:")


def say(text: str) -> None:
    """Print a line as it is, not broken."""
    output_console().print(text, soft_wrap=True)


def _summary(diff: "InputDiff") -> str:
    if diff.kind != FILES:
        if diff.is_empty:
            return "nothing new"
        since, until = (_place(diff, mark) for mark in (diff.since, diff.until))
        return f"all rows up to {until}" if diff.since is None else f"what lies behind {since}, up to {until}"
    new = sum(state == "new" for state, _ in diff.reads)
    size = decimal(sum(file.size for _, file in diff.reads))
    parts = [f"{new:,} new and {len(diff.reads) - new:,} changed files, {size}"] if diff.reads else ["nothing new"]
    parts += [f"{diff.left:,} left for later runs"] if diff.left else []
    parts += [f"{diff.known:,} known", f"{diff.gone:,} gone"]
    return "; ".join(parts)


def _place(diff: "InputDiff", mark: Any) -> str:
    return ", ".join(f"{key}={value}" for key, value in mark.items()) if isinstance(mark, dict) else f"version {mark}"


def _file(file: ListedFile) -> Json:
    return {"path": file.path, "size": file.size, "modified": moment(file.modified).isoformat()}


def _reader(run: Reader | None) -> Json | None:
    return {"run": run.number, "kind": run.kind, "state": run.state, "at": _iso(run.at)} if run else None


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _table(*headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        justify: Any = "right" if heading in ("known", "size") else "left"
        table.add_column(heading, justify=justify, overflow="fold")
    return table


def _print(table: Table) -> None:
    output_console().print(table)
