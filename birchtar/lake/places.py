"""What paths and globs stand for, handed to Spark place by place: no glob finds what is hidden, and nothing twice."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from birchtar.lake.errors import MissingPathError
from birchtar.lake.files import FileSystem
from birchtar.lake.globs import escaped, has_wildcard, is_glob, shows, without_slashes_in_braces
from birchtar.lake.local_listing import expanded
from birchtar.lake.paths import absolute, is_local, local

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_BETWEEN = "\0"
"""The one character that no file's name holds."""


def places_of(spark: "SparkSession", paths: Sequence[str], options: Mapping[str, object]) -> list[str]:
    """Return paths that Spark reads as these, without wildcards; characters that it takes for such are escaped.

    A path is left out where another leads to all of its files too: it would be read twice.

    Args:
        spark: Looks up globs of other file systems; local ones need no Spark.
        paths: Files, folders and globs.
        options: Of Spark's reader.

    Raises:
        MissingPathError: A glob fits nothing.
        LakeError: A glob is none.
    """
    if len(paths) == 1 and not is_glob(paths[0]):
        return list(paths)
    places = list(dict.fromkeys(place for path in paths for place in _places(spark, path)))
    is_flat = any(
        key.lower() == "recursivefilelookup" and str(value).lower() == "true" for key, value in options.items()
    )
    return [escaped(place) for place in _not_inside(spark, places, is_flat=is_flat)]


def _places(spark: "SparkSession", path: str) -> list[str]:
    if not is_glob(path):
        return [absolute(path).rstrip("/") or path]
    if is_local(path):
        return [absolute(place) for place in expanded(path)]
    if found := [place for glob in without_slashes_in_braces(path) for place in _fitting(spark, glob)]:
        return found
    raise MissingPathError(f"{path}: there is no such file or folder.")


def _fitting(spark: "SparkSession", glob: str) -> list[str]:
    """Return what Hadoop finds for a glob, without what is hidden."""
    java: Any = spark._jvm
    pattern = java.org.apache.hadoop.fs.Path(glob)
    files = pattern.getFileSystem(spark._jsparkSession.sessionState().newHadoopConf())
    found = java.org.apache.spark.deploy.SparkHadoopUtil.get().globPath(files, pattern).mkString(_BETWEEN)
    wanted = [component for component in reversed(glob.split("/")) if component]
    return [place for place in found.split(_BETWEEN) if place and _is_shown(wanted, place)]


def _is_shown(wanted: Sequence[str], place: str) -> bool:
    names = (name for name in reversed(place.split("/")) if name)
    return all(
        shows(component, name) for component, name in zip(wanted, names, strict=False) if has_wildcard(component)
    )


def _not_inside(spark: "SparkSession", places: list[str], *, is_flat: bool) -> list[str]:
    """Leave out files of which the folder is there too, and, where all below a folder is read, what lies below."""
    there = set(places)

    def is_inside(place: str) -> bool:
        above = place.rpartition("/")[0]
        if is_flat:
            return any(above[: match.start()] in there for match in re.finditer("/|$", above))
        return above in there and _is_file(spark, place)

    return [place for place in places if not is_inside(place)]


def _is_file(spark: "SparkSession", place: str) -> bool:
    return Path(local(place)).is_file() if is_local(place) else FileSystem(spark, place).is_file(place)
