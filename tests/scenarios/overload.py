"""A room whose hook takes longer than its tick, and what its players notice: the story behind the overload promises."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import ClassVar

import attrs
import trio
from trio.testing import MockClock

from tests.client.meadow import Meadow, Walk
from tickwire.engine import Engine
from tickwire.player import LeaveReason, Player
from tickwire.testing import World
from tickwire_client.client import Game

SAMPLE_S = 0.25


class Grind(Meadow):
    """A meadow that can be told to think for a while in each tick."""

    name = "grind"
    clock: ClassVar[MockClock | None] = None

    def on_create(self, options: Mapping[str, object]) -> None:
        super().on_create(options)
        self.thinks_s = 0.0
        self.gone: list[str] = []

    def on_tick(self) -> None:
        super().on_tick()
        self.weather.rain = self.tick % 101
        self.walked.clear()
        if self.thinks_s and self.clock is not None:
            self.clock.jump(self.thinks_s)

    def on_drop(self, player: Player[Walk]) -> None:
        self.gone.append(f"{player.id} dropped")

    def on_leave(self, player: Player[Walk], reason: LeaveReason) -> None:
        self.gone.append(f"{player.id} {reason.value}")


@attrs.frozen
class Sample:
    """How things are at one moment.

    Attributes:
        at_s: When, since the beginning.
        rung: Where the room stands.
        told: Where each player thinks it stands.
        tick: The room's.
        dropped: Ticks dropped so far.
        behind: How many ticks what each player has is behind the room.
        snapshots: Snapshots that each player got so far.
        waiting: Inputs that wait for their tick, at most of one player.
        late_s: How late the last tick began.
    """

    at_s: float
    rung: int
    told: tuple[int, ...]
    tick: int
    dropped: int
    behind: tuple[int, ...]
    snapshots: tuple[int, ...]
    waiting: int
    late_s: float


@attrs.define
class Watcher:
    """Takes samples of one room and its players."""

    engine: Engine
    games: list[Game]
    began: float = attrs.field(factory=trio.current_time)
    samples: list[Sample] = attrs.field(factory=list[Sample])

    def look(self) -> None:
        """Take a sample."""
        engine = self.engine
        waiting = Counter(column for _, column in engine.inputs._ahead(engine.tick))
        self.samples.append(
            Sample(
                at_s=trio.current_time() - self.began,
                rung=int(engine.ladder.rung),
                told=tuple(game.stats.load for game in self.games),
                tick=engine.tick,
                dropped=engine.pace.dropped_ticks,
                behind=tuple(engine.tick - game.tick for game in self.games),
                snapshots=tuple(game.stats.snapshots for game in self.games),
                waiting=max(waiting.values(), default=0),
                late_s=engine.pace.late_s,
            )
        )

    async def watch(self, seconds: float) -> None:
        """Take samples for some time."""
        end = trio.current_time() + seconds
        while trio.current_time() < end:
            await trio.sleep(SAMPLE_S)
            self.look()

    def between(self, begin_s: float, end_s: float) -> list[Sample]:
        """The samples of a part of the story."""
        return [sample for sample in self.samples if begin_s < sample.at_s <= end_s]


async def play_story(clock: MockClock, load: float, seconds: float, after_s: float) -> tuple[Watcher, Grind]:
    """Let two players walk for 5 s, then with this load for some seconds, then without for some."""
    Grind.clock = clock
    async with World(Grind, seed=1) as world:
        games = [await world.join("grind") for _ in range(2)]
        for number, game in enumerate(games):
            game.steer(pace=(0.5, -0.5)[number % 2])
        (room,) = world.rooms
        assert isinstance(room, Grind)
        watcher = Watcher(world.lobby.rooms[0], games)
        await watcher.watch(5.0)
        room.thinks_s = load / room.hz
        await watcher.watch(seconds)
        room.thinks_s = 0.0
        await watcher.watch(after_s)
        return watcher, room
