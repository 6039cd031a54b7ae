"""Where a job's rows come from: the `inputs` of a config, and how each becomes a DataFrame."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal, cast

from pydantic import BaseModel, ConfigDict, Field

from birchtar.lake.text_forms import DRIVER_URL, NAME_OF_TABLE, PLACE, ROW_TAG, SIZE, size_in_bytes

if TYPE_CHECKING:
    from pyspark.sql.types import StructType

Format = Literal["avro", "csv", "delta", "json", "orc", "parquet"]
InputFormat = Literal["avro", "csv", "delta", "jdbc", "json", "orc", "parquet", "xml"]
Conflicts = Literal["choice", "string", "widest", "fail", "rescue"]
CorruptFiles = Literal["fail", "quarantine"]
ChangedFiles = Literal["read", "report"]
BookmarkBy = Literal["version", "changes"]
OptionValue = str | bool | int | float

TEXT_FORMATS = ("csv", "json", "xml")
"""Formats of texts, of which each record is read or rejected by itself."""

WHOLE_FORMATS = ("avro", "orc", "parquet")
"""Formats of which a damaged file tells nothing that one could trust."""

CONFLICT_FORMATS = ("csv", "json", "orc", "parquet")
"""The formats whose files can hold values of several types in one field."""

_OWN_OPTIONS = {
    "columnnameofcorruptrecord": "what cannot be read goes to the quarantine",
    "enforceschema": "columns are found by their names in the header",
    "header": "there is the key `header`",
    "inferschema": "types are inferred where there is no `schema`",
    "mode": "what cannot be read goes to the quarantine",
    "nullvalue": "there is the key `null_values`",
    "path": "there is the key `path`",
    "rowtag": "there is the key `row_tag`",
    "samplingratio": "there is the key `sampling_ratio`",
}
"""Options of Spark's reader, in lower case, that are ours to set, with what there is instead."""

_JDBC_OPTIONS = {
    "dbtable": "there are the keys `table` and `query`",
    "fetchsize": "there is the key `fetch_size`",
    "lowerbound": "there is the key `lower_bound`",
    "numpartitions": "there is the key `partitions`",
    "partitioncolumn": "there is the key `partition_column`",
    "password": "there is the key `password`",
    "query": "there is the key `query`",
    "upperbound": "there is the key `upper_bound`",
    "url": "there is the key `url`",
    "user": "there is the key `user`",
}
"""The same for the reader of databases."""


def own_options(format: InputFormat) -> dict[str, str]:  # noqa: A002  # the key's name
    """Return the options of a format's reader, in lower case, that are ours to set, with what there is instead."""
    own = _OWN_OPTIONS | (_JDBC_OPTIONS if format == "jdbc" else {})
    return {key: instead for key, instead in own.items() if (format, key) != ("xml", "nullvalue")}


def option_of(options: Mapping[str, OptionValue], name: str) -> str | None:
    """Return what an option of a reader or writer says, as a text; of its name cases do not matter to Spark.

    Example:
        >>> option_of({"MULTILINE": True}, "multiLine"), option_of({}, "quote")
        ('True', None)
    """
    return next((str(value) for key, value in options.items() if key.lower() == name.lower()), None)


class Source(BaseModel):
    """Files of one format, or a table of a database, that make one frame."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    path: Annotated[
        str | list[str], Field(description="A file, a folder, a glob, or a list of these. Not for the format jdbc.")
    ] = []
    format: Annotated[
        InputFormat, Field(description="How the files are written; `jdbc` reads a table of a database instead.")
    ]
    schema_: Annotated[
        str | dict[str, str] | None,
        Field(
            alias="schema",
            description="Column names and Spark SQL types, as a mapping or in DDL. A row with a value that is not of"
            " its type is rejected, and so is, but for JSON and XML, one with a value that says more than its type"
            " holds. Without it types are inferred from all rows, which for CSV, JSON and XML reads the files once"
            " more.",
        ),
    ] = None
    sampling_ratio: Annotated[
        float | None,
        Field(
            gt=0,
            le=1,
            description="CSV, JSON and XML without a schema: the share of the records, taken at random, of which the"
            " types are found; all of them where it is not given. Fields that only others have are left out then, and"
            " values of types that only others have are rejected, or stop the run where a field holds several types.",
        ),
    ] = None
    null_values: Annotated[
        list[str], Field(description="CSV only: texts that stand for null, beside the empty one.")
    ] = []
    header: Annotated[bool, Field(description="CSV only: whether the first line of each file names the columns.")] = (
        True
    )
    row_tag: Annotated[
        str | None,
        Field(pattern=ROW_TAG, description="XML only, and needed there: the element that is a row."),
    ] = None
    sensitive: Annotated[
        list[str],
        Field(
            description="Paths of fields that nobody may read in the quarantine or in a message, beside those that the"
            " job masks, redacts or hashes, which are hidden anyhow."
        ),
    ] = []
    corrupt_files: Annotated[
        CorruptFiles,
        Field(
            description="Parquet, ORC and Avro: what to do with a file that cannot be read. `fail` stops and names it"
            " (the default); `quarantine` tells of it in the quarantine and reads the others. Of CSV, JSON and XML"
            " every record that can be read always is."
        ),
    ] = "fail"
    conflicts: Annotated[
        Conflicts | None,
        Field(
            description="What to do where values of one field have several types, in JSON, CSV, or Parquet and ORC"
            " files of different schemas. `choice` keeps each value in its own type, for `resolve_choice` to settle;"
            " `string` makes texts of all; `widest` the narrowest type that holds all without loss; `fail` stops and"
            " lists the fields; `rescue` keeps the most frequent type and puts the others into `_rescued_data`. Every"
            " value is looked at, which reads the files once more, and again where types differ inside what differs."
        ),
    ] = None
    bookmark: Annotated[
        bool,
        Field(
            description="Read only what no run of this job has read yet: files by their names, sizes and times, a Delta"
            " table by its versions, a database's table by `bookmark_keys`."
        ),
    ] = False
    changed_files: Annotated[
        ChangedFiles,
        Field(
            description="With a bookmark of files: what to do with a file whose size or time has changed since it was"
            " read. `read` reads all of it again (the default); `report` tells of it and reads none of it."
        ),
    ] = "read"
    max_files: Annotated[
        int | None, Field(ge=1, description="With a bookmark of files: how many a run reads at most, the oldest first.")
    ] = None
    max_bytes: Annotated[
        Annotated[int, Field(ge=1)] | Annotated[str, Field(pattern=SIZE)] | None,
        Field(
            description="With a bookmark of files: how much a run reads at most, such as 10g; at least one file.",
        ),
    ] = None
    bookmark_by: Annotated[
        BookmarkBy,
        Field(
            description="With a bookmark of a Delta table: `version` reads the rows that were appended (the default);"
            " `changes` its change data feed, with `_change_type`, `_commit_version` and `_commit_timestamp`."
        ),
    ] = "version"
    url: Annotated[
        str | None,
        Field(pattern=DRIVER_URL, description="jdbc: the database, such as jdbc:postgresql://host:5432/shop."),
    ] = None
    table: Annotated[
        str | None, Field(pattern=NAME_OF_TABLE, description="jdbc: the table, as the database's SQL writes its name.")
    ] = None
    query: Annotated[str | None, Field(description="jdbc: a SELECT in the database's own SQL, instead of a table.")] = (
        None
    )
    user: Annotated[
        str | None,
        Field(
            pattern=PLACE,
            description="jdbc: where the user's name is: env:VARIABLE or file:/path, never itself.",
        ),
    ] = None
    password: Annotated[
        str | None,
        Field(pattern=PLACE, description="jdbc: where the password is: env:VARIABLE or file:/path, never itself."),
    ] = None
    bookmark_keys: Annotated[
        list[str],
        Field(
            description="jdbc with a bookmark: columns that grow from row to row, such as an id, or a time and an id;"
            " the first counts most. Rows behind the last ones that were read are new; one that comes later with keys"
            " equal to theirs, or below, is not found: behind a time name an id."
        ),
    ] = []
    bookmark_order: Annotated[
        Literal["asc", "desc"], Field(description="jdbc with a bookmark: `desc` where the keys shrink from row to row.")
    ] = "asc"
    partition_column: Annotated[
        str | None,
        Field(description="jdbc: a number, date or timestamp by whose ranges several connections read at once."),
    ] = None
    partitions: Annotated[int | None, Field(ge=1, description="jdbc: how many ranges of `partition_column`.")] = None
    lower_bound: Annotated[
        str | int | None, Field(description="jdbc: where the second range begins, about; no row is left out.")
    ] = None
    upper_bound: Annotated[
        str | int | None, Field(description="jdbc: where the last range begins, about; no row is left out.")
    ] = None
    fetch_size: Annotated[int, Field(ge=0, description="jdbc: rows that come over the network at once.")] = 10_000
    options: Annotated[
        dict[str, OptionValue], Field(description="Options of Spark's reader, passed on as they are.")
    ] = {}

    @property
    def paths(self) -> list[str]:
        """All paths, as a list."""
        return [self.path] if isinstance(self.path, str) else self.path

    def option(self, name: str) -> str | None:
        """Return what an option says, as a text; of its name cases do not matter, as they do not for Spark.

        Example:
            >>> Source(path="x", format="json", options={"MULTILINE": True}).option("multiLine")
            'True'
        """
        return option_of(self.options, name)

    def declared(self) -> "StructType | None":
        """Return the schema as Spark's type; None where it is to be inferred. Needs a running Spark."""
        from pyspark.sql.types import StructType

        return None if self.ddl is None else cast("StructType", StructType.fromDDL(self.ddl))

    @property
    def most_bytes(self) -> int | None:
        """What `max_bytes` comes to.

        Example:
            >>> Source(path="x", format="csv", max_bytes="10k").most_bytes
            10240
            >>> Source(path="x", format="csv", max_bytes=10240).most_bytes
            10240
        """
        return None if self.max_bytes is None else size_in_bytes(str(self.max_bytes))

    @property
    def ddl(self) -> str | None:
        """The schema as DDL text, whichever way it was given."""
        if isinstance(self.schema_, dict):
            return ", ".join(f"`{name.replace('`', '``')}` {kind}" for name, kind in self.schema_.items())
        return self.schema_
