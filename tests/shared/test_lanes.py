"""Lanes: what big ints say of whole columns is what a loop would say of each value."""

from __future__ import annotations

from array import array

from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from tickwire_shared import lanes as lanes_module
from tickwire_shared.int_kinds import Angle, Flag, Integer, IntKind
from tickwire_shared.lanes import MAX_SPAN, LaneKind, Lanes, LaneTable

KINDS: tuple[IntKind, ...] = (
    Integer(min=0, max=MAX_SPAN),
    Integer(min=-(1 << 31), max=MAX_SPAN - (1 << 31)),
    Integer(min=-5, max=300),
    Angle(bits=2),
    Angle(bits=10),
    Angle(bits=30),
    Flag(),
)
STEPS = st.sampled_from((-128, 127, 0)) | st.integers(-3, 3)
WILD = st.sampled_from((-129, 128, 255, 256, 1 << 20, MAX_SPAN, -MAX_SPAN))


def lane_kind(kind: IntKind) -> LaneKind:
    return LaneKind(kind.modulus, kind.low < 0)


def naive(kind: IntKind, before: int, after: int) -> int:
    half = kind.modulus >> 1
    return (after - before + half) % kind.modulus - half if kind.modulus else after - before


def moved(kind: IntKind, value: int, by: int) -> int:
    return (value + by) % kind.modulus if kind.modulus else min(max(value + by, kind.low), kind.high)


@st.composite
def tables(draw: DrawFn, by: st.SearchStrategy[int]) -> tuple[list[IntKind], list[list[int]], list[list[int]]]:
    """Kinds of columns, the columns, and the same a step later."""
    kinds = draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=4))
    rows = draw(st.integers(1, 12))
    before = [draw(st.lists(st.integers(kind.low, kind.high), min_size=rows, max_size=rows)) for kind in kinds]
    after = [[moved(kind, value, draw(by)) for value in column] for kind, column in zip(kinds, before, strict=True)]
    return kinds, before, after


def differences(kinds: list[IntKind], before: list[list[int]], after: list[list[int]]) -> bytes | None:
    lanes = Lanes.of([lane_kind(kind) for kind in kinds], len(before[0]))
    return lanes.byte_differences([array("i", column) for column in before], [array("i", column) for column in after])


@given(tables(STEPS))
def test_small_steps_are_a_byte_each(table: tuple[list[IntKind], list[list[int]], list[list[int]]]) -> None:
    kinds, before, after = table
    expected = [
        naive(kind, *pair)
        for kind, old, new in zip(kinds, before, after, strict=True)
        for pair in zip(old, new, strict=True)
    ]
    assert differences(kinds, before, after) == array("b", expected).tobytes()


@given(tables(STEPS | WILD))
def test_what_does_not_fit_a_byte_is_never_taken_for_what_does(
    table: tuple[list[IntKind], list[list[int]], list[list[int]]],
) -> None:
    kinds, before, after = table
    expected = [
        naive(kind, *pair)
        for kind, old, new in zip(kinds, before, after, strict=True)
        for pair in zip(old, new, strict=True)
    ]
    assume(min(expected) < -128 or max(expected) > 127)
    assert differences(kinds, before, after) is None


def test_columns_that_are_no_arrays_of_32_bits_are_left_to_others() -> None:
    lanes = Lanes.of([LaneKind(0, is_signed=False)], 2)
    assert lanes.byte_differences([array("i", (1, 2))], [array("i", (2, 4))]) == b"\1\2"
    assert lanes.byte_differences([[1, 2]], [array("i", (2, 4))]) is None
    assert lanes.byte_differences([array("q", (1, 2))], [array("q", (2, 4))]) is None
    assert lanes.byte_differences([[b"a", b"b"]], [[b"a", b"c"]]) is None


def test_a_table_has_no_lanes_for_columns_that_do_not_fit() -> None:
    table = LaneTable([LaneKind(0, is_signed=False), None])
    assert table.of(0b01, 8) is table.of(0b01, 8)
    assert table.of(0b10, 8) is None
    assert table.of(0b11, 8) is None


def test_what_a_table_keeps_is_bounded() -> None:
    table = LaneTable([LaneKind(0, is_signed=False)])
    sizes = range(1, 60_000, 1000)
    for rows in sizes:
        lanes = table.of(1, rows)
        assert lanes is not None
        assert lanes.size == 4 * rows
    kept = sum(known.size for known in table._known.values())
    assert kept * lanes_module.CONSTANTS <= lanes_module.MAX_KNOWN_BYTES < lanes_module.CONSTANTS * 4 * sum(sizes)
