"""What a room class says about itself, and what is wrong with it."""

from __future__ import annotations

from types import new_class
from typing import Any

import pytest

from tests.server.logged import Logged, Ship, Steer
from tickwire.room import Room
from tickwire_shared.errors import DeclarationError


@pytest.mark.parametrize(
    "body, message",
    [
        ({"hz": 0}, r"hz is 0"),
        ({"hz": 1000}, r"hz is 1000"),
        ({"hz": "fast"}, r"hz is 'fast'"),
        ({"hz": float("nan")}, r"hz is nan"),
        ({"max_players": 0}, r"max_players is 0"),
        ({"max_players": 1.5}, r"max_players is 1.5"),
        ({"snapshot_every": 0}, r"snapshot_every is 0"),
        ({"name": ""}, r"name is ''"),
        ({"name": "x" * 65}, r"64 characters"),
        ({"name": 5}, r"name is 5"),
        ({"grace_s": -1}, r"grace_s is -1"),
        ({"entities": (Ship, Ship)}, r"Two classes of the same name"),
        ({"events": (Ship,)}, r"Ship is not an @event class"),
    ],
)
def test_a_mistake_in_a_room_class_is_named(body: dict[str, Any], message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        new_class("Bad", (Room[None],), exec_body=lambda scope: scope.update(body))


def test_the_input_class_is_found_through_the_bases() -> None:
    class Child(Logged):
        pass

    class Without(Room[None]):
        pass

    assert Child.input_class is Steer
    assert Without.input_class is None
    assert Child.name == "child"


def test_a_type_argument_that_is_no_input_is_a_mistake() -> None:
    with pytest.raises(DeclarationError, match=r"needs an @inputs class"):
        new_class("Bad", (Room[Ship],))
