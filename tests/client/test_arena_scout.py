from __future__ import annotations

from math import pi
from typing import cast

from trio.testing import MockClock

from tests.client.meadow import Meadow
from tickwire.demo.arena import Arena, Bullet, Health, Rock, Ship
from tickwire.testing import World
from tickwire_client.arena_scout import ArenaScout, is_arena


def ship_named(world: World, name: str) -> Ship:
    return next(ship for ship in cast("Arena", world.rooms[0]).all(Ship) if ship.name == name)


def empty(arena: Arena) -> None:
    """Let nothing be in the ships' way; where rocks are is another place each time."""
    for entity in (*arena.all(Rock), *arena.all(Health)):
        arena.despawn(entity)


async def test_it_tells_the_arena_from_other_rooms(autojump_clock: MockClock) -> None:
    async with World(Arena, Meadow) as world:
        assert is_arena((await world.join("arena")).replica)
        assert not is_arena((await world.join("meadow")).replica)


async def test_it_sees_what_is_there(autojump_clock: MockClock) -> None:
    async with World(Arena) as world:
        ada, _ = await world.join("arena", name="Ada"), await world.join("arena", name="Bob")
        await world.ticks(3)
        arena = cast("Arena", world.rooms[0])
        view = ArenaScout().look(ada)
        assert (view.width, view.height) == (120, 80)
        assert view.me is not None
        assert view.me.id == ada.owned[0].id
        assert [enemy.id for enemy in view.enemies] == [ship_named(world, "Bob").id]
        assert [(rock.x, rock.y) for rock in view.rocks] == [(rock.x, rock.y) for rock in arena.all(Rock)]
        assert [(crate.x, crate.y) for crate in view.crates] == [(crate.x, crate.y) for crate in arena.all(Health)]


async def test_it_works_out_velocities_from_what_it_saw_before(autojump_clock: MockClock) -> None:
    async with World(Arena) as world:
        ada, bob = await world.join("arena", name="Ada"), await world.join("arena", name="Bob")
        empty(cast("Arena", world.rooms[0]))
        ship = ship_named(world, "Bob")
        ship.x, ship.y, ship.heading = 20.0, 40.0, 0.0
        bob.steer(thrust=True)
        scout = ArenaScout()
        for _ in range(8):
            scout.look(ada)
            await world.ticks(3)
        (enemy,) = scout.look(ada).enemies
        assert abs(enemy.vx - ship.vx) < 2.0
        assert abs(enemy.vy - ship.vy) < 2.0
        assert enemy.vx > 5.0


async def test_it_knows_where_a_bullet_is_by_now(autojump_clock: MockClock) -> None:
    async with World(Arena) as world:
        ada = await world.join("arena", name="Ada")
        arena = cast("Arena", world.rooms[0])
        empty(arena)
        ship = ship_named(world, "Ada")
        ship.x, ship.y, ship.heading = 20.0, 40.0, pi / 4
        ada.steer(fire=True)
        await world.ticks(12)
        (seen, *_) = ArenaScout().look(ada).bullets
        (bullet, *_) = arena.all(Bullet)
        x, y = bullet.after(bullet.flown(ada.tick) * arena.dt)
        assert abs(seen.x - x) < 0.1
        assert abs(seen.y - y) < 0.1
        assert seen.by == ship.id


async def test_bots_that_share_it_look_once_per_tick_and_each_knows_itself(autojump_clock: MockClock) -> None:
    async with World(Arena) as world:
        ada, bob = await world.join("arena", name="Ada"), await world.join("arena", name="Bob")
        await world.ticks(3)
        scout = ArenaScout()
        first, second = scout.look(ada), scout.look(bob)
        assert first.me is not None
        assert second.me is not None
        assert first.me is second.enemies[0]
        assert second.me is first.enemies[0]
        assert first.rocks == second.rocks
