"""Ticks wrap, and nobody notices."""

from hypothesis import given
from hypothesis import strategies as st

from tests.shared.strategies import ticks
from tickwire_shared.ticks import TICK_MODULUS, tick_add, tick_distance

near = st.integers(-(1 << 31), (1 << 31) - 1)


@given(ticks, near)
def test_the_distance_undoes_the_addition_across_the_wrap(tick: int, count: int) -> None:
    later = tick_add(tick, count)
    assert 0 <= later < TICK_MODULUS
    assert tick_distance(later, tick) == count


@given(ticks, ticks)
def test_distances_are_those_of_the_protocol_page(a: int, b: int) -> None:
    assert tick_distance(a, b) == ((a - b + 2**31) % 2**32) - 2**31


def test_the_tick_after_the_last_is_0() -> None:
    assert tick_add(TICK_MODULUS - 1, 1) == 0
    assert tick_distance(0, TICK_MODULUS - 1) == 1
    assert tick_distance(TICK_MODULUS - 1, 0) == -1


@given(ticks)
def test_half_way_round_counts_as_the_past(tick: int) -> None:
    assert tick_distance(tick_add(tick, 1 << 31), tick) == -(1 << 31)
