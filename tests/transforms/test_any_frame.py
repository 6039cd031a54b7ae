"""What holds of any frame, whatever its names, types and nulls."""

from hypothesis import given
from pyspark.sql import types as t
from random_frames import Frame, few_examples, frames

from transforms.apply_mapping import apply_mapping
from transforms.cast_fields import cast_fields
from transforms.drop_fields import drop_fields
from transforms.flatten import flatten
from transforms.paths import fields_in, format_path, leaf_paths
from transforms.rename_field import rename_field
from transforms.select_fields import select_fields
from transforms.split_fields import split_fields
from transforms.unnest import unnest


def leaves(data_type, value, path=()):
    """Yield the path and the value of every leaf of a row that is in no array, from the row as Python has it."""
    for place, field in enumerate(data_type.fields):
        inner = None if value is None else value[place]
        if isinstance(field.dataType, t.StructType):
            yield from leaves(field.dataType, inner, (*path, field.name))
        else:
            yield (*path, field.name), inner


@few_examples
@given(frames())
def test_unnest_keeps_every_leaf(spark, frame: Frame):
    names = [".".join(path) for path, _ in leaves(frame.schema, None)]
    if len(set(names)) < len(names):
        return  # as `a.b` and the field `b` of `a`: refused, and tested elsewhere
    flat = unnest(frame.on(spark))
    assert flat.columns == names
    assert flat.collect() == [tuple(value for _, value in leaves(frame.schema, row)) for row in frame.rows]


@few_examples
@given(frames(empty_structs=False))
def test_mapping_each_field_to_itself_changes_nothing(spark, frame: Frame):
    df = frame.on(spark)
    columns = [(format_path((name,)), format_path((name,))) for name in df.columns]
    assert df.transform(apply_mapping, columns).schema == df.schema
    paths = [format_path(path) for path, _ in leaves(frame.schema, None)]
    mapped = df.transform(apply_mapping, [(path, path) for path in paths])
    assert mapped.schema == df.schema
    assert mapped.collect() == frame.rows


@few_examples
@given(frames())
def test_without_its_leaves_a_frame_is_empty(spark, frame: Frame):
    df = frame.on(spark)
    paths = [format_path(path) for path in leaf_paths(frame.schema)]
    paths += [format_path(field.path) for field in fields_in(frame.schema) if field.data_type == t.StructType()]
    paths += [format_path(field.path) for field in fields_in(frame.schema) if _ends_in_empty_struct(field.data_type)]
    bare = df.transform(drop_fields, paths)
    assert bare.schema == t.StructType()
    assert bare.count() == len(frame.rows)


def _ends_in_empty_struct(data_type):
    while isinstance(data_type, t.ArrayType):
        data_type = data_type.elementType
    return data_type == t.StructType()


@few_examples
@given(frames())
def test_all_fields_selected_are_the_frame_and_the_rest_is_empty(spark, frame: Frame):
    df = frame.on(spark)
    columns = [format_path((name,)) for name in df.columns]
    assert df.transform(select_fields, columns).collect() == frame.rows
    parts = split_fields(df, columns, "all", "rest")
    assert (parts["all"].schema, parts["rest"].schema) == (df.schema, t.StructType())


@few_examples
@given(frames())
def test_a_field_renamed_and_renamed_back_is_the_same(spark, frame: Frame):
    df = frame.on(spark)
    path = list(fields_in(frame.schema))[-1].path
    new = (*path[:-1], "new name")
    there = df.transform(rename_field, format_path(path), format_path(new))
    back = there.transform(rename_field, format_path(new), format_path(path))
    assert back.schema == df.schema
    assert back.collect() == frame.rows


@few_examples
@given(frames(maps=False))
def test_a_cast_to_the_same_type_or_to_text_loses_no_row_and_no_field(spark, frame: Frame):
    df = frame.on(spark)
    numbers = [field.path for field in fields_in(frame.schema) if isinstance(field.data_type, t.IntegerType)]
    cast = df.transform(cast_fields, {format_path(path): "string" for path in numbers})
    assert [field.path for field in fields_in(cast.schema)] == [field.path for field in fields_in(frame.schema)]
    back = cast.transform(cast_fields, {format_path(path): "int" for path in numbers})
    assert back.collect() == frame.rows


@few_examples
@given(frames())
def test_no_level_flattened_is_the_frame(spark, frame: Frame):
    assert frame.on(spark).transform(flatten, 0).collect() == frame.rows
