"""The demo arena, played by clients in memory."""

from __future__ import annotations

from itertools import pairwise
from math import hypot, pi
from typing import cast

import pytest
from trio.testing import MockClock

from tickwire.demo.arena import (
    BULLET_TICKS,
    CHAT_TICKS,
    DAMAGE,
    REPAIR_HP,
    REPAIR_TICKS,
    RESPAWN_TICKS,
    ROUND_TICKS,
    SHIELD_TICKS,
    Arena,
    Bullet,
    Health,
    Match,
    Rock,
    Ship,
    Steer,
    tidy,
)
from tickwire.demo.flight import HEIGHT, SHIP_RADIUS, WIDTH, Motion, step
from tickwire.testing import World
from tickwire_client.client import Game
from tickwire_client.views import EventView
from tickwire_shared.errors import TickwireError

SOME_TICKS = 8
"""Enough for an input to be sent, simulated and seen."""


class Recorded(Arena):
    """The arena, with a log of how ships were flown."""

    name = "recorded"

    def on_create(self, options: object) -> None:
        self.flown: list[tuple[Motion, Steer, Motion]] = []
        super().on_create({})

    def fly(self, ship: Ship, steer: Steer) -> None:
        before = motion(ship)
        super().fly(ship, steer)
        self.flown.append((before, steer, motion(ship)))


def motion(ship: Ship) -> Motion:
    return Motion(ship.x, ship.y, ship.vx, ship.vy, ship.heading)


def arena_of(world: World) -> Arena:
    return cast("Arena", world.rooms[0])


def ship_named(world: World, name: str) -> Ship:
    return next(ship for ship in arena_of(world).all(Ship) if ship.name == name)


def empty(world: World) -> None:
    """Take away what would get in the way of a test."""
    arena = arena_of(world)
    for entity in (*arena.all(Rock), *arena.all(Health)):
        arena.despawn(entity)


def put(ship: Ship, x: float, y: float, heading: float = 0.0) -> None:
    """Place a ship at rest, without its shield."""
    ship.x, ship.y, ship.heading = x, y, heading
    ship.vx = ship.vy = 0.0
    ship.wait = 0
    ship.shield = False


def taken(game: Game, kind: str) -> list[EventView]:
    return [event for event in game.take_events() if event.type == kind]


async def duel(world: World) -> tuple[Game, Game]:
    """Two players in an empty arena, Ada pointing at Bob."""
    ada, bob = await world.join("arena", name="Ada"), await world.join("arena", name="Bob")
    empty(world)
    put(ship_named(world, "Ada"), 40, 40)
    put(ship_named(world, "Bob"), 52, 40, pi)
    return ada, bob


async def test_a_new_player_gets_a_shielded_ship_with_its_name(autojump_clock: MockClock) -> None:
    async with World(Arena) as world:
        ada = await world.join("arena", name="Ada")
        (ship,) = ada.all("Ship")
        assert (ship.name, ship.mine, ship.hp, ship.alive, ship.shield, ship.score) == ("Ada", True, 100, True, True, 0)
        await world.ticks(SHIELD_TICKS + SOME_TICKS)
        assert not ship.shield


async def test_the_field_has_room_between_its_rocks(autojump_clock: MockClock) -> None:
    async with World(Arena) as world:
        ada = await world.join("arena", name="Ada")
        rocks = ada.all("Rock")
        assert len(rocks) == 9
        for rock in rocks:
            others = [hypot(rock.x - o.x, rock.y - o.y) - rock.radius - o.radius for o in rocks if o != rock]
            assert min(others) > 2 * SHIP_RADIUS
            assert min(rock.x, WIDTH - rock.x, rock.y, HEIGHT - rock.y) - rock.radius > 2 * SHIP_RADIUS


async def test_thrust_moves_a_ship_for_everyone_to_see(autojump_clock: MockClock) -> None:
    async with World(Arena) as world:
        ada, bob = await duel(world)
        ada.steer(thrust=True, turn=0.25)
        await world.ticks(20)
        seen = bob.find(ship_named(world, "Ada").id)
        assert seen is not None
        assert seen.x > 41
        assert seen.thrust
        assert 0 < seen.heading < pi


async def test_a_ship_flies_exactly_as_the_shared_step_says(autojump_clock: MockClock) -> None:
    async with World(Recorded) as world:
        ada = await world.join("recorded", name="Ada")
        for turn in (1.0, -0.5, 0.125, -1.0):
            ada.steer(turn=turn, thrust=True)
            await world.ticks(20)
        arena = cast("Recorded", world.rooms[0])
        rocks = arena.all(Rock)
        assert len({steer.turn for _, steer, _ in arena.flown}) >= 5
        for before, steer, after in arena.flown:
            assert step(before, steer.turn, steer.thrust, rocks, arena.dt) == after
        for (_, _, end), (start, _, _) in pairwise(arena.flown):
            assert start == end


async def test_a_shot_takes_hull_and_tells_everyone(autojump_clock: MockClock) -> None:
    async with World(Arena) as world:
        ada, bob = await duel(world)
        ada.steer(fire=True)
        await world.ticks(SOME_TICKS)
        ada.steer(fire=False)
        await world.ticks(20)
        hits = taken(bob, "Hit")
        assert len(hits) >= 1
        assert {(hit.victim.name, hit.by.name, hit.damage) for hit in hits} == {("Bob", "Ada", DAMAGE)}
        assert ship_named(world, "Bob").hp == 100 - DAMAGE * len(hits)
        assert bob.all("Bullet") == []


async def test_a_fast_bullet_does_not_pass_through_a_ship(autojump_clock: MockClock) -> None:
    async with World(Arena) as world:
        await duel(world)
        for offset in range(36):
            put(ship_named(world, "Bob"), 50 + offset / 20, 40)
            ship_named(world, "Bob").hp = 100
            arena_of(world).shoot(ship_named(world, "Ada"))
            await world.ticks(12)
            assert ship_named(world, "Bob").hp == 100 - DAMAGE


async def test_a_rock_stops_a_bullet(autojump_clock: MockClock) -> None:
    async with World(Arena) as world:
        await duel(world)
        arena_of(world).spawn(Rock(x=46, y=40, radius=2))
        arena_of(world).shoot(ship_named(world, "Ada"))
        await world.ticks(12)
        assert ship_named(world, "Bob").hp == 100
        assert arena_of(world).all(Bullet) == ()


@pytest.mark.parametrize("heading", [0, pi / 2, pi, 3 * pi / 2, 0.7])
async def test_a_bullet_that_meets_nothing_ends_by_itself(autojump_clock: MockClock, heading: float) -> None:
    async with World(Arena) as world:
        await world.join("arena", name="Ada")
        empty(world)
        put(ship_named(world, "Ada"), 60, 40, heading)
        arena_of(world).shoot(ship_named(world, "Ada"))
        await world.ticks(BULLET_TICKS // 4)
        assert len(arena_of(world).all(Bullet)) == 1
        await world.ticks(BULLET_TICKS)
        assert arena_of(world).all(Bullet) == ()


async def test_a_held_trigger_fires_at_the_gun_s_own_pace(autojump_clock: MockClock) -> None:
    async with World(Arena) as world:
        ada = await world.join("arena", name="Ada")
        empty(world)
        put(ship_named(world, "Ada"), 20, 40)  # where no wall ends a bullet early
        ada.steer(fire=True)
        await world.ticks(60)
        born = [bullet.born for bullet in arena_of(world).all(Bullet)]
        assert len(born) >= 4
        assert {later - earlier for earlier, later in pairwise(born)} == {7}


async def test_a_shield_takes_the_damage_and_shooting_gives_it_up(autojump_clock: MockClock) -> None:
    async with World(Arena) as world:
        await duel(world)
        ada, bob = ship_named(world, "Ada"), ship_named(world, "Bob")
        ada.wait = bob.wait = SHIELD_TICKS
        await world.ticks(1)
        assert ada.shield
        arena_of(world).shoot(ada)
        await world.ticks(12)
        assert bob.hp == 100
        assert bob.shield
        assert not ada.shield


async def test_a_ship_shot_down_scores_for_the_shooter_and_comes_back_whole(autojump_clock: MockClock) -> None:
    async with World(Arena) as world:
        ada, bob = await duel(world)
        ship_named(world, "Bob").hp = DAMAGE
        arena_of(world).shoot(ship_named(world, "Ada"))
        await world.ticks(12)
        (kill,) = taken(ada, "Kill")
        assert (kill.killer_name, kill.victim_name, kill.victim.mine) == ("Ada", "Bob", False)
        (victim,) = [ship for ship in bob.all("Ship") if ship.mine]
        assert (victim.alive, victim.hp) == (False, 0)
        assert ship_named(world, "Ada").score == 1
        await world.ticks(RESPAWN_TICKS)
        assert (victim.alive, victim.hp, victim.shield) == (True, 100, True)
        assert hypot(victim.x - 40, victim.y - 40) > 20


async def test_a_ship_that_is_down_neither_moves_nor_shoots_nor_is_hit(autojump_clock: MockClock) -> None:
    async with World(Arena) as world:
        _, bob = await duel(world)
        down = ship_named(world, "Bob")
        arena_of(world).shoot_down(down, None)
        where = (down.x, down.y)
        bob.steer(thrust=True, fire=True)
        arena_of(world).shoot(ship_named(world, "Ada"))
        await world.ticks(RESPAWN_TICKS // 2)
        assert (down.x, down.y) == where
        assert arena_of(world).all(Bullet) == () or arena_of(world).all(Bullet)[0].by is not down
        assert taken(bob, "Hit") == []


async def test_a_crate_mends_a_damaged_ship_once_and_another_appears(autojump_clock: MockClock) -> None:
    async with World(Arena) as world:
        await duel(world)
        ada, bob = ship_named(world, "Ada"), ship_named(world, "Bob")
        ada.hp = 30
        arena_of(world).spawn(Health(x=40, y=41))
        arena_of(world).spawn(Health(x=52, y=41))
        await world.ticks(2)
        assert ada.hp == 30 + REPAIR_HP
        assert bob.hp == 100
        assert len(arena_of(world).all(Health)) == 1
        await world.ticks(REPAIR_TICKS)
        assert len(arena_of(world).all(Health)) == 2


async def test_a_round_ends_with_its_winner_and_the_next_starts_at_zero(autojump_clock: MockClock) -> None:
    async with World(Arena) as world:
        ada, _ = await duel(world)
        ship_named(world, "Bob").score = 3
        ship_named(world, "Ada").score = 1
        (match,) = arena_of(world).all(Match)
        match.ends = arena_of(world).tick + 5
        await world.ticks(SOME_TICKS)
        assert [event.winner for event in taken(ada, "Round")] == ["Bob"]
        assert [ship.score for ship in ada.all("Ship")] == [0, 0]
        shown = ada.one("Match")
        assert shown is not None
        assert shown.round == 2
        assert ROUND_TICKS - SOME_TICKS <= shown.ends - arena_of(world).tick <= ROUND_TICKS


@pytest.mark.parametrize("scores", [(0, 0), (2, 2)])
async def test_a_round_without_a_clear_best_has_no_winner(autojump_clock: MockClock, scores: tuple[int, int]) -> None:
    async with World(Arena) as world:
        ada, _ = await duel(world)
        ship_named(world, "Ada").score, ship_named(world, "Bob").score = scores
        arena_of(world).match.ends = arena_of(world).tick
        await world.ticks(SOME_TICKS)
        assert [event.winner for event in taken(ada, "Round")] == [""]


async def test_the_server_says_who_is_chatting_and_takes_control_characters_out(autojump_clock: MockClock) -> None:
    async with World(Arena) as world:
        ada, bob = await duel(world)
        bob.send("Chat", from_name="Ada", text="  hello\n\x07there ")
        await world.ticks(SOME_TICKS)
        assert [(said.from_name, said.text) for said in taken(ada, "Chat")] == [("Bob", "hello there")]


async def test_who_chats_too_fast_is_heard_once(autojump_clock: MockClock) -> None:
    async with World(Arena) as world:
        ada, bob = await duel(world)
        for number in range(5):
            bob.send("Chat", from_name="", text=str(number))
        await world.ticks(CHAT_TICKS + SOME_TICKS)
        bob.send("Chat", from_name="", text="later")
        await world.ticks(SOME_TICKS)
        assert [said.text for said in taken(ada, "Chat")] == ["0", "later"]


async def test_two_players_of_one_name_can_be_told_apart(autojump_clock: MockClock) -> None:
    async with World(Arena) as world:
        games = [await world.join("arena", name="Ada") for _ in range(3)]
        assert [ship.name for ship in games[-1].all("Ship")] == ["Ada", "Ada 2", "Ada 3"]


@pytest.mark.parametrize("name", [None, "", 7, "\x00\n"])
async def test_who_gives_no_usable_name_gets_one(autojump_clock: MockClock, name: object) -> None:
    async with World(Arena) as world:
        game = await (world.join("arena") if name is None else world.join("arena", name=name))
        assert [ship.name for ship in game.all("Ship")] == ["Pilot 1"]


def test_text_is_cut_at_a_whole_character() -> None:
    assert tidy("é" * 20, 7) == "ééé"
    assert tidy("a  b\tc", 24) == "a b c"


async def test_who_leaves_takes_ship_and_bullets_along(autojump_clock: MockClock) -> None:
    async with World(Arena) as world:
        ada, bob = await duel(world)
        put(ship_named(world, "Ada"), 40, 40, pi / 2)
        arena_of(world).shoot(ship_named(world, "Ada"))
        await world.ticks(2)
        await ada.leave()
        await world.ticks(2)
        assert [ship.name for ship in bob.all("Ship")] == ["Bob"]
        assert bob.all("Bullet") == []


async def test_an_arena_seats_sixteen(autojump_clock: MockClock) -> None:
    async with World(Arena) as world:
        room = (await world.join("arena", name="1")).room_id
        for number in range(2, 17):
            await world.join("arena", name=str(number))
        await world.ticks(1)
        assert len(arena_of(world).all(Ship)) == 16
        with pytest.raises(TickwireError, match="full"):
            await world.join(room, "id", name="17")
