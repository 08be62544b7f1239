"""Phases: rooms of the same rate are spread over the tick, one behind the other, and keep their phase."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickwire.phases import PLACES, SLOT_S, SPREAD_S, STEP_S, Phases

RATES = (1.0, 0.05, 1 / 30, 1 / 60, 1 / 240)


@given(st.floats(0.0, 1e6), st.sampled_from(RATES), st.sampled_from((0.0, 0.002, 1.0)))
def test_the_first_deadline_is_less_than_two_ticks_after_the_earliest(
    earliest: float, dt: float, took_s: float
) -> None:
    phases = Phases()
    for _ in range(100):
        due = phases.take(dt, earliest, took_s)[1]
        assert earliest - 1e-6 <= due < earliest + 2 * dt + 1e-6


@given(st.floats(0.0, 1e6), st.sampled_from(RATES))
def test_all_slots_are_used_and_dues_are_in_them(earliest: float, dt: float) -> None:
    phases, slots_taken = Phases(), set[int]()
    count = math.ceil(dt / SLOT_S - 1e-6)
    for _ in range(300):
        phase, due = phases.take(dt, earliest)
        slot, place = divmod(phase, PLACES)
        slots = (due - place * STEP_S) / dt * count
        assert slots == pytest.approx(round(slots), abs=1e-3)
        assert round(slots) % count == slot
        slots_taken.add(slot)
    assert slots_taken == set(range(count))


def test_a_hundred_rooms_are_spread_evenly_whenever_they_begin_and_are_due_one_behind_the_other() -> None:
    phases = Phases()
    taken = [phases.take(0.05, 7.0 + 0.003 * number * number) for number in range(100)]
    dues: dict[int, list[float]] = {}
    for phase, due in taken:
        dues.setdefault(phase // PLACES, []).append((due + 0.001) % 0.05)
    assert [len(of_slot) for of_slot in dues.values()] == [50, 50]
    for of_slot in dues.values():
        steps = [later - sooner for sooner, later in pairwise(sorted(of_slot))]
        assert steps == pytest.approx([STEP_S] * 49, abs=1e-6)


def test_rooms_whose_ticks_take_long_are_due_as_far_apart() -> None:
    phases = Phases()
    dues = sorted(phases.take(0.05, 1.0, 0.002)[1] for _ in range(20))
    steps = [later - sooner for sooner, later in pairwise(dues)]
    assert min(steps) >= 0.002 - STEP_S - 1e-9


@pytest.mark.parametrize("dt", RATES)
def test_however_many_there_are_those_of_a_slot_are_due_within_half_a_tick(dt: float) -> None:
    phases = Phases()
    phases_taken = Counter(phases.take(dt, 0.0)[0] for _ in range(20000))
    most = min(SPREAD_S, dt / 2)
    assert max(phase % PLACES for phase in phases_taken) * STEP_S < most
    assert max(phases_taken.values()) - min(phases_taken.values()) <= 1


def test_a_lonely_room_begins_at_once() -> None:
    phases = Phases()
    assert phases.take(0.05, 1.0)[1] == pytest.approx(1.0)
    assert phases.take(0.05, 1.0)[1] == pytest.approx(1 + SLOT_S)
    assert phases.take(1 / 60, 1.0)[1] == pytest.approx(1.0), "rates don't care for each other"


def test_what_is_given_back_is_given_again() -> None:
    phases = Phases()
    given_ = [phases.take(0.05, 1.0)[0] for _ in range(10)]
    phases.give_back(0.05, given_[3])
    assert phases.take(0.05, 1.0)[0] == given_[3]
