"""From files to a DataFrame. What cannot be read as declared is in the frame's error column, not lost."""

from pyspark.sql import DataFrame, SparkSession

from birchtar.lake.csv import read_csv
from birchtar.lake.json import read_json
from birchtar.lake.merged import read_merged
from birchtar.lake.source import Source
from birchtar.lake.xml import read_xml


def read(spark: SparkSession, source: Source) -> DataFrame:
    """Return the rows of a source.

    A CSV, JSON or XML record that does not parse, or does not fit the declared schema, becomes a row whose ``_error``
    says so and holds the record's text; its other columns hold what could be read. See the contract of rejected rows in
    `transforms.rejects`. Frames of the other formats have such a column where a value may not fit its declared type;
    see `as_declared`, and for files of different columns `read_merged`. Reading CSV, JSON or XML without a schema
    starts a Spark job over all rows; reading JSON starts one over all lines, which looks for more than one value on a
    line.

    Raises:
        SchemaMismatchError: A column of the declared schema is not in the files. Of JSON and XML it is null instead.
        LakeError: Without a schema, CSV, JSON or XML files hold nothing to take the columns from; a column of
            theirs is called ``_error``; or one of the others has a type of which nothing becomes the declared one, or
            has several types and none is declared.
    """
    if source.format == "csv":
        return read_csv(spark, source)
    if source.format == "json":
        return read_json(spark, source)
    if source.format == "xml":
        return read_xml(spark, source)
    return read_merged(spark, source)
