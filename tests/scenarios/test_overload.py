"""Overload makes a game coarser and ends nothing: what players notice of a slow room, or of a stalled server."""

from __future__ import annotations

from itertools import pairwise

import pytest
import trio
from trio.testing import MockClock

from tests.scenarios.overload import Grind, Watcher, play_story
from tests.server.kit import FakePlayer, running, ticks
from tickwire.board import MAX_AHEAD
from tickwire.ladder import Rung
from tickwire.testing import Link, World
from tickwire_shared.closing import CloseCode
from tickwire_shared.errors import JoinRefused

HZ = Grind.hz
BUSY_S = 30.0
RELIEF_AT_S = 5.0 + BUSY_S
RECOVERY_S = 5.0


@pytest.fixture(scope="module")
def story() -> tuple[Watcher, Grind]:
    """Five seconds of calm, 30 s in which each tick takes 150 % of its time, ten seconds after it."""
    clock = MockClock(autojump_threshold=0)

    async def tell() -> tuple[Watcher, Grind]:
        return await play_story(clock, 1.5, BUSY_S, 10.0)

    return trio.run(tell, clock=clock)


def test_nobody_is_disconnected_or_has_to_start_over(story: tuple[Watcher, Grind]) -> None:
    watcher, room = story
    for game in watcher.games:
        stats = game.stats
        assert (stats.disconnects, stats.resyncs, stats.state_mismatches, stats.full_snapshots) == (0, 0, 0, 1)
        assert stats.checks > 2
    assert {what.partition(" ")[2] for what in room.gone} == {"room closing"}


def test_snapshots_thin_out_to_every_fourth_and_the_players_are_told(story: tuple[Watcher, Grind]) -> None:
    watcher, _ = story
    calm = watcher.between(1.0, 5.0)
    assert {sample.rung for sample in calm} == {Rung.CALM}
    assert calm[-1].snapshots[0] - calm[0].snapshots[0] == calm[-1].tick - calm[0].tick
    busy = watcher.between(15.0, RELIEF_AT_S)
    assert {(sample.rung, *sample.told) for sample in busy} == {(Rung.CLOSED,) * 3}
    ticks = busy[-1].tick - busy[0].tick
    for first, last in zip(busy[0].snapshots, busy[-1].snapshots, strict=True):
        assert 0.2 * ticks < last - first < 0.3 * ticks


def test_no_backlog_of_ticks_inputs_or_snapshots_builds_up(story: tuple[Watcher, Grind]) -> None:
    watcher, _ = story
    busy = watcher.between(10.0, RELIEF_AT_S)
    # On time or dropped: never later than the tick under way takes.
    assert max(sample.late_s for sample in busy) <= 1.5 / HZ + 1e-9
    assert busy[-1].dropped - busy[0].dropped > 0.3 * (busy[-1].tick - busy[0].tick)
    # What players have is at most two snapshots old, and older at no time than at another.
    assert max(max(sample.behind) for sample in busy) <= 12
    # Inputs wait for their tick no longer than a lead that covers four ticks between two snapshots.
    assert max(sample.waiting for sample in busy) <= 28
    halves = [watcher.between(10.0, 20.0), watcher.between(25.0, RELIEF_AT_S)]
    waiting = [sum(sample.waiting for sample in half) / len(half) for half in halves]
    assert waiting[1] <= waiting[0] + 4


def test_within_five_seconds_of_relief_all_is_as_before(story: tuple[Watcher, Grind]) -> None:
    watcher, _ = story
    after = watcher.between(RELIEF_AT_S + RECOVERY_S, RELIEF_AT_S + 10.0)
    assert len(after) > 10
    for before, sample in pairwise(after):
        assert (sample.rung, sample.told) == (Rung.CALM, (0, 0))
        assert max(sample.behind) <= 1
        assert sample.waiting <= 3
        assert sample.late_s == pytest.approx(0.0, abs=1e-6)
        assert sample.dropped == before.dropped
        for first, last in zip(before.snapshots, sample.snapshots, strict=True):
            assert last - first == pytest.approx(sample.tick - before.tick, abs=1)


def test_the_ladder_is_climbed_and_left_a_rung_at_a_time_and_not_climbed_again(story: tuple[Watcher, Grind]) -> None:
    watcher, _ = story
    rungs = [sample.rung for sample in watcher.samples]
    steps = [(a, b) for a, b in pairwise(rungs) if a != b]
    assert [step for step in steps if step[1] > step[0]] == [(0, 1), (1, 2), (2, 3)]
    assert watcher.engine.ladder.climbs == 3


def test_a_room_that_is_busy_but_in_time_is_left_alone() -> None:
    clock = MockClock(autojump_threshold=0)

    async def tell() -> tuple[Watcher, Grind]:
        return await play_story(clock, 0.6, 10.0, 1.0)

    watcher, _ = trio.run(tell, clock=clock)
    assert {sample.rung for sample in watcher.samples} == {Rung.CALM}
    assert watcher.engine.pace.dropped_ticks == 0


async def test_an_overloaded_room_admits_nobody_says_so_and_admits_again(autojump_clock: MockClock) -> None:
    Grind.clock = autojump_clock
    async with World(Grind) as world:
        game = await world.join("grind")
        (room,) = world.rooms
        assert isinstance(room, Grind)
        room.thinks_s = 1.5 / HZ
        await trio.sleep(6.0)
        assert game.stats.load == Rung.CLOSED
        assert world.lobby.ready() == (False, {"why": ["overloaded"]})
        with pytest.raises(JoinRefused, match="overloaded: come back in a few seconds") as caught:
            await world.join("grind")
        assert caught.value.code == CloseCode.SERVER_FULL
        room.thinks_s = 0.0
        await trio.sleep(5.0)
        assert world.lobby.ready() == (True, {})
        await world.join("grind")
        assert len(world.rooms) == 1


async def test_a_player_of_an_overloaded_room_comes_back_and_is_told_of_the_load(autojump_clock: MockClock) -> None:
    Grind.clock = autojump_clock
    async with World(Grind) as world:
        game = await world.join("grind")
        (room,) = world.rooms
        assert isinstance(room, Grind)
        room.thinks_s = 1.5 / HZ
        await trio.sleep(6.0)
        await world.cut(game)
        await trio.sleep(6.0)
        assert (game.stats.resumes, game.stats.load, game.ended) == (1, Rung.CLOSED, None)


@pytest.mark.parametrize("stalled_s", [0.4, 3.0])
def test_a_server_that_was_stopped_goes_on_where_it_was_without_a_fast_forward(stalled_s: float) -> None:
    """What ``kill -STOP`` and ``-CONT`` do: time passes, and nobody in the process notices."""
    clock = MockClock(autojump_threshold=0)

    async def tell() -> None:
        async with World(Grind, seed=2) as world:
            games = [await world.join("grind", link=Link.of_round_trip(40)) for _ in range(2)]
            for game in games:
                game.steer(pace=0.5)
            await world.ticks(3 * round(HZ))
            (engine,) = world.lobby.rooms
            before, full = engine.tick, [game.stats.full_snapshots for game in games]
            began = trio.current_time()
            clock.jump(stalled_s)
            await trio.sleep(0.3)
            assert engine.tick - before <= 5 + 0.3 * HZ + 1
            await trio.sleep(3.0)
            passed = (trio.current_time() - began) * HZ
            assert engine.tick - before + engine.pace.dropped_ticks == pytest.approx(passed, abs=1)
            assert engine.pace.dropped_ticks >= int(stalled_s * HZ) - 6
            for game, had in zip(games, full, strict=True):
                stats = game.stats
                assert (stats.disconnects, stats.resyncs, stats.full_snapshots) == (0, 0, had)
                assert engine.tick - game.tick <= 2
                assert abs(game.clock.server_tick - engine.tick) < 1.5
            assert engine.ladder.rung is Rung.CALM

    trio.run(tell, clock=clock)


async def test_what_was_commanded_into_a_long_stall_is_not_carried_out_after_it(autojump_clock: MockClock) -> None:
    async with running(Grind) as engine:
        player = FakePlayer(engine)
        await ticks(engine)
        for tick in range(engine.tick + 2, engine.tick + 32):
            player.send_input(tick, (4, 1, 0))
        autojump_clock.jump(3.0)
        await ticks(engine, 2)
        assert engine.pace.dropped_ticks > MAX_AHEAD
        commanded = engine.tick + 3
        player.send_input(commanded, (0, 0, 0))
        await ticks(engine, 4)
        assert engine.inputs.counts.repeated == 0
        assert player.player.input.pace == -1
