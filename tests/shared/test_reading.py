"""Reading entities at the commit: the generated code does just what each kind's own arithmetic does."""

import enum
from math import inf, nan
from typing import Any, cast

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.shared.strategies import finite, packables
from tickwire_shared.declare import (
    Entity,
    angle,
    blob,
    choice,
    entity,
    flag,
    integer,
    packed,
    quantized,
    ref,
    text,
)
from tickwire_shared.errors import ValueRefused
from tickwire_shared.reading import TableReader
from tickwire_shared.state import Column, Table, empty_table


class Team(enum.Enum):
    RED = 1
    BLUE = 2


@entity
class Ship(Entity):
    x: float = quantized(0, 120, step=1 / 64, default=0.0)
    heading: float = angle(bits=10, default=0.0)
    hp: int = integer(-100, 100, default=100)
    alive: bool = flag(default=True)
    team: Team = choice(Team, default=Team.RED)
    target: "Ship | None" = ref("Ship", default=None)
    name: str = text(max_bytes=6, default="")
    skin: bytes = blob(max_bytes=4, default=b"")
    tags: list[object] = packed(max_bytes=4096, factory=list[object])
    ammo: int = integer(0, 10, default=10, to="owner")


@entity(predicted=True)
class Pilot(Entity):
    x: float = quantized(0, 120, step=1 / 64)
    heading: float = angle(bits=10, default=0.0)
    hp: int = integer(0, 100, default=100)
    secret: float = quantized(0, 1, step=0.5, default=0.0, to="owner")


@st.composite
def ships(draw: st.DrawFn, ident: int) -> Ship:
    ship = Ship(
        x=draw(finite | st.integers(-9, 200)),
        heading=draw(st.floats(-100, 100)),
        hp=draw(st.integers()),
        alive=draw(st.booleans()),
        team=draw(st.sampled_from(Team)),
        target=draw(st.none() | st.builds(Ship)),
        name=draw(st.text(max_size=9)),
        skin=draw(st.binary(max_size=4)),
        tags=draw(st.lists(st.integers(0, 9) | st.text(max_size=4), max_size=4)),
        ammo=draw(st.integers(-5, 15)),
    )
    ship.id = ident
    return ship


fleets = st.integers(1, 4).flatmap(lambda count: st.tuples(*(ships(ident) for ident in range(1, count + 1))))


def read(*fleet: Entity, previous: Table | None = None) -> tuple[Table, tuple[Column, ...]]:
    reader = TableReader(type(fleet[0]).wire_type)
    ids = tuple(ship.id for ship in fleet)
    return reader.read(ids, fleet, previous or empty_table(reader.item))


@given(fleets)
def test_columns_hold_what_the_kinds_make_of_each_value(fleet: tuple[Ship, ...]) -> None:
    table, private = read(*fleet)
    for field, column in zip(Ship.wire_type.public, table.columns, strict=True):
        assert list(column) == [field.kind.to_wire(getattr(ship, field.name)) for ship in fleet]
    assert list(private[0]) == [Ship.wire_type.private[0].kind.to_wire(ship.ammo) for ship in fleet]
    assert table.ids == tuple(ship.id for ship in fleet)


@given(fleets)
def test_an_unchanged_fleet_is_the_very_same_table(fleet: tuple[Ship, ...]) -> None:
    reader = TableReader(Ship.wire_type)
    ids = tuple(ship.id for ship in fleet)
    first, _ = reader.read(ids, fleet, empty_table(reader.item))
    again, _ = reader.read(ids, fleet, first)
    assert again is first


def test_only_the_columns_that_changed_are_new() -> None:
    ship = Ship()
    ship.id = 1
    reader = TableReader(Ship.wire_type)
    first, _ = reader.read((1,), [ship], empty_table(reader.item))
    ship.x = 5.0
    then, _ = reader.read((1,), [ship], first)
    same = [old is new for old, new in zip(first.columns, then.columns, strict=True)]
    assert same == [False, *[True] * 8]
    assert list(first.columns[0]) == [0]


def test_a_motion_below_a_step_is_no_change() -> None:
    ship = Ship(x=5.0)
    ship.id = 1
    reader = TableReader(Ship.wire_type)
    first, _ = reader.read((1,), [ship], empty_table(reader.item))
    ship.x = 5.001
    assert reader.read((1,), [ship], first)[0] is first


def test_a_text_that_changes_back_and_forth_is_read_each_time() -> None:
    ship = Ship(name="a")
    ship.id = 1
    reader = TableReader(Ship.wire_type)
    table = empty_table(reader.item)
    for name in ("a", "b", "b", "a"):
        ship.name = name
        table, _ = reader.read((1,), [ship], table)
        assert list(table.columns[6]) == [name.encode()]


@given(st.floats(-10, 200), st.floats(-10, 10), st.integers(-50, 150))
def test_a_predicted_entity_goes_on_from_what_its_clients_hold(x: float, heading: float, hp: int) -> None:
    pilot = Pilot(x=x, heading=heading, hp=hp)
    pilot.id = 1
    first, private = read(pilot)
    kinds = {field.name: field.kind for field in Pilot.wire_type.fields}
    wires = dict(zip(("x", "heading", "hp"), (column[0] for column in first.columns), strict=True))
    assert pilot.x == kinds["x"].from_wire(wires["x"])
    assert pilot.heading == kinds["heading"].from_wire(wires["heading"])
    again, private_again = read(pilot, previous=first)
    assert again is first
    assert private_again == private


REFUSED: dict[str, object] = {
    "x": nan,
    "heading": inf,
    "hp": 1.5,
    "team": "RED",
    "target": "Ship",
    "name": b"bytes",
    "skin": "text",
    "tags": [object()],
    "ammo": None,
}
MORE: list[tuple[str, object]] = [
    *REFUSED.items(),
    ("x", None),
    ("x", "5"),
    ("x", 1j),
    ("x", -inf),
    ("heading", None),
    ("heading", 1e308),
    ("hp", "5"),
    ("hp", None),
    ("hp", nan),
    ("hp", [1]),
    ("team", [1]),
    ("team", None),
    ("target", 1.5),
    ("target", True),
    ("name", None),
    ("name", "\ud800"),
    ("skin", b"12345"),
    ("tags", None),
    ("tags", [nan]),
    ("tags", ["\ud800"]),
    ("tags", {1: 1}),
]


@pytest.mark.parametrize("name, value", MORE)
@pytest.mark.parametrize("alone", [True, False])
def test_what_can_not_be_carried_is_refused_with_class_id_and_field(name: str, value: object, alone: bool) -> None:
    good, bad = Ship(), Ship()
    good.id, bad.id = 4, 7
    setattr(bad, name, value)
    with pytest.raises(ValueRefused, match=rf"Ship 7, field {name}: .*\.$"):
        read(*([bad] if alone else [good, bad]))


@pytest.mark.parametrize("name, value, wire", [("x", 1e308, 7680), ("x", -(10**400), 0), ("hp", 10**30, 100)])
def test_what_is_far_outside_is_clamped_like_what_is_just_outside(name: str, value: float, wire: int) -> None:
    ship = Ship()
    ship.id = 1
    setattr(ship, name, value)
    table, _ = read(ship)
    position = [field.name for field in Ship.wire_type.public].index(name)
    assert list(table.columns[position]) == [wire]


@attrs.define
class Strange:
    """An int that is none, like those of numpy."""

    value: int

    def __index__(self) -> int:
        return self.value


def test_a_bool_in_an_int_field_is_an_int_on_the_wire() -> None:
    ship = Ship(hp=cast("Any", True))
    ship.id = 1
    table, _ = read(ship)
    assert list(table.columns[2]) == [1]


def test_an_object_that_only_acts_like_an_int_is_refused() -> None:
    ship = Ship(hp=cast("Any", Strange(3)))
    ship.id = 1
    with pytest.raises(ValueRefused, match=r"Ship 1, field hp"):
        read(ship)


@given(st.lists(packables, min_size=1, max_size=3))
def test_packed_fields_are_read_by_value(values: list[object]) -> None:
    fleet = [Ship(tags=cast("list[object]", value)) for value in values]
    for ident, ship in enumerate(fleet, start=1):
        ship.id = ident
    table, _ = read(*fleet)
    kind = Ship.wire_type.public[8].kind
    assert [kind.from_wire(wire) for wire in table.columns[8]] == values


def test_rooms_share_the_code_of_a_class_and_classes_that_look_alike_do_not() -> None:
    def crew() -> type[Entity]:
        class Side(enum.Enum):
            LEFT = 1
            RIGHT = 2

        @entity
        class Crew(Entity):
            side: Side = choice(Side, default=Side.LEFT)

        return Crew

    one, other = crew().wire_type, crew().wire_type
    assert one.describe() == other.describe()
    assert TableReader(one)._read_all is TableReader(one)._read_all
    for item in (one, other):
        assert item.author is not None
        table, _ = TableReader(item).read((1,), (item.author(),), empty_table(item))
        assert list(table.columns[0]) == [0]
