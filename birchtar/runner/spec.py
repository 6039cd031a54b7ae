"""What a job's config may say. The JSON schema for editors and every check come from these models."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from birchtar.lake.sink import Sink
from birchtar.lake.source import Source

Step = dict[str, Any]
"""One key, the name of a transform, `sql` or `package.module:function`; its value holds the keyword arguments."""


class Table(BaseModel):
    """A table that the job makes: another table and steps, or an SQL query."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    from_: Annotated[str | None, Field(alias="from", description="The input or table that the steps begin with.")] = (
        None
    )
    steps: Annotated[list[Step | str], Field(description="What is done to it, one after the other.")] = []
    sql: Annotated[str | None, Field(description="A SELECT over inputs and other tables, by their names.")] = None


class Job(BaseModel):
    """Inputs, tables, outputs."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    inputs: Annotated[
        dict[str, Source], Field(min_length=1, description="What is read, by the name it has in this job.")
    ]
    tables: Annotated[dict[str, Table], Field(description="What is made of it, by name.")] = {}
    outputs: Annotated[
        dict[str, Sink], Field(min_length=1, description="What is written: a table's or an input's name, and where.")
    ]
