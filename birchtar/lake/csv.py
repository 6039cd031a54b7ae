"""CSV files, read as texts first: no value is lost because it is not what its column should be."""

from collections.abc import Iterable, Mapping, Sequence

from pyspark.sql import Column, DataFrame, DataFrameReader, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, StringType, StructField, StructType

from birchtar.lake.csv_records import (
    files_with_open_quotes,
    has_open_quote,
    null_value_of,
    parsed_records,
    standard,
)
from birchtar.lake.errors import LakeError, SchemaMismatchError
from birchtar.lake.exact_casts import is_number, says, with_article
from birchtar.lake.many_paths import load_source
from birchtar.lake.rejects import (
    CAST,
    CORRUPT,
    ENCODING,
    MALFORMED,
    REPLACED,
    is_from,
    literal,
    named,
    quoted,
    refuse_error_column,
    source_file,
    with_error,
)
from birchtar.lake.sampling import sampled
from birchtar.lake.source import Source
from birchtar.lake.texts import encoding_of, is_set

_NOT_DECODED = (
    "The line holds bytes that are not UTF-8. If the file has another encoding, name it: `options: {encoding: ...}`."
)

_HEADER_NOT_DECODED = (
    "the header holds bytes that are not UTF-8. If the files have another encoding, such as ISO-8859-1 or UTF-16, name"
    " it: `options: {encoding: ...}`."
)
_OPEN = "A quote is opened in the line, and not closed."
_SPANNING = " If values span lines, set `options: {multiLine: true}`."

_NUMBERS = ("int", "bigint", "decimal(38,0)", "double")
"""The types of numbers, each of which takes all texts of those before it."""

_TAKE_ANY_TEXT = ("binary", "char", "string", "varchar")
"""How the names of types begin that a text always fits, whatever signs are in it."""

_LOSING = ("date", "decimal", "timestamp")
"""How the names of types begin as which Spark takes texts that say more."""

_FRACTIONS = ("double", "float")
"""The same, of types that are declared for having fewer digits than a text may have: they only have to be finite."""

_WHOLE = r"^[+-]?\d{1,38}$"
_NUMBER = r"^[+-]?(\d+\.\d*|\.\d+|\d+(?=[eE]))([eE][+-]?\d+)?$"
"""A whole number of more digits is none: it stays a text, as no type of numbers keeps them all."""
_DATE = r"^\d{4}-\d{2}-\d{2}$"
_TIMESTAMP = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}"


def read_csv(spark: SparkSession, source: Source) -> DataFrame:
    """Return the rows of CSV files, typed.

    Columns are found by the names in the header; every file must have the same header. A column without a name gets
    ``_c`` and its position for one, and of names that Spark does not tell apart each gets its position behind it.
    Without a header a declared schema names the columns in their order.

    Lines of nothing but blanks, tabs among them, are no records. A line with too many or too few values, and with a
    declared schema a value that is not of its type, or says more than that holds, make a row with an ``_error``; what
    could be read is in the other columns. So 1.239 is no DECIMAL(5,2), a time of day no DATE, and 1e400 no DOUBLE; but
    a float or double keeps of more digits those that it has.

    Without a schema the types are the narrowest that fit every row; that takes a Spark job over all rows. With
    the option multiLine another job looks for a quote that is not closed: such a line is rejected by itself.

    Raises:
        SchemaMismatchError: A column of the declared schema is not in the header, or not all headers are the same.
            The latter may be found only when rows are read; then it is Spark's error.
        LakeError: There is no schema, and no line to take the columns from; or a column is called ``_error``.
    """
    declared = source.declared()
    names = header_names(spark, source, declared)
    types = None if declared is None else {field.name: field.dataType for field in declared.fields}
    refuse_error_column(types or names, source.paths)
    df = _texts(spark, source, names)
    return typed(df, _inferred(df, names, source) if types is None else types, source)


def read_texts(spark: SparkSession, source: Source) -> DataFrame:
    """Return the rows of CSV files with every value as its text, and ``_error`` where a line has not one per column.

    Raises:
        LakeError: As `read_csv`.
    """
    names = header_names(spark, source, None)
    refuse_error_column(names, source.paths)
    return typed(_texts(spark, source, names), dict.fromkeys(names, "string"), source)


def csv_reader(spark: SparkSession, source: Source, *, header: bool) -> DataFrameReader:
    """Return Spark's reader of CSV, such that all values are texts."""
    reader = spark.read.format("csv").options(**(standard(source) | _whole_signs(source)))
    return reader.options(header=header, inferSchema=False)


def _whole_signs(source: Source) -> dict[str, str]:
    """Return the option by which Spark reads signs of 16 or 32 bits: else it ends each line amid the sign for that."""
    is_wide = (encoding_of(source) or "").startswith(("UTF-16", "UTF-32", "UCS-2"))
    return {"multiLine": "true"} if is_wide and source.option("lineSep") is None else {}


def header_names(spark: SparkSession, source: Source, declared: StructType | None) -> list[str]:
    """Return the names of the columns that lines of the files have, in order, and behind them those of folders.

    Raises:
        SchemaMismatchError: A column of the declared schema is not in the header.
        LakeError: There is neither a schema nor a line; or the header is not in the files' encoding.
    """
    names = load_source(spark, csv_reader(spark, source, header=source.header), source).columns
    if not names and declared is None:
        raise LakeError.at(source.paths, "there is no line to take the columns from. Declare a schema.")
    if source.header and not says_encoding(source) and any(REPLACED in name for name in names):
        raise LakeError.at(source.paths, _HEADER_NOT_DECODED)
    if declared is None:
        return names
    if not names:
        return declared.names
    if not source.header:
        in_line = numbered(names)
        in_path = names[len(in_line) :]
        given = [name for name in declared.names if name not in in_path]
        names = [*given[: len(in_line)], *in_line[len(given) :], *in_path]
    if missing := [name for name in declared.names if name not in names]:
        raise SchemaMismatchError.of(missing, names, source.paths)
    return names


def numbered(columns: Sequence[str]) -> list[str]:
    """Return which columns of files that are read without a header come from lines: Spark numbers these."""
    return [name for position, name in enumerate(columns) if name == f"_c{position}"]


def line_names(spark: SparkSession, source: Source, declared: StructType | None) -> list[str]:
    """Return the names of the columns that lines of the files have, without those that come from their folders.

    Raises:
        SchemaMismatchError, LakeError: As `header_names`.
    """
    return _in_line(_texts(spark, source, header_names(spark, source, declared)))


def _in_line(df: DataFrame) -> list[str]:
    """Return which of the texts come from lines: Spark puts those of folders behind all that it reads."""
    return df.columns[: df.columns.index(CORRUPT)]


def _texts(spark: SparkSession, source: Source, names: list[str]) -> DataFrame:
    """Return columns of lines as texts, then the line where it has not one value for each, then those of folders."""
    null_value = null_value_of(source)
    reader = (
        csv_reader(spark, source, header=source.header)
        .schema(StructType([StructField(name, StringType()) for name in [*names, CORRUPT]]))
        .option("mode", "PERMISSIVE")
        .option("columnNameOfCorruptRecord", CORRUPT)
        .option("enforceSchema", not source.header or _has_made_up_names(spark, source, names))
        # Of a text in quotes that is empty, Spark makes the second, of one without quotes the first.
        .options(nullValue=null_value, emptyValue=null_value)
    )
    df = load_source(spark, reader, source)
    _refuse_twice(spark, source, df, names)
    if files := files_with_open_quotes(spark, source):
        records = parsed_records(spark, source, names)
        is_open = is_from(files)
        df = df.where(~is_open).unionByName(records.where(is_open))
    return without_null_values(df, names, source) if len(source.null_values) > 1 else df


def _refuse_twice(spark: SparkSession, source: Source, df: DataFrame, names: list[str]) -> None:
    in_line = _in_line(df)
    if len(in_line) == len(names):
        return
    unnamed = load_source(spark, csv_reader(spark, source, header=False), source).columns
    header = names[: len(numbered(unnamed))]
    if twice := [name for name in header if name not in in_line]:
        raise LakeError.at(
            source.paths,
            f"`{twice[0]}` is a column of the lines, and of folders such as `{twice[0]}=...` too. To take it from the"
            " lines, set `options: {recursiveFileLookup: true}`: then the names of folders are no columns.",
        )


def without_null_values(df: DataFrame, names: Sequence[str], source: Source) -> DataFrame:
    """Return a frame with null in the named columns where a text stands for it."""
    if not source.null_values:
        return df
    kept = {name: F.when(~named(name).isin(source.null_values), named(name)).alias(name) for name in names}
    return df.select(*(kept.get(name, named(name)) for name in df.columns))


def _has_made_up_names(spark: SparkSession, source: Source, names: list[str]) -> bool:
    """Tell whether Spark made up a name; if so, check the headers, as Spark would not know its own names in them.

    Raises:
        SchemaMismatchError: A file has another header than the first.
    """
    if not any(name.endswith(str(position)) for position, name in enumerate(names)):
        return False  # Spark writes its position into every name that it makes up
    lines = load_source(spark, csv_reader(spark, source, header=False), source)
    in_line = numbered(lines.columns)
    header = list(lines.select(*map(named, in_line)).first() or [])
    if header == names[: len(header)]:
        return False
    is_header = F.array(*map(named, in_line)).eqNullSafe(F.array(*map(F.lit, header)))
    other = lines.groupBy(source_file().alias("file")).agg(F.bool_or(is_header).alias("same")).where("NOT same").first()
    if other:
        raise SchemaMismatchError(f"{other['file']} does not have the same header as the other files: {header}.")
    return True


def typed(
    df: DataFrame,
    types: Mapping[str, DataType | str],
    source: Source,
    *,
    file: Column | None = None,
    also: Sequence[str] = (),
) -> DataFrame:
    """Return texts as columns of their types, and ``_error`` where one is not of its type.

    Args:
        df: A text per column of the lines, behind them the line where it is malformed, then texts from folders' names
            and the columns of ``also``.
        types: Of the columns that are wanted.
        source: Where the texts are from.
        file: The file's path in messages; None takes the one that Spark is reading.
        also: Columns that are kept as they are.
    """
    file = source_file() if file is None else file
    texts = [name for name in df.columns if name not in (CORRUPT, *also)]
    # All is written as SQL, which Spark takes as a whole: a Column is made by several calls to Java for each function.
    # The names are ours: a column of the lines may be called as one of the results, in another case.
    values = {name: f"_birchtar_value{position}" for position, name in enumerate(types)}
    df = df.selectExpr("*", *(f"{_cast(quoted(name), types[name], source)} AS {values[name]}" for name in types))
    # In a column of its own: it stands in several places below, of each of which Spark would make code.
    finite = {name: _finite(name, values[name]) for name in types if _name(types[name]) in _FRACTIONS}
    df = df.selectExpr("*", *(f"{value} AS {values[name]}_finite" for name, value in finite.items()))
    values |= {name: f"{values[name]}_finite" for name in finite}
    is_misfit = {
        name: f"({quoted(name)} IS NOT NULL AND {values[name]} IS NULL)" for name in types if not _is_text(types[name])
    }
    misfits = [
        f"CASE WHEN {is_misfit[name]} THEN concat({literal(_no_value(name, types[name]))}, {quoted(name)}) END"
        for name in is_misfit
    ]
    misfit, undecodable = _any_of(is_misfit.values()), "false"
    if not says_encoding(source):
        # The sign for what was not decoded is in no number or date, so most columns need no look.
        strict = [name for name in is_misfit if not _name(types[name]).startswith(_TAKE_ANY_TEXT)]
        undecodable = _any_of(_is_replaced(name) for name in texts if name not in strict)
        undecodable = f"({undecodable} OR {misfit} AND {_any_of(map(_is_replaced, strict))})"
    is_open = has_open_quote(named(CORRUPT), source)
    open_ = _OPEN if is_set(source, "multiLine") else _OPEN + _SPANNING
    said = f"""CASE
        WHEN {CORRUPT} IS NOT NULL THEN {literal(f"The line does not have {len(_in_line(df))} values.")}
        WHEN {undecodable} THEN {literal(_NOT_DECODED)}
        ELSE concat_ws('; ', {", ".join(misfits) or "''"}) END"""
    code = f"""CASE
        WHEN {CORRUPT} IS NOT NULL THEN '{MALFORMED}'
        WHEN {undecodable} THEN '{ENCODING}'
        WHEN {misfit} THEN '{CAST}' END"""
    return with_error(
        df,
        [*(F.expr(f"{values[name]} AS {quoted(name)}") for name in types), *map(named, also)],
        code=F.expr(code),
        message=F.concat(F.lit("In "), file, F.lit(": "), F.when(is_open, open_).otherwise(F.expr(said))),
        record=F.expr(f"coalesce({CORRUPT}, to_json(struct({', '.join(map(quoted, texts))})))"),
    )


def _cast(text: str, kind: DataType | str, source: Source) -> str:
    """Return what `cast_text` does, but for the look at fractions, for which `_finite` has not to cast them again."""
    return f"try_cast({text} AS {_name(kind)})" if _name(kind) in _FRACTIONS else cast_text(text, kind, source)


def _finite(name: str, value: str) -> str:
    """Return a fraction by the names of its text and of itself, null where it is infinite and its text is not."""
    return f"CASE WHEN {is_number(quoted(name), value)} THEN {value} END"


def _no_value(name: str, kind: DataType | str) -> str:
    return f"`{name}` is not {with_article(kind)}: "


def _any_of(conditions: Iterable[str]) -> str:
    """Return, as SQL, whether one of many conditions is true; of a long chain Spark's parser makes a flat tree."""
    return f"({' OR '.join(conditions) or 'false'})"


def _is_replaced(name: str) -> str:
    return f"coalesce(contains({quoted(name)}, '{REPLACED}'), false)"


def says_encoding(source: Source) -> bool:
    """Tell whether the user vouches for the encoding: then what does not fit it stays, as the sign for that."""
    return source.option("encoding") is not None or source.option("charset") is not None


def cast_text(text: str, kind: DataType | str, source: Source) -> str:
    """Return the SQL for a text as a type, from that for the text; null where it is none."""
    if _is_text(kind):
        return text
    if (pattern := _pattern(kind, source)) is not None:
        return f"CAST(try_to_timestamp({text}, {literal(pattern)}) AS {_name(kind)})"
    cast = f"try_cast({text} AS {_name(kind)})"
    keeps = _keeps(text, cast, kind)
    return cast if keeps is None else f"CASE WHEN {keeps} THEN {cast} END"


def _keeps(text: str, cast: str, kind: DataType | str) -> str | None:
    """Return, as SQL, whether a text says no more than what Spark makes of it; None where Spark takes no other."""
    name = _name(kind)
    if name in _FRACTIONS:
        return is_number(text, cast)
    if not name.startswith(_LOSING):
        return None
    return says(text, cast, kind if isinstance(kind, DataType) else StructType().add("value", kind)["value"].dataType)


def _pattern(kind: DataType | str, source: Source) -> str | None:
    """Return what the options ``dateFormat`` and ``timestampFormat``, in any case, say about a type."""
    wanted = f"{_name(kind)}format"
    return source.option(wanted) if wanted in ("dateformat", "timestampformat") else None


def _name(kind: DataType | str) -> str:
    return kind if isinstance(kind, str) else kind.simpleString()


def _is_text(kind: DataType | str) -> bool:
    return kind == "string" or isinstance(kind, StringType)


def _inferred(df: DataFrame, names: list[str], source: Source) -> dict[str, DataType | str]:
    """Find the narrowest type that fits every text of a column, for all columns in one pass over the rows.

    The columns are laid under each other: an expression per column would outgrow what Java compiles.
    """
    lines = sampled(df, source.sampling_ratio).where(named(CORRUPT).isNull())
    texts = lines.select(F.posexplode(F.array(*map(named, names))).alias("column", "text"))
    kind = F.expr(kind_of("text", source)).alias("kind")
    kinds: list[set[str]] = [set() for _ in names]
    for column, found in texts.where("text IS NOT NULL").select("column", kind).distinct().collect():
        kinds[column].add(found)
    return {name: _narrowest(found) for name, found in zip(names, kinds, strict=True)}


def kind_of(text: str, source: Source) -> str:
    """Return the SQL for the name of the narrowest type that fits a text, from that for the text."""
    return f"""CASE
        WHEN {text} RLIKE r'{_WHOLE}' THEN CASE
            WHEN try_cast({text} AS int) IS NOT NULL THEN 'int'
            WHEN try_cast({text} AS bigint) IS NOT NULL THEN 'bigint'
            ELSE 'decimal(38,0)' END
        WHEN {text} RLIKE r'{_NUMBER}' AND abs(try_cast({text} AS double)) < double('Infinity') THEN 'double'
        WHEN {_is(text, "date", _DATE, source)} THEN 'date'
        WHEN {_is(text, "timestamp", _TIMESTAMP, source)} THEN 'timestamp'
        WHEN lower({text}) IN ('true', 'false') THEN 'boolean'
        ELSE 'string' END"""


def _is(text: str, kind: str, shape: str, source: Source) -> str:
    """Tell whether a text is a date or timestamp: casts alone would also take a lone year for one."""
    parses = f"{cast_text(text, kind, source)} IS NOT NULL"
    return parses if _pattern(kind, source) else f"{text} RLIKE r'{shape}' AND {parses}"


def _narrowest(kinds: set[str]) -> str:
    """Return the type that takes all texts of a column, given the narrowest of each text."""
    if kinds and kinds <= set(_NUMBERS):
        return max(kinds, key=_NUMBERS.index)
    return kinds.pop() if len(kinds) == 1 else "string"
