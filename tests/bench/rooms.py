"""The game that the benchmark plays: avatars that move and turn, each steered by one player.

peers/colyseus.mjs plays the same.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from math import cos, pi, sin
from time import perf_counter

from tests.bench.scenarios import HZ
from tickwire import Entity, Input, LeaveReason, Player, Room, angle, entity, flag, inputs, quantized

WORLD = 1024.0
SPEED = 1.2
TURN = 0.15


@entity
class Avatar(Entity):
    """What a player steers: the three fields that each game has."""

    x: float = quantized(0, WORLD, step=1 / 64)
    y: float = quantized(0, WORLD, step=1 / 64)
    heading: float = angle(bits=10)


@inputs
class Steer(Input):
    """What a player commands."""

    turn: float = quantized(-1, 1, step=1 / 8, default=0.0)
    thrust: bool = flag(default=False)


class Lateness:
    """When the ticks of all rooms began, against their schedule."""

    def __init__(self) -> None:
        """Start with no rooms."""
        self._starts: list[tuple[array[float], array[float]]] = []

    def room(self) -> tuple[array[float], array[float]]:
        """Two columns for one room to fill: tick and time in seconds, at the begin of each tick."""
        columns: tuple[array[float], array[float]] = (array("d"), array("d"))
        self._starts.append(columns)
        return columns

    def reset(self) -> None:
        """Forget what was measured so far."""
        for ticks, times in self._starts:
            del ticks[:], times[:]

    def milliseconds(self, dt: float) -> list[float]:
        """How late each tick was, sorted; each room's own most punctual tick is its schedule."""
        late: list[float] = []
        for ticks, times in self._starts:
            offsets = [time - tick * dt for tick, time in zip(ticks, times, strict=True)]
            late += [(offset - min(offsets)) * 1000 for offset in offsets]
        return sorted(late)


class Arena(Room[Steer]):
    """A room in which everybody moves, all the time."""

    name = "arena"
    hz = HZ
    entities = (Avatar,)
    lateness = Lateness()
    extra_entities = 0

    def on_create(self, options: Mapping[str, object]) -> None:
        """Fill the world with what moves without a player."""
        self.steered: list[tuple[Player[Steer], Avatar]] = []
        self.ticks, self.times = self.lateness.room()
        self.drifting = [self._avatar(None) for _ in range(self.extra_entities)]

    def on_join(self, player: Player[Steer]) -> None:
        """Give the player an avatar."""
        self.steered.append((player, self._avatar(player)))

    def on_leave(self, player: Player[Steer], reason: LeaveReason) -> None:
        """Stop to steer what the player leaves behind."""
        self.steered = [pair for pair in self.steered if pair[0] is not player]

    def on_tick(self) -> None:
        """Move every avatar."""
        self.ticks.append(self.tick)
        self.times.append(perf_counter())
        for player, avatar in self.steered:
            move(avatar, player.input.turn)
        for avatar in self.drifting:
            move(avatar, 0.5)

    def _avatar(self, owner: Player[Steer] | None) -> Avatar:
        x, y, heading = (self.random.random() for _ in range(3))
        return self.spawn(Avatar(x=x * WORLD, y=y * WORLD, heading=heading * 2 * pi), owner=owner)


class Idle(Arena):
    """A room in which nothing changes."""

    name = "arena"

    def on_tick(self) -> None:
        """Do nothing but note the time."""
        self.ticks.append(self.tick)
        self.times.append(perf_counter())


def move(avatar: Avatar, turn: float) -> None:
    """Step one avatar; at the edge of the world it turns round."""
    heading = avatar.heading + turn * TURN
    x = avatar.x + SPEED * cos(heading)
    y = avatar.y + SPEED * sin(heading)
    if not (0.0 <= x <= WORLD and 0.0 <= y <= WORLD):
        heading += pi
        x = min(max(x, 0.0), WORLD)
        y = min(max(y, 0.0), WORLD)
    avatar.x = x
    avatar.y = y
    avatar.heading = heading
