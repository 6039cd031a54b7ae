"""Paths of a config, as Spark takes them."""

from birchtar.lake.paths import absolute
from birchtar.lake.source import Source


def located(source: Source) -> Source:
    """Return the source with paths that mean the same to Spark as to the user."""
    return source.model_copy(update={"path": [absolute(path) for path in source.paths]})
