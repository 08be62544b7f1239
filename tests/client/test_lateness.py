from __future__ import annotations

import random

import pytest

from tickwire_client.lateness import (
    ARRIVALS,
    GAPS,
    MARGIN_TICKS,
    MAX_GAP_FACTOR,
    MAX_JITTER_GAPS,
    RATE_LIMIT,
    Lateness,
    RenderClock,
)


def fed(*lates: float, gap: int = 1, every: int = 1) -> Lateness:
    lateness = Lateness(every)
    for late in lates:
        lateness.arrived(late, gap)
    return lateness


def test_on_a_steady_link_the_delay_is_the_trip_and_one_snapshot() -> None:
    lateness = fed(*[3.0] * 20, gap=2)
    assert lateness.jitter_ticks == 0.0
    assert lateness.delay_ticks == 3.0 + 2 + MARGIN_TICKS


def test_before_the_first_snapshot_the_announced_rate_counts() -> None:
    assert Lateness(3).delay_ticks == 3 + MARGIN_TICKS


def test_the_delay_covers_jitter_and_forgets_it_when_it_is_over() -> None:
    rng = random.Random(3)
    lateness = fed(*(2 + rng.uniform(-1, 1) for _ in range(ARRIVALS)))
    assert 2.6 < lateness.delay_ticks - 1 - MARGIN_TICKS < 4.0
    for _ in range(ARRIVALS):
        lateness.arrived(2.0, 1)
    assert lateness.delay_ticks == 3.0 + MARGIN_TICKS


def test_a_stall_counts_once_and_makes_nobody_wait_for_the_next_one() -> None:
    held_up = [float(late) for late in range(14, 2, -1)]
    lateness = fed(*[2.0] * 60, *held_up, *[2.0] * 20, *held_up)
    assert lateness.delay_ticks == 3.0 + MARGIN_TICKS


def test_what_comes_late_again_and_again_is_waited_for() -> None:
    lateness = fed(*[2.0] * 60, *[2.0, 4.0] * 30)
    assert lateness.delay_ticks > 4.0 + MARGIN_TICKS


def test_jitter_is_covered_up_to_a_bound() -> None:
    assert fed(0.0, 0.0, 0.0, 100.0).jitter_ticks == MAX_JITTER_GAPS


def test_a_halved_snapshot_rate_is_noticed_at_once() -> None:
    lateness = fed(*[1.0] * ARRIVALS)
    for _ in range(GAPS // 2 + 1):
        lateness.arrived(1.0, 2)
    assert lateness.gap_ticks == 2


def test_rare_snapshots_of_a_quiet_room_do_not_make_it_lag() -> None:
    assert fed(*[1.0] * 20, gap=30).gap_ticks == MAX_GAP_FACTOR


def test_a_gap_that_says_nothing_is_not_counted() -> None:
    lateness = fed(1.0, 1.0, gap=2)
    lateness.arrived(1.0, 0)
    assert lateness.gap_ticks == 2


def test_the_render_clock_starts_at_its_target_and_follows_it() -> None:
    render = RenderClock()
    for frame in range(100):
        render.advance(10 + frame * 0.5, 0.0 if frame == 0 else 1000 / 60, 30)
    assert render.tick == pytest.approx(10 + 99 * 0.5)


def test_the_render_clock_makes_up_for_an_error_unseen() -> None:
    render = RenderClock()
    render.advance(100.0, 0.0, 30)
    before = 100.0
    for frame in range(1, 300):
        render.advance(100.0 - 1.5 + frame * 0.5, 1000 / 60, 30)
        assert render.tick is not None
        assert abs(render.tick - before - 0.5) <= 0.5 * RATE_LIMIT + 1e-9
        before = render.tick
    assert before == pytest.approx(98.5 + 299 * 0.5, abs=0.15)


def test_the_render_clock_hurries_when_the_server_is_set_back_and_never_runs_backwards() -> None:
    render = RenderClock()
    render.advance(100.0, 0.0, 30)
    before = 100.0
    for frame in range(1, 61):
        render.advance(100.0 - 5.0 + frame * 0.5, 1000 / 60, 30)
        assert render.tick is not None
        assert render.tick > before
        before = render.tick
    assert before == pytest.approx(95.0 + 30, abs=1.6)


def test_the_render_clock_jumps_over_a_long_pause() -> None:
    render = RenderClock()
    render.advance(100.0, 0.0, 30)
    render.advance(160.0, 1000 / 60, 30)
    assert render.tick == 160.0
