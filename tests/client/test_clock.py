from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickwire_client.clock import PING_MS, SLEW_RATE, PingTimer, ServerClock, whole_tick

OFFSET_MS = 123_456.75


def exchange(
    clock: ServerClock, sent_ms: float, there_ms: float, back_ms: float, offset_ms: float = OFFSET_MS
) -> float:
    """Play one PING whose two ways take so long; returns the local time of the PONG."""
    arrived = sent_ms + there_ms + offset_ms
    answered = arrived + 0.5
    received = sent_ms + there_ms + 0.5 + back_ms
    clock.observe_pong(sent_ms, arrived, answered, received)
    return received


def test_a_symmetric_path_gives_the_exact_offset_and_round_trip() -> None:
    clock = ServerClock(hz=30)
    now = exchange(clock, 1000.0, 40.0, 40.0)
    assert clock.rtt_ms == pytest.approx(80.0)
    assert clock.offset_ms(now) == pytest.approx(OFFSET_MS)


def test_a_path_without_any_delay_works_too() -> None:
    clock = ServerClock(hz=30)
    now = exchange(clock, 0.0, 0.0, 0.0)
    assert clock.rtt_ms == 0.0
    assert clock.offset_ms(now) == pytest.approx(OFFSET_MS)


@given(st.lists(st.floats(0, 400), min_size=12, max_size=40), st.integers(0, 2**32))
def test_queueing_one_way_hardly_moves_the_offset(queues: list[float], seed: int) -> None:
    clock = ServerClock(hz=30)
    order = [0.0, *queues]
    random.Random(seed).shuffle(order)
    now = 0.0
    for index, queue in enumerate(order):
        now = exchange(clock, index * 200.0, 25.0 + queue, 25.0)
    clock.offset_ms(now)
    settled = clock.offset_ms(now + 60_000.0)
    assert abs(settled - OFFSET_MS) <= 50.0 * 0.2 / 2 + 0.5


def test_samples_older_than_the_window_are_forgotten() -> None:
    clock = ServerClock(hz=30)
    exchange(clock, 0.0, 5.0, 5.0)
    for second in range(1, 14):
        exchange(clock, second * PING_MS, 30.0, 30.0)
    assert clock.best_rtt_ms == pytest.approx(60.0)


@given(st.integers(0, 2**32))
def test_each_direction_goes_by_its_own_quickest_trip(seed: int) -> None:
    rng = random.Random(seed)
    trips = [(25.0 + rng.uniform(0, 60), 25.0 + rng.uniform(0, 60)) for _ in range(8)]
    trips += [(25.0, 85.0), (85.0, 25.0)]
    rng.shuffle(trips)
    clock = ServerClock(hz=30)
    now = 0.0
    for number, (there, back) in enumerate(trips):
        now = exchange(clock, number * 900.0, there, back)
    assert clock.offset_ms(now + 5_000.0) == pytest.approx(OFFSET_MS, abs=0.001)


def looked_at(clock: ServerClock, from_ms: float, to_ms: float, exact: bool = False) -> float:
    """Look at the clock once a frame; what it shows runs steadily, if not exactly at the right rate."""
    now, before = from_ms, clock.time_at(from_ms)
    while now < to_ms:
        now += 16.0
        after = clock.time_at(now)
        assert abs(after - before - 16.0) <= (1e-6 if exact else 16.0 * SLEW_RATE + 1e-6)
        before = after
    return now


def test_the_shown_clock_never_jumps_or_runs_backwards_once_it_is_measured() -> None:
    clock = ServerClock(hz=30)
    now = exchange(clock, 0.0, 20.0, 20.0)
    for index in range(1, 60):
        offset = OFFSET_MS if index < 20 else OFFSET_MS + 80.0
        now = looked_at(clock, now, index * PING_MS, exact=index < 20)
        now = exchange(clock, now, 20.0, 20.0, offset)
    assert clock.offset_ms(now) == pytest.approx(OFFSET_MS + 80.0, abs=0.1)


def test_a_resumed_connection_goes_on_with_the_clock_that_was_shown() -> None:
    clock = ServerClock(hz=30)
    now = exchange(clock, 0.0, 75.0, 75.0)
    clock.forget_path()
    assert not clock.measured
    clock.observe_welcome(now + OFFSET_MS, now + 75.0)
    now = looked_at(clock, now + 75.0, 3_000.0, exact=True)
    exchange(clock, now, 20.0, 90.0)
    looked_at(clock, now, 10_000.0)


def test_a_resumed_connection_to_another_clock_takes_that_one_over() -> None:
    clock = ServerClock(hz=30)
    now = exchange(clock, 0.0, 75.0, 75.0)
    clock.forget_path()
    clock.observe_welcome(7_000_000.0, now)
    assert clock.time_at(now) == pytest.approx(7_000_000.0, abs=100.0)
    now = exchange(clock, now, 20.0, 20.0, 6_999_990.0 - now)
    assert clock.time_at(now) == pytest.approx(6_999_990.0 + 40.5, abs=0.001)


def test_an_error_too_large_to_slew_is_stepped_over() -> None:
    clock = ServerClock(hz=30)
    now = 0.0
    for index in range(20):
        now = exchange(clock, index * PING_MS, 20.0, 20.0)
    for index in range(60, 72):
        now = exchange(clock, index * PING_MS, 20.0, 20.0, OFFSET_MS + 5_000.0)
    assert clock.offset_ms(now) == pytest.approx(OFFSET_MS + 5_000.0, abs=1.0)


def test_a_local_clock_50_ppm_fast_stays_within_2_ms_over_24_hours() -> None:
    clock = ServerClock(hz=30)
    worst = 0.0
    for second in range(24 * 3600):
        local = second * 1000.0
        true_offset = OFFSET_MS - local * 50e-6
        now = exchange(clock, local, 20.0, 20.0, true_offset)
        worst = max(worst, abs(clock.offset_ms(now) - true_offset))
    assert worst < 2.0


def test_ticks_follow_the_epoch() -> None:
    clock = ServerClock(hz=20)
    now = exchange(clock, 0.0, 10.0, 10.0)
    clock.observe_epoch(500, OFFSET_MS)
    assert clock.tick_at(now + 1000.0) == pytest.approx(500 + (now + 1000.0) / 50.0)


def test_a_clock_is_synced_when_it_knows_the_offset_and_an_epoch() -> None:
    clock = ServerClock(hz=20)
    exchange(clock, 0.0, 10.0, 10.0)
    known = [clock.synced]
    clock.observe_epoch(500, OFFSET_MS)
    known.append(clock.synced)
    assert known == [False, True]


def test_ticks_survive_the_wrap_of_u32() -> None:
    clock = ServerClock(hz=20)
    now = exchange(clock, 0.0, 0.0, 0.0)
    clock.observe_epoch(2**32 - 1, clock.time_at(now))
    before = clock.tick_at(now)
    assert whole_tick(clock.tick_at(now + 60.0)) == 0
    assert clock.tick_at(now + 60.0) - before == pytest.approx(60.0 / 50.0)


def test_ticks_go_on_evenly_over_an_epoch_behind_the_wrap() -> None:
    clock = ServerClock(hz=20)
    now = exchange(clock, 0.0, 0.0, 0.0)
    clock.observe_epoch(2**32 - 1, clock.time_at(now))
    before = clock.tick_at(now + 500.0)
    clock.observe_epoch(3, clock.time_at(now + 200.0))
    assert clock.tick_at(now + 500.0) == pytest.approx(before)
    assert clock.unwrap(7) - clock.unwrap(2**32 - 3) == 10


def test_a_welcome_gives_a_first_guess_that_a_pong_overrules() -> None:
    clock = ServerClock(hz=30)
    clock.observe_welcome(OFFSET_MS + 15.0, 15.0 + 30.0)
    assert clock.offset_ms(45.0) == pytest.approx(OFFSET_MS - 30.0)
    now = exchange(clock, 50.0, 30.0, 30.0)
    assert clock.offset_ms(now) == pytest.approx(OFFSET_MS)


def test_pings_are_frequent_at_first_and_then_one_a_second() -> None:
    timer = PingTimer()
    taken = [ms for ms in range(0, 6_000, 10) if timer.take(float(ms))]
    assert taken == [0, 250, 500, 750, 1000, 1250, 1500, 1750, 2750, 3750, 4750, 5750]


@given(st.floats(0, 1e9))
def test_a_ping_is_due_when_its_time_in_seconds_has_come(start_ms: float) -> None:
    timer = PingTimer()
    timer.take(start_ms)
    woken_s = timer.due_ms / 1000
    assert timer.take(woken_s * 1000)
