"""The lead: settles just above what inputs need, ignores stalls, follows another path."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickwire_client.lead import FIRST_MARGIN_TICKS, MOST_LEAD_TICKS, REPORTS, SHRINK_RATE, LeadController
from tickwire_shared.ticks import TICK_MODULUS

TICK_MS = 1000 / 30
NEWS_TICKS = 8

Way = Callable[[int], float]
"""How many ticks the input for a tick takes to arrive."""


def play(lead: LeadController, ticks: range, way: Way, *, rtt_ms: float = 0.0) -> list[float]:
    """Send an input per tick, and report the least slack each ``NEWS_TICKS``; returns the lead at each tick."""
    leads: list[float] = []
    slacks: list[int] = []
    told: int | None = None
    for tick in ticks:
        leads.append(lead.step(tick * TICK_MS, rtt_ms, TICK_MS))
        newest = floor(tick + leads[-1]) % TICK_MODULUS
        lead.note_sent(newest)
        if tick - way(tick) >= ticks.start:
            slacks.append(floor(leads[-1] - way(tick)))
        if slacks and tick % NEWS_TICKS == 0:
            slack = min(slacks)
            if slack != told:
                lead.observe_news(tick % TICK_MODULUS, slack, tick * TICK_MS)
            told, slacks = slack, []
    return leads


def test_before_any_report_the_lead_is_half_the_round_trip_and_a_margin() -> None:
    lead = LeadController()
    assert lead.step(0.0, 100.0, TICK_MS) == pytest.approx(50.0 / TICK_MS + FIRST_MARGIN_TICKS)


@given(st.floats(0.0, 12.0), st.floats(-1.0, 400.0))
def test_on_a_steady_way_inputs_come_to_wait_half_a_tick_to_two_ticks_and_then_nothing_moves(
    way: float, rtt_ms: float
) -> None:
    leads = play(LeadController(), range(900), lambda tick: way, rtt_ms=max(0.0, rtt_ms))
    assert way + 0.5 <= leads[-1] <= way + 2.0 + 1e-9
    assert len(set(leads[-200:])) == 1


def test_a_stall_now_and_then_does_not_move_the_lead() -> None:
    lead = LeadController()

    def way(tick: int) -> float:
        into = tick % 150
        return 2.0 + max(0, 12 - into if tick > 150 else 0)

    assert len(set(play(lead, range(1800), way, rtt_ms=2 * 2 * TICK_MS))) == 1


def test_another_path_is_followed_within_two_seconds_and_in_few_steps() -> None:
    leads = play(LeadController(), range(300), lambda tick: 1.0 if tick < 150 else 4.0, rtt_ms=2 * TICK_MS)
    steps = [(tick, after - before) for tick, (before, after) in enumerate(pairwise(leads)) if after != before]
    assert all(150 < tick < 150 + 45 for tick, _ in steps)
    assert len(steps) <= 2
    assert 4.5 <= leads[-1] <= 6.0


def test_a_shorter_way_is_followed_slowly_and_without_a_jump() -> None:
    leads = play(LeadController(), range(900), lambda tick: 9.0 if tick < 150 else 1.0, rtt_ms=18 * TICK_MS)
    steps = [after - before for before, after in pairwise(leads)]
    assert min(steps) >= -SHRINK_RATE - 1e-9
    assert max(steps) <= 0.0
    assert 1.5 <= leads[-1] <= 3.0


def test_silence_means_that_nothing_changed() -> None:
    lead = LeadController()
    play(lead, range(200), lambda tick: 3.0, rtt_ms=6 * TICK_MS)
    lead.note_sent(191)
    lead.observe_news(200, -9, 200 * TICK_MS)
    held = lead.lead_ticks
    leads = [lead.step((200 + tick) * TICK_MS, 0.0, TICK_MS) for tick in range(20)]
    assert leads == [held] * 20


def test_reports_are_read_with_the_lead_that_the_input_left_with() -> None:
    lead = LeadController()
    lead.step(0.0, 0.0, TICK_MS)
    lead.note_sent(1)
    lead.observe_news(4, -3, 100.0)
    grown = lead.step(100.0, 0.0, TICK_MS)
    assert grown == pytest.approx(FIRST_MARGIN_TICKS + 3.0 + 0.5)
    lead.note_sent(8)
    for _ in range(REPORTS):
        lead.observe_news(4, -3, 200.0)
    assert lead.step(200.0, 0.0, TICK_MS) == grown
    lead.note_sent(1)
    for _ in range(REPORTS):
        lead.observe_news(4, -3, 200.0)
    assert lead.step(200.0, 0.0, TICK_MS) == grown + 3.5


def test_a_report_of_an_input_that_was_not_sent_here_is_no_news() -> None:
    lead = LeadController()
    before = lead.step(0.0, 100.0, TICK_MS)
    lead.note_sent(60)
    lead.observe_news(200, -150, 0.0)
    assert lead.step(0.0, 100.0, TICK_MS) == before


def test_the_lead_has_a_bound() -> None:
    lead = LeadController()
    for report in range(50):
        lead.note_sent(report)
        lead.observe_news(report + 40, -40, report * 250.0)
        assert lead.step(report * 250.0, 0.0, TICK_MS) <= MOST_LEAD_TICKS
    assert LeadController().step(0.0, 60_000.0, TICK_MS) == MOST_LEAD_TICKS


def test_a_new_connection_starts_from_its_own_round_trip() -> None:
    lead = LeadController()
    play(lead, range(300), lambda tick: 8.0, rtt_ms=16 * TICK_MS)
    lead.restart()
    assert lead.step(20_000.0, 30.0, TICK_MS) == pytest.approx(15.0 / TICK_MS + FIRST_MARGIN_TICKS)


def test_the_tick_may_wrap() -> None:
    start = TICK_MODULUS - 100
    leads = play(LeadController(), range(start, start + 300), lambda tick: 3.2, rtt_ms=6.4 * TICK_MS)
    assert 3.7 <= leads[-1] <= 5.2
