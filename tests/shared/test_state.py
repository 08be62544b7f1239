"""States and their checksums."""

import struct
import zlib

from hypothesis import given
from hypothesis import strategies as st

from tests.shared.strategies import schemas, states, steps
from tickwire_shared.byte_kinds import Text
from tickwire_shared.int_kinds import Integer
from tickwire_shared.schema import ClassType, FieldType, Schema
from tickwire_shared.state import Table, WorldState, checksum, private_checksum
from tickwire_shared.wire_values import Wire

HP = FieldType(name="hp", kind=Integer(min=-9, max=9), private=False, default=0)
NAME = FieldType(name="name", kind=Text(max=9), private=False, default=b"")
AMMO = FieldType(name="ammo", kind=Integer(min=0, max=9), private=True, default=3)
NOTE = FieldType(name="note", kind=Text(max=9), private=True, default=b"-")
SCHEMA = Schema(
    entities=(
        ClassType(name="Rock", flags=(), fields=(HP,)),
        ClassType(name="Ship", flags=(), fields=(HP, AMMO, NAME, NOTE)),
    ),
    input=None,
    events=(),
)
STATE = WorldState(SCHEMA, (Table((), ([],)), Table((2, 7), ([-1, 5], [b"", b"ab"]))))


def test_a_state_as_plain_data_names_everything() -> None:
    assert STATE.to_dict() == {"Rock": {}, "Ship": {2: {"hp": -1, "name": b""}, 7: {"hp": 5, "name": b"ab"}}}
    assert STATE.size == 2
    assert STATE.tables[1].row(1) == (5, b"ab")


def test_the_checksum_is_that_of_the_protocol_page() -> None:
    layout = struct.pack("<II II qq", 1, 2, 2, 7, -1, 5) + struct.pack("<I I2s", 0, 2, b"ab")
    assert checksum(STATE) == zlib.crc32(layout)


def test_the_private_checksum_is_that_of_the_protocol_page() -> None:
    sent: dict[int, tuple[Wire, ...]] = {7: (9, b"xy")}
    layout = struct.pack("<IqI1s", 2, 3, 1, b"-") + struct.pack("<IqI2s", 7, 9, 2, b"xy")
    assert private_checksum(STATE, (7, 2, 99), sent) == zlib.crc32(layout)


def test_private_values_of_what_is_not_owned_or_not_there_do_not_count() -> None:
    assert private_checksum(STATE, (), {7: (9, b"xy")}) == 0
    assert private_checksum(STATE, (99,), {99: (9, b"xy")}) == 0


def test_the_empty_state_has_checksum_0() -> None:
    assert checksum(WorldState.empty(SCHEMA)) == 0
    assert WorldState.empty(SCHEMA).size == 0


@given(schemas().flatmap(states))
def test_a_checksum_depends_on_the_values_alone(state: WorldState) -> None:
    copy = WorldState(
        state.schema,
        tuple(Table(tuple(t.ids), tuple(list(c) for c in t.columns)) for t in state.tables),  # type: ignore[misc]
    )
    assert checksum(copy) == checksum(state)


@given(schemas().flatmap(states).flatmap(lambda state: st.tuples(st.just(state), steps(state))))
def test_different_states_have_different_checksums(pair: tuple[WorldState, WorldState]) -> None:
    # CRC-32 finds every burst of up to 32 bits, and chance collisions don't turn up in a hundred examples.
    one, other = pair
    assert (checksum(one) == checksum(other)) == (one.to_dict() == other.to_dict())
