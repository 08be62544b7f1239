"""Probe: a session that runs over the end of u32 notices nothing of it.

At 30 ticks a second that takes four years and a half, and no test may wait for it; so the room begins shortly before.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import cast

import pytest
import trio
from trio.testing import MockClock

from tests.client.meadow import Bleat, Meadow, Sheep, Walk
from tickwire import Player
from tickwire.testing import Link, World
from tickwire_client.client import Game
from tickwire_shared.ticks import TICK_MODULUS, tick_distance

BEFORE_TICKS = 100
"""The wrap comes five seconds into the game."""
FRAME_S = 1 / 60


class OldMeadow(Meadow):
    """A meadow that has been there for ages."""

    name = "old"

    def on_create(self, options: Mapping[str, object]) -> None:
        """Begin shortly before the ticks wrap."""
        assert self._engine is not None
        self._engine.tick = TICK_MODULUS - BEFORE_TICKS
        super().on_create(options)
        self.rung: list[int] = []
        self.once: list[int] = []
        self.seen: list[float] = []
        self.every(7, lambda: self.rung.append(self.tick))
        self.after(BEFORE_TICKS + 10, lambda: self.once.append(self.tick))

    def on_join(self, player: Player[Walk]) -> None:
        """The first player's sheep can walk far to the right, the second's to the left."""
        self.spawn(Sheep(x=0.0 if player.id == 1 else 100.0), owner=player)

    def on_input(self, player: Player[Walk], input: Walk) -> None:
        """Note how far in the past the second player saw the first one's sheep."""
        super().on_input(player, input)
        if player.id == 2:
            past = self.seen_by(player)
            then = past.find(Sheep, self.sheep_of(self.players[0]).id)
            if then is not None:
                self.seen.append(self.sheep_of(self.players[0]).x - then.x)


async def draw(game: Game, seconds: float) -> list[float]:
    """Draw for a while; returns where the first sheep was shown."""
    shown: list[float] = []
    for _ in range(round(seconds / FRAME_S)):
        game.frame()
        shown.append(game.all("Sheep")[0].view["x"])
        await trio.sleep(FRAME_S)
    return shown


async def snapshots(game: Game, ticks: list[int]) -> None:
    """Note the ticks of all snapshots."""
    while True:
        ticks.append(await game.next_snapshot())


async def test_everything_goes_on_over_the_wrap_of_the_ticks(autojump_clock: MockClock) -> None:
    async with World(OldMeadow) as world, trio.open_nursery() as nursery:
        ada = await world.join("old", name="Ada")
        bob = await world.join("old", name="Bob", link=Link.of_round_trip(150, 20))
        ticks: list[int] = []
        nursery.start_soon(snapshots, bob, ticks)
        ada.steer(pace=0.5)
        bob.steer(graze=True)
        await draw(bob, 3.0)
        room, engine = cast("OldMeadow", world.rooms[0]), world.lobby.rooms[0]
        assert engine.tick > TICK_MODULUS - BEFORE_TICKS
        del ticks[:-1], room.seen[:-1]
        for _ in range(4):
            room.broadcast(Bleat(words=str(room.tick)))
            shown = await draw(bob, 1.0)
            assert max(after - before for before, after in pairwise(shown)) < 10 * FRAME_S * 1.3
            assert min(after - before for before, after in pairwise(shown)) > 0
        nursery.cancel_scope.cancel()

        assert engine.tick < BEFORE_TICKS
        assert all(tick_distance(after, before) == 1 for before, after in pairwise(ticks))
        assert ticks[0] > ticks[-1]
        for player in (1, 2):
            commanded = [tick for number, tick, _ in room.walked if number == player]
            assert all(tick_distance(after, before) == 1 for before, after in pairwise(commanded[-80:]))
            assert commanded[-80] > commanded[-1]
        said = [int(event.words) for event in bob.take_events()]
        assert [tick_distance(after, before) for before, after in pairwise(said)] == [20, 20, 20]
        assert [tick_distance(after, before) for before, after in pairwise(room.rung)] == [7] * (len(room.rung) - 1)
        assert room.once == [10]
        assert room.seen == pytest.approx([0.5 * bob_delay(bob)] * len(room.seen), abs=0.6)
        for game in (ada, bob):
            stats = game.stats
            assert (stats.late_inputs, stats.refused_inputs, stats.full_snapshots) == (0, 0, 1)
            assert (stats.state_mismatches, stats.resyncs, stats.disconnects) == (0, 0, 0)
            assert stats.checks >= 3
            assert 0 <= tick_distance(engine.tick, round(game.clock.server_tick)) + 1 <= 1
        assert bob.stats.underruns == 0


def bob_delay(game: Game) -> float:
    """How far behind what it commands a client draws."""
    return game.clock.lead_ticks + game.clock.delay_ticks


@pytest.mark.parametrize("cut_s, back_s", [(3.5, 5.5), (4.6, 4.9)])
async def test_a_player_that_drops_before_the_wrap_resumes_behind_it(
    autojump_clock: MockClock, cut_s: float, back_s: float
) -> None:
    async with World(OldMeadow) as world:
        ada = await world.join("old", name="Ada")
        bob = await world.join("old", name="Bob", link=Link.of_round_trip(50))
        ada.steer(pace=0.5)
        bob.steer(pace=-0.5)
        await trio.sleep(cut_s)
        held = bob.tick
        await world.cut(bob)
        engine = world.lobby.rooms[0]
        await trio.sleep(back_s - cut_s + 1.0)
        assert held > TICK_MODULUS - BEFORE_TICKS
        assert engine.tick < BEFORE_TICKS
        assert (bob.stats.disconnects, bob.stats.resumes) == (1, 1)
        assert bob.stats.full_snapshots == 1
        await trio.sleep(1.6)
        assert (bob.stats.state_mismatches, bob.stats.resyncs, bob.stats.refused_inputs) == (0, 0, 0)
        before = [sheep.x for sheep in bob.all("Sheep")]
        await trio.sleep(0.5)
        assert [after.x - x for x, after in zip(before, bob.all("Sheep"), strict=True)] == pytest.approx([5, -5], abs=1)
