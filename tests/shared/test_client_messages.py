"""What clients send: built and parsed back, and every malformed form refused."""

from contextlib import suppress
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.shared.strategies import finite, mutations, ticks
from tickwire_shared.client_messages import (
    MAX_VIEW_DELAY,
    InputBatch,
    Join,
    Leave,
    Mode,
    Ping,
    Resume,
    Resync,
    View,
    build_input,
    build_join,
    build_leave,
    build_ping,
    build_resume,
    build_resync,
    build_view,
    parse_client,
    parse_input,
)
from tickwire_shared.closing import CloseCode
from tickwire_shared.errors import ProtocolError
from tickwire_shared.int_kinds import Flag, Integer
from tickwire_shared.packing import pack, unpack_array
from tickwire_shared.schema import ClassType, FieldType

hashes = st.none() | st.binary(min_size=8, max_size=8)
labels = st.text(min_size=1, max_size=20)
options = st.dictionaries(
    st.text(max_size=5), st.none() | st.booleans() | st.integers(-9, 9) | finite | st.text(max_size=5), max_size=3
)
modes = st.sampled_from(("join_or_create", "create", "join", "id"))


def number_field(name: str) -> FieldType:
    return FieldType(name=name, kind=Integer(min=-9, max=9), private=False, default=0)


STEER = ClassType(name="Steer", flags=(), fields=(number_field("turn"), FieldType("fire", Flag(), False, 0)))


# There and back


@given(st.builds(Join, modes, labels, hashes, options))
def test_a_join_comes_back_equal(join: Join) -> None:
    assert parse_client(build_join(join)) == join


@given(st.builds(Resume, st.text(max_size=20), st.text(max_size=40), st.none() | ticks, hashes))
def test_a_resume_comes_back_equal(resume: Resume) -> None:
    assert parse_client(build_resume(resume)) == resume


@given(finite | st.integers(-(1 << 63), 1 << 63))
def test_a_ping_comes_back_equal(t1: float) -> None:
    assert parse_client(build_ping(t1)) == Ping(t1)


@given(ticks)
def test_a_resync_comes_back_equal(tick: int) -> None:
    assert parse_client(build_resync(tick)) == Resync(tick)


@given(st.none() | st.floats(allow_nan=False, allow_infinity=False), st.none() | st.integers(0, MAX_VIEW_DELAY))
def test_a_view_comes_back_equal(t3: float | None, delay: int | None) -> None:
    assert parse_client(build_view(View(t3, delay))) == View(t3, delay)


def test_a_leave_comes_back_equal() -> None:
    assert parse_client(build_leave()) == Leave()


@given(ticks, st.lists(st.tuples(st.integers(-9, 9), st.integers(0, 1)), min_size=1, max_size=8))
def test_inputs_come_back_as_rows(tick: int, rows: list[tuple[int, int]]) -> None:
    items = unpack_array(build_input(tick, [value for row in rows for value in row]))
    assert parse_input(items, STEER) == InputBatch(tick, tuple(rows))


def test_a_join_with_options_as_deep_as_allowed_is_accepted() -> None:
    deep = Join("join", "arena", None, {"a": [[[[[1]]]]]})
    assert parse_client(build_join(deep)) == deep


def test_the_modes_are_those_of_the_protocol_page() -> None:
    assert set(Mode.__args__) == {"join_or_create", "create", "join", "id", "reserved"}  # type: ignore[attr-defined]


# Malformed
EIGHT = b"12345678"
BAD_CLIENT: dict[str, object] = {
    "no array": 5,
    "an empty array": [],
    "kind 0": [0],
    "an unknown kind": [9],
    "a kind of the wrong type": ["1"],
    "a bool as kind": [True, 1, "join", "arena", None, {}],
    "a float as kind": [6.0],
    "a list as kind": [[1]],
    "join too short": [1, 1, "join", "arena", None],
    "join too long": [1, 1, "join", "arena", None, {}, 0],
    "join of an unknown mode": [1, 1, "jump", "arena", None, {}],
    "join with a list as mode": [1, 1, ["join"], "arena", None, {}],
    "join of nothing": [1, 1, "join", "", None, {}],
    "join of a long name": [1, 1, "join", "x" * 65, None, {}],
    "join of a number": [1, 1, "join", 5, None, {}],
    "join with a short hash": [1, 1, "join", "arena", b"1234567", {}],
    "join with a text hash": [1, 1, "join", "arena", "12345678", {}],
    "join without options": [1, 1, "join", "arena", None, None],
    "join with a list as options": [1, 1, "join", "arena", None, []],
    "join with deep options": [1, 1, "join", "arena", None, {"a": [[[[[[[1]]]]]]]}],
    "join with bytes as a key": [1, 1, "join", "arena", None, {b"a": 1}],
    "resume too short": [2, 1, "r", "t", None],
    "resume of a number": [2, 1, 5, "t", None, None],
    "resume without a token": [2, 1, "r", None, None, None],
    "resume of a long room": [2, 1, "r" * 65, "t", None, None],
    "resume with a long token": [2, 1, "r", "t" * 257, None, None],
    "resume at a negative tick": [2, 1, "r", "t", -1, None],
    "resume at a float": [2, 1, "r", "t", 1.0, None],
    "resume with a bad hash": [2, 1, "r", "t", 1, EIGHT + b"9"],
    "event without a class": [4],
    "event with a text class": [4, "Say"],
    "event with a float": [4, 0, 1.5],
    "event with nil": [4, 0, None],
    "event with a bool": [4, 0, True],
    "event with text": [4, 0, "hello"],
    "ping without a time": [5],
    "ping with nil": [5, None],
    "ping with NaN": [5, nan],
    "ping with infinity": [5, inf],
    "ping with a bool": [5, True],
    "ping too long": [5, 1, 2],
    "leave too long": [6, 0],
    "resync without a tick": [7],
    "resync beyond the ticks": [7, 1 << 32],
    "resync at a bool": [7, True],
    "view too short": [8, None],
    "view too long": [8, None, 1, 1],
    "view of NaN": [8, None, nan],
    "view of a float": [8, None, 32.0],
    "view of a bool": [8, None, True],
    "view of the future": [8, None, -1],
    "view of more than the wire holds": [8, None, 65536],
    "view with a stamp of NaN": [8, nan, 32],
    "view with a stamp of text": [8, "now", 32],
    "input before the join": [3, 1, 0, 0],
}


@pytest.mark.parametrize("value", BAD_CLIENT.values(), ids=BAD_CLIENT.keys())
def test_a_malformed_client_message_is_told_what_is_wrong(value: object) -> None:
    with pytest.raises(ProtocolError, match=r"\w+ .*\.$") as caught:
        parse_client(pack(value))
    assert caught.value.code is CloseCode.BAD_MESSAGE
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize("version", [0, 2, "1", None, True, 1.0])
@pytest.mark.parametrize("kind", [1, 2])
def test_another_protocol_version_has_a_code_of_its_own(kind: int, version: object) -> None:
    with pytest.raises(ProtocolError, match=r"protocol .*, the server 1") as caught:
        parse_client(pack([kind, version, "join", "arena", None, dict[str, object]()]))
    assert caught.value.code is CloseCode.WRONG_PROTOCOL


def test_ext_types_are_not_used() -> None:
    timestamp = b"\xd6\xff\0\0\0\0"
    join = build_join(Join("join", "arena", None, {"a": None}))
    assert join.endswith(b"\xc0")
    with pytest.raises(ProtocolError, match=r"Timestamp"):
        parse_client(join[:-1] + timestamp)


def test_a_message_that_is_nothing_but_brackets_is_refused_in_a_sentence() -> None:
    for depth in (10, 500, 950, 1000, 1020, 1024, 2000):
        with pytest.raises(ProtocolError):
            parse_client(b"\x91" * depth + b"\x90")


BAD_INPUTS: dict[str, list[object]] = {
    "no tick": [3],
    "no values": [3, 1],
    "half an input": [3, 1, 0],
    "one and a half": [3, 1, 0, 0, 0],
    "nine inputs": [3, 1, *[0, 0] * 9],
    "a negative tick": [3, -1, 0, 0],
    "a tick that is too large": [3, 1 << 32, 0, 0],
    "a float as tick": [3, 1.0, 0, 0],
    "a value out of range": [3, 1, 10, 0],
    "a float": [3, 1, 0.0, 0],
    "a bool": [3, 1, 0, True],
    "text": [3, 1, 0, "1"],
    "bytes": [3, 1, 0, b"1"],
    "nil": [3, 1, None, 0],
}


@pytest.mark.parametrize("items", BAD_INPUTS.values(), ids=BAD_INPUTS.keys())
def test_a_malformed_input_is_a_protocol_error(items: list[object]) -> None:
    with pytest.raises(ProtocolError, match=r"\w+ .*\.$"):
        parse_input(items, STEER)


def test_a_room_without_inputs_takes_none() -> None:
    with pytest.raises(ProtocolError, match=r"takes no inputs"):
        parse_input([3, 1, 0], None)


VALID = [
    build_join(Join("join", "arena", EIGHT, {"name": "Ada"})),
    build_resume(Resume("room", "token", 9, EIGHT)),
    build_ping(1.5),
    build_leave(),
    build_resync(9),
    build_view(View(1.5, 130)),
]


@given(st.sampled_from(VALID), st.data())
def test_mutated_messages_are_parsed_or_refused(message: bytes, data: st.DataObject) -> None:
    mutated = data.draw(mutations(message))
    with suppress(ProtocolError):
        parse_client(mutated)
