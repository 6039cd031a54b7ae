"""Where a job's rejected rows are, below the current folder."""

QUARANTINE = "data/quarantine"
"""One folder per job."""


def quarantine_path(job: str) -> str:
    """Return the folder of a job's rejected rows."""
    return f"{QUARANTINE}/{job}"


def resolved_path(job: str) -> str:
    """Return the folder that names those of them which a replay has sent through the job again.

    Readers of the quarantine pass over it, for its name begins with an underscore.
    """
    return f"{QUARANTINE}/_resolved/{job}"
