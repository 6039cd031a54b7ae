"""What a run has written where nobody looks yet."""

from dataclasses import dataclass

from birchtar.lake.write import Staged
from birchtar.runner.report import OutputReport


@dataclass(frozen=True)
class StagedOutput:
    """An output that is written and not yet published."""

    report: OutputReport
    staged: Staged
