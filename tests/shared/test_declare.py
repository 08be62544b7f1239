"""Declaring entities, inputs and events: what comes out, and every mistake that is caught."""

import enum
from collections.abc import Callable
from math import nan
from typing import Any, cast

import attrs
import pytest

from tickwire_shared.declare import (
    Entity,
    Event,
    Input,
    angle,
    blob,
    choice,
    entity,
    event,
    flag,
    inputs,
    integer,
    packed,
    quantized,
    ref,
    text,
    trigger,
)
from tickwire_shared.errors import DeclarationError
from tickwire_shared.kinds import KIND_NAMES
from tickwire_shared.schema import Schema


class Team(enum.Enum):
    RED = 1
    BLUE = 2


@entity
class Ship(Entity):
    x: float = quantized(0, 120, step=1 / 64)
    heading: float = angle(bits=10, default=0.0)
    hp: int = integer(0, 100, default=100)
    alive: bool = flag(default=True)
    team: Team = choice(Team, default=Team.BLUE)
    target: "Ship | None" = ref("Ship", default=None)
    name: str = text(max_bytes=24, default="nobody")
    skin: bytes = blob(max_bytes=4, default=b"\1")
    tags: list[str] = packed(max_bytes=64, factory=list[str])
    ammo: int = integer(0, 10, default=10, to="owner")
    cooldown: int = 3


def test_every_kind_is_declared_with_its_default_on_the_wire() -> None:
    fields = {field.name: (KIND_NAMES[type(field.kind)], field.default) for field in Ship.wire_type.fields}
    assert fields == {
        "x": ("quantized", 0),
        "heading": ("angle", 0),
        "hp": ("integer", 100),
        "alive": ("flag", 1),
        "team": ("choice", 1),
        "target": ("ref", 0),
        "name": ("text", b"nobody"),
        "skin": ("blob", b"\1"),
        "tags": ("packed", b"\x90"),
        "ammo": ("integer", 10),
    }


def test_an_unmarked_attribute_stays_on_the_server() -> None:
    assert Ship(x=1.0).cooldown == 3
    assert "cooldown" not in {field.name for field in Ship.wire_type.fields}


def test_a_field_to_its_owner_is_private() -> None:
    assert [field.name for field in Ship.wire_type.private] == ["ammo"]
    assert "ammo" not in {field.name for field in Ship.wire_type.public}


def test_an_entity_is_a_plain_object_with_slots() -> None:
    ship = Ship(x=1.0)
    ship.x = 99.0
    assert (ship.id, ship.x, ship.tags) == (0, 99.0, [])
    assert Ship(x=1.0).tags is not ship.tags
    with pytest.raises(AttributeError):
        ship.speed = 3  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue]


def test_entities_are_equal_only_to_themselves_and_can_be_keys() -> None:
    one, other = Ship(x=1.0), Ship(x=1.0)
    assert one != other
    assert len({one, other}) == 2


def test_a_field_without_a_default_has_to_be_given() -> None:
    with pytest.raises(TypeError, match=r"'x'"):
        Ship()  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]


def test_a_packed_field_that_is_a_dict_starts_as_one() -> None:
    @entity
    class Bag(Entity):
        items: dict[str, int] = packed(max_bytes=64, factory=dict[str, int])

    assert Bag.wire_type.fields[0].default == b"\x80"


def test_an_entity_class_may_build_on_another() -> None:
    @entity
    class Fast(Ship):
        speed: int = integer(0, 9, default=1)

    names = [field.name for field in Fast.wire_type.fields]
    assert names == [*(field.name for field in Ship.wire_type.fields), "speed"]
    assert Fast.wire_type.name == "Fast"
    assert Ship.wire_type.name == "Ship"


def test_flags_are_those_asked_for() -> None:
    @entity(singleton=True, predicted=True)
    class Clock(Entity):
        left: int = integer(0, 99, default=0)

    @event(client=True)
    class Say(Event):
        what: str = text(max_bytes=9)

    assert (Clock.wire_type.singleton, Clock.wire_type.predicted) == (True, True)
    assert (Ship.wire_type.singleton, Ship.wire_type.predicted) == (False, False)
    assert Say.wire_type.from_client


def test_inputs_and_events_are_compared_by_value() -> None:
    @inputs
    class Steer(Input):
        fire: bool = trigger(default=False)

    assert Steer() == Steer(fire=False) != Steer(fire=True)


# Mistakes


def bad_to() -> object:
    return integer(0, 9, to=cast("Any", "team"))


def taken_name() -> object:
    @entity
    class Bad(Entity):
        type: int = integer(0, 9, default=0)

    return Bad


def hidden_name() -> object:
    @entity
    class Bad(Entity):
        _hp: int = integer(0, 9, default=0)

    return Bad


def bad_default() -> object:
    @entity
    class Bad(Entity):
        hp: float = quantized(0, 9, step=1, default=nan)

    return Bad


def refused_default() -> object:
    @entity
    class Bad(Entity):
        hp: int = integer(0, 9, overflow="refuse", default=10)

    return Bad


def default_made_by_a_factory() -> object:
    @entity
    class Bad(Entity):
        hp: int = integer(0, 9, default=cast("Any", attrs.Factory(int)))

    return Bad


def not_an_entity() -> object:
    @cast("Any", entity)
    class Bad:
        hp: int = integer(0, 9, default=0)

    return Bad


def trigger_in_an_entity() -> object:
    @entity
    class Bad(Entity):
        fire: bool = trigger()

    return Bad


def private_event() -> object:
    @event
    class Bad(Event):
        hp: int = integer(0, 9, to="owner")

    return Bad


def event_without_a_kind() -> object:
    @event
    class Bad(Event):
        hp: int = 0

    return Bad


def input_with_text() -> object:
    @inputs
    class Bad(Input):
        name: str = text(max_bytes=9, default="")

    return Bad


def input_without_a_default() -> object:
    @inputs
    class Bad(Input):
        turn: int = integer(-1, 1)

    return Bad


def input_with_nothing() -> object:
    @inputs
    class Bad(Input):
        pass

    return Bad


def too_many_fields() -> object:
    body: dict[str, Any] = {f"f{i}": integer(0, 9, default=0) for i in range(49)}
    body["__annotations__"] = dict.fromkeys(body, int)
    return cast("Any", entity)(type("Bad", (Entity,), body))


def unpackable_factory() -> object:
    return packed(max_bytes=9, factory=object)


def bounds_that_are_no_numbers() -> object:
    return quantized(cast("Any", "low"), 9, step=1)


def choice_of_no_enum() -> object:
    return choice(cast("Any", int))


MISTAKES: list[tuple[Callable[[], object], str]] = [
    (bad_to, r"to is 'team'"),
    (taken_name, r"Bad.type: 'type' is taken"),
    (hidden_name, r"Bad._hp: .*underscore"),
    (bad_default, r"Bad.hp: the default is not usable: nan"),
    (refused_default, r"Bad.hp: the default is not usable: 10"),
    (default_made_by_a_factory, r"Bad.hp: the default is not usable"),
    (not_an_entity, r"class Bad\(Entity\)"),
    (trigger_in_an_entity, r"Bad.fire: trigger is for inputs"),
    (private_event, r"Bad.hp: only entities"),
    (event_without_a_kind, r"Bad.hp needs a wire kind"),
    (input_with_text, r"Bad.name: inputs hold numbers"),
    (input_without_a_default, r"Bad.turn needs a default"),
    (input_with_nothing, r"Bad has no fields.*Room\[None\]"),
    (too_many_fields, r"Bad has more than 48 fields"),
    (unpackable_factory, r"neither a list nor a dict"),
    (bounds_that_are_no_numbers, r"'low'"),
    (choice_of_no_enum, r"int.* enum"),
]


@pytest.mark.parametrize("declare, message", MISTAKES, ids=[mistake.__name__ for mistake, _ in MISTAKES])
def test_a_mistake_in_a_declaration_is_named(declare: Callable[[], object], message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        declare()


class Forgotten(Entity):
    pass


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: Schema.of(entities=[Forgotten]), r"Forgotten is not declared: put @entity above it"),
        (lambda: Schema.of(entities=[Ship, Ship]), r"Two classes of the same name"),
        (lambda: Schema.of(events=[int]), r"int is not declared: put @event"),
        (lambda: Schema.of(input=int), r"int is not declared: put @inputs"),
        (lambda: Schema.of(events=[Ship]), r"Ship is not an @event"),
        (lambda: Schema.of(entities=[Forgotten.__base__ or object]), r"Entity is not declared"),
    ],
)
def test_a_mistake_in_a_schema_is_named(make: Callable[[], Schema], message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        make()


def test_a_subclass_without_the_decorator_is_not_its_parent() -> None:
    class Sub(Ship):
        pass

    with pytest.raises(DeclarationError, match=r"Sub is not declared"):
        Schema.of(entities=[Sub])
