"""Where a job's rows come from: the `inputs` of a config, and how each becomes a DataFrame."""

from typing import Annotated, Literal, cast

from pydantic import BaseModel, ConfigDict, Field
from pyspark.sql.types import StructType

Format = Literal["avro", "csv", "delta", "json", "orc", "parquet"]
Conflicts = Literal["choice", "string", "widest", "fail", "rescue"]
OptionValue = str | bool | int | float

CONFLICT_FORMATS = ("csv", "json", "orc", "parquet")
"""The formats whose files can hold values of several types in one field."""

OWN_OPTIONS = {
    "columnnameofcorruptrecord": "what cannot be read goes to the quarantine",
    "enforceschema": "columns are found by their names in the header",
    "header": "there is the key `header`",
    "inferschema": "types are inferred where there is no `schema`",
    "mode": "what cannot be read goes to the quarantine",
    "nullvalue": "there is the key `null_values`",
    "path": "there is the key `path`",
}
"""Options of Spark's reader, in lower case, that are ours to set, with what there is instead."""


class Source(BaseModel):
    """Files of one format that make one frame."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    path: Annotated[str | list[str], Field(description="A file, a folder, a glob, or a list of these.")]
    format: Annotated[Format, Field(description="How the files are written.")]
    schema_: Annotated[
        str | dict[str, str] | None,
        Field(
            alias="schema",
            description="Column names and Spark SQL types, as a mapping or in DDL. Without it types are inferred from"
            " all rows, which for CSV and JSON reads the files once more.",
        ),
    ] = None
    null_values: Annotated[
        list[str], Field(description="CSV only: texts that stand for null, beside the empty one.")
    ] = []
    header: Annotated[bool, Field(description="CSV only: whether the first line of each file names the columns.")] = (
        True
    )
    conflicts: Annotated[
        Conflicts | None,
        Field(
            description="What to do where values of one field have several types, in JSON, CSV, or Parquet and ORC"
            " files of different schemas. `choice` keeps each value in its own type, for `resolve_choice` to settle;"
            " `string` makes texts of all; `widest` the narrowest type that holds all without loss; `fail` stops and"
            " lists the fields; `rescue` keeps the most frequent type and puts the others into `_rescued_data`. Every"
            " value is looked at, which reads the files twice more, and again where types differ inside what differs."
        ),
    ] = None
    options: Annotated[
        dict[str, OptionValue], Field(description="Options of Spark's reader, passed on as they are.")
    ] = {}

    @property
    def paths(self) -> list[str]:
        """All paths, as a list."""
        return [self.path] if isinstance(self.path, str) else self.path

    def declared(self) -> StructType | None:
        """Return the schema as Spark's type; None where it is to be inferred. Needs a running Spark."""
        return None if self.ddl is None else cast("StructType", StructType.fromDDL(self.ddl))

    @property
    def ddl(self) -> str | None:
        """The schema as DDL text, whichever way it was given."""
        if isinstance(self.schema_, dict):
            return ", ".join(f"`{name.replace('`', '``')}` {kind}" for name, kind in self.schema_.items())
        return self.schema_
