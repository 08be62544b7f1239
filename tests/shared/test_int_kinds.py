"""Int kinds: author's values to wire values and back, and what each kind refuses."""

import enum
import math
from math import inf, nan, pi

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.shared.strategies import finite, quantizeds, wires
from tickwire_shared.errors import DeclarationError, ValueRefused
from tickwire_shared.int_kinds import MAX_INTEGER, Angle, Choice, Flag, Integer, Quantized, Ref

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
