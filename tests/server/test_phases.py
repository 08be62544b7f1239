"""Phases: rooms of the same rate are spread over the tick, and keep their place."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickwire.phases import SLOT_S, Phases


@given(st.floats(0.0, 1e6), st.sampled_from((1.0, 0.05, 1 / 30, 1 / 60, 1 / 240)))
def test_the_first_deadline_is_less_than_a_tick_after_the_earliest(earliest: float, dt: float) -> None:
    phases = Phases()
    for _ in range(30):
        slot, due = phases.take(dt, earliest)
        assert earliest - 1e-6 <= due < earliest + dt + 1e-6
        count = max(1, round(dt / SLOT_S))
        assert due / dt * count == pytest.approx(round(due / dt * count), abs=1e-3)
        assert round(due / dt * count) % count == slot


def test_a_hundred_rooms_are_spread_evenly_whenever_they_begin() -> None:
    phases = Phases()
    slots = Counter(phases.take(0.05, 7.0 + 0.003 * number * number)[0] for number in range(100))
    assert set(slots.values()) == {20}


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
