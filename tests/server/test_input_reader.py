"""Reading inputs: what was read before is recalled by its bytes, and means the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.shared.strategies import ticks
from tickwire.input_reader import MAX_REMEMBERED, InputReader
from tickwire_shared.client_messages import build_input
from tickwire_shared.declare import Input, flag, inputs, integer
from tickwire_shared.errors import UsageError
from tickwire_shared.packing import unpack_array


@inputs
class Steer(Input):
    turn: int = integer(-1, 1000, default=0)
    thrust: bool = flag(default=False)


Row = tuple[int, int]
rows = st.lists(st.tuples(st.integers(-1, 1000), st.integers(0, 1)), min_size=1, max_size=3)


def taken(reader: InputReader, payload: bytes) -> list[tuple[int, tuple[int, ...]]] | None:
    """What the reader recalls of a message; None when it doesn't."""
    put: list[tuple[int, tuple[int, ...]]] = []
    return put if reader.taker(lambda tick, values: put.append((tick, values)))(payload) else None


def message(tick: int, values: list[Row]) -> bytes:
    return build_input(tick, [value for row in values for value in row])


@given(ticks, ticks, rows, rows)
def test_what_is_recalled_is_what_would_be_read(first: int, second: int, before: list[Row], now: list[Row]) -> None:
    reader = InputReader(Steer.wire_type)
    payload = message(first, before)
    reader.read(unpack_array(payload), payload)
    again = message(second, now)
    recalled = taken(reader, again)
    assert recalled is None if before != now else recalled is not None
    if recalled is not None:
        assert recalled == [((second + at) % (1 << 32), row) for at, row in enumerate(now)]


@given(st.binary(max_size=20))
def test_other_bytes_are_left_to_the_reader(data: bytes) -> None:
    reader = InputReader(Steer.wire_type)
    payload = message(500, [(1, 1)])
    reader.read(unpack_array(payload), payload)
    if not (data[:2] == payload[:2] and data.endswith(payload[5:])):
        assert taken(reader, data) is None


def test_nothing_is_recalled_under_another_head() -> None:
    reader = InputReader(Steer.wire_type)
    payload = message(500, [(1, 1)])
    reader.read(unpack_array(payload), payload)
    assert taken(reader, payload) == [(500, (1, 1))]
    assert taken(reader, bytes((payload[0] + 1,)) + payload[1:]) is None
    assert taken(reader, payload[:1] + b"\x04" + payload[2:]) is None


def test_what_is_remembered_is_bounded() -> None:
    reader = InputReader(Steer.wire_type)
    wide = [(turn, thrust) for turn in range(1001) for thrust in (0, 1)]
    for first in wide[:5]:
        for second in wide:
            payload = message(500, [first, second])
            reader.read(unpack_array(payload), payload)
    assert reader.remembered <= MAX_REMEMBERED


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
