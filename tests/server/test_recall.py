"""Recall: what was read before is known by its bytes, and means the same."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.shared.strategies import ticks
from tickwire.input_reader import InputReader
from tickwire.recall import MAX_REMEMBERED, MAX_SIZE, find
from tickwire_shared.client_messages import build_input
from tickwire_shared.declare import Input, flag, inputs, integer
from tickwire_shared.packing import unpack_array
from tickwire_shared.ticks import tick_add

Row = tuple[int, int]


@inputs
class Steer(Input):
    turn: int = integer(-1, 1000, default=0)
    thrust: bool = flag(default=False)


rows = st.lists(st.tuples(st.integers(-1, 1000), st.integers(0, 1)), min_size=1, max_size=3)


def message(tick: int, values: list[Row]) -> bytes:
    return build_input(tick, [value for row in values for value in row])


def reader_of(*payloads: bytes) -> InputReader:
    reader = InputReader(Steer.wire_type)
    for payload in payloads:
        reader.read(unpack_array(payload), payload)
    return reader


def taken(reader: InputReader, payload: bytes) -> list[tuple[int, tuple[int, ...]]] | None:
    """What is recalled of a message; None when it is not known."""
    known = find(reader.recall.forms, int.from_bytes(payload), len(payload))
    return None if known is None else [(tick_add(known[0], at), row) for at, row in enumerate(known[1])]


def tick_bytes(tick: int) -> int:
    """How msgpack writes it; small ones are all different."""
    return -tick if tick < 0x80 else 1 if tick < 0x100 else 2 if tick < 0x10000 else 4


@given(ticks, ticks, rows, rows)
def test_what_is_recalled_is_what_would_be_read(first: int, second: int, before: list[Row], now: list[Row]) -> None:
    reader = reader_of(message(first, before))
    recalled = taken(reader, message(second, now))
    assert (recalled is not None) == (before == now and tick_bytes(first) == tick_bytes(second))
    if recalled is not None:
        assert recalled == [(tick_add(second, at), row) for at, row in enumerate(now)]


@given(st.binary(max_size=MAX_SIZE))
def test_other_bytes_are_left_to_the_reader(data: bytes) -> None:
    payload = message(500, [(1, 1)])
    if not (data[:3] == payload[:3] and data[5:] == payload[5:]):
        assert taken(reader_of(payload), data) is None


def test_nothing_is_recalled_under_another_head() -> None:
    payload = message(500, [(1, 1)])
    reader = reader_of(payload)
    assert taken(reader, payload) == [(500, (1, 1))]
    assert taken(reader, bytes((payload[0] + 1,)) + payload[1:]) is None
    assert taken(reader, payload[:1] + b"\x04" + payload[2:]) is None


def test_what_is_remembered_is_bounded() -> None:
    reader = reader_of()
    wide = [(turn, thrust) for turn in range(1001) for thrust in (0, 1)]
    for first in wide[:5]:
        for second in wide:
            payload = message(500, [first, second])
            reader.read(unpack_array(payload), payload)
            assert taken(reader, payload) == [(500, first), (501, second)]
    assert 0 < len(reader.recall) <= MAX_REMEMBERED
