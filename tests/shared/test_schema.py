"""The schema: described, hashed, read back, and refused when it is malformed."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.shared.strategies import mutations, schemas
from tickwire_shared.errors import ProtocolError
from tickwire_shared.int_kinds import Flag, Integer, Trigger
from tickwire_shared.packing import pack, unpack
from tickwire_shared.schema import ClassType, FieldType, Schema, trigger_positions


def field(name: str = "hp", *, private: bool = False) -> FieldType:
    return FieldType(name=name, kind=Integer(min=0, max=9), private=private, default=3)


def schema(*fields: FieldType, name: str = "Ship") -> Schema:
    return Schema(entities=(ClassType(name=name, flags=(), fields=fields),), input=None, events=())


def unpacked(found: Schema) -> object:
    return unpack(found.packed, max_bytes=1 << 20)


@given(schemas())
def test_a_schema_comes_back_equal_from_its_bytes(given_schema: Schema) -> None:
    parsed = Schema.parse(unpacked(given_schema))
    assert parsed == given_schema
    assert parsed.hash == given_schema.hash
    assert parsed.packed == given_schema.packed


@given(schemas(), schemas())
def test_schemas_have_the_same_hash_just_when_they_are_the_same(one: Schema, other: Schema) -> None:
    assert (one.hash == other.hash) == (one == other)


def test_the_hash_is_the_start_of_the_sha_256_of_the_bytes() -> None:
    given_schema = schema(field())
    assert given_schema.hash == hashlib.sha256(given_schema.packed).digest()[:8]


@pytest.mark.parametrize(
    "other",
    [
        schema(field(), name="Boat"),
        schema(field("mana")),
        schema(field(private=True)),
        schema(FieldType(name="hp", kind=Integer(min=0, max=8), private=False, default=3)),
        schema(FieldType(name="hp", kind=Integer(min=0, max=9), private=False, default=4)),
        schema(field(), field("mana")),
    ],
)
def test_every_difference_that_matters_changes_the_hash(other: Schema) -> None:
    assert other.hash != schema(field()).hash


def test_fields_are_numbered_by_visibility_in_order_of_declaration() -> None:
    item = ClassType(
        name="Ship",
        flags=(),
        fields=(field("a"), field("b", private=True), field("c"), field("d", private=True)),
    )
    assert [found.name for found in item.public] == ["a", "c"]
    assert [found.name for found in item.private] == ["b", "d"]


def test_a_class_is_found_by_its_name() -> None:
    found = schema(field())
    assert found.entity_index("Ship") == 0
    with pytest.raises(KeyError, match=r"no class 'Boat'; there are Ship"):
        found.entity_index("Boat")
    with pytest.raises(KeyError, match=r"there are none"):
        found.event_index("Hit")


def test_triggers_are_found_by_their_position() -> None:
    flag = FieldType(name="a", kind=Flag(), private=False, default=0)
    fire = FieldType(name="b", kind=Trigger(), private=False, default=0)
    assert trigger_positions(
        ClassType(name="Steer", flags=(), fields=(flag, fire, flag.__class__("c", Trigger(), False, 0)))
    ) == (1, 2)


def test_unknown_keys_and_flags_are_ignored() -> None:
    described = schema(field()).describe()
    described["future"] = 1
    entities = described["entities"]
    assert isinstance(entities, list)
    entities[0]["flags"] = ["shiny", 5]
    entities[0]["fields"][0]["unit"] = "m"
    assert [found.name for found in Schema.parse(described).entities[0].public] == ["hp"]


FIELD: dict[str, object] = {"name": "hp", "kind": "flag", "to": "all", "default": 0}
CLASS: dict[str, object] = {"name": "Ship", "flags": [], "fields": [FIELD]}
SCHEMA: dict[str, object] = {"entities": [CLASS], "input": None, "events": []}


def with_field(**changes: object) -> object:
    """A schema whose only field is changed."""
    return SCHEMA | {"entities": [CLASS | {"fields": [FIELD | changes]}]}


def with_class(**changes: object) -> object:
    """A schema whose only class is changed."""
    return SCHEMA | {"entities": [CLASS | changes]}


MALFORMED: tuple[object, ...] = (
    None,
    list[object](),
    5,
    dict[str, object](),
    {"entities": list[object](), "events": None},
    SCHEMA | {"entities": None},
    SCHEMA | {"entities": [5]},
    SCHEMA | {"entities": [CLASS, CLASS]},
    SCHEMA | {"events": dict[str, object]()},
    SCHEMA | {"input": 5},
    with_class(name=5),
    with_class(flags=None),
    with_class(fields=None),
    with_class(fields=[None]),
    with_class(fields=[FIELD, FIELD]),
    with_class(fields=[FIELD | {"name": f"f{i}"} for i in range(49)]),
    with_field(name=None),
    with_field(to="team"),
    with_field(to=[5]),
    with_field(kind="nosuch"),
    with_field(kind=[5]),
    with_field(default=2),
    with_field(default=None),
    SCHEMA | {"input": CLASS | {"fields": list[object]()}},
    SCHEMA | {"input": CLASS | {"fields": [FIELD | {"kind": "text", "max": 4, "default": b""}]}},
    SCHEMA | {"input": CLASS | {"fields": [FIELD | {"to": "owner"}]}},
    SCHEMA | {"events": [CLASS | {"fields": [FIELD | {"to": "owner"}]}]},
)


@pytest.mark.parametrize("value", MALFORMED)
def test_a_malformed_schema_is_a_protocol_error(value: object) -> None:
    with pytest.raises(ProtocolError, match=r"\w+ .*\.$"):
        Schema.parse(value)


@given(schemas(), st.data())
def test_mutated_schemas_are_read_or_refused(given_schema: Schema, data: st.DataObject) -> None:
    try:
        parsed = Schema.parse(unpack(data.draw(mutations(given_schema.packed)), max_bytes=1 << 20))
    except ProtocolError:
        return
    assert pack(parsed.describe()) == parsed.packed
