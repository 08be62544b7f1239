"""Traffic: within the limits nothing happens; beyond, a connection is slowed down, then closed."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import attrs
import trio
from trio.testing import MockClock

from tickwire.limits import Limits
from tickwire.traffic import BURST_S, CHECK_S, MAX_PAUSE_S, MAX_PAUSES, Traffic, TrafficWatch
from tickwire_shared.closing import CloseCode

LIMITS = Limits(messages_per_second=100, bytes_per_second=1000)


@attrs.define(eq=False)
class Source:
    """A connection that only counts."""

    frames_in: int = 0
    bytes_in: int = 0
    on_crowd: Callable[[], object] = print
    on_stir: Callable[[], object] | None = None
    paused: bool = False
    closed: tuple[int, str] | None = None

    def hear(self, frames: int, size: int = 0) -> None:
        self.frames_in += frames
        self.bytes_in += size or frames
        stir, self.on_stir = self.on_stir, None
        if stir is not None:
            stir()

    def pause(self) -> None:
        self.paused = True

    def unpause(self) -> None:
        self.paused = False

    def close(self, code: int, reason: str) -> None:
        self.closed = (code, reason)


@asynccontextmanager
async def watched(source: Source) -> AsyncGenerator[Traffic]:
    async with trio.open_nursery() as nursery:
        watch = TrafficWatch(LIMITS)
        nursery.start_soon(watch.run)
        with watch.watching(source, source.close) as traffic:
            yield traffic
        nursery.cancel_scope.cancel()


async def watched_for(seconds: float, source: Source, feed: Callable[[], None]) -> float:
    """Watch ``source``, fed each 10 ms while it isn't paused; return for how many seconds it was."""
    paused_s = 0.0
    async with watched(source):
        end = trio.current_time() + seconds
        while trio.current_time() < end and source.closed is None:
            if source.paused:
                paused_s += 0.01
            else:
                feed()
            await trio.sleep(0.01)
    return paused_s


async def test_who_keeps_to_the_limits_is_never_slowed_down(autojump_clock: MockClock) -> None:
    source = Source()

    def feed() -> None:
        source.hear(1, 9)

    assert await watched_for(30, source, feed) == 0.0
    assert source.closed is None


async def test_who_is_silent_is_not_looked_at(autojump_clock: MockClock) -> None:
    source = Source()
    async with watched(source):
        for _ in range(3):
            await trio.sleep(3 * CHECK_S)
            assert source.on_stir is not None, "it wants to be told when something comes"
            source.hear(1)
            assert source.on_stir is None


async def test_a_burst_after_a_stall_passes(autojump_clock: MockClock) -> None:
    source = Source(frames_in=int(100 * BURST_S) - 1)
    assert await watched_for(5, source, lambda: None) == 0.0
    source.hear(int(100 * BURST_S) - 1)
    assert await watched_for(5, source, lambda: None) == 0.0


async def test_somewhat_too_much_is_slowed_down_to_the_limit_and_then_forgiven(autojump_clock: MockClock) -> None:
    source = Source()
    async with watched(source) as traffic:
        source.hear(int(100 * (BURST_S + 1)))
        await trio.sleep(CHECK_S + 0.01)
        assert (source.paused, traffic.pauses) == (True, 1)
        await trio.sleep(1 + CHECK_S)
        assert (source.paused, traffic.pauses) == (False, 1)
        await trio.sleep(BURST_S + CHECK_S)
        assert (source.paused, traffic.pauses) == (False, 0)
    assert source.closed is None


async def test_who_goes_on_to_play_is_forgiven_as_well(autojump_clock: MockClock) -> None:
    source = Source()
    async with watched(source) as traffic:
        source.hear(int(100 * (BURST_S + 1)))
        await trio.sleep(CHECK_S + 0.01)
        assert traffic.pauses == 1
        for _ in range(1000):
            source.hear(not source.paused)
            await trio.sleep(0.02)
        assert traffic.pauses == 0


async def test_who_kept_to_the_limits_for_long_has_no_more_than_a_burst(autojump_clock: MockClock) -> None:
    source = Source()
    sent = 0

    def feed() -> None:
        nonlocal sent
        sent += 1
        source.hear(1 if sent < 2000 else 10)

    await watched_for(60, source, feed)
    assert source.closed is not None
    assert source.frames_in <= 100 * (trio.current_time() + BURST_S + MAX_PAUSES)


async def test_who_does_not_stop_is_closed_after_a_few_pauses(autojump_clock: MockClock) -> None:
    source = Source()

    def feed() -> None:
        source.hear(2)

    paused_s = await watched_for(60, source, feed)
    assert source.closed == (CloseCode.TOO_MANY_MESSAGES, "More than 100 messages a second; send less.")
    assert 0 < paused_s <= MAX_PAUSES * (MAX_PAUSE_S + CHECK_S)
    assert source.paused, "what comes behind the close is not read"
    assert source.frames_in <= 100 * (trio.current_time() + BURST_S + MAX_PAUSES)


async def test_far_too_much_is_closed_at_once_in_the_very_read_that_brought_it(autojump_clock: MockClock) -> None:
    source = Source()
    with TrafficWatch(LIMITS).watching(source, source.close):
        source.hear(int(100 * (BURST_S + MAX_PAUSE_S)) + 1)
        source.on_crowd()
        assert source.paused
        assert source.closed is not None
        assert trio.current_time() == 0.0


async def test_bytes_count_as_well(autojump_clock: MockClock) -> None:
    source = Source()

    def feed() -> None:
        source.hear(1, 100)

    await watched_for(60, source, feed)
    assert source.closed == (CloseCode.TOO_MANY_MESSAGES, "More than 1000 bytes a second; send less.")


async def test_nobody_is_looked_at_when_nobody_is_there(autojump_clock: MockClock) -> None:
    async with trio.open_nursery() as nursery:
        watch = TrafficWatch(LIMITS)
        nursery.start_soon(watch.run)
        source = Source()
        with watch.watching(source, source.close):
            await trio.sleep(1)
        source.hear(10_000)
        await trio.sleep(10)
        assert (source.paused, source.closed) == (False, None)
        nursery.cancel_scope.cancel()
