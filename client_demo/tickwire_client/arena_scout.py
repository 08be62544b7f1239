"""Turns the demo arena's state into what a pilot sees: moving bullets, ships with velocities."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import cos, sin
from typing import Generic, TypeVar, cast

from attrs import define, field, frozen

from tickwire_client.arena_pilot import BULLET_SPEED, ArenaView, BulletSight, CrateSight, RockSight, ShipSight
from tickwire_client.game_view import GameView
from tickwire_client.replica import Replica
from tickwire_shared.state import Table
from tickwire_shared.ticks import tick_distance

CLASSES = ("Ship", "Bullet", "Rock", "Health", "Match")
INPUTS = ("turn", "thrust", "fire")
FORGET_TICKS = 15  # a velocity from sightings farther apart would be of another manoeuvre

_ShipRow = tuple[int, float, float, float, int, bool, bool]
_BulletRow = tuple[float, float, float, int, float, int]
T = TypeVar("T")


def is_arena(replica: Replica) -> bool:
    """Whether a room has the classes and controls of the demo arena."""
    input_type = replica.schema.input
    controls = () if input_type is None else tuple(declared.name for declared in input_type.public)
    return all(map(replica.has_class, CLASSES)) and controls == INPUTS


@frozen(slots=True)
class _Sighting:
    tick: int
    x: float
    y: float


@define
class _Still(Generic[T]):
    """Sights of a class whose entities rarely change, made again only when its table is another one."""

    name: str
    make: Callable[[Replica], tuple[T, ...]]
    _table: Table | None = field(default=None, init=False)
    _sights: tuple[T, ...] = field(default=(), init=False)

    def look(self, replica: Replica) -> tuple[T, ...]:
        """What there is now."""
        table = replica.state.tables[replica.layout(self.name).index]
        if table is not self._table:
            self._table, self._sights = table, self.make(replica)
        return self._sights


@define
class ArenaScout:
    """Looks at one arena, for one bot or for all that play there.

    It remembers where ships were, because others' velocities aren't sent. Bots that share it look once per tick.
    """

    _tick: int | None = field(default=None, init=False)
    _before: dict[int, _Sighting] = field(factory=dict[int, _Sighting], init=False)
    _ships: tuple[ShipSight, ...] = field(default=(), init=False)
    _bullets: tuple[BulletSight, ...] = field(default=(), init=False)
    _size: tuple[float, float] = field(default=(0.0, 0.0), init=False)
    _rocks: _Still[RockSight] = field(factory=lambda: _Still("Rock", _rocks), init=False)
    _crates: _Still[CrateSight] = field(factory=lambda: _Still("Health", _crates), init=False)

    def look(self, game: GameView) -> ArenaView:
        """What this player's pilot sees now: the newest of what any of the scout's bots has received."""
        replica = game.replica
        if self._tick is None or tick_distance(game.tick, self._tick) > 0:
            self._look_anew(game)
        owned = replica.owned
        return ArenaView(
            me=next((ship for ship in self._ships if ship.id in owned), None),
            width=self._size[0],
            height=self._size[1],
            enemies=tuple([ship for ship in self._ships if ship.id not in owned]),
            bullets=self._bullets,
            rocks=self._rocks.look(replica),
            crates=self._crates.look(replica),
        )

    def _look_anew(self, game: GameView) -> None:
        replica = game.replica
        self._ships = tuple(self._look_at_ships(replica, game.tick, game.hz))
        self._bullets = tuple(_bullets(replica, game.tick, game.hz))
        match = game.one("Match")
        if match is not None:
            self._size = (match.width, match.height)
        self._tick = game.tick

    def _look_at_ships(self, replica: Replica, tick: int, hz: float) -> Iterator[ShipSight]:
        before, self._before = self._before, {}
        rows = replica.rows("Ship", "id", "x", "y", "heading", "hp", "alive", "shield")
        for id, x, y, heading, hp, alive, shield in cast("Iterator[_ShipRow]", rows):
            vx, vy = _velocity(before.get(id), tick, x, y, hz)
            self._before[id] = _Sighting(tick, x, y)
            yield ShipSight(id, x, y, vx, vy, heading, hp, alive, shield)


def _velocity(before: _Sighting | None, tick: int, x: float, y: float, hz: float) -> tuple[float, float]:
    if before is None:
        return 0.0, 0.0
    ticks = tick_distance(tick, before.tick)
    if not 0 < ticks <= FORGET_TICKS:
        return 0.0, 0.0
    return (x - before.x) * hz / ticks, (y - before.y) * hz / ticks


def _bullets(replica: Replica, tick: int, hz: float) -> Iterator[BulletSight]:
    """Bullets are sent once, at their launch; where they are now follows from their age."""
    rows = replica.rows("Bullet", "x", "y", "heading", "born", "ahead", "by")
    for x, y, heading, born, ahead, by in cast("Iterator[_BulletRow]", rows):
        age_s = (tick_distance(tick, born) + ahead) / hz
        vx, vy = cos(heading) * BULLET_SPEED, sin(heading) * BULLET_SPEED
        yield BulletSight(x + vx * age_s, y + vy * age_s, vx, vy, by)


def _rocks(replica: Replica) -> tuple[RockSight, ...]:
    rows = cast("Iterator[tuple[float, float, float]]", replica.rows("Rock", "x", "y", "radius"))
    return tuple(RockSight(x, y, radius) for x, y, radius in rows)


def _crates(replica: Replica) -> tuple[CrateSight, ...]:
    rows = cast("Iterator[tuple[float, float]]", replica.rows("Health", "x", "y"))
    return tuple(CrateSight(x, y) for x, y in rows)
