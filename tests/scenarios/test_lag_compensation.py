"""Probes: what lag compensation does for a player far away, and what it doesn't do for one who lies."""

from __future__ import annotations

from itertools import cycle, pairwise
from math import ceil, nan, pi
from typing import cast

import pytest
import trio
from trio.testing import MockClock

from tickwire import Player
from tickwire.demo.arena import BULLET_SPEED, FULL_HP, Arena, Bullet, Match, Ship, Steer
from tickwire.demo.flight import DRAG, SHIP_RADIUS, THRUST
from tickwire.testing import World
from tickwire_client.client import Game
from tickwire_client.conditioner import Link
from tickwire_client.view_delay import ViewDelay
from tickwire_shared.client_messages import VIEW_STEPS, View, build_view
from tickwire_shared.closing import CloseCode
from tickwire_shared.packing import pack

FULL_SPEED = THRUST / DRAG
GUN_X = 60.0
GUN_Y = 70.0
DISTANCES = (6, 12, 18, 24, 30, 36, 42, 48, 54, 60)
"""Near ones are met before the shot's launch, far ones on its way after it."""
SEEN_AFTER_S = 0.5


class Range(Arena):
    """A shooting range: nothing in the way, and one target that crosses it at full speed and can't be shot down."""

    name = "range"

    def on_create(self, options: object) -> None:
        self.match = self.spawn(Match(ends=2**32 - 1))
        self.target = self.spawn(Ship(x=0, y=0, shield=False, alive=False))
        self.speed = FULL_SPEED
        self.shots = 0
        self.hits = 0
        self.delays: dict[int, float] = {}

    def on_join(self, player: Player[Steer]) -> None:
        super().on_join(player)
        (ship,) = cast("tuple[Ship, ...]", player.owned)
        ship.x, ship.y, ship.heading = GUN_X, GUN_Y, 1.5 * pi

    def on_tick(self) -> None:
        self.target.was = (self.target.x, self.target.y)
        self.target.x += self.speed * self.dt
        self.target.hp = FULL_HP
        self.delays = {player.id: self.seen_by(player).ticks_before(self.tick) for player in self.players}
        super().on_tick()

    def shoot(self, ship: Ship) -> None:
        self.shots += 1
        super().shoot(ship)

    def hit(self, victim: Ship, bullet: Bullet, x: float, y: float) -> None:
        assert victim is self.target
        self.hits += 1
        super().hit(victim, bullet, x, y)

    def cross(self, distance: float, direction: int) -> None:
        """Let the target cross the line of fire, so far in front of the gun, once it was seen and a shot has flown."""
        self.target.x = GUN_X - direction * FULL_SPEED * (flight_s(distance) + SEEN_AFTER_S)
        self.target.y = GUN_Y - distance
        self.target.alive = True
        self.speed = direction * FULL_SPEED


def flight_s(distance: float) -> float:
    """How long a shot takes to the target's line."""
    return (distance - SHIP_RADIUS) / BULLET_SPEED


async def take_aim(game: Game, distance: float, direction: int, *, drawn: bool) -> None:
    """Watch until the target, as it is seen, will be in front of the gun after the shot's flight; then shoot.

    Seen in the newest snapshot, or ``drawn`` between two, 60 times a second, as on a screen.
    """
    look_s = 1 / 60 if drawn else 1 / game.hz
    input_s = 0.5 / game.hz if drawn else 0.0  # until the next input, on average
    while True:
        if drawn:
            await trio.sleep(look_s)
            game.frame()
        else:
            await game.next_snapshot()
        (target,) = [ship for ship in game.all("Ship") if not ship.mine]
        place = target.view if drawn else target.to_dict()
        off = (place["x"] - GUN_X) * direction + (flight_s(distance) + input_s) * FULL_SPEED
        if place["y"] == GUN_Y - distance and abs(off) <= FULL_SPEED * look_s / 2:
            break
    game.steer(fire=True)
    await trio.sleep(2 / game.hz)  # an input is sent meanwhile, whatever the line does
    game.steer(fire=False)


async def shooting(world: World, game: Game, count: int, *, drawn: bool = False) -> tuple[int, int]:
    """Take ``count`` well-aimed shots; return how many left the gun and how many hit."""
    room = cast("Range", world.rooms[0])
    game.steer(fire=False)
    await world.ticks(60)
    for shot in range(count):
        distance, direction = DISTANCES[shot % len(DISTANCES)], 1 if shot < 10 else -1
        room.cross(distance, direction)
        await take_aim(game, distance, direction, drawn=drawn)
        await world.ticks(ceil((flight_s(distance) + game.clock.rtt_ms / 1000) * game.hz) + 2)
    return room.shots, room.hits


@pytest.mark.parametrize("round_trip_ms, count", [(50, 10), (250, 20), (400, 10)])
async def test_well_aimed_shots_hit_at_any_round_trip(
    round_trip_ms: int, count: int, autojump_clock: MockClock
) -> None:
    async with World(Range) as world:
        game = await world.join("range", link=Link(delay_ms=round_trip_ms / 2))
        assert await shooting(world, game, count) == (count, count)


async def test_what_is_drawn_between_snapshots_on_a_line_that_jitters_is_hit_as_well(
    autojump_clock: MockClock,
) -> None:
    async with World(Range) as world:
        game = await world.join("range", link=Link(delay_ms=125, jitter_ms=20, seed=7))
        assert await shooting(world, game, 10, drawn=True) == (10, 10)


async def test_without_lag_compensation_they_miss_at_250_ms(autojump_clock: MockClock) -> None:
    async with World(Range) as world:
        game = await world.join("range", link=Link(delay_ms=125))
        game.send("Practice", lag_compensation=False)
        shots, hits = await shooting(world, game, 20)
        assert shots == 20
        assert hits < 4


JUSTIFIED_TICKS = 10
"""What a round trip of 50 ms may justify at 30 ticks a second: it, 100 ms, two snapshots and two ticks are 8.5."""


def lie(patch: pytest.MonkeyPatch, game: Game, *delays: float) -> None:
    """Let the client tell these delays, again and again, instead of its own."""
    lies = cycle(build_view(View(None, round(delay * VIEW_STEPS))) for delay in delays)

    def update(view: ViewDelay, delay_ticks: float) -> bytes:
        return next(lies)

    patch.setattr(ViewDelay, "update", update)
    game.steer(thrust=False)


@pytest.mark.parametrize(
    "delay_ticks, believed",
    [
        pytest.param(60.0, (7, JUSTIFIED_TICKS), id="2 s ago"),
        pytest.param(4000.0, (7, JUSTIFIED_TICKS), id="two minutes ago"),
        pytest.param(0.0, (1, 1), id="the future"),
    ],
)
async def test_a_claim_that_can_not_be_is_cut_to_what_the_round_trip_justifies_and_counted(
    delay_ticks: float, believed: tuple[float, float], autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with World(Range) as world:
        game = await world.join("range", link=Link(delay_ms=25))
        room, (engine,) = cast("Range", world.rooms[0]), world.lobby.rooms
        game.steer(thrust=False)
        await world.ticks(90)
        assert 2 < room.delays[game.me.player] < 8
        assert engine.views_refused == 0, "an honest client is never doubted"
        lie(monkeypatch, game, delay_ticks)
        await world.ticks(70)
        least, most = believed
        assert least <= room.delays[game.me.player] <= most
        assert engine.views_refused > 60


async def test_who_claims_to_have_seen_the_world_2_s_ago_hits_nothing_by_it(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The target stood in front of the gun 2 s ago, and is gone; the liar shoots at it now."""
    async with World(Range) as world:
        game = await world.join("range", link=Link(delay_ms=25))
        room = cast("Range", world.rooms[0])
        lie(monkeypatch, game, 60)
        await world.ticks(90)
        room.cross(12, 1)
        room.target.x, room.speed = GUN_X, 0.0
        await world.ticks(20)
        room.target.x = 5.0
        await world.ticks(36)
        game.steer(fire=True)
        await world.ticks(20)
        assert room.shots > 1
        assert room.hits == 0


async def test_time_does_not_run_backwards_for_who_claims_that_it_does(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with World(Range) as world:
        game = await world.join("range", link=Link(delay_ms=200))
        room, (engine,) = cast("Range", world.rooms[0]), world.lobby.rooms
        lie(monkeypatch, game, 3, 18)
        await world.ticks(60)
        seen: list[float] = []
        for _ in range(60):
            await world.ticks(1)
            seen.append(engine.tick - room.delays[game.me.player])
        assert all(later >= earlier for earlier, later in pairwise(seen))
        assert engine.views_refused > 40


@pytest.mark.parametrize(
    "claim",
    [nan, 32.0, -1, 65536, "now", True, [8]],
    ids=["NaN", "float", "past the future", "huge", "text", "bool", "list"],
)
async def test_a_claim_that_is_none_ends_that_connection_and_says_why(claim: object, autojump_clock: MockClock) -> None:
    async with World(Range) as world:
        liar, witness = await world.join("range"), await world.join("range")
        liar.put_back([pack([8, None, claim])])
        liar.steer(thrust=False)
        await world.ticks(6)
        assert liar.ended is not None
        assert liar.ended.code == CloseCode.BAD_MESSAGE
        assert "is no view delay; use 0 to 65535, in 1/16 ticks." in liar.ended.reason
        assert witness.ended is None
