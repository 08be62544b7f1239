"""It feels like single player: what pilots on good and bad links see in a minute, to the last figure."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from tests.scenarios.arena_twin import SNAP_UNITS
from tests.scenarios.flights import (
    CHANGE_S,
    CHANGING,
    END_S,
    PRESS_S,
    SECONDS,
    SETTLED_S,
    STALL_EVERY_S,
    STALLING,
    Flight,
    figures,
    fly_all,
    links,
)
from tickwire.demo.arena import TICK_RATE
from tickwire.testing import Link
from tickwire_client.predicted_events import Fate

Note = Callable[[str, object], None]

STEADY = ("0 ms", "50 ms", "150 ms", "300 ms")
JITTERY = "150 +- 40 ms"
LEARNT_S = 3.0
"""By when a client has to know its link."""


@pytest.fixture(params=list(links()))
def flight(request: pytest.FixtureRequest, record_property: Note) -> Flight:
    """Each pilot's minute; its figures go into the report."""
    flown = fly_all()[request.param]
    for name, value in figures(flown).items():
        record_property(name, value)
    return flown


def ideal_lead(link: Link) -> float:
    """The way there at its slowest, and a tick: the least lead with which no input would have been late."""
    return (link.delay_ms + link.jitter_ms) * TICK_RATE / 1000 + 1.0


# Every link


def test_the_own_ship_answers_in_the_frame_of_the_key_press(flight: Flight) -> None:
    assert len(flight.answers) == int(SECONDS / PRESS_S)
    assert set(flight.answers) == {0}


def test_no_input_is_used_twice_and_none_is_lost_without_being_counted(flight: Flight) -> None:
    assert set(flight.applied.values()) == {1}
    late = flight.late_in(0.0, SECONDS + END_S / 2)
    assert len(late) == flight.game.stats.late_inputs
    assert flight.game.stats.refused_inputs == 0


def test_the_picture_never_jumps(flight: Flight) -> None:
    assert flight.worst_step() < SNAP_UNITS / 4
    assert flight.prediction.snaps == 0
    assert flight.prediction.error is None


# 0, 50, 150, 300 ms


@pytest.mark.parametrize("name", STEADY)
def test_on_a_steady_link_the_prediction_is_right_on_every_tick(name: str) -> None:
    settled = fly_all()[name].between(SETTLED_S, SECONDS)
    compared = settled[-1].compared - settled[0].compared
    assert compared >= (SECONDS - SETTLED_S) * TICK_RATE - 2
    assert settled[-1].corrections == settled[0].corrections
    assert {frame.error_units for frame in settled} == {0.0}


@pytest.mark.parametrize("name", STEADY)
def test_on_a_steady_link_no_input_is_late_and_the_lead_stands_still(name: str) -> None:
    flight = fly_all()[name]
    assert flight.late_in(SETTLED_S) == []
    least, most = flight.leads(SETTLED_S)
    assert least == most
    assert ideal_lead(links()[name]) <= least <= ideal_lead(links()[name]) + 2.0


@pytest.mark.parametrize("name", STEADY)
def test_on_a_steady_link_every_shot_that_was_shown_is_confirmed(name: str) -> None:
    fates = fly_all()[name].fates
    assert fates[Fate.PREDICTED] > 20
    assert fates[Fate.WITHDRAWN] == 0
    assert fates[Fate.CONFIRMED] == fates[Fate.PREDICTED]


# 150 ms +- 40 ms


def test_with_jitter_hardly_any_input_is_late() -> None:
    flight = fly_all()[JITTERY]
    assert len(flight.late_in(LEARNT_S)) < 0.005 * len(flight.sent_in(LEARNT_S))


def test_with_jitter_the_lead_stays_within_two_ticks_of_the_ideal() -> None:
    least, most = fly_all()[JITTERY].leads(LEARNT_S)
    ideal = ideal_lead(links()[JITTERY])
    assert ideal - 2.0 <= least
    assert most <= ideal + 2.0


def test_hardly_a_frame_lacks_the_snapshot_that_it_should_be_drawn_by() -> None:
    flights = fly_all()
    assert flights[JITTERY].underrun_share(0.0) < 0.01
    for name in STEADY:
        assert flights[name].underrun_share(0.0) == 0.0


def test_others_are_drawn_no_further_in_the_past_than_the_link_wants() -> None:
    for name, link in links().items():
        delays = [frame.delay for frame in fly_all()[name].between(LEARNT_S, CHANGE_S)]
        trip = link.delay_ms * TICK_RATE / 1000
        assert trip + 1.0 <= min(delays)
        assert max(delays) <= trip + 2 * link.jitter_ms * TICK_RATE / 1000 + 2.0


# A stall of 400 ms every 5 s


def test_one_second_after_a_stall_nothing_is_left_of_it() -> None:
    flight = fly_all()[STALLING]
    usual = max(frame.pending for frame in flight.between(LEARNT_S, STALL_EVERY_S))
    for _, end_s in flight.stalls():
        after = flight.between(end_s + 1.0, end_s + STALL_EVERY_S - 0.5)
        assert max(frame.pending for frame in after) <= usual
        assert flight.late_in(end_s + 1.0, end_s + STALL_EVERY_S - 0.5) == []
        assert after[-1].corrections == after[0].corrections


def test_stalls_do_not_make_the_lead_oscillate() -> None:
    least, most = fly_all()[STALLING].leads(LEARNT_S)
    assert most - least <= 1.0
    assert most <= ideal_lead(links()[STALLING]) + 2.0


# 30 ms, then 200 ms, then 30 ms


@pytest.mark.parametrize("since_s, rtt_ms, settling_s", [(CHANGE_S, 200.0, 3.0), (2 * CHANGE_S, 30.0, 6.0)])
def test_a_changed_link_is_settled_into(since_s: float, rtt_ms: float, settling_s: float) -> None:
    flight = fly_all()[CHANGING]
    since_s, until_s = since_s + settling_s, since_s + CHANGE_S
    assert flight.late_in(since_s, until_s - 0.5) == []
    settled = flight.between(since_s, until_s)
    assert settled[-1].corrections == settled[0].corrections
    least, most = flight.leads(since_s, until_s)
    ideal = ideal_lead(Link.of_round_trip(rtt_ms))
    assert ideal - 0.5 <= least <= most <= ideal + 2.0


def test_the_lead_grows_at_once_and_shrinks_slowly() -> None:
    frames = fly_all()[CHANGING].between(LEARNT_S, SECONDS)
    steps = [after.lead - before.lead for before, after in pairwise(frames)]
    assert max(steps) > 1.0
    assert min(steps) >= -0.05 * TICK_RATE / 30 - 1e-6
