"""The name by which a job is remembered."""

from pathlib import Path


def job_name(config: str | Path) -> str:
    """Return the name of the job of a config: that of the file, without its last ending, whatever that is.

    Example:
        >>> job_name("conf/jobs/flights.yaml"), job_name("flights.2013.conf")
        ('flights', 'flights.2013')
    """
    return Path(config).stem
