"""One type for the values of two: what both have in common, and a choice where they differ."""

from collections import Counter
from collections.abc import Iterable, Iterator

from pyspark.sql.types import ArrayType, DataType, DecimalType, MapType, NullType, StringType, StructField, StructType

from transforms.choices.choice import ChoiceType, to_choices, to_marks, unmarked, walk_types
from transforms.core.decimals import as_decimal, with_room_for
from transforms.core.type_names import type_name


def merge_schemas(left: StructType, right: StructType) -> StructType:
    """Return the schema of the rows of two schemas, with choices, marked, where a field has two types.

    Fields are the same if their names are, case included; those of the left come first. Starts no Spark job.

    Example:
        >>> from transforms.choices.choice import choices_in
        >>> left = StructType().add("id", "long").add("a", StructType().add("b", "integer"))
        >>> right = StructType().add("id", "string").add("a", StructType().add("c", "integer"))
        >>> merged = merge_schemas(left, right)
        >>> merged.simpleString()
        'struct<id:struct<long:bigint,string:string>,a:struct<b:int,c:int>>'
        >>> [(path, choice.names) for path, choice in choices_in(merged)]
        [('id', ['long', 'string'])]
    """
    return to_marks(merge_structs(to_choices(left), to_choices(right)))


def merge_types(left: DataType, right: DataType) -> DataType:
    """Return the type of the values of two types, in which choices are types of their own (`to_choices`).

    The rules are Glue's (reference: Glue transforms, "Merging two types"): the type null is nothing beside another;
    structs merge field by field, arrays by elements, maps by values; any other difference is a choice. A choice
    takes the other type up, or merges it with its own alternative of that name. Int and long differ. Decimals of
    different digits become one with the digits of both; where Spark has not so many, a choice of one and texts.
    """
    if isinstance(left, NullType):
        return right
    if isinstance(right, NullType):
        return left
    is_choice = isinstance(left, ChoiceType) or isinstance(right, ChoiceType)
    if is_choice or type_name(left) != type_name(right) or not have_room(left, right):
        return _choice([*_alternatives(left), *_alternatives(right)])
    return _merged(left, right)


def key_conflicts(schemas: Iterable[StructType]) -> dict[str, list[str]]:
    """Return the maps whose keys have several types, by their paths: choices are of values, so these keys become texts.

    Example:
        >>> from pyspark.sql.types import LongType
        >>> maps = [StructType().add("m", MapType(key, StringType())) for key in (StringType(), LongType())]
        >>> key_conflicts(maps)
        {'m': ['string', 'long']}
    """
    types: dict[str, dict[str, None]] = {}  # names in the order in which they came
    for schema in schemas:
        for path, found in walk_types(to_choices(schema)):
            if isinstance(found, MapType):
                types.setdefault(path, {})[type_name(found.keyType)] = None
    return {path: list(names) for path, names in types.items() if len(names) > 1}


def have_room(one: DataType, other: DataType) -> bool:
    """Return whether there is a decimal for the digits of both, if they are decimals."""
    are_decimals = isinstance(one, DecimalType) and isinstance(other, DecimalType)
    return not are_decimals or with_room_for([as_decimal(one), as_decimal(other)]) is not None


def merge_structs(left: StructType, right: StructType) -> StructType:
    """Return the struct with the fields of both, those of the left first. Of twins in one struct, first meets first."""
    here, there = dict(numbered(left)), dict(numbered(right))
    fields = []
    for key, field in (here | {key: field for key, field in there.items() if key not in here}).items():
        if key in here and key in there:
            fields.append(_merged_field(field, there[key]))
        else:
            fields.append(StructField(field.name, field.dataType, nullable=True, metadata=field.metadata))
    return StructType(fields)


def numbered(struct: StructType) -> Iterator[tuple[tuple[str, int], StructField]]:
    """Yield the fields of a struct by name and how often that name came before."""
    seen = Counter[str]()
    for field in struct.fields:
        yield (field.name, seen[field.name]), field
        seen[field.name] += 1


def _merged_field(one: StructField, two: StructField) -> StructField:
    metadata = unmarked(two) | unmarked(one)
    return StructField(one.name, merge_types(one.dataType, two.dataType), one.nullable or two.nullable, metadata)


def _merged(left: DataType, right: DataType) -> DataType:
    """Merge two types of the same name."""
    if isinstance(left, StructType) and isinstance(right, StructType):
        return merge_structs(left, right)
    if isinstance(left, ArrayType) and isinstance(right, ArrayType):
        return ArrayType(merge_types(left.elementType, right.elementType), left.containsNull or right.containsNull)
    if isinstance(left, MapType) and isinstance(right, MapType):
        keys = left.keyType if left.keyType == right.keyType else StringType()
        values = merge_types(left.valueType, right.valueType)
        return MapType(keys, values, left.valueContainsNull or right.valueContainsNull)
    if isinstance(left, DecimalType) and isinstance(right, DecimalType):
        return with_room_for([left, right]) or StringType()  # `have_room` was asked before
    return left if left == right else StringType()  # texts of different lengths or collations


def _alternatives(data_type: DataType) -> list[DataType]:
    if isinstance(data_type, ChoiceType):
        return [field.dataType for field in data_type.fields]
    return [data_type]


def _choice(types: Iterable[DataType]) -> DataType:
    by_name: dict[str, DataType] = {}
    for data_type in types:
        name = type_name(data_type)
        if name in by_name and not have_room(by_name[name], data_type):
            by_name.setdefault("string", StringType())
        else:
            by_name[name] = _merged(by_name[name], data_type) if name in by_name else data_type
    alternatives = list(by_name.values())
    return alternatives[0] if len(alternatives) == 1 else ChoiceType.of(alternatives)
