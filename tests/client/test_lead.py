from __future__ import annotations

from itertools import pairwise

import pytest

from tickwire_client.lead import MOST_MARGIN_TICKS, LeadController

TICK_MS = 1000 / 30


def run(lead: LeadController, start_ms: float, seconds: float, rtt_ms: float, jitter_ms: float = 0.0) -> list[float]:
    """Step once per tick on a steady network; returns the leads."""
    ticks = int(seconds * 30)
    return [lead.step(start_ms + i * TICK_MS, rtt_ms, jitter_ms, TICK_MS) for i in range(ticks)]


def test_the_lead_is_the_way_there_plus_jitter_plus_a_tick() -> None:
    lead = LeadController()
    assert lead.step(0.0, 100.0, 10.0, TICK_MS) == pytest.approx((50.0 + 20.0) / TICK_MS + 1.0)


def test_a_late_input_grows_the_lead_at_once_by_what_was_missing() -> None:
    lead = LeadController()
    before = run(lead, 0.0, 1.0, 60.0)[-1]
    lead.observe_news(slack=-3, late=1, local_ms=1000.0)
    assert lead.step(1000.0, 60.0, 0.0, TICK_MS) == pytest.approx(before + 3.0)


def test_old_news_of_late_inputs_does_not_grow_it_again() -> None:
    lead = LeadController()
    lead.observe_news(slack=-1, late=4, local_ms=0.0)
    margin = lead.margin_ticks
    lead.observe_news(slack=2, late=4, local_ms=10.0)
    assert lead.margin_ticks == margin


def test_the_margin_has_a_bound() -> None:
    lead = LeadController()
    for late in range(1, 100):
        lead.observe_news(slack=-20, late=late, local_ms=0.0)
    assert lead.margin_ticks == MOST_MARGIN_TICKS


def test_after_a_stall_the_lead_comes_back_slowly_and_without_a_jump() -> None:
    lead = LeadController()
    calm = run(lead, 0.0, 1.0, 60.0)[-1]
    lead.observe_news(slack=-4, late=1, local_ms=1000.0)
    leads = run(lead, 1000.0, 40.0, 60.0)
    steps = [after - before for before, after in pairwise(leads)]
    assert max(steps) <= 0.0
    assert min(steps) >= -0.0501
    assert leads[-1] == pytest.approx(calm)


def test_a_stall_every_five_seconds_does_not_make_it_oscillate() -> None:
    lead = LeadController()
    trough: list[float] = []
    for stall in range(12):
        start = stall * 5_000.0
        leads = run(lead, start, 5.0, 60.0)
        trough.append(leads[-1])
        lead.observe_news(slack=-1, late=stall + 1, local_ms=start + 4_999.0)
    assert trough == sorted(trough)


def test_a_longer_way_is_followed_at_once_and_a_shorter_one_slowly() -> None:
    lead = LeadController()
    run(lead, 0.0, 1.0, 30.0)
    longer = lead.step(1000.0, 200.0, 0.0, TICK_MS)
    assert longer == pytest.approx(100.0 / TICK_MS + 1.0)
    shorter = lead.step(1000.0 + TICK_MS, 30.0, 0.0, TICK_MS)
    assert longer - 0.051 <= shorter < longer


def test_a_new_connection_keeps_the_margin_and_aims_at_the_new_way_at_once() -> None:
    lead = LeadController()
    run(lead, 0.0, 1.0, 300.0)
    lead.observe_news(slack=-1, late=5, local_ms=0.0)
    margin = lead.margin_ticks
    lead.restart()
    assert lead.step(2000.0, 30.0, 0.0, TICK_MS) == pytest.approx(15.0 / TICK_MS + margin)
