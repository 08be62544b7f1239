"""A room with a witness in it, who has to notice nothing of what others do to their own connections."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

import attrs

from tests.client.meadow import Meadow, Walk
from tests.server.raw_client import RawClient
from tickwire.player import LeaveReason, Player
from tickwire.testing import World
from tickwire_client.client import Game
from tickwire_shared.client_messages import Join


class Watched(Meadow):
    """A meadow where it rains differently in each tick, and which notes who came and went."""

    name = "meadow"
    max_players = 2
    grace_s = 5.0

    def on_create(self, options: Mapping[str, object]) -> None:
        super().on_create(options)
        self.log: list[str] = []

    def on_join(self, player: Player[Walk]) -> None:
        super().on_join(player)
        self.note(f"join {player.id}")

    def on_tick(self) -> None:
        super().on_tick()
        self.weather.rain = self.tick % 101

    def on_drop(self, player: Player[Walk]) -> None:
        self.note(f"drop {player.id}")

    def on_leave(self, player: Player[Walk], reason: LeaveReason) -> None:
        self.note(f"leave {player.id} {reason.value}")

    def note(self, what: str) -> None:
        self.log.append(what)


@attrs.define(eq=False)
class Scene:
    """A room with a witness in it, and a place for somebody else."""

    world: World
    witness: Game

    async def connected(self) -> RawClient:
        """Open another connection, which has not joined."""
        client = RawClient(self.world.open_stream())
        await client.open()
        return client

    async def joined(self) -> RawClient:
        """Let a second player join."""
        client = await self.connected()
        await client.join(Join("join", "meadow"))
        return client

    @property
    def log(self) -> list[str]:
        """Who came and went, the witness left out."""
        (room,) = (room for room in self.world.rooms if isinstance(room, Watched))
        return room.log[1:]

    async def assert_unharmed(self) -> None:
        """The witness noticed nothing, and plays on alone."""
        tick = self.witness.tick
        await self.world.ticks(3)
        assert self.witness.tick >= tick + 3
        (engine,) = (engine for engine in self.world.lobby.rooms if not engine.over)
        assert (engine.pace.dropped_ticks, engine.seats_taken) == (0, 1)
        assert self.witness.all("Weather")[0].rain == engine.tick % 101
        stats = self.witness.stats
        assert (stats.disconnects, stats.state_mismatches, stats.resyncs, stats.full_snapshots) == (0, 0, 0, 1)
        assert self.witness.take_events() == []
        assert len(self.witness.all("Sheep")) == 1


@asynccontextmanager
async def scene() -> AsyncGenerator[Scene]:
    async with World(Watched) as world:
        yield Scene(world, await world.join("meadow"))
