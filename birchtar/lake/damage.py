"""Files that break off, are packed wrongly, or are no files of their format: found one by one, and read past.

As a rule nothing here is done beforehand. Spark meets a damaged file while it reads, and stops; only then are all files
of the input looked at, by the libraries that Spark reads them with. What is packed by bzip2, Snappy or LZ4 is the
exception: Spark passes over what is no archive, and of bzip2 it checks no sums. So that is unpacked once before.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial, reduce
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import LongType, StringType, StructField, StructType

from birchtar.lake.broken_files import broken_files, verified
from birchtar.lake.csv_headers import with_another_header
from birchtar.lake.damaged_file import Damage, reason, require_access, shown
from birchtar.lake.errors import LakeError
from birchtar.lake.files import FileSystem
from birchtar.lake.listing import list_files
from birchtar.lake.many_paths import AS_THEY_ARE
from birchtar.lake.paths import is_local, local
from birchtar.lake.read_files import empty_frame, restricted
from birchtar.lake.rejects import CORRUPT_FILE, ERROR_COLUMN, TRUNCATED, with_file
from birchtar.lake.source import TEXT_FORMATS, WHOLE_FORMATS, Source
from birchtar.lake.texts import is_whole
from birchtar.state.listed import ListedFile, Listing

_LINES_AT_RISK = {"ignoreCorruptFiles": "true", "io.file.buffer.size": "512"}
"""What was read into the buffer together with the break is lost; so the buffer is small."""

_BZIP2 = ".bz2"
_BLOCKS = (".snappy", ".lz4")
_UNCHECKED = (_BZIP2, *_BLOCKS)
"""The endings of packed files of which Hadoop does not say what is wrong with them."""

_SIZES, _NO_BLOCK = 8, 4
"""Bytes of the sizes before the first block, unpacked and packed; and of a file in which nothing is packed."""

_AT_ONCE = 4
_HEADER = "Its header is not that of the other files, and it breaks off: {}"

_ERROR = StructType(
    [StructField(name, StringType()) for name in ("code", "message", "record", "file")]
    + [StructField("position", LongType())]
)


def find_damage(spark: SparkSession, source: Source) -> list[Damage]:
    """Return the damaged files of a source, by name. Reads all that could be: packed texts, or Parquet, ORC and Avro.

    A database, a Delta table and files of plain text have none.

    Raises:
        LakeError: The files cannot be listed, or one cannot be opened.
    """
    if source.format not in (*TEXT_FORMATS, *WHOLE_FORMATS):
        return []
    listed = _files(spark, source)
    if source.format in WHOLE_FORMATS:
        # ORC files of no length hold no rows and hurt nobody.
        files = [file.path for file in listed if file.size or source.format != "orc"]
        return sorted(broken_files(spark, source, files), key=lambda damage: damage.file)
    found = list(_packed(spark, source, listed))
    if source.format == "csv" and source.header:
        found = _headed(spark, source, listed, found)
    return sorted(found, key=lambda damage: damage.file)


def find_unsound(spark: SparkSession, source: Source) -> list[Damage]:
    """Return the damaged files of a source that Spark would read without a word, by name. Unpacks all that could be.

    Raises:
        LakeError: The files cannot be listed.
    """
    if source.format not in TEXT_FORMATS:
        return []
    return sorted(_packed(spark, source, _files(spark, source, ending=_UNCHECKED)), key=lambda damage: damage.file)


def past_damage(source: Source, damage: Sequence[Damage]) -> Source:
    """Return the source such that texts are read up to where they break off. Others need `without_damaged`."""
    if not damage or source.format not in TEXT_FORMATS:
        return source
    return source.model_copy(update={"options": source.options | _LINES_AT_RISK})


def without_damaged(spark: SparkSession, source: Source, damage: Sequence[Damage]) -> list[Source]:
    """Return sources that together are the files which are not corrupt; none where all are.

    Raises:
        LakeError: The files cannot be listed.
    """
    bad = {each.file for each in damage if each.code == CORRUPT_FILE}
    if not bad:
        return [source]
    good = [file.path for file in _files(spark, source) if shown(file.path) not in bad]
    return restricted(source.model_copy(update={"options": source.options | verified(source)}), good) if good else []


def united(spark: SparkSession, source: Source, frames: Sequence[DataFrame], damage: Sequence[Damage]) -> DataFrame:
    """Return the rows of some frames, and a row with ``_error`` for each damaged file.

    Raises:
        LakeError: There is no frame, and no declared schema to take the columns from.
    """
    if not frames:
        if source.ddl is None:
            names = [each.file for each in damage]
            raise LakeError.at(names[:5], "none of the files can be read, so there are no columns. Declare a schema.")
        frames = [empty_frame(spark, source, None).drop(ERROR_COLUMN)]
    df = with_file(reduce(partial(DataFrame.unionByName, allowMissingColumns=True), frames))
    if not damage:
        return df
    rows = [((each.code, _message(each), None, each.file, each.position),) for each in damage]
    errors = spark.createDataFrame(rows, StructType([StructField(ERROR_COLUMN, _ERROR)]))
    return df.unionByName(errors, allowMissingColumns=True)


def say(damage: Damage) -> str:
    """Return what is wrong with a file, as a sentence that names it."""
    return f"{damage.file}: {_message(damage)}"


def _message(damage: Damage) -> str:
    if damage.code == CORRUPT_FILE:
        return f"The file cannot be read: {damage.what}"
    return f"The file breaks off behind {damage.position:,} bytes of text: {damage.what} What comes later is lost."


def _files(spark: SparkSession, source: Source, *, ending: str | tuple[str, ...] = "") -> Listing:
    """Return the files of a source; those of one that was `restricted` have names in which nothing is special."""
    if not AS_THEY_ARE.items() <= source.options.items():
        listed = list_files(source.paths, spark=spark, options=source.options)
        return Listing.of(file for file in listed if file.path.endswith(ending))
    return Listing.of(ListedFile(path, _size(spark, path), 0) for path in source.paths if path.endswith(ending))


def _size(spark: SparkSession, path: str) -> int:
    return Path(local(path)).stat().st_size if is_local(path) else FileSystem(spark, path).size(path)


def _packed(spark: SparkSession, source: Source, listed: Listing) -> Iterator[Damage]:
    """Unpack each packed file to its end, as Spark's reader would; and by bzip2 with a look at its sums."""
    breaks_off = CORRUPT_FILE if is_whole(source) else TRUNCATED
    java: Any = spark._jvm
    conf = spark._jsparkSession.sessionState().newHadoopConf()
    codecs = java.org.apache.hadoop.io.compress.CompressionCodecFactory(conf)
    streams = java.org.apache.spark.io.HadoopCodecStreams
    checking = java.org.apache.commons.compress.compressors.bzip2.BZip2CompressorInputStream

    def look(listed: ListedFile) -> Damage | None:
        file = listed.path
        path = java.org.apache.hadoop.fs.Path(file)
        if codecs.getCodec(path) is None:
            return None
        packed = java.java.io.BufferedInputStream(path.getFileSystem(conf).open(path))
        unpacked = counted = None
        try:
            if file.endswith(_BLOCKS) and not _begins_with_block(java, packed, listed.size):
                return Damage(shown(file), CORRUPT_FILE, "It does not begin with a packed block.", 0)
            unpacked = checking(packed, True) if file.endswith(_BZIP2) else streams.createInputStream(conf, path)
            counted = java.org.apache.commons.io.input.CountingInputStream(unpacked)
            java.org.apache.commons.io.IOUtils.consume(counted)
        except Exception as error:
            require_access(file, error)
            # Where the last block is cut off, those before it are sound.
            is_unsound = file.endswith(_BZIP2) and packed.read() != -1
            position = int(counted.getByteCount()) if counted else 0
            return Damage(shown(file), CORRUPT_FILE if is_unsound else breaks_off, reason(error), position)
        finally:
            for stream in filter(None, (unpacked, packed)):
                stream.close()
        if _lacks_bytes(java, unpacked):
            return Damage(shown(file), breaks_off, "Unexpected end of a block.", int(counted.getByteCount()))
        return None

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = pool.map(look, [file for file in listed if file.size])  # Spark passes over empty files
        yield from (each for each in found if each)


def _headed(spark: SparkSession, source: Source, listed: Listing, found: list[Damage]) -> list[Damage]:
    """Return the damage such that a file whose header is not that of the others counts as one that cannot be read."""
    broken = [each.file for each in found if each.code == TRUNCATED]
    if not broken:
        return found
    damaged = {each.file for each in found}
    whole = [file.path for file in listed if shown(file.path) not in damaged]
    other = with_another_header(spark, past_damage(source, found), broken, whole)
    return [
        replace(each, code=CORRUPT_FILE, what=_HEADER.format(each.what)) if each.file in other else each
        for each in found
    ]


def _begins_with_block(java: Any, packed: Any, size: int) -> bool:
    """Tell whether the sizes that a file of blocks begins with can be; what is no such file claims gigabytes."""
    if size < _SIZES:
        return size == _NO_BLOCK
    sizes = java.java.io.DataInputStream(packed)
    sizes.readInt()
    return 0 <= int(sizes.readInt()) <= size - _SIZES


def _lacks_bytes(java: Any, unpacked: Any) -> bool:
    """Tell whether a stream of blocks, which takes the end of the file for its own, ended inside of a block."""
    if unpacked.getClass().getSimpleName() != "BlockDecompressorStream":
        return False
    field = java.org.apache.commons.lang3.reflect.FieldUtils.readField
    return bool(field(unpacked, "noUncompressedBytes", True) != field(unpacked, "originalBlockSize", True))
