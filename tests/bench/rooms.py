"""The game that the benchmark plays: avatars that move and turn, each steered by one player.

peers/colyseus.mjs plays the same.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from math import cos, pi, sin

import trio

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


class Punctuality:
    """How late the ticks of all rooms began, and what went missing, since the last reset."""

    def __init__(self) -> None:
        """Start with no rooms."""
        self._late_s = array("d")
        self._rooms: list[Arena] = []
        self._missed_before = 0

    def watch(self, room: Arena) -> None:
        """Count this room in."""
        self._rooms.append(room)

    def note(self, late_s: float) -> None:
        """A tick began this long after its deadline."""
        self._late_s.append(late_s)

    def reset(self) -> None:
        """Forget what was measured so far."""
        del self._late_s[:]
        self._missed_before = self._missed()

    def report(self) -> dict[str, object]:
        """What was measured, as plain data."""
        late = sorted(self._late_s)
        spread = {name: _at(late, share) * 1000 for name, share in (("p50", 0.5), ("p99", 0.99), ("max", 1.0))}
        return {"tick_lateness_ms": spread, "ticks": len(late), "overruns": self._missed() - self._missed_before}

    def _missed(self) -> int:
        return sum(room.missed for room in self._rooms)


def _at(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


class Arena(Room[Steer]):
    """A room in which everybody moves, all the time."""

    name = "arena"
    hz = HZ
    entities = (Avatar,)
    punctuality = Punctuality()
    extra_entities = 0

    def on_create(self, options: Mapping[str, object]) -> None:
        """Fill the world with what moves without a player."""
        self.steered: list[tuple[Player[Steer], Avatar]] = []
        self.punctuality.watch(self)
        self.drifting = [self._avatar(None) for _ in range(self.extra_entities)]

    def on_join(self, player: Player[Steer]) -> None:
        """Give the player an avatar."""
        self.steered.append((player, self._avatar(player)))

    def on_leave(self, player: Player[Steer], reason: LeaveReason) -> None:
        """Stop to steer what the player leaves behind."""
        self.steered = [pair for pair in self.steered if pair[0] is not player]

    def on_tick(self) -> None:
        """Move every avatar."""
        self.note_the_time()
        for player, avatar in self.steered:
            move(avatar, player.input.turn)
        for avatar in self.drifting:
            move(avatar, 0.5)

    def note_the_time(self) -> None:
        """Count this tick's lateness."""
        self.punctuality.note(trio.current_time() - self._running.pace.due)

    @property
    def missed(self) -> int:
        """Ticks so far that took longer than they may, or never were."""
        return self._running.overruns + self._running.pace.dropped_ticks

    def _avatar(self, owner: Player[Steer] | None) -> Avatar:
        x, y, heading = (self.random.random() for _ in range(3))
        return self.spawn(Avatar(x=x * WORLD, y=y * WORLD, heading=heading * 2 * pi), owner=owner)


class Idle(Arena):
    """A room in which nothing changes."""

    name = "arena"

    def on_tick(self) -> None:
        """Note the time, and rest."""
        self.note_the_time()
        self.rest()


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
