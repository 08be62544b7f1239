"""What servers send: built and parsed back, and every malformed form refused."""

from contextlib import suppress
from math import nan
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.shared.strategies import finite, mutations, schemas, ticks, transitions
from tickwire_shared.delta import diff
from tickwire_shared.errors import ProtocolError
from tickwire_shared.event_messages import build_event
from tickwire_shared.packing import pack, unpack
from tickwire_shared.schema import Schema
from tickwire_shared.server_messages import (
    Check,
    Epoch,
    Load,
    News,
    Pong,
    Private,
    SnapshotMessage,
    Welcome,
    build_check,
    build_epoch,
    build_load,
    build_news,
    build_pong,
    build_private,
    build_snapshot,
    build_welcome,
    parse_server,
)
from tickwire_shared.state import WorldState

u32 = st.integers(0, (1 << 32) - 1)
SCHEMA = Schema(entities=(), input=None, events=())
WELCOME = Welcome(
    room="r1",
    type="arena",
    player=3,
    token="secret",
    hz=30,
    snapshot_every=2,
    tick=7,
    time=1234.5,
    schema=SCHEMA.describe(),
    schema_hash=SCHEMA.hash,
    resumed=False,
    hold=6,
)


# There and back


@given(schemas(), st.booleans(), ticks, finite)
def test_a_welcome_comes_back_equal(schema: Schema, resumed: bool, tick: int, time: float) -> None:
    welcome = Welcome("r", "t", 1, "k", 29.97, 1, tick, time, schema.describe(), schema.hash, resumed, 0)
    parsed = parse_server(build_welcome(welcome))
    assert isinstance(parsed, Welcome)
    assert Schema.parse(parsed.schema) == schema
    assert parsed.schema_hash == schema.hash
    assert (parsed.tick, parsed.time, parsed.resumed, parsed.hz) == (tick, time, resumed, 29.97)


@given(transitions(), ticks, u32)
def test_a_snapshot_comes_back_equal(pair: tuple[WorldState, WorldState], tick: int, age: int) -> None:
    delta = diff(*pair)
    assert parse_server(build_snapshot(tick, age, delta)) == SnapshotMessage(tick, age, delta)


@given(ticks, st.none() | st.lists(st.integers(1, 99), max_size=3))
def test_a_private_comes_back_equal(tick: int, owned: list[int] | None) -> None:
    rows: list[list[object]] = [[5, 3, -7, b"x"], [6, 0]]
    assert parse_server(build_private(tick, owned, rows)) == Private(tick, owned, list[object](rows))


@given(ticks, u32, st.none() | u32, finite, st.integers(-(1 << 31), (1 << 31) - 1))
def test_the_small_messages_come_back_equal(
    tick: int, public: int, private: int | None, time: float, slack: int
) -> None:
    assert parse_server(build_check(tick, public, private)) == Check(tick, public, private)
    assert parse_server(build_epoch(tick, time)) == Epoch(tick, time)
    assert parse_server(build_pong(time, 2, 3.5)) == Pong(time, 2, 3.5)
    assert parse_server(build_news(tick, slack, public, 4)) == News(tick, slack, public, 4)
    assert parse_server(build_load(public % 4, tick or 1)) == Load(public % 4, tick or 1)


def test_a_welcome_has_just_the_keys_of_the_protocol_page() -> None:
    kind, items = cast("tuple[int, dict[str, object]]", unpack(build_welcome(WELCOME)))
    assert kind == 1
    assert items.keys() == {
        *("protocol", "room", "type", "player", "token", "hz", "snapshot_every", "tick", "time"),
        *("schema", "hash", "resumed", "hold"),
    }


def test_unknown_keys_of_a_welcome_are_ignored() -> None:
    kind, items = cast("tuple[int, dict[str, object]]", unpack(build_welcome(WELCOME)))
    assert parse_server(pack([kind, items | {"future": [1]}])) == WELCOME


# Malformed
BAD_SERVER: dict[str, object] = {
    "no array": {},
    "an unknown kind": [9],
    "a bool as kind": [True],
    "welcome that is no map": [1, []],
    "welcome too long": [1, {}, 0],
    "snapshot too short": [2, 1],
    "snapshot at a negative tick": [2, -1, 0],
    "snapshot of a negative age": [2, 1, -1],
    "snapshot of a huge age": [2, 1, 1 << 32],
    "snapshot with a group that is none": [2, 1, 0, 5],
    "private too short": [3, 1, None],
    "private without rows": [3, 1, None, None],
    "private at nil": [3, None, None, []],
    "event without a class": [4],
    "event with nil": [4, 0, None],
    "pong too short": [5, 1, 2],
    "pong with NaN": [5, 1, 2, nan],
    "pong with text": [5, "1", 2, 3],
    "check too short": [6, 1, 2],
    "check with a negative sum": [6, 1, -1, None],
    "check with a huge private sum": [6, 1, 1, 1 << 32],
    "epoch without a time": [7, 1],
    "epoch at NaN": [7, 1, nan],
    "news too short": [8, 1, 2, 3],
    "news with a float": [8, 1, 0.5, 0, 0],
    "news with a huge slack": [8, 1, 1 << 40, 0, 0],
    "news with a negative count": [8, 1, 0, -1, 0],
    "load too short": [9, 1],
    "load with a fourth rung": [9, 4, 1],
    "load without snapshots": [9, 1, 0],
}


@pytest.mark.parametrize("value", BAD_SERVER.values(), ids=BAD_SERVER.keys())
def test_a_malformed_server_message_is_a_protocol_error(value: object) -> None:
    with pytest.raises(ProtocolError, match=r"\w+ .*\.$"):
        parse_server(pack(value))


@pytest.mark.parametrize(
    "change",
    [
        {"protocol": 2},
        {"protocol": True},
        {"protocol": None},
        {"room": 5},
        {"type": None},
        {"token": b"t"},
        {"player": -1},
        {"hz": 0},
        {"hz": nan},
        {"hz": 1e9},
        {"hz": "30"},
        {"snapshot_every": 0},
        {"snapshot_every": 1.0},
        {"tick": None},
        {"time": None},
        {"hash": "text"},
        {"resumed": 1},
        {"hold": -1},
    ],
)
def test_a_welcome_with_a_wrong_key_is_a_protocol_error(change: dict[str, object]) -> None:
    kind, items = cast("tuple[int, dict[str, object]]", unpack(build_welcome(WELCOME)))
    with pytest.raises(ProtocolError):
        parse_server(pack([kind, items | change]))
    with pytest.raises(ProtocolError):
        parse_server(pack([kind, {key: value for key, value in items.items() if key not in change}]))


def test_a_message_that_is_nothing_but_brackets_is_refused_in_a_sentence() -> None:
    for depth in (10, 500, 950, 1000, 1020, 1024, 2000):
        with pytest.raises(ProtocolError):
            parse_server(b"\x92\x05" + b"\x91" * depth + b"\x90")


VALID = [
    build_event(0, (b"hi", 1)),
    build_welcome(WELCOME),
    build_private(9, [1, 2], [[1, 1, 5]]),
    build_check(9, 1, 2),
    build_epoch(9, 1.5),
    build_news(9, -1, 2, 3),
    build_load(1, 2),
]


@given(st.sampled_from(VALID), st.data())
def test_mutated_messages_are_parsed_or_refused(message: bytes, data: st.DataObject) -> None:
    mutated = data.draw(mutations(message))
    with suppress(ProtocolError):
        parse_server(mutated)
