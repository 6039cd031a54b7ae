"""The tables of the state database, for SQLite and PostgreSQL alike. `migrations/` brings a database to them."""

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Moment(TypeDecorator[datetime]):
    """A moment, to the microsecond: in Python with the zone UTC, also from SQLite, which knows no zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Take a moment of any zone; one without a zone is a mistake in our code."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"A moment needs a zone: {value}.")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give it back in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Words(TypeDecorator[str]):
    r"""A text that others wrote, such as an error: what no database takes of it is replaced, rather than all lost.

    Example:
        >>> Words().process_bind_param("a \0 and a \udcff", None)
        'a � and a \\udcff'
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect | None) -> str | None:
        """Write U+FFFD for NUL, and what is half of a sign as its number."""
        return value and value.replace("\0", "\ufffd").encode(errors="backslashreplace").decode()


_Json = JSON(none_as_null=True)
"""None is NULL, not the JSON text null."""

_Id = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite counts up only a column that is called INTEGER."""

jobs = Table(
    "jobs",
    metadata,
    Column("name", Text, primary_key=True),
    Column("key", Text, nullable=False),
)
"""One row per job. Whoever begins or ends a run of a job locks its row. By the key tables remember what the job wrote:
no other job has the same, in this database or another."""

runs = Table(
    "runs",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("job", Text, ForeignKey("jobs.name"), nullable=False),
    Column("number", Integer, nullable=False, doc="Counts a job's runs from 1. A run taken over keeps its number."),
    Column("state", Text, nullable=False, doc="WAITING, RUNNING, PREPARED, SUCCEEDED, FAILED or ABANDONED."),
    Column("attempt", Integer, nullable=False, doc="How many processes have worked on it, counted from 1."),
    Column("kind", Text, nullable=False, doc="run, replay, backfill, or set, rewind, reset of bookmarks."),
    Column("owner", _Json, doc="The process that works on it: host, boot, pid, started."),
    Column("lease_until", Moment, doc="Until when the owner is taken for alive, where it cannot be looked at."),
    Column("started_at", Moment, nullable=False),
    Column("prepared_at", Moment, doc="When everything was staged: from here on a run is only ever finished."),
    Column("finished_at", Moment),
    Column("error", Words),
    Column("report", _Json, doc="Counts and places, as the command line printed them."),
    Column("scope", Text, doc="The interval of a backfill; runs of different scopes go beside each other."),
    UniqueConstraint("job", "number"),
)

run_inputs = Table(
    "run_inputs",
    metadata,
    Column("run_id", ForeignKey("runs.id"), primary_key=True),
    Column("input", Text, primary_key=True),
    Column("kind", Text, nullable=False, doc="files, delta, changes, keys or, in a backfill, range."),
    Column("since", _Json, doc="The bookmark's mark before the run; null at the first. Of files its run_number."),
    Column("until", _Json, doc="The mark that the run moves it to."),
    Column("rows", BigInteger),
    Column("bytes", BigInteger),
)

run_files = Table(
    "run_files",
    metadata,
    Column("run_id", _Id, nullable=False),
    Column("input", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("modified", BigInteger, nullable=False, doc="Microseconds since 1970, UTC."),
    Index(None, "run_id"),
)
"""The exact files that a run reads of its bookmarked inputs. Gone once the run has succeeded or failed.

Paths, here and of `bookmark_files`, and the reasons of `quarantine` are in no key: PostgreSQL takes no text of more
than 2,704 bytes into one."""

run_outputs = Table(
    "run_outputs",
    metadata,
    Column("run_id", ForeignKey("runs.id"), primary_key=True),
    Column("output", Text, primary_key=True),
    Column("path", Text, nullable=False),
    Column("format", Text, nullable=False),
    Column("plan", _Json, nullable=False, doc="How to publish it from what is staged, however often."),
    Column("rows", BigInteger),
    Column("files", BigInteger),
    Column("bytes", BigInteger),
    Column("published_at", Moment),
)

bookmarks = Table(
    "bookmarks",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("job", Text, ForeignKey("jobs.name"), nullable=False),
    Column("input", Text, nullable=False),
    Column("kind", Text, nullable=False, doc="files, delta, changes or keys."),
    Column("mark", _Json, doc="How far it has read; of files a digest of the last listing, if all is known."),
    Column("schema", _Json, doc="The schema last read, for a run in which this input has nothing new."),
    Column("run_number", Integer, nullable=False, doc="The run that moved it last; 0 where a user set it."),
    UniqueConstraint("job", "input"),
)

bookmark_marks = Table(
    "bookmark_marks",
    metadata,
    Column("bookmark_id", ForeignKey("bookmarks.id", ondelete="CASCADE"), primary_key=True),
    Column("run_number", Integer, primary_key=True),
    Column("mark", _Json, doc="The mark after this run, to rewind to."),
)

bookmark_files = Table(
    "bookmark_files",
    metadata,
    Column("bookmark_id", ForeignKey("bookmarks.id", ondelete="CASCADE"), nullable=False),
    Column("path", Text, nullable=False),
    Column("bucket", Integer, nullable=False, doc="Tells of a path where its row is: `birchtar.state.buckets`."),
    Column("size", BigInteger, nullable=False),
    Column("modified", BigInteger, nullable=False, doc="Microseconds since 1970, UTC."),
    Column("run_number", Integer, nullable=False, doc="The run that read it, in this size and of this time."),
    Index(None, "bookmark_id", "bucket"),
)
"""Every file that a bookmark knows, once."""

bookmark_buckets = Table(
    "bookmark_buckets",
    metadata,
    Column("bookmark_id", ForeignKey("bookmarks.id", ondelete="CASCADE"), primary_key=True),
    Column("bucket", Integer, primary_key=True),
    Column("files", Integer, nullable=False),
    Column("digest", LargeBinary, nullable=False),
)
"""A digest of the files in each bucket: where a listing has the same, none of them need be looked at."""

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("run_id", ForeignKey("runs.id"), nullable=False),
    Column("job", Text, nullable=False),
    Column("table", Words, nullable=False),
    Column("step", Words, nullable=False),
    Column("rule", Words, nullable=False, doc="Empty where no rule, but a read or a step, rejected the rows."),
    Column("code", Words, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("resolved", BigInteger, nullable=False),
    Column("path", Text, nullable=False),
    Index(None, "run_id"),
    Index(None, "job"),
)
