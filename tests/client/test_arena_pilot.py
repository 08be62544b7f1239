"""How bots play: each situation by itself, then whole flights with the arena's own flight step."""

from __future__ import annotations

import random
from collections.abc import Sequence
from math import cos, hypot, pi, sin

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickwire.demo.arena import BULLET_SPEED as ARENA_BULLET_SPEED
from tickwire.demo.flight import SHIP_RADIUS as ARENA_SHIP_RADIUS
from tickwire.demo.flight import TURN_RATE as ARENA_TURN_RATE
from tickwire.demo.flight import Motion, step
from tickwire_client.arena_pilot import (
    BULLET_SPEED,
    DECISION_S,
    NEUTRAL,
    SHIP_RADIUS,
    TURN_RATE,
    ArenaView,
    BulletSight,
    CrateSight,
    RockSight,
    ShipSight,
    aim_at,
    decide,
    nearest_target,
)

DT = 1 / 30
DECISION_TICKS = round(DECISION_S / DT)


def ship(x: float, y: float, heading: float = 0.0, *, id: int = 1, speed: float = 0.0) -> ShipSight:
    """A ship that flies where it points."""
    return ShipSight(id, x, y, cos(heading) * speed, sin(heading) * speed, heading)


def view(me: ShipSight, *others: ShipSight | BulletSight | RockSight | CrateSight) -> ArenaView:
    """An arena of the usual size."""
    return ArenaView(
        me,
        120.0,
        80.0,
        enemies=tuple(it for it in others if isinstance(it, ShipSight)),
        bullets=tuple(it for it in others if isinstance(it, BulletSight)),
        rocks=tuple(it for it in others if isinstance(it, RockSight)),
        crates=tuple(it for it in others if isinstance(it, CrateSight)),
    )


class Steady(random.Random):
    """A hand that never trembles."""

    def gauss(self, mu: float = 0.0, sigma: float = 1.0) -> float:
        return mu


STEADY = Steady()


def test_what_it_takes_for_granted_is_what_the_arena_does() -> None:
    assert BULLET_SPEED == ARENA_BULLET_SPEED
    assert SHIP_RADIUS == ARENA_SHIP_RADIUS
    assert pytest.approx(ARENA_TURN_RATE / 1024 * 2 * pi, rel=0.01) == TURN_RATE


def test_without_a_ship_or_with_a_dead_one_it_does_nothing() -> None:
    assert decide(ArenaView(None, 120.0, 80.0), STEADY) == NEUTRAL
    dead = attrs.evolve(ship(60, 40), alive=False)
    assert decide(view(dead, ship(70, 40, id=2)), STEADY) == NEUTRAL


def test_it_fires_at_an_enemy_in_its_sights() -> None:
    steering = decide(view(ship(40, 40), ship(60, 40, id=2)), STEADY)
    assert steering.fire
    assert abs(steering.turn) < 0.1


def test_it_turns_towards_an_enemy_the_short_way_round() -> None:
    assert decide(view(ship(60, 40), ship(60, 60, id=2)), STEADY).turn == 1.0
    assert decide(view(ship(60, 40), ship(60, 20, id=2)), STEADY).turn == -1.0


def test_it_aims_where_the_enemy_will_be() -> None:
    me, crossing = ship(20, 40), ship(60, 40, pi / 2, id=2, speed=20)
    bearing = aim_at(me, crossing)
    when = 40 / (BULLET_SPEED * cos(bearing))
    assert BULLET_SPEED * sin(bearing) * when == pytest.approx(20 * when)
    assert decide(view(attrs.evolve(me, heading=bearing), crossing), STEADY).fire
    assert not decide(view(me, crossing), STEADY).fire


@pytest.mark.parametrize(
    "target",
    [
        attrs.evolve(ship(60, 40, id=2), shield=True),
        attrs.evolve(ship(60, 40, id=2), alive=False),
        ship(95, 40, id=2),
    ],
    ids=["shielded", "dead", "far away"],
)
def test_it_saves_its_shots_for_those_that_count(target: ShipSight) -> None:
    assert not decide(view(ship(40, 40), target), STEADY).fire


def test_it_does_not_shoot_at_rocks() -> None:
    rock = RockSight(50, 40, 3)
    assert not decide(view(ship(40, 40), ship(60, 40, id=2), rock), STEADY).fire


def test_it_holds_its_fire_while_the_gun_is_empty() -> None:
    empty = attrs.evolve(view(ship(40, 40), ship(60, 40, id=2)), may_fire=False)
    assert not decide(empty, STEADY).fire


def test_it_hunts_the_nearest_that_can_be_hurt() -> None:
    near = attrs.evolve(ship(45, 40, id=2), shield=True)
    far, farther = ship(60, 40, id=3), ship(80, 40, id=4)
    assert nearest_target(ship(40, 40), (farther, near, far)) == far
    assert nearest_target(ship(40, 40), (near,)) == near
    assert nearest_target(ship(40, 40), ()) is None


def test_it_closes_in_on_a_far_enemy_and_keeps_off_a_near_one() -> None:
    assert decide(view(ship(20, 40), ship(80, 40, id=2)), STEADY).thrust
    assert not decide(view(ship(40, 40), ship(46, 40, id=2)), STEADY).thrust


def test_when_hurt_it_fetches_a_crate_instead() -> None:
    hurt = attrs.evolve(ship(60, 40), hp=40)
    enemy, crate = ship(60, 20, id=2), CrateSight(60, 60)
    assert decide(view(hurt, enemy, crate), STEADY).turn == 1.0
    assert decide(view(attrs.evolve(hurt, hp=60), enemy, crate), STEADY).turn == -1.0
    assert decide(view(hurt, enemy), STEADY).turn == -1.0


def bullet_at(me: ShipSight, bearing: float, distance: float, by: int = 2) -> BulletSight:
    """A bullet that comes from a bearing, straight at the ship."""
    x, y = me.x + cos(bearing) * distance, me.y + sin(bearing) * distance
    return BulletSight(x, y, -cos(bearing) * BULLET_SPEED, -sin(bearing) * BULLET_SPEED, by)


def test_it_thrusts_out_of_the_way_of_a_bullet() -> None:
    me = ship(60, 40, pi / 2)
    assert decide(view(me, bullet_at(me, 0.0, 20)), STEADY).thrust


def test_its_own_bullets_and_those_that_pass_do_not_scare_it() -> None:
    me = ship(60, 40)
    calm = decide(view(me), STEADY)
    passing = attrs.evolve(bullet_at(me, 0.0, 20), y=50.0)
    leaving = attrs.evolve(bullet_at(me, 0.0, 20), vx=BULLET_SPEED)
    for bullet in (bullet_at(me, 0.0, 20, by=me.id), passing, leaving):
        assert decide(view(me, bullet), STEADY) == calm


coordinates = st.floats(0, 120)
sights = st.builds(
    ShipSight,
    st.integers(2, 9),
    coordinates,
    coordinates,
    st.floats(-30, 30),
    st.floats(-30, 30),
    st.floats(0, 6.28),
    st.integers(0, 100),
    st.booleans(),
    st.booleans(),
)
views = st.builds(
    ArenaView,
    st.none() | sights.map(lambda sight: attrs.evolve(sight, id=1)),
    st.just(120.0),
    st.just(80.0),
    st.lists(sights, max_size=5).map(tuple),
    st.lists(
        st.builds(BulletSight, coordinates, coordinates, *[st.floats(-54, 54)] * 2, st.integers(1, 9)), max_size=9
    ).map(tuple),
    st.lists(st.builds(RockSight, coordinates, coordinates, st.floats(1, 8)), max_size=9).map(tuple),
    st.lists(st.builds(CrateSight, coordinates, coordinates), max_size=4).map(tuple),
    st.booleans(),
)


@given(views, st.integers())
def test_whatever_it_sees_it_steers_within_bounds_and_always_the_same(view: ArenaView, seed: int) -> None:
    steering = decide(view, random.Random(seed))
    assert -1.0 <= steering.turn <= 1.0
    assert steering == decide(view, random.Random(seed))


# Whole flights


def fly(start: Motion, seconds: float, *others: ShipSight | RockSight | CrateSight, hp: int = 100) -> list[Motion]:
    """Let a pilot fly alone among things that don't move."""
    rocks = [it for it in others if isinstance(it, RockSight)]
    rng = random.Random(7)
    course = [start]
    steering = NEUTRAL
    for tick in range(round(seconds / DT)):
        now = course[-1]
        if tick % DECISION_TICKS == 0:
            me = ShipSight(1, now.x, now.y, now.vx, now.vy, now.heading, hp)
            steering = decide(view(me, *others), rng)
        course.append(step(now, round(steering.turn * 8) / 8, steering.thrust, rocks, DT))
    return course


def nearest(course: Sequence[Motion], x: float, y: float) -> float:
    return min(hypot(at.x - x, at.y - y) for at in course)


@pytest.mark.parametrize("heading", [0.0, 1.5, 3.0, 4.5])
def test_it_gets_near_an_enemy_wherever_it_starts(heading: float) -> None:
    course = fly(Motion(15, 65, 0, 0, heading), 8, ship(100, 15, id=2))
    assert nearest(course, 100, 15) < 15


@pytest.mark.parametrize("heading", [0.0, 1.5, 3.0, 4.5])
def test_it_reaches_a_crate(heading: float) -> None:
    course = fly(Motion(20, 60, 0, 0, heading), 10, CrateSight(90, 30), hp=20)
    assert nearest(course, 90, 30) < 2 * SHIP_RADIUS


@pytest.mark.parametrize("offset", [-2.0, 0.0, 2.0])
def test_it_flies_round_a_rock_instead_of_into_it(offset: float) -> None:
    rock = RockSight(60, 40 + offset, 5)
    course = fly(Motion(20, 40, 10, 0, 0.0), 8, rock, ship(105, 40, id=2))
    touching = sum(hypot(at.x - rock.x, at.y - rock.y) < rock.radius + SHIP_RADIUS + 0.02 for at in course)
    assert touching == 0
    assert nearest(course, 105, 40) < 15


def test_alone_it_keeps_away_from_the_walls() -> None:
    course = fly(Motion(60, 40, 0, 0, 1.0), 60)
    at_a_wall = sum(not (1.5 < at.x < 118.5 and 1.5 < at.y < 78.5) for at in course)
    assert at_a_wall / len(course) < 0.02
    assert max(hypot(at.vx, at.vy) for at in course) > 8


@pytest.mark.parametrize("seed", range(6))
def test_it_dodges_most_bullets_that_come_from_the_side(seed: int) -> None:
    rng = random.Random(seed)
    dodged = 0
    for _ in range(20):
        heading = rng.uniform(0, 2 * pi)
        dodged += not is_hit(Motion(60, 40, 0, 0, heading), heading + rng.choice((-1, 1)) * rng.uniform(1.1, 2.0))
    assert dodged >= 15


def is_hit(now: Motion, bearing: float) -> bool:
    """Whether a pilot at rest is hit by a bullet fired at it from 36 units away."""
    me = ShipSight(1, now.x, now.y, now.vx, now.vy, now.heading)
    bullet = bullet_at(me, bearing, 36)
    steering = NEUTRAL
    for tick in range(30):
        if tick % DECISION_TICKS == 0:
            me = ShipSight(1, now.x, now.y, now.vx, now.vy, now.heading)
            steering = decide(view(me, bullet), STEADY)
        now = step(now, round(steering.turn * 8) / 8, steering.thrust, (), DT)
        bullet = attrs.evolve(bullet, x=bullet.x + bullet.vx * DT, y=bullet.y + bullet.vy * DT)
        if hypot(now.x - bullet.x, now.y - bullet.y) < SHIP_RADIUS:
            return True
    return False
