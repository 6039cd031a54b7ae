"""The files that a bookmark knows, and which of a listing are new to it.

Of the last listing a digest is kept, where all of it became known: a run whose listing has the same has nothing new.
Where the listing is another, its files fall into buckets. Of each bucket a digest is kept too; where it is the same,
none of the bucket's files need be looked at. So a run with new files reads these digests, and the rows of few buckets.
The comparison is by path, size and time, never by a highest time: late files are found like any others.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal, NamedTuple, TypeVar

from sqlalchemy import Connection, and_, bindparam, delete, func, insert, select, update

from birchtar.state.buckets import Buckets, bucket_of, in_buckets
from birchtar.state.listed import ListedFile, Listing
from birchtar.state.tables import bookmark_buckets, bookmark_files, bookmarks

_FEW = 500
"""Values in one IN: both databases take many more, but plan long lists slowly."""

_MANY_GONE = 4
"""From so many known files per listed one on, it is cheaper to ask for single paths than for buckets."""

_ROWS = 20_000
"""Rows that are sent to the database in one call."""

_NONE = (b"", 0)
"""Digest and files of a bucket in which nothing is known."""

_T = TypeVar("_T")


@dataclass(frozen=True)
class Difference:
    """How a listing differs from what a bookmark knows. Files that are gone make no difference."""

    new: Listing = field(default_factory=Listing)
    changed: Listing = field(default_factory=Listing)
    """Known by path, but with another size or time; as they are listed now."""
    unchanged: int = 0
    quiet: dict[int, bytes] = field(default_factory=dict)
    """Digests of buckets without new and changed files in which some known ones are gone; for `settle`."""
    digest: str = ""
    """Of the listing: to be the bookmark's mark when all of the listing is known."""


class Explanation(NamedTuple):
    """What a bookmark knows of one file, beside what a listing shows."""

    state: Literal["new", "changed", "known", "gone", "nowhere"]
    """``gone`` is known but not listed, ``nowhere`` neither of both."""
    known: ListedFile | None
    run_number: int | None
    """The run that read it last."""
    listed: ListedFile | None


def new_files(connection: Connection, bookmark_id: int, listed: Listing) -> Difference:
    """Return what a listing has that the bookmark does not know. Changes nothing.

    Costs a pass over the listing. Where it is not the one that the bookmark has as its mark it costs another, and in
    the database a row per bucket, beside the rows of those buckets whose files are not all as they were.
    """
    digest = listed.digest()
    if digest == connection.scalar(select(bookmarks.c.mark).where(bookmarks.c.id == bookmark_id)):
        return Difference(unchanged=len(listed), digest=digest)
    b = bookmark_buckets.c
    rows = connection.execute(select(b.bucket, b.digest, b.files).where(b.bookmark_id == bookmark_id)).all()
    before = {bucket: (digest, files) for bucket, digest, files in rows}
    buckets = in_buckets(listed)
    differing = [bucket for bucket, digest in buckets.digests.items() if before.get(bucket, _NONE)[0] != digest]
    positions = [position for bucket in differing for position in buckets.positions(bucket)]
    files = {bucket: before[bucket][1] for bucket in differing if bucket in before}
    known = _known(connection, bookmark_id, [listed.paths[at] for at in positions], files)
    new, changed = Listing(), Listing()
    for position in positions:
        file = listed[position]
        if (found := known.get(file.path)) is None:
            new.add(*file)
        elif found != (file.size, file.modified):
            changed.add(*file)
    unknown = {*new.paths, *changed.paths}
    quiet = {
        bucket: buckets.digests[bucket]
        for bucket in differing
        if unknown.isdisjoint(listed.paths[at] for at in buckets.positions(bucket))
    }
    return Difference(new, changed, len(listed) - len(new) - len(changed), quiet, digest)


def settle(connection: Connection, bookmark_id: int, difference: Difference) -> None:
    """Take the digests of what is still there where files are gone: the next listing need not look at these again.

    What is known stays known. Without this all is right too, but where many files are swept away after they were read,
    every run would look all others up.
    """
    b = bookmark_buckets.c
    one = update(bookmark_buckets).where(b.bookmark_id == bookmark_id, b.bucket == bindparam("one"))
    rows = ({"one": bucket, "digest": digest} for bucket, digest in difference.quiet.items())
    for part in _chunks(rows, _ROWS):
        connection.execute(one, part)


def remember(connection: Connection, bookmark_id: int, files: Iterable[ListedFile], run_number: int) -> None:
    """Make some files known, in the size and of the time they have here, as read by a run. Twice is as once."""
    f = bookmark_files.c
    listing = files if isinstance(files, Listing) else Listing.of(files)
    touched = in_buckets(listing)
    is_first = connection.execute(select(f.path).where(f.bookmark_id == bookmark_id).limit(1)).first() is None
    if not is_first:
        _forget(connection, bookmark_id, listing, touched)
    rows = (
        {
            "bookmark_id": bookmark_id,
            "path": listing.paths[at],
            "bucket": bucket,
            "size": listing.sizes[at],
            "modified": listing.modified[at],
            "run_number": run_number,
        }
        for bucket in touched.digests
        for at in touched.positions(bucket)
    )
    for part in _chunks(rows, _ROWS):
        connection.execute(insert(bookmark_files), part)
    if is_first:
        _write_digests(connection, bookmark_id, touched)
    else:
        _refresh(connection, bookmark_id, list(touched.digests))


def forget_after(connection: Connection, bookmark_id: int, run_number: int) -> int:
    """Forget the files that runs after this one read, and return how many; they are new to the next run.

    A file that such a run read again because it had changed is forgotten altogether: as it is now, no earlier run
    read it.
    """
    f = bookmark_files.c
    later = and_(f.bookmark_id == bookmark_id, f.run_number > run_number)
    touched = list(connection.execute(select(f.bucket).where(later).distinct()).scalars())
    forgotten = connection.execute(delete(bookmark_files).where(later)).rowcount
    _refresh(connection, bookmark_id, touched)
    return forgotten


def reset(connection: Connection, bookmark_id: int) -> int:
    """Forget all files, and return how many they were."""
    connection.execute(delete(bookmark_buckets).where(bookmark_buckets.c.bookmark_id == bookmark_id))
    return connection.execute(delete(bookmark_files).where(bookmark_files.c.bookmark_id == bookmark_id)).rowcount


def explain(connection: Connection, bookmark_id: int, path: str, listed: Listing) -> Explanation:
    """Return why a file, by its path as listings have it, would be read or not."""
    f = bookmark_files.c
    here = and_(f.bookmark_id == bookmark_id, f.bucket == bucket_of(path), f.path == path)
    row = connection.execute(select(f.size, f.modified, f.run_number).where(here)).first()
    there = listed[listed.paths.index(path)] if path in listed.paths else None
    if row is None:
        return Explanation("new" if there else "nowhere", None, None, there)
    known = ListedFile(path, row.size, row.modified)
    state: Literal["known", "changed", "gone"] = "gone" if there is None else "known" if there == known else "changed"
    return Explanation(state, known, row.run_number, there)


def count_known(connection: Connection, bookmark_id: int) -> int:
    """Return how many files are known, those that are gone among them. Costs a row per bucket."""
    b = bookmark_buckets.c
    return int(connection.scalar(select(func.coalesce(func.sum(b.files), 0)).where(b.bookmark_id == bookmark_id)) or 0)


def latest_files(connection: Connection, bookmark_id: int, limit: int) -> list[tuple[ListedFile, int]]:
    """Return the files that the latest runs read, the newest first, each with the run's number."""
    f = bookmark_files.c
    query = select(f.path, f.size, f.modified, f.run_number).where(f.bookmark_id == bookmark_id)
    newest = query.order_by(f.run_number.desc(), f.modified.desc(), f.path).limit(limit)
    return [(ListedFile(*row[:3]), row.run_number) for row in connection.execute(newest)]


def gone_files(connection: Connection, bookmark_id: int, listed: Listing, limit: int) -> list[str]:
    """Return the paths of some known files that a listing does not have. Passes over all known files."""
    there, f = set(listed.paths), bookmark_files.c
    paths = connection.execution_options(yield_per=_ROWS).scalars(select(f.path).where(f.bookmark_id == bookmark_id))
    return sorted(islice((path for path in paths if path not in there), limit))


def _known(
    connection: Connection, bookmark_id: int, paths: Sequence[str], files: dict[int, int]
) -> dict[str, tuple[int, int]]:
    """Return size and time of those files among some paths that are known.

    Asks for their buckets, or, where these know many files that are not listed any more, for the paths.

    Args:
        connection: To the state database.
        bookmark_id: The bookmark.
        paths: All that a listing has in some buckets.
        files: Those of these buckets that know files, and how many.
    """
    f = bookmark_files.c
    by_bucket = sum(files.values()) <= _MANY_GONE * len(paths)
    wanted = (
        [f.bucket.in_(part) for part in _chunks(files, _FEW)]
        if by_bucket
        else [and_(f.bucket.in_(set(map(bucket_of, part))), f.path.in_(part)) for part in _chunks(paths, _FEW)]
    )
    found: dict[str, tuple[int, int]] = {}
    for these in wanted:
        rows = connection.execute(select(f.path, f.size, f.modified).where(f.bookmark_id == bookmark_id, these))
        found |= {path: (size, modified) for path, size, modified in rows}
    return found


def _forget(connection: Connection, bookmark_id: int, listing: Listing, buckets: Buckets) -> None:
    """Forget the files of a listing, as far as they are known, and leave the digests as they are."""
    f = bookmark_files.c
    for numbers in _chunks(buckets.digests, _FEW):
        these = and_(f.bookmark_id == bookmark_id, f.bucket.in_(numbers))
        listed = {listing.paths[at] for number in numbers for at in buckets.positions(number)}
        known = listed.intersection(connection.scalars(select(f.path).where(these)))
        for paths in _chunks(known, _FEW):
            connection.execute(delete(bookmark_files).where(these, f.path.in_(paths)))


def _refresh(connection: Connection, bookmark_id: int, numbers: Sequence[int]) -> None:
    """Bring the digests of some buckets up to their files."""
    f = bookmark_files.c
    for part in _chunks(numbers, _FEW):
        rows = connection.execute(
            select(f.path, f.size, f.modified).where(f.bookmark_id == bookmark_id, f.bucket.in_(part))
        )
        listing = Listing()
        for path, size, modified in rows:
            listing.add(path, size, modified)
        b = bookmark_buckets.c
        connection.execute(delete(bookmark_buckets).where(b.bookmark_id == bookmark_id, b.bucket.in_(part)))
        _write_digests(connection, bookmark_id, in_buckets(listing))


def _write_digests(connection: Connection, bookmark_id: int, buckets: Buckets) -> None:
    rows = (
        {
            "bookmark_id": bookmark_id,
            "bucket": bucket,
            "files": len(buckets.positions(bucket)),
            "digest": digest,
        }
        for bucket, digest in buckets.digests.items()
    )
    for part in _chunks(rows, _ROWS):
        connection.execute(insert(bookmark_buckets), part)


def _chunks(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    each = iter(items)
    while part := list(islice(each, size)):
        yield part
