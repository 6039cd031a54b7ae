"""Which run writes which output: a publication bears this label, so that none happens twice."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Label:
    """The run and the output of one publication."""

    job: str
    """A name of the job that no other job has, on this machine or another: not the config's name."""
    output: str
    number: int
    """Of the job's run. A run that another process takes over keeps it."""
    attempt: int = 1
    """Of the run. What an earlier attempt has staged but not prepared is worth nothing."""

    @property
    def app(self) -> str:
        """The name by which Delta remembers what this job wrote to a table."""
        return f"birchtar:{self.job}:{self.output}"

    @property
    def version(self) -> int:
        """What Delta remembers with `app`. A table that has published this number or a later one takes it no more."""
        return self.number

    @property
    def folder(self) -> str:
        """A part of the names of folders for what is staged.

        Example:
            >>> Label("4f1c", "countries.root", 7).folder
            '4f1c-7-1'
        """
        return f"{self.job}-{self.number}-{self.attempt}"
