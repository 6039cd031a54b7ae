"""The files that an input stands for right now, with their sizes and times, found without opening any."""

from collections.abc import Mapping, Sequence
from itertools import compress
from typing import TYPE_CHECKING

from birchtar.lake.errors import LakeError
from birchtar.lake.hadoop_listing import list_through_spark
from birchtar.lake.listing_filters import file_filter
from birchtar.lake.local_listing import list_local
from birchtar.lake.paths import is_local
from birchtar.state.listed import Listing

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from birchtar.lake.source import OptionValue, Source


def list_files(
    paths: Sequence[str], *, spark: "SparkSession | None" = None, options: "Mapping[str, OptionValue] | None" = None
) -> Listing:
    """Return the files that ``spark.read`` would read of some paths; each once, however many paths lead to it.

    Below a folder these are its own files or, where folders like ``day=1`` lie below it, the files in those. Hidden
    names (``_x`` and ``.x``, but not ``_x=1``) are passed over. Empty files are listed, though Spark passes them over
    too: they may grow. Links are followed. No order is promised.

    Args:
        paths: Files, folders and globs, local or of any file system that Spark reaches.
        spark: Lists what is not on this machine; local paths need none.
        options: Of Spark's reader; those that choose files are honoured: ``basePath``, ``recursiveFileLookup``,
            ``pathGlobFilter``, ``modifiedBefore``, ``modifiedAfter`` (in the option ``timeZone``, else the session's,
            else UTC).

    Raises:
        LakeError: A path is not there, a glob fits nothing or is none, a folder may not be read, a name is no text or
            has a colon, a path is a hidden file, or files lie where Spark would pass over them: beside
            partition folders and in none, or in folders below the one that is read.

    Example:
        >>> import tempfile, pathlib
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> _ = (folder / "a.csv").write_text("1"), (folder / "_SUCCESS").write_text("")
        >>> [file.size for file in list_files([str(folder)])]
        [1]
    """
    chosen = {key.lower(): str(value) for key, value in (options or {}).items()}
    local = [path for path in paths if is_local(path)]
    other = [path for path in paths if not is_local(path)]
    listing = list_local(local, chosen) if local else Listing()
    if local and (accepts := file_filter(chosen, spark)):
        listing = Listing.of(file for file in listing if accepts(file))
    _require_no_colons(listing)
    if other:
        if spark is None:
            raise LakeError(f"{other[0]}: only Spark can list it, and no Spark runs.")
        found = list_through_spark(spark, other, options or {})
        for file in found:
            listing.add(*file)
    return _distinct(listing) if len(paths) > 1 or listing_may_repeat(paths) else listing


def require_all_read(spark: "SparkSession", source: "Source") -> None:
    """Raise where Spark would pass over files without a word.

    Raises:
        LakeError: As `list_files`.
    """
    if source.format not in ("delta", "jdbc"):
        list_files(source.paths, spark=spark, options=source.options)


def listing_may_repeat(paths: Sequence[str]) -> bool:
    """Return whether a file may have been found twice: one folder holds each of its files once, a glob may not."""
    return any("*" in path or "{" in path for path in paths)


def _require_no_colons(local: Listing) -> None:
    """Refuse names that Hadoop cannot open: it looks for the file's sums by a name that it takes for a URI's scheme."""
    if wrong := [path for path in local.paths if path.rfind(":") > path.rfind("/")]:
        shown = ", ".join(path.removeprefix("file:") for path in wrong[:3])
        more = f" and {len(wrong) - 3:,} more" if len(wrong) > 3 else ""
        raise LakeError(
            f"{shown}{more}: Hadoop cannot open a file with a colon in its name. Rename it, for instance with `-` for"
            " each colon; or leave such files out with the option pathGlobFilter."
        )


def _distinct(listing: Listing) -> Listing:
    seen: set[str] = set()
    if len(listing) == len(set(listing.paths)):
        return listing
    first = [not (path in seen or seen.add(path)) for path in listing.paths]  # type: ignore[func-returns-value]
    return Listing.of(compress(listing, first))
