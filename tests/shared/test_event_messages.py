"""Events: the same in both directions, and checked against their class."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.shared.strategies import schemas, wires
from tickwire_shared.byte_kinds import Text
from tickwire_shared.client_messages import parse_client
from tickwire_shared.errors import ProtocolError
from tickwire_shared.event_messages import EventMessage, build_event, check_event
from tickwire_shared.int_kinds import Integer
from tickwire_shared.schema import ClassType, FieldType, Schema
from tickwire_shared.server_messages import parse_server

wire_values = st.lists(st.integers(-(1 << 52), 1 << 52) | st.binary(max_size=9), max_size=5).map(tuple)


def number_field(name: str) -> FieldType:
    return FieldType(name=name, kind=Integer(min=-9, max=9), private=False, default=0)


SAY = ClassType(name="Say", flags=("client",), fields=(FieldType("what", Text(max=4), False, b""), number_field("to")))
HIT = ClassType(name="Hit", flags=(), fields=(number_field("damage"),))
EVENTS = (SAY, HIT)


@given(st.integers(0, 9), wire_values)
def test_an_event_comes_back_equal_in_both_directions(index: int, values: tuple[int | bytes, ...]) -> None:
    message = build_event(index, values)
    assert parse_client(message) == parse_server(message) == EventMessage(index, values)


@given(schemas(), st.data())
def test_every_event_of_a_schema_can_be_sent(schema: Schema, data: st.DataObject) -> None:
    for index, item in enumerate(schema.events):
        values = [data.draw(wires(field.kind)) for field in item.public]
        parsed = parse_server(build_event(index, values))
        assert isinstance(parsed, EventMessage)
        assert check_event(parsed, schema.events, from_client=False) is item


def test_an_event_that_fits_is_named() -> None:
    assert check_event(EventMessage(0, (b"hi", 1)), EVENTS, from_client=True) is SAY
    assert check_event(EventMessage(1, (5,)), EVENTS, from_client=False) is HIT


@pytest.mark.parametrize(
    "index, values, message",
    [
        (2, (), r"no event class 2"),
        (-1, (), r"no event class -1"),
        (1, (5,), r"Hit is not an event that clients may send"),
        (0, (), r"Say has 2 fields, not 0"),
        (0, (b"hi", 1, 1), r"Say has 2 fields, not 3"),
        (0, (b"hello", 1), r"at most 4 bytes"),
        (0, (1, 1), r"byte string"),
        (0, (b"hi", b"1"), r"not an int"),
        (0, (b"hi", 10), r"10 is not an int in -9..9"),
        (0, (b"\xff", 1), r"UTF-8"),
    ],
)
def test_a_malformed_event_is_a_protocol_error(index: int, values: tuple[int | bytes, ...], message: str) -> None:
    with pytest.raises(ProtocolError, match=message):
        check_event(EventMessage(index, values), EVENTS, from_client=True)
