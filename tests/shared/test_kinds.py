"""All kinds: what a peer may send as their values, and their descriptions in a schema."""

import enum
from math import nan
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.shared.strategies import kinds, wires
from tickwire_shared.byte_kinds import Blob, Packed, Text
from tickwire_shared.errors import ProtocolError
from tickwire_shared.int_kinds import Choice, Flag, Quantized, Ref, Trigger
from tickwire_shared.kinds import KIND_NAMES, Kind, parse_kind
from tickwire_shared.packing import pack, unpack

GRID = Quantized(min=0, max=120, step=1 / 64)


class Colour(enum.Enum):
    RED = "r"
    GREEN = "g"


# What a peer may send


@given(kinds, st.data())
def test_every_wire_value_of_a_kind_passes_its_check(kind: Kind, data: st.DataObject) -> None:
    wire = data.draw(wires(kind))
    assert kind.check(wire) == wire


junk = st.one_of(
    st.none(),
    st.booleans(),
    st.floats(),
    st.text(max_size=5),
    st.lists(st.integers(), max_size=3),
    st.binary(max_size=9),
)


@given(kinds, junk | st.integers())
def test_a_check_lets_only_the_kind_s_own_wire_values_pass(kind: Kind, value: object) -> None:
    try:
        wire = kind.check(value)
    except ProtocolError:
        return
    # What passed must be usable without a further check.
    kind.from_wire(wire)
    assert type(wire) in (int, bytes)


@pytest.mark.parametrize(
    "kind, value",
    [
        (GRID, -1),
        (GRID, GRID.high + 1),
        (GRID, 1.0),
        (GRID, True),
        (Flag(), 2),
        (Choice.of(Colour), 2),
        (Ref(), 1 << 32),
        (Text(max=2), b"abc"),
        (Text(max=9), b"\xff"),
        (Text(max=9), "str"),
        (Packed(max=9), pack(5)),
        (Packed(max=9), b"\x91"),
        (Packed(max=9), pack([[1]])),
        (Packed(max=9), pack({"a": [1]})),
        (Packed(max=20), b"\x92\x01\xc7\x00\x05"),
        (Blob(max=1), b"ab"),
    ],
)
def test_a_peer_s_value_outside_its_kind_is_a_protocol_error(kind: Kind, value: object) -> None:
    with pytest.raises(ProtocolError):
        kind.check(value)


def test_the_error_about_a_huge_value_is_short() -> None:
    with pytest.raises(ProtocolError) as caught:
        Text(max=3).check(b"x" * 4000)
    assert len(str(caught.value)) < 200


# The schema


@given(kinds)
def test_a_kind_comes_back_equal_from_its_description(kind: Kind) -> None:
    described = cast("dict[str, object]", unpack(pack(kind.parameters())))
    assert parse_kind(KIND_NAMES[type(kind)], described) == kind


def test_every_kind_has_a_name_of_its_own() -> None:
    assert len(set(KIND_NAMES.values())) == len(KIND_NAMES) == 10
    assert parse_kind("trigger", {}) == Trigger()


@pytest.mark.parametrize(
    "name, parameters",
    [
        ("nosuch", {}),
        (None, {}),
        (3, {}),
        ("quantized", {}),
        ("quantized", {"min": 0, "max": 1, "step": 0, "overflow": "clamp"}),
        ("quantized", {"min": -1e308, "max": 1e308, "step": 1, "overflow": "clamp"}),
        ("quantized", {"min": 0, "max": 1, "step": nan, "overflow": "clamp"}),
        ("quantized", {"min": "0", "max": 1, "step": 1, "overflow": "clamp"}),
        ("quantized", {"min": 0, "max": 1, "step": 1, "overflow": "wrap"}),
        ("angle", {"bits": 1}),
        ("angle", {"bits": "8"}),
        ("integer", {"min": 0, "max": 1 << 60, "overflow": "clamp"}),
        ("integer", {"min": None, "max": 1, "overflow": "clamp"}),
        ("choice", {"names": []}),
        ("choice", {"names": 5}),
        ("choice", {"names": [5]}),
        ("choice", {"names": ["a", "a"]}),
        ("ref", {}),
        ("ref", {"of": 3}),
        ("text", {"max": 0}),
        ("text", {"max": 9, "overflow": 3}),
        ("blob", {"max": []}),
        ("packed", {"max": -1}),
    ],
)
def test_a_schema_with_a_bad_kind_is_a_protocol_error(name: object, parameters: dict[str, object]) -> None:
    with pytest.raises(ProtocolError):
        parse_kind(name, parameters)
