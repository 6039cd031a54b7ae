"""What a job's config may say. The JSON schema for editors and every check come from these models."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from birchtar.lake.sink import Sink
from birchtar.lake.source import Source
from birchtar.lake.text_forms import SHARE

LONGEST_NAME = 200
"""Characters of a name that a config gives: names stand in messages, tables and the state database's keys."""

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
    rules: Annotated[
        list[dict[str, Any]],
        Field(description="What its rows, and the table as a whole, have to fulfil, and what happens otherwise."),
    ] = []


class Job(BaseModel):
    """Inputs, tables, outputs, and how much may go wrong."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    inputs: Annotated[
        dict[str, Source], Field(min_length=1, description="What is read, by the name it has in this job.")
    ]
    tables: Annotated[dict[str, Table], Field(description="What is made of it, by name.")] = {}
    outputs: Annotated[
        dict[str, Sink], Field(min_length=1, description="What is written: a table's or an input's name, and where.")
    ]
    max_rejected: Annotated[
        Annotated[int, Field(ge=0)] | Annotated[str, Field(pattern=SHARE)] | None,
        Field(
            description="How many rows may be rejected, by reading, steps and rules together: a number, or a share of"
            " all rows read, such as `1%`. With more the run stops, and nothing is published."
        ),
    ] = None
    when_busy: Annotated[
        Literal["wait", "queue", "fail"],
        Field(
            description="What a run does while another process runs the same job: `wait` until it has ended, whoever"
            " then comes first (the default); `queue`: wait in the order in which they came, as `birchtar runs` shows;"
            " or `fail`."
        ),
    ] = "wait"
