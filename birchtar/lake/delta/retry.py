"""Trying again after another writer came in between."""

import re
from collections.abc import Callable
from typing import TypeVar

from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random_exponential

_CONFLICT = re.compile(
    r"DELTA_(?:CONCURRENT_|METADATA_CHANGED|PROTOCOL_CHANGED)|io\.delta\.exceptions\."
    r"|delta\.\w*(?:Concurrent\w*|MetadataChanged|ProtocolChanged)Exception"
)
_PATIENCE = 600
"""In seconds. After that a table is so busy that a person should look at it."""

_Result = TypeVar("_Result")


def is_conflict(error: BaseException) -> bool:
    """Return whether Delta refused a commit only because of another one."""
    return _CONFLICT.search(f"{type(error).__module__}.{type(error).__name__} {error}") is not None


def with_retries(work: Callable[[], _Result]) -> tuple[_Result, int]:
    """Do something until it meets no conflict, waiting longer each time. Return its result and the conflicts met.

    Raises:
        Exception: What ``work`` raised, at once if it is no conflict, else when ten minutes have passed.
    """
    attempts = Retrying(
        retry=retry_if_exception(is_conflict),
        wait=wait_random_exponential(multiplier=0.1, max=10),
        stop=stop_after_delay(_PATIENCE),
        reraise=True,
    )
    result = attempts(work)
    return result, int(attempts.statistics["attempt_number"]) - 1
