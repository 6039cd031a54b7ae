"""Columns of files that know their own types, as a source declares them."""

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, MapType, StringType, StructField, StructType

from birchtar.lake.errors import LakeError, SchemaMismatchError
from birchtar.lake.exact_casts import Exact, exact, no_casts, with_article
from birchtar.lake.jdbc import table_of
from birchtar.lake.rejects import CAST, ERROR_COLUMN, WHOLE_RECORD, any_of, named, quoted, refuse_error_column
from birchtar.lake.source import Source

_NESTED = (ArrayType, MapType, StructType)


def as_declared(df: DataFrame, source: Source) -> DataFrame:
    """Return the columns that a source of a format that knows its types declares; all where it declares none. Lazy.

    A value that would not be the same in its declared type makes its row a rejected one, of the code ``CAST``: its
    ``_error`` has the declared columns as they were read, as JSON, and the value itself is null. Where no cast can
    lose anything, such as that of an int to a bigint, there is no column ``_error``.

    Raises:
        SchemaMismatchError: A declared column is not there.
        LakeError: A column cannot become what is declared, whatever its values are; or values have to be looked at,
            and a declared column is called ``_error``.
    """
    declared = source.declared()
    if declared is None:
        return df
    if missing := [name for name in declared.names if name not in df.columns]:
        raise SchemaMismatchError.of(missing, df.columns, _places(source))
    types = {field.name: field.dataType for field in df.schema.fields}
    if problems := [said for field in declared for said in no_casts(types[field.name], field.dataType, field.name)]:
        raise LakeError.at(
            _places(source),
            f"the schema asks for what cannot be: {'; '.join(problems)}. Declare it as it is, and change it by a step.",
        )
    casts = {field.name: exact(quoted(field.name), types[field.name], field.dataType) for field in declared}
    if not any(cast.is_lost for cast in casts.values()):
        return df.select(*(F.expr(cast.value).alias(name) for name, cast in casts.items()))
    refuse_error_column(declared.names, _places(source))
    return _checked(df.select(*map(named, declared.names)), declared, casts)


def _checked(df: DataFrame, declared: StructType, casts: Mapping[str, Exact]) -> DataFrame:
    # Their names are ours: a column may be called as another one, in another case.
    values = {name: f"_birchtar_value{position}" for position, name in enumerate(casts)}
    rows = df.select("*", *(F.expr(cast.value).alias(values[name]) for name, cast in casts.items()))
    misfits = {
        field.name: F.expr(casts[field.name].is_lost or "false")
        if isinstance(field.dataType, _NESTED)
        else named(field.name).isNotNull() & F.col(values[field.name]).isNull()
        for field in declared
        if casts[field.name].is_lost
    }
    said = [F.when(is_lost, _said(df.schema[name], declared[name])) for name, is_lost in misfits.items()]
    told = {
        "code": F.lit(CAST),
        "message": F.concat_ws("; ", *said),
        "record": F.to_json(F.struct(*map(named, declared.names)), WHOLE_RECORD),
    }
    error = F.when(any_of([*misfits.values()]), F.struct(*(text.alias(name) for name, text in told.items())))
    return rows.select(*(F.col(value).alias(name) for name, value in values.items()), error.alias(ERROR_COLUMN))


def _said(ours: StructField, theirs: StructField) -> Column:
    """Return what is said of a value, as the record has it; of one with others inside, which may be long, its name."""
    if isinstance(theirs.dataType, _NESTED):
        return F.lit(f"`{theirs.name}` holds what is not of its type {theirs.dataType.simpleString()}")
    value = named(ours.name)
    if not isinstance(ours.dataType, StringType):
        value = F.regexp_replace(F.to_json(F.struct(value.alias("v")), WHOLE_RECORD), r'^\{"v":"?|"?\}$', "")
    return F.concat(F.lit(f"`{theirs.name}` is not {with_article(theirs.dataType)}: "), value)


def _places(source: Source) -> list[str]:
    return source.paths or [table_of(source)]
