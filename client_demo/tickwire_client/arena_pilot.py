"""How a bot plays the demo arena: what it sees in, what it steers out.

``decide`` is a pure function, so how well a bot plays is tested without a network. In order of
urgency a pilot gets out of the way of bullets, rocks and walls, fetches a repair crate when it is
hurt, and else hunts the nearest enemy, aiming at where it will be. Whatever it is doing, it fires
when the shot would hit.
"""

from __future__ import annotations

import random
from math import atan2, cos, hypot, pi, sin

from attrs import frozen

from tickwire_client.geometry import closest_approach, intercept_time, turn_between

BULLET_SPEED = 54.0  # units a second, as the arena's classes define it
SHIP_RADIUS = 1.2
TURN_RATE = 4.4  # radians a second at full rudder, as the arena flies
DECISION_S = 0.13  # a decision is in force for so long: about as fast as a person, and thinking costs

FIRING_RANGE = 40.0  # a bullet lives 1.2 s, 65 units; farther than this it mostly misses
KEEP_AWAY = 9.0  # nearer than this, a pilot stops closing in
HURT_HP = 50
DODGE_S = 0.7  # bullets that pass within this time are worth dodging
DODGE_MISS = SHIP_RADIUS + 1.3
LOOK_AHEAD_S = 0.9
CLEARANCE = SHIP_RADIUS + 1.0
WALL_MARGIN = 3.5
AIM_ERROR = 0.03  # radians, one standard deviation: bots that never miss are no fun


@frozen(slots=True)
class ShipSight:
    """A ship as a pilot sees it; the velocity is in units a second."""

    id: int
    x: float
    y: float
    vx: float
    vy: float
    heading: float
    hp: int = 100
    alive: bool = True
    shield: bool = False


@frozen(slots=True)
class BulletSight:
    """A bullet in flight, fired by the ship ``by``."""

    x: float
    y: float
    vx: float
    vy: float
    by: int


@frozen(slots=True)
class RockSight:
    """Something to fly around."""

    x: float
    y: float
    radius: float


@frozen(slots=True)
class CrateSight:
    """Something that repairs."""

    x: float
    y: float


@frozen(slots=True)
class ArenaView:
    """All that a pilot knows at one moment. ``me`` is None before the first spawn."""

    me: ShipSight | None
    width: float
    height: float
    enemies: tuple[ShipSight, ...] = ()
    bullets: tuple[BulletSight, ...] = ()
    rocks: tuple[RockSight, ...] = ()
    crates: tuple[CrateSight, ...] = ()
    may_fire: bool = True


@frozen(slots=True)
class Steering:
    """What a pilot commands: the arena's input."""

    turn: float = 0.0
    thrust: bool = False
    fire: bool = False


NEUTRAL = Steering()


@frozen(slots=True)
class _Course:
    """A direction to fly to, and whether to thrust once the ship points about there."""

    bearing: float
    thrust: bool = True
    tolerance: float = pi / 3


def decide(view: ArenaView, rng: random.Random) -> Steering:
    """Choose the steering until the next decision.

    Args:
        view: What the pilot sees.
        rng: Where its aiming error and its whims come from.
    """
    me = view.me
    if me is None or not me.alive:
        return NEUTRAL
    target = nearest_target(me, view.enemies)
    course = (
        _dodge(me, view.bullets)
        or _avoid_rocks(me, view.rocks)
        or _avoid_walls(me, view)
        or _fetch_crate(me, view.crates)
        or _hunt(me, target, rng)
        or _roam(me, view)
    )
    turn_needed = turn_between(me.heading, course.bearing)
    return Steering(
        turn=max(-1.0, min(1.0, turn_needed / (TURN_RATE * DECISION_S))),
        thrust=course.thrust and abs(turn_needed) < course.tolerance,
        fire=view.may_fire and _would_hit(me, view),
    )


def nearest_target(me: ShipSight, enemies: tuple[ShipSight, ...]) -> ShipSight | None:
    """The nearest enemy that can be hurt now, or else the nearest that is alive."""
    alive = [ship for ship in enemies if ship.alive]
    exposed = [ship for ship in alive if not ship.shield]
    return min(exposed or alive, key=lambda ship: hypot(ship.x - me.x, ship.y - me.y), default=None)


def aim_at(me: ShipSight, target: ShipSight) -> float:
    """The bearing at which a bullet fired now meets the target if it flies straight on."""
    x, y = target.x - me.x, target.y - me.y
    when = intercept_time(x, y, target.vx, target.vy, BULLET_SPEED) or 0.0
    return atan2(y + target.vy * when, x + target.vx * when)


def _dodge(me: ShipSight, bullets: tuple[BulletSight, ...]) -> _Course | None:
    """Leave the line of the bullet that passes first, on the side that this ship is on."""
    soonest = DODGE_S
    threat: BulletSight | None = None
    for bullet in bullets:
        when, miss = closest_approach(bullet.x - me.x, bullet.y - me.y, bullet.vx - me.vx, bullet.vy - me.vy)
        if bullet.by != me.id and 0 < when < soonest and miss < DODGE_MISS:
            soonest, threat = when, bullet
    if threat is None:
        return None
    line = atan2(threat.vy, threat.vx)
    side = cos(line) * (me.y - threat.y) - sin(line) * (me.x - threat.x)
    away = line + (pi / 2 if side >= 0 else -pi / 2)
    other = away + pi
    # Turning right round takes longer than the bullet does: a nose that points across goes on.
    nose_points_across = abs(turn_between(me.heading, other)) < pi / 6 and abs(side) < SHIP_RADIUS
    return _Course(other if nose_points_across else away, tolerance=pi / 2)


def _avoid_rocks(me: ShipSight, rocks: tuple[RockSight, ...]) -> _Course | None:
    """Pass the first rock in the way on the side that is nearer."""
    nearest = LOOK_AHEAD_S * max(8.0, hypot(me.vx, me.vy))
    course: _Course | None = None
    for rock in rocks:
        gap, bearing = _rock_in_the_way(me, rock)
        if gap < nearest:
            nearest, course = gap, _Course(bearing, tolerance=pi / 4)
    return course


def _rock_in_the_way(me: ShipSight, rock: RockSight) -> tuple[float, float]:
    """How far off the rock is and the bearing that passes it; infinitely far if it isn't in the way."""
    x, y = rock.x - me.x, rock.y - me.y
    distance = hypot(x, y)
    gap = distance - rock.radius - CLEARANCE
    bearing = atan2(y, x)
    moving = hypot(me.vx, me.vy) > 2.0
    ahead = turn_between(atan2(me.vy, me.vx) if moving else me.heading, bearing)
    wide = abs(ahead) < pi / 2 and abs(distance * sin(ahead)) < rock.radius + CLEARANCE
    if not wide and gap > 0:
        return float("inf"), bearing
    turn_away = -pi / 2 if ahead >= 0 else pi / 2
    return gap, bearing + turn_away * (1.3 if gap <= 0 else 1.0)


def _avoid_walls(me: ShipSight, view: ArenaView) -> _Course | None:
    """Turn to the middle when the next second leads into a wall."""
    x, y = me.x + me.vx * LOOK_AHEAD_S, me.y + me.vy * LOOK_AHEAD_S
    if WALL_MARGIN < x < view.width - WALL_MARGIN and WALL_MARGIN < y < view.height - WALL_MARGIN:
        return None
    return _Course(atan2(view.height / 2 - me.y, view.width / 2 - me.x))


def _fetch_crate(me: ShipSight, crates: tuple[CrateSight, ...]) -> _Course | None:
    if me.hp > HURT_HP:
        return None
    crate = min(crates, key=lambda crate: hypot(crate.x - me.x, crate.y - me.y), default=None)
    return None if crate is None else _Course(atan2(crate.y - me.y, crate.x - me.x))


def _hunt(me: ShipSight, target: ShipSight | None, rng: random.Random) -> _Course | None:
    if target is None:
        return None
    distance = hypot(target.x - me.x, target.y - me.y)
    return _Course(aim_at(me, target) + rng.gauss(0.0, AIM_ERROR), thrust=distance > KEEP_AWAY)


def _roam(me: ShipSight, view: ArenaView) -> _Course:
    """Nobody to fight: fly round the middle."""
    around = atan2(me.y - view.height / 2, me.x - view.width / 2) + pi / 2
    return _Course(around)


def _would_hit(me: ShipSight, view: ArenaView) -> bool:
    return any(_in_sights(me, ship, view.rocks) for ship in view.enemies if ship.alive and not ship.shield)


def _in_sights(me: ShipSight, ship: ShipSight, rocks: tuple[RockSight, ...]) -> bool:
    """Whether a bullet fired along the heading would pass through the ship, with no rock before it."""
    distance = hypot(ship.x - me.x, ship.y - me.y)
    if distance > FIRING_RANGE:
        return False
    off = turn_between(me.heading, aim_at(me, ship))
    if abs(off) > pi / 4 or abs(distance * sin(off)) > SHIP_RADIUS * 1.25:
        return False
    return not any(_blocks(me, rock, distance) for rock in rocks)


def _blocks(me: ShipSight, rock: RockSight, distance: float) -> bool:
    x, y = rock.x - me.x, rock.y - me.y
    along = x * cos(me.heading) + y * sin(me.heading)
    across = abs(y * cos(me.heading) - x * sin(me.heading))
    return 0 < along < distance and across < rock.radius
