"""Files of this machine, listed without Spark by the rules of Spark's own listing."""

import errno
import os
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from pathlib import Path

from birchtar.lake.errors import LakeError, MissingPathError
from birchtar.lake.files import BEING_COPIED, is_passed_over
from birchtar.lake.globs import has_wildcard, is_glob, name_pattern, shows, unescaped, without_slashes_in_braces
from birchtar.lake.paths import absolute, local
from birchtar.state.listed import Listing


def list_local(paths: Sequence[str], options: Mapping[str, str]) -> Listing:
    """Return the files of local paths, as `birchtar.lake.listing.list_files` describes; options in lower case."""
    roots = [root for path in paths for root in expanded(path)]
    base = options.get("basepath")
    bases = {local(base)} if base else {root for root in roots if os.path.isdir(root)}  # noqa: PTH112 - a million may be
    walk = _Walk(bases, name_pattern(options.get("pathglobfilter", "*")).fullmatch)
    for root in roots:
        walk.root(root)
    everything = options.get("recursivefilelookup", "").lower() == "true"
    return walk.listing if everything else walk.as_spark_reads()


def passed_over(folder: str, file: str, partition: str) -> LakeError:
    """Return the error of a file that Spark would list, and read no row of."""
    return LakeError(
        f"{folder}: its files, such as {file}, are beside partition folders such as {partition}, and in none: Spark"
        " would pass over them. Give the paths of the folders to be read, or the option recursiveFileLookup; or, to"
        " leave these files out, pathGlobFilter."
    )


def too_deep(folder: str, file: str, root: str) -> LakeError:
    """Return the error of a file in a folder below the one that is read: without partitions Spark looks into none."""
    depth = folder.removeprefix(root).count("/")
    kind = os.path.splitext(file)[1]  # noqa: PTH122
    return LakeError(
        f"{folder}: its files, such as {file}, lie below {root}, of which Spark reads only what is in it directly. To"
        f" read all that lies below it, set the option recursiveFileLookup, or give the path {root}{'/*' * depth};"
        f" to leave them out, {root}/*{kind}."
    )


def hidden_input(path: str) -> LakeError:
    """Return the error of an input that is a single file which Spark passes over."""
    return LakeError(
        f"{path}: Spark passes over files whose names begin with `_` or `.`, or end with `{BEING_COPIED}`, and would"
        " read nothing. Rename it."
    )


def expanded(path: str) -> list[str]:
    """Return the local files and folders, without scheme, that a path stands for.

    Raises:
        MissingPathError: There is none.
    """
    found = [place for one in without_slashes_in_braces(local(path)) for place in _fitting(one)]
    if not is_glob(path):
        found = [place for place in [local(path)] if os.path.exists(place)]  # noqa: PTH110
    if not found:
        raise MissingPathError(f"{path}: there is no such file or folder.")
    return found


def _fitting(glob: str) -> list[str]:
    places = [""]
    for component in glob.strip("/").split("/"):
        if has_wildcard(component):
            fits = name_pattern(component).fullmatch
            places = [
                f"{place}/{name}"
                for place in places
                for name in _names(place or "/")
                if fits(name) and shows(component, name)
            ]
        else:
            places = [f"{place}/{unescaped(component)}" for place in places]
    return [place for place in places if os.path.exists(place)]  # noqa: PTH110


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208 - names, not a million paths
    except (NotADirectoryError, FileNotFoundError):
        return []
    except PermissionError as error:
        raise LakeError(f"{folder}: may not be read by this user.") from error


@dataclass
class _Folder:
    """The part of a listing that one folder's own files are."""

    path: str
    start: int
    end: int
    is_partition: bool
    """Whether a folder of the form ``key=value`` leads from the input's path here."""
    is_root: bool


@dataclass
class _Walk:
    bases: set[str]
    """Folders below which names of the form ``key=value`` are partitions."""
    wants: Callable[[str], object]
    """Whether a file of this name is to be read."""
    listing: Listing = field(default_factory=Listing)
    folders: list[_Folder] = field(default_factory=list)

    def root(self, path: str) -> None:
        is_partition = self._leads_through_partitions(path)
        if not os.path.isdir(path):  # noqa: PTH112
            if is_passed_over(os.path.basename(path)):  # noqa: PTH119
                raise hidden_input(path)
            start = len(self.listing)
            stat = os.stat(path)  # noqa: PTH116
            self.listing.add(_uri(path), stat.st_size, stat.st_mtime_ns // 1000)
            self.folders.append(_Folder(os.path.dirname(path), start, start + 1, is_partition, True))  # noqa: PTH120
            return
        stack = [(path.rstrip("/"), is_partition, True)]
        while stack:
            folder, is_partition, is_root = stack.pop()
            start = len(self.listing)
            for name in self._scan(folder):
                inside = f"{folder}/{name}"
                stack.append((inside, inside not in self.bases and (is_partition or "=" in name), False))
            self.folders.append(_Folder(folder, start, len(self.listing), is_partition, is_root))

    def _scan(self, folder: str) -> Iterator[str]:
        """Add the files of one folder to the listing, and yield the names of the folders in it."""
        prefix = _uri(f"{folder}/")
        paths, sizes, modified = self.listing.paths, self.listing.sizes, self.listing.modified
        first = len(paths)
        try:
            with os.scandir(folder or "/") as entries:
                for entry in entries:
                    name = entry.name
                    if is_passed_over(name):
                        continue
                    if entry.is_dir():
                        yield name
                        continue
                    try:
                        stat = entry.stat()
                    except FileNotFoundError:
                        continue  # gone since, or a link to nowhere
                    paths.append(prefix + name)
                    sizes.append(stat.st_size)
                    modified.append(stat.st_mtime_ns // 1000)
        except PermissionError as error:
            raise LakeError(f"{folder}: may not be read by this user.") from error
        except FileNotFoundError:
            return  # gone since it was seen
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise
            links = [outer for outer in (error.filename, *map(str, Path(folder).parents)) if os.path.islink(outer)]  # noqa: PTH114
            raise LakeError(f"{min(links, key=len)}: this link leads in a circle. Remove it.") from None
        finally:
            _require_texts(paths[first:])

    def as_spark_reads(self) -> Listing:
        """Return the files of partition folders where there are any with data, else those of the roots themselves.

        Raises:
            LakeError: There are files beside partition folders, or below the roots, which Spark would pass over.
        """
        partitions = [folder for folder in self.folders if folder.is_partition and self._has_data(folder)]
        if not partitions:
            roots = [folder for folder in self.folders if folder.is_root]
            self._require_none_below({folder.path for folder in roots})
            return self._files_of(roots)
        for folder in self.folders:
            if not folder.is_partition and (file := self._some_file(folder)):
                raise passed_over(folder.path, file, partitions[0].path)
        return self._files_of(partitions)

    def _require_none_below(self, roots: set[str]) -> None:
        for folder in self.folders:
            if folder.path not in roots and (file := self._some_file(folder)):
                above = max((root for root in roots if folder.path.startswith(f"{root}/")), key=len)
                raise too_deep(folder.path, file, above)

    def _has_data(self, folder: _Folder) -> bool:
        return any(self.listing.sizes[folder.start : folder.end])

    def _some_file(self, folder: _Folder) -> str | None:
        """Return the name of a file of the folder that is wanted and holds something."""
        full = compress(self.listing.paths[folder.start : folder.end], self.listing.sizes[folder.start : folder.end])
        return next((name for path in full if self.wants(name := path.rpartition("/")[2])), None)

    def _files_of(self, folders: list[_Folder]) -> Listing:
        if sum(folder.end - folder.start for folder in folders) == len(self.listing):
            return self.listing
        kept = Listing([], array("q"), array("q"))
        for folder in folders:
            part = slice(folder.start, folder.end)
            kept.paths.extend(self.listing.paths[part])
            kept.sizes.extend(self.listing.sizes[part])
            kept.modified.extend(self.listing.modified[part])
        return kept

    def _leads_through_partitions(self, root: str) -> bool:
        if root in self.bases:
            return False
        above = [base for base in self.bases if root.startswith(f"{base.rstrip('/')}/")] if len(self.bases) == 1 else []
        folder = root if os.path.isdir(root) else os.path.dirname(root)  # noqa: PTH112, PTH120
        return any("=" in folder.removeprefix(base) for base in above)


def _require_texts(paths: list[str]) -> None:
    try:
        "".join(paths).encode()
    except UnicodeEncodeError as error:
        wrong = next(path for path in paths if not path.isascii() and ascii(path).count("\\udc"))
        raise LakeError(f"{wrong!a}: the name is not UTF-8 text. Rename it.") from error


def _uri(path: str) -> str:
    _require_texts([path])
    return absolute(path) + ("/" if path.endswith("/") and path != "/" else "")
