"""Reading inputs: the author's objects are shared, and can't be changed."""

from __future__ import annotations

import pytest

from tickwire.input_reader import InputReader
from tickwire_shared.declare import Input, flag, inputs, integer
from tickwire_shared.errors import UsageError


@inputs
class Steer(Input):
    turn: int = integer(-1, 1000, default=0)
    thrust: bool = flag(default=False)


def test_the_same_values_give_the_same_object_which_is_like_the_authors() -> None:
    reader = InputReader(Steer.wire_type)
    made = reader.make((3, 1))
    assert made is reader.make((3, 1))
    assert isinstance(made, Steer)
    assert made == Steer(turn=3, thrust=True)
    assert Steer(turn=3, thrust=True) == made
    assert made != Steer(turn=4, thrust=True)
    assert repr(made) == repr(Steer(turn=3, thrust=True))


def test_it_can_not_be_changed_by_one_player_for_all() -> None:
    made = InputReader(Steer.wire_type).make((3, 1))
    with pytest.raises(UsageError, match=r"Steer\.turn can't be changed: a player's input is what the player sent"):
        made.turn = 5
    assert made.turn == 3
