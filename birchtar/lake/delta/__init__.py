"""Writing Delta tables in two phases: staged without a commit, then published once, by whichever process."""

from birchtar.lake.delta.discard import discard
from birchtar.lake.delta.plan import Plan, Published, Staged
from birchtar.lake.delta.publish import publish
from birchtar.lake.delta.stage import stage

__all__ = ["Plan", "Published", "Staged", "discard", "publish", "stage"]
