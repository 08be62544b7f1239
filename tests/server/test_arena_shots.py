"""How a shot of the demo arena makes up for its pilot's delay."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import cast

import attrs
import pytest
from trio.testing import MockClock

from tests.server.kit import FakePlayer, running, ticks
from tickwire.demo.arena import BULLET_SPEED, BULLET_TICKS, FULL_HP, Arena, Bullet, Health, Hit, Practice, Rock, Ship
from tickwire.demo.flight import SHIP_RADIUS
from tickwire.engine import Engine
from tickwire.round_trip import RoundTrip
from tickwire_shared.client_messages import VIEW_STEPS
from tickwire_shared.event_messages import EventMessage

DELAY = 9.25
PER_TICK = BULLET_SPEED / Arena.hz
NEUTRAL = (8, 0, 0)
FIRE = (8, 0, 1)


@attrs.define(eq=False)
class Duel:
    """Ada at (20, 40), pointing at Bob on her right; nothing else in the arena."""

    engine: Engine
    ada: FakePlayer
    bob: FakePlayer

    @property
    def arena(self) -> Arena:
        return cast("Arena", self.engine.room)

    @property
    def ships(self) -> tuple[Ship, Ship]:
        first, second = self.arena.all(Ship)
        return first, second

    @property
    def bullet(self) -> Bullet:
        (bullet,) = self.arena.all(Bullet)
        return bullet

    async def fire(self) -> None:
        """Ada fires once, in the next tick, at what she saw ``DELAY`` ticks before."""
        self.ada.send_input(self.engine.tick + 1, FIRE, NEUTRAL)
        await ticks(self.engine)

    def place(self, ship: Ship, x: float, y: float = 40.0) -> None:
        ship.x, ship.y, ship.heading = x, y, 0.0
        ship.vx = ship.vy = 0.0
        ship.shield, ship.wait = False, 0


@asynccontextmanager
async def duel(distance: float) -> AsyncGenerator[Duel]:
    async with running(Arena) as engine:
        made = Duel(engine, FakePlayer(engine), FakePlayer(engine))
        await ticks(engine)
        for entity in (*made.arena.all(Rock), *made.arena.all(Health)):
            made.arena.despawn(entity)
        ada, bob = made.ships
        made.place(ada, 20.0)
        made.place(bob, 20.0 + distance)
        trip = RoundTrip()
        trip.asked(0.0)
        trip.answered(0.0, 300.0)
        engine.put_view(made.ada.seat, round(DELAY * VIEW_STEPS), trip)
        await ticks(engine, 20)
        yield made


async def test_a_shot_begins_as_far_ahead_as_its_pilot_s_view_was_behind(autojump_clock: MockClock) -> None:
    async with duel(60) as it:
        await it.fire()
        assert (it.bullet.born, it.bullet.ahead, it.bullet.spent) == (it.engine.tick, DELAY, 0.0)
        await ticks(it.engine, 3)
        x, y = it.bullet.after(it.bullet.flown(it.engine.tick) / Arena.hz)
        assert x == pytest.approx(20 + SHIP_RADIUS + (DELAY + 3) * PER_TICK)
        assert y == pytest.approx(40, abs=0.1)


async def test_its_flight_is_no_longer_for_that(autojump_clock: MockClock) -> None:
    async with duel(-10) as it:
        await it.fire()
        await ticks(it.engine, int(BULLET_TICKS - DELAY))
        assert len(it.arena.all(Bullet)) == 1
        await ticks(it.engine, 2)
        assert it.arena.all(Bullet) == ()


async def test_who_was_in_the_way_then_is_hit_though_it_has_moved_on(autojump_clock: MockClock) -> None:
    """Bob leaves the line 3 ticks before the shot, when by Ada's time the shot has passed him."""
    async with duel(8) as it:
        ada, bob = it.ships
        it.place(bob, bob.x, 45.0)
        await ticks(it.engine, 3)
        it.ada.log.clear()
        await it.fire()
        assert bob.hp == FULL_HP - 20
        (hit,) = it.ada.heard(EventMessage)
        assert it.arena.events[hit.index] is Hit
        assert hit.values[2] == pytest.approx((28 - SHIP_RADIUS) * 64, abs=32)
        assert (ada.x, ada.y, bob.x, bob.y) == (20.0, 40.0, 28.0, 45.0), "nobody is moved"


@pytest.mark.parametrize("got", [0.3, 3.0, 8.1, 8.5, 9.2])
async def test_a_shot_that_met_something_then_is_there_for_a_tick_and_says_how_far_it_got(
    got: float, autojump_clock: MockClock
) -> None:
    async with duel(2 * SHIP_RADIUS + got * PER_TICK) as it:
        await it.fire()
        assert it.bullet.spent == pytest.approx(got, abs=0.01)
        await ticks(it.engine)
        assert it.arena.all(Bullet) == ()


async def test_who_came_into_the_way_since_is_hit_only_by_what_has_not_passed_yet(autojump_clock: MockClock) -> None:
    async with duel(8) as it:
        _, bob = it.ships
        it.place(bob, 28.0, 60.0)
        await ticks(it.engine, 20)
        it.place(bob, 28.0, 40.0)
        await ticks(it.engine, 2)
        await it.fire()
        await ticks(it.engine, 20)
        assert bob.hp == FULL_HP
        it.place(bob, 28.0, 60.0)
        await ticks(it.engine, 20)
        it.place(bob, 28.0 + 12, 40.0)
        await it.fire()
        await ticks(it.engine, 4)
        assert bob.hp == FULL_HP - 20


async def test_who_is_shot_down_by_now_is_not_hit_where_it_was(autojump_clock: MockClock) -> None:
    async with duel(8) as it:
        ada, bob = it.ships
        it.arena.shoot_down(bob, None)
        await ticks(it.engine)
        await it.fire()
        assert ada.score == 0
        assert bob.hp == FULL_HP
        assert it.bullet.spent == 0.0


async def test_who_was_down_then_and_is_back_now_is_not_hit_where_it_lay(autojump_clock: MockClock) -> None:
    async with duel(8) as it:
        _, bob = it.ships
        it.arena.shoot_down(bob, None)
        await ticks(it.engine, 20)
        bob.alive, bob.hp = True, FULL_HP
        it.place(bob, 28.0, 45.0)
        await it.fire()
        assert bob.hp == FULL_HP
        assert it.bullet.spent == 0.0


async def test_who_was_put_elsewhere_is_not_hit_in_between(autojump_clock: MockClock) -> None:
    """Bob jumps across the line, from above it to below it, while the shot is there."""
    async with duel(8) as it:
        _, bob = it.ships
        it.place(bob, 28.0, 36.0)
        await ticks(it.engine, 20)
        for _ in range(12):
            it.place(bob, 28.0, 76.0 - bob.y + 4.0)
            await ticks(it.engine)
        await it.fire()
        await ticks(it.engine, 4)
        assert bob.hp == FULL_HP


async def test_a_player_can_switch_it_off_and_on_for_itself(autojump_clock: MockClock) -> None:
    async with duel(60) as it:
        index = Arena.events.index(Practice)
        it.engine.put_event(it.ada.seat, EventMessage(index, (0,)))
        await ticks(it.engine)
        await it.fire()
        assert (it.bullet.ahead, it.bullet.spent) == (0.0, 0.0)
        it.arena.despawn(it.bullet)
        it.engine.put_event(it.ada.seat, EventMessage(index, (1,)))
        await ticks(it.engine, 10)
        await it.fire()
        assert it.bullet.ahead == DELAY
