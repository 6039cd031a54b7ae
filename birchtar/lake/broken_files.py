"""Parquet, ORC and Avro files that cannot be read, found one by one among many."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pyspark.sql import SparkSession

from birchtar.lake.damaged_file import Damage, reason, require_access, shown
from birchtar.lake.many_paths import AS_THEY_ARE, load_paths
from birchtar.lake.rejects import CORRUPT_FILE
from birchtar.lake.source import Source

_CHECKED = {"parquet": {"parquet.page.verify-checksum.enabled": "true"}}

_AT_ONCE = 4
_TOGETHER = 64
"""Files that are tried in one Spark job."""


def verified(source: Source) -> dict[str, str]:
    """Return the options by which a reader checks the sums that files of the format carry of themselves."""
    return _CHECKED.get(source.format, {})


def broken_files(spark: SparkSession, source: Source, files: Sequence[str]) -> Iterator[Damage]:
    """Yield the files that Spark cannot read. Starts a Spark job for every few of them, and more where these fail.

    Files that are tried together and fail are opened one by one with the format's own library, which finds most of
    what can be wrong, and needs no Spark job for each. Where the others still fail, each half of them is tried.

    Args:
        spark: The session.
        source: The input that they are of.
        files: Their paths.

    Raises:
        LakeError: A file cannot be opened at all.
    """
    options = {key: value for key, value in source.options.items() if key.lower() != "ignorecorruptfiles"}
    reader = options | AS_THEY_ARE | verified(source)
    open_alone = _openers(spark, reader)[source.format]

    def look(files: Sequence[str], *, together: bool) -> list[Damage]:
        if not files:
            return []
        try:
            df = load_paths(spark, spark.read.format(source.format).options(**reader), files)
            df.write.format("noop").mode("overwrite").save()
        except Exception as error:
            if len(files) == 1:
                require_access(files[0], error)
                return [Damage(shown(files[0]), CORRUPT_FILE, reason(error))]
        else:
            return []
        if together:
            found = [damage for file in files if (damage := _alone(open_alone, file))]
            bad = {damage.file for damage in found}
            return [*found, *look([file for file in files if shown(file) not in bad], together=not bad)]
        half = len(files) // 2
        return look(files[:half], together=False) + look(files[half:], together=False)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        groups = (files[at : at + _TOGETHER] for at in range(0, len(files), _TOGETHER))
        for found in pool.map(lambda group: look(group, together=True), groups):
            yield from found


def _alone(open_alone: Callable[[str], None], file: str) -> Damage | None:
    try:
        open_alone(file)
    except Exception as error:
        require_access(file, error)
        return Damage(shown(file), CORRUPT_FILE, reason(error))
    return None


def _openers(spark: SparkSession, options: dict[str, Any]) -> dict[str, Callable[[str], None]]:
    """Return what reads a whole file of a format in this process, and throws what Java has against it."""
    java: Any = spark._jvm
    conf = spark._jsparkSession.sessionState().newHadoopConf()
    for key, value in options.items():
        conf.set(key, str(value))

    def open_avro(file: str) -> None:
        avro, path = java.org.apache.avro, java.org.apache.hadoop.fs.Path(file)
        seekable = avro.mapred.FsInput(path, conf)
        try:
            reader = avro.file.DataFileReader(seekable, avro.generic.GenericDatumReader())
            java.com.google.common.collect.Iterators.size(reader)
            # Of a block that breaks off, Avro says the first time that there is none.
            if reader.hasNext():
                raise EOFError("The file ends inside of a block.")
        finally:
            seekable.close()

    def open_orc(file: str) -> None:
        orc = java.org.apache.orc.OrcFile
        reader = orc.createReader(java.org.apache.hadoop.fs.Path(file), orc.readerOptions(conf))
        try:
            rows, batch = reader.rows(), reader.getSchema().createRowBatch()
            while rows.nextBatch(batch):
                pass
            rows.close()
        finally:
            reader.close()

    def open_parquet(file: str) -> None:
        parquet, path = java.org.apache.parquet, java.org.apache.hadoop.fs.Path(file)
        # The columns alone are read by other code than the whole footer.
        without_groups = parquet.format.converter.ParquetMetadataConverter.SKIP_ROW_GROUPS
        parquet.hadoop.ParquetFileReader.readFooter(conf, path, without_groups)
        place = parquet.hadoop.util.HadoopInputFile.fromPath(path, conf)
        reader = parquet.hadoop.ParquetFileReader.open(place, parquet.HadoopReadOptions.builder(conf).build())
        try:
            while reader.readNextRowGroup() is not None:
                pass
        finally:
            reader.close()

    return {"avro": open_avro, "orc": open_orc, "parquet": open_parquet}
