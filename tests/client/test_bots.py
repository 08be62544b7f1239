from __future__ import annotations

import random
from typing import cast

import pytest
import trio
from trio.testing import MockClock

from tests.client.meadow import Meadow
from tickwire import Player, Room
from tickwire.demo.arena import Arena, Ship
from tickwire.testing import World
from tickwire_client.bots import ArenaBrain, IdleBrain, Scouts, WanderingBrain, brain_for, play
from tickwire_shared.errors import ConnectionEnded


class Stage(Room[None]):
    """A room that one can only watch."""

    name = "stage"

    def on_join(self, player: Player[None]) -> None:
        """Nothing to do."""


async def test_the_brain_fits_the_room(autojump_clock: MockClock) -> None:
    async with World(Arena, Meadow, Stage) as world:
        assert isinstance(brain_for(await world.join("arena"), {}), ArenaBrain)
        assert isinstance(brain_for(await world.join("meadow"), {}), WanderingBrain)
        assert isinstance(brain_for(await world.join("stage"), {}), IdleBrain)


async def test_bots_in_the_same_room_may_share_a_scout(autojump_clock: MockClock) -> None:
    async with World(Arena) as world:
        scouts: Scouts = {}
        first, second = [brain_for(await world.join("arena"), scouts) for _ in range(2)]
        assert isinstance(first, ArenaBrain)
        assert isinstance(second, ArenaBrain)
        assert first.scout is second.scout


async def test_bots_fight_each_other_in_earnest(autojump_clock: MockClock) -> None:
    async with World(Arena) as world, trio.open_nursery() as nursery:
        for number in range(6):
            nursery.start_soon(play, await world.join("arena"), random.Random(number))
        await trio.sleep(20.0)
        ships = cast("Arena", world.rooms[0]).all(Ship)
        assert sum(ship.score for ship in ships) >= 3
        assert sum(ship.score > 0 for ship in ships) >= 2
        nursery.cancel_scope.cancel()


async def test_a_bot_wanders_where_it_understands_nothing(autojump_clock: MockClock) -> None:
    async with World(Meadow) as world, trio.open_nursery() as nursery:
        ada = await world.join("meadow")
        nursery.start_soon(play, ada, random.Random(3))
        seen: set[float] = set()
        for _ in range(40):
            await trio.sleep(0.5)
            seen.add(ada.owned[0].x)
        assert len(seen) > 10
        assert ada.owned[0].jumps > 0
        nursery.cancel_scope.cancel()


async def test_a_bot_stops_with_the_reason_when_the_game_is_over_for_it(autojump_clock: MockClock) -> None:
    async with World(Stage) as world:
        ada = await world.join("stage")
        world.rooms[0].players[0].kick("Bots are not welcome.")
        with pytest.raises(ConnectionEnded, match="not welcome"):
            await play(ada, random.Random(1))
