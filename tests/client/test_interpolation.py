"""Drawing a room between its snapshots, as a player of a real server in memory does."""

from __future__ import annotations

from itertools import pairwise
from typing import cast

import pytest
import trio
from trio.testing import MockClock

from tests.client.meadow import Meadow
from tests.client.sledding import Slope, step
from tickwire.testing import Link, World
from tickwire_client.client import Game

FRAME_S = 1 / 60


async def watch(game: Game, seconds: float) -> list[float]:
    """Draw for a while; returns where the first sheep was in each frame."""
    seen: list[float] = []
    for _ in range(round(seconds / FRAME_S)):
        game.frame()
        seen.append(game.all("Sheep")[0].view["x"])
        await trio.sleep(FRAME_S)
    return seen


def steps(seen: list[float]) -> list[float]:
    return [after - before for before, after in pairwise(seen)]


async def test_what_others_do_looks_smooth(autojump_clock: MockClock) -> None:
    async with World(Meadow) as world:
        ada = await world.join("meadow")
        bob = await world.join("meadow", link=Link.of_round_trip(100))
        await watch(bob, 3.0)
        ada.steer(pace=0.5)
        await watch(bob, 1.0)
        moved = steps(await watch(bob, 2.0))
        assert min(moved) > 0
        assert max(moved) == pytest.approx(10 * FRAME_S, rel=0.06)
        assert bob.stats.underruns == 0
        assert bob.stats.frames > 280


async def test_the_picture_starts_as_late_as_it_has_to_be(autojump_clock: MockClock) -> None:
    async with World(Meadow) as world:
        ada = await world.join("meadow")
        ada.steer(pace=0.5)
        bob = await world.join("meadow", link=Link.of_round_trip(300))
        await watch(bob, 2.0)
        assert bob.stats.frames > 60
        assert bob.stats.underruns == 0


async def test_the_picture_is_behind_by_the_trip_and_a_snapshot(autojump_clock: MockClock) -> None:
    async with World(Meadow) as world:
        ada = await world.join("meadow")
        bob = await world.join("meadow", link=Link.of_round_trip(100))
        ada.steer(pace=0.5)
        await watch(bob, 3.0)
        clock = bob.clock
        assert clock.delay_ticks == pytest.approx(1.0 + 1 + 0.25, abs=0.2)
        assert clock.server_tick - clock.render_tick - clock.delay_ticks == pytest.approx(FRAME_S * 20, abs=0.01)
        assert clock.server_now - clock.render_now == pytest.approx(50 * (clock.delay_ticks + FRAME_S * 20), abs=0.1)
        (sheep,) = ada.owned
        assert sheep.x - bob.all("Sheep")[0].view["x"] == pytest.approx(0.5 * clock.delay_ticks, abs=0.6)


async def test_a_jittery_link_is_given_more_time(autojump_clock: MockClock) -> None:
    async with World(Meadow) as world:
        ada = await world.join("meadow")
        bob = await world.join("meadow", link=Link.of_round_trip(100, 60))
        ada.steer(pace=-0.5)
        await watch(bob, 4.0)
        assert bob.clock.delay_ticks > 1.0 + 1 + 0.25 + 0.4
        assert bob.clock.jitter_ms > 20


async def test_frames_that_lacked_their_snapshot_are_counted_when_it_comes(autojump_clock: MockClock) -> None:
    async with World(Meadow) as world:
        ada = await world.join("meadow")
        link = Link.of_round_trip(20)
        bob = await world.join("meadow", link=link)
        ada.steer(pace=0.5)
        await watch(bob, 2.0)
        link.delay_ms = 210
        before = (bob.stats.underruns, bob.stats.frames)
        await watch(bob, 0.2)
        assert bob.stats.underruns == before[0]
        await watch(bob, 0.2)
        lacked = bob.stats.underruns - before[0]
        assert 15 <= lacked <= 20
        assert bob.stats.frames - before[1] == 24
        await watch(bob, 5.0)
        settled = bob.stats.underruns
        await watch(bob, 2.0)
        assert bob.stats.underruns == settled


async def test_a_room_where_nothing_happens_lacks_nothing(autojump_clock: MockClock) -> None:
    async with World(Meadow) as world:
        bob = await world.join("meadow", link=Link.of_round_trip(50))
        await watch(bob, 10.0)
        assert bob.stats.underruns == 0


async def test_a_teleport_is_no_flight(autojump_clock: MockClock) -> None:
    async with World(Meadow) as world:
        ada = await world.join("meadow")
        bob = await world.join("meadow", link=Link.of_round_trip(50))
        ada.steer(pace=0.5)
        await watch(bob, 2.0)
        room = cast("Meadow", world.rooms[0])
        room.sheep_of(room.players[0]).x = 10.0
        jumps = [step for step in steps(await watch(bob, 1.0)) if abs(step) > 1.0]
        assert len(jumps) == 1
        assert jumps[0] < -30


async def test_without_frames_a_view_is_the_newest_snapshot(autojump_clock: MockClock) -> None:
    async with World(Meadow) as world:
        ada = await world.join("meadow")
        ada.steer(pace=0.5)
        await trio.sleep(2.0)
        (sheep,) = ada.owned
        assert sheep.view == {"x": sheep.x, "facing": sheep.facing}
        assert (ada.clock.delay_ticks, ada.stats.frames) == (0.0, 0)
        assert ada.clock.render_now == ada.clock.server_now
        assert ada.clock.render_tick == ada.clock.server_tick


async def test_what_is_predicted_is_drawn_where_it_is_predicted(autojump_clock: MockClock) -> None:
    async with World(Slope) as world:
        bob = await world.join("slope", link=Link.of_round_trip(200))
        prediction = bob.predict("Sled", step)
        bob.steer(push=1.0)
        for _ in range(120):
            bob.frame()
            await trio.sleep(FRAME_S)
        (sled,) = bob.owned
        assert sled.view == prediction.pose()
        assert sled.view["x"] > sled.x + 5
        prediction.enabled = False
        assert sled.view["x"] < sled.x


async def test_the_picture_survives_a_reconnect(autojump_clock: MockClock) -> None:
    async with World(Meadow) as world:
        ada = await world.join("meadow")
        bob = await world.join("meadow", link=Link.of_round_trip(100))
        ada.steer(pace=0.5)
        await watch(bob, 2.0)
        await world.cut(bob)
        seen = await watch(bob, 4.0)
        assert bob.stats.resumes == 1
        assert max(steps(seen[-60:])) == pytest.approx(10 * FRAME_S, rel=0.06)
        # No further back than an entity keeps its course when nothing is heard: two ticks.
        assert min(steps(seen)) >= -1.0


async def test_the_clock_tells_the_time_here_and_there(autojump_clock: MockClock) -> None:
    async with World(Meadow) as world:
        ada = await world.join("meadow", link=Link.of_round_trip(80))
        await trio.sleep(3.0)
        clock = ada.clock
        now_ms = trio.current_time() * 1000
        assert clock.now == now_ms
        assert clock.server_now == pytest.approx(now_ms, abs=0.01)
        assert clock.offset_ms == pytest.approx(0.0, abs=0.01)
        assert clock.rtt_ms == pytest.approx(80.0, abs=0.01)
        assert clock.lead_ticks == 0.0
        assert 0 <= clock.server_tick - world.rooms[0].tick < 1.01
