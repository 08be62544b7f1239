"""Wire kinds: author's values to wire values and back, and what each kind refuses."""

import enum
import math
from math import inf, nan, pi
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.shared.strategies import finite, kinds, packables, quantizeds, wires
from tickwire_shared.byte_kinds import Blob, Packed, Text
from tickwire_shared.errors import DeclarationError, ProtocolError, ValueRefused
from tickwire_shared.int_kinds import MAX_INTEGER, Angle, Choice, Flag, Integer, Quantized, Ref, Trigger
from tickwire_shared.kinds import KIND_NAMES, Kind, parse_kind
from tickwire_shared.packing import pack, unpack

GRID = Quantized(min=0, max=120, step=1 / 64)
TURN = Angle(bits=10)


class Colour(enum.Enum):
    RED = "r"
    GREEN = "g"


class Thing:
    def __init__(self, ident: int) -> None:
        self.id = ident


# Quantised


@given(quantizeds(), st.data())
def test_a_wire_value_survives_the_way_to_the_author_and_back(kind: Quantized, data: st.DataObject) -> None:
    wire = data.draw(wires(kind))
    assert kind.to_wire(kind.from_wire(wire)) == wire


@given(st.floats(0, 120))
def test_quantising_moves_a_value_by_half_a_step_at_most(value: float) -> None:
    assert abs(GRID.from_wire(GRID.to_wire(value)) - value) <= 1 / 128


@given(quantizeds(), finite)
def test_a_finite_float_is_always_carried_when_it_is_clamped(kind: Quantized, value: float) -> None:
    assert 0 <= kind.to_wire(value) <= kind.high


@pytest.mark.parametrize("value, wire", [(0.5 / 64, 1), (0.4999 / 64, 0), (1.5 / 64, 2), (-0.1, 0), (500.0, 7680)])
def test_halves_are_rounded_up_and_what_is_outside_is_clamped(value: float, wire: int) -> None:
    assert GRID.to_wire(value) == wire


def test_an_int_is_as_good_as_a_float() -> None:
    assert GRID.to_wire(2) == 128


@pytest.mark.parametrize("value", [10**400, -(10**400), 1e308, -1e308], ids=["int", "-int", "float", "-float"])
def test_a_number_beyond_all_bounds_is_clamped_too(value: float) -> None:
    assert GRID.to_wire(value) == (GRID.high if value > 0 else 0)


@pytest.mark.parametrize("kind", [GRID, TURN])
@pytest.mark.parametrize("value", [nan, inf, -inf, "1", None, 1j, [1.0]])
def test_what_is_no_finite_number_is_refused_by_name(kind: Quantized | Angle, value: object) -> None:
    with pytest.raises(ValueRefused, match=r"finite") as caught:
        kind.to_wire(value)
    assert repr(value) in str(caught.value)


@pytest.mark.parametrize("value", [-1.0, 121.0, 1e308])
def test_out_of_range_is_refused_where_the_field_says_so(value: float) -> None:
    with pytest.raises(ValueRefused, match=r"overflow='clamp'"):
        Quantized(min=0, max=120, step=1 / 64, overflow="refuse").to_wire(value)


@pytest.mark.parametrize(
    "low, high, step",
    [
        (0, 0, 1),
        (1, 0, 1),
        (0, 1, 0),
        (0, 1, -1),
        (0, 1, nan),
        (0, inf, 1),
        (-inf, 0, 1),
        (0, 1, 3),
        (0, 1e12, 1e-3),
        (-1e308, 1e308, 1),
        (0, 1, 5e-324),
    ],
)
def test_a_quantiser_without_1_to_2_to_the_32_steps_can_not_be_declared(low: float, high: float, step: float) -> None:
    with pytest.raises(DeclarationError):
        Quantized(min=low, max=high, step=step)


# Angles


@given(st.floats(-1e6, 1e6), st.integers(2, 32))
def test_an_angle_keeps_its_direction(value: float, bits: int) -> None:
    kind = Angle(bits=bits)
    wire = kind.to_wire(value)
    assert 0 <= wire < 1 << bits
    off = math.remainder(kind.from_wire(wire) - value, math.tau)
    assert abs(off) <= kind.step / 2 + 1e-9


@pytest.mark.parametrize("value, wire", [(0.0, 0), (pi, 512), (2 * pi, 0), (-pi / 2, 768), (7 * pi, 512)])
def test_angles_wrap(value: float, wire: int) -> None:
    assert TURN.to_wire(value) == wire


@pytest.mark.parametrize("value", [1e308, -1e308, 10**400], ids=["float", "-float", "int"])
def test_an_angle_so_large_that_it_has_no_direction_is_refused(value: float) -> None:
    with pytest.raises(ValueRefused, match=r"angle"):
        TURN.to_wire(value)


@pytest.mark.parametrize("bits", [0, 1, 33, 10.0, True, "10", None])
def test_an_angle_has_2_to_32_bits(bits: int) -> None:
    with pytest.raises(DeclarationError, match=r"2 to 32"):
        Angle(bits=bits)


# Ints, flags, choices, refs


@given(st.integers(-MAX_INTEGER, MAX_INTEGER))
def test_an_int_within_2_to_the_52_is_carried_as_it_is(value: int) -> None:
    kind = Integer(min=-MAX_INTEGER, max=MAX_INTEGER)
    assert kind.from_wire(kind.to_wire(value)) == value


def test_an_int_out_of_range_is_clamped_or_refused() -> None:
    assert Integer(min=-3, max=3).to_wire(99) == 3
    assert Integer(min=-3, max=3).to_wire(-(10**30)) == -3
    with pytest.raises(ValueRefused, match=r"99 is out of range"):
        Integer(min=-3, max=3, overflow="refuse").to_wire(99)


@pytest.mark.parametrize("value", [1.0, nan, "1", None, Colour.RED])
def test_what_is_no_int_is_not_rounded_behind_the_author_s_back(value: object) -> None:
    with pytest.raises(ValueRefused, match=r"not an int"):
        Integer(min=0, max=9).to_wire(value)


@pytest.mark.parametrize("low, high", [(1, 1), (2, 1), (0, 1.5), (True, 3), (0, MAX_INTEGER + 1), (-(2**53), 0)])
def test_an_int_needs_a_range_within_2_to_the_52(low: int, high: int) -> None:
    with pytest.raises(DeclarationError):
        Integer(min=low, max=high)


@pytest.mark.parametrize("value, wire", [(True, 1), (False, 0), (0, 0), ([1], 1), (None, 0)])
def test_a_flag_is_the_truth_of_its_value(value: object, wire: int) -> None:
    assert Flag().to_wire(value) == wire
    assert Flag().from_wire(wire) is bool(wire)


def test_a_choice_is_its_position_and_without_the_enum_its_name() -> None:
    kind = Choice.of(Colour)
    assert [kind.to_wire(member) for member in Colour] == [0, 1]
    assert kind.from_wire(1) is Colour.GREEN
    stranger = Choice(names=("RED", "GREEN"))
    assert stranger.from_wire(1) == "GREEN"
    assert stranger.to_wire("GREEN") == 1


def test_a_choice_refuses_what_is_not_in_its_enum() -> None:
    with pytest.raises(ValueRefused, match=r"'BLUE' is none of RED, GREEN"):
        Choice.of(Colour).to_wire("BLUE")


@pytest.mark.parametrize("members", [(), ("A", "A"), tuple(f"M{i}" for i in range(65537))])
def test_a_choice_has_1_to_65536_different_names(members: tuple[str, ...]) -> None:
    with pytest.raises(DeclarationError, match=r"65,536"):
        Choice(names=members)


@pytest.mark.parametrize("value, wire", [(None, 0), (Thing(0), 0), (Thing(7), 7), (9, 9), (0, 0)])
def test_a_ref_is_an_id_and_0_for_none(value: object, wire: int) -> None:
    assert Ref().to_wire(value) == wire
    assert Ref().from_wire(wire) == wire


@pytest.mark.parametrize("value", ["Ship", Thing(-1), Thing(1 << 32), -1, True, 1.0])
def test_a_ref_to_something_else_is_refused(value: object) -> None:
    with pytest.raises(ValueRefused, match=r"neither an entity nor None"):
        Ref().to_wire(value)


# Bytes


@given(st.text(max_size=60), st.integers(1, 100))
def test_a_long_text_is_cut_at_a_character(value: str, most: int) -> None:
    kind = Text(max=most)
    wire = kind.to_wire(value)
    kept = kind.from_wire(wire)
    assert len(wire) <= most
    assert value.startswith(kept)
    # Not a whole character more would have fit.
    assert kept == value or len(value[: len(kept) + 1].encode()) > most


def test_a_long_text_is_refused_where_the_field_says_so() -> None:
    with pytest.raises(ValueRefused, match=r"6 bytes; at most 5"):
        Text(max=5, overflow="refuse").to_wire("éée!")


@pytest.mark.parametrize("value", [b"raw", 5, None, "\ud800"])
def test_a_text_is_valid_unicode(value: object) -> None:
    with pytest.raises(ValueRefused):
        Text(max=9).to_wire(value)


@pytest.mark.parametrize("value", [b"ab", bytearray(b"ab"), memoryview(b"ab")])
def test_a_blob_copies_anything_with_bytes(value: object) -> None:
    assert Blob(max=2).from_wire(Blob(max=2).to_wire(value)) == b"ab"


@pytest.mark.parametrize("value", [b"abc", "ab", 5, None])
def test_a_blob_that_is_too_long_or_none_is_refused(value: object) -> None:
    with pytest.raises(ValueRefused):
        Blob(max=2).to_wire(value)


@given(packables)
def test_a_packed_value_comes_back_equal(value: object) -> None:
    kind = Packed(max=1 << 16)
    assert kind.from_wire(kind.to_wire(value)) == value


@given(st.dictionaries(st.text(max_size=4), st.integers(0, 9)))
def test_equal_maps_have_equal_bytes_sorted_by_their_keys(value: dict[str, int]) -> None:
    kind = Packed(max=1 << 16)
    backwards = dict(reversed(list(value.items())))
    assert kind.to_wire(value) == kind.to_wire(backwards)
    back = cast("dict[str, int]", kind.from_wire(kind.to_wire(value)))
    keys = [key.encode() for key in back]
    assert keys == sorted(keys)


@pytest.mark.parametrize(
    "value", [5, "text", None, {1: 2}, [[1]], [{}], [nan], [inf], [1 << 63], [object()], {"a": [1]}]
)
def test_a_packed_value_is_a_flat_list_or_map_of_scalars(value: object) -> None:
    with pytest.raises(ValueRefused):
        Packed(max=1 << 16).to_wire(value)


def test_a_packed_value_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValueRefused, match=r"4 bytes; at most 3"):
        Packed(max=3).to_wire([1, 2, 3])


@pytest.mark.parametrize("value", [["\ud800"], {"\ud800": 1}])
def test_a_packed_value_with_text_that_is_no_unicode_is_refused(value: object) -> None:
    with pytest.raises(ValueRefused):
        Packed(max=100).to_wire(value)


@pytest.mark.parametrize("size", [0, -1, 65537, 4.0, None, True])
def test_a_byte_kind_has_1_to_65536_bytes(size: int) -> None:
    for kind in (Text, Blob, Packed):
        with pytest.raises(DeclarationError, match=r"1 to 65536"):
            kind(max=size)


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
