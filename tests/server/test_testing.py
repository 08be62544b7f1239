"""The public test kit: a user's game is tested in memory, in no time, and a failing test says what failed."""

from __future__ import annotations

from functools import partial

import pytest
import trio
from trio.testing import MockClock

from tests.client.meadow import Meadow
from tests.server.raw_client import RawClient
from tickwire.room import Room
from tickwire.testing import World, play
from tickwire_shared.client_messages import Join
from tickwire_shared.closing import CloseCode
from tickwire_shared.errors import DeclarationError, JoinRefused, UsageError


class Empty(Room[None]):
    """Nothing happens here."""

    hz = 10


async def test_players_join_play_and_see_each_other(autojump_clock: MockClock) -> None:
    async with World(Meadow) as world:
        ada = await world.join("meadow", name="Ada")
        bob = await world.join("meadow", name="Bob")
        ada.steer(pace=1.0)
        await world.ticks(10)
        before = bob.find(ada.owned[0].id)
        assert before is not None
        x = before.x
        await world.ticks(10)
        after = bob.find(ada.owned[0].id)
        assert after is not None
        assert after.x - x == 10.0
        assert [sheep.name for sheep in bob.all("Sheep")] == ["Ada", "Bob"]


async def test_a_test_may_look_into_its_rooms(autojump_clock: MockClock) -> None:
    async with World(Meadow) as world:
        await world.join("meadow")
        (room,) = world.rooms
        assert isinstance(room, Meadow)
        room.weather.rain = 40
        ada = await world.join("meadow")
        assert ada.all("Weather")[0].rain == 40


async def test_ticks_are_counted_exactly_and_heard_of(autojump_clock: MockClock) -> None:
    async with World(Meadow) as world:
        ada = await world.join("meadow")
        ada.steer(pace=0.5)
        (room,) = world.rooms
        await world.ticks(5)
        for count in (1, 2, 7):
            tick = room.tick
            await world.ticks(count)
            assert room.tick == tick + count
            assert ada.tick == room.tick


async def test_ticks_of_one_room_of_several_need_its_name(autojump_clock: MockClock) -> None:
    async with World(Meadow, Empty) as world:
        with pytest.raises(UsageError, match=r"0 rooms run; join one first"):
            await world.ticks(1)
        await world.join("meadow")
        await world.join("empty")
        with pytest.raises(UsageError, match=r"2 rooms run; .* say which one"):
            await world.ticks(1)
        meadow, empty = world.rooms
        before = meadow.tick, empty.tick
        await world.ticks(2, empty)
        assert empty.tick == before[1] + 2
        assert meadow.tick - before[0] >= 3, "it has gone on meanwhile, at its own pace"


async def test_ticks_of_a_room_that_ends_are_not_waited_for(autojump_clock: MockClock) -> None:
    async with World(Empty) as world:
        await world.join("empty")
        world.rooms[0].after(3, world.rooms[0].close)
        with trio.fail_after(2.0):
            await world.ticks(100)


async def test_a_player_that_is_cut_off_comes_back(autojump_clock: MockClock) -> None:
    async with World(Meadow) as world:
        ada = await world.join("meadow")
        await world.cut(ada)
        await trio.sleep(3.0)
        assert (ada.stats.disconnects, ada.stats.resumes) == (1, 1)


async def test_a_refused_join_is_an_error_of_the_test_and_the_world_goes_on(autojump_clock: MockClock) -> None:
    async with World(Meadow) as world:
        with pytest.raises(JoinRefused, match="no room type 'desert'"):
            await world.join("desert")
        await world.join("meadow")


async def test_players_may_join_from_any_nursery_and_stay_when_it_ends(autojump_clock: MockClock) -> None:
    async with World(Meadow) as world:
        async with trio.open_nursery() as nursery:
            for name in ("Ada", "Bob", "Cyd"):
                nursery.start_soon(partial(world.join, "meadow", name=name))
        await world.ticks(2)
        assert len(world.rooms[0].players) == 3


async def test_leaving_the_block_lets_everybody_leave_and_ends_every_room(autojump_clock: MockClock) -> None:
    async with World(Meadow, Empty) as world:
        games = [await world.join("meadow"), await world.join("meadow"), await world.join("empty")]
        engines = world.lobby.rooms
    assert [game.ended and game.ended.code for game in games] == [CloseCode.LEFT] * 3
    assert all(engine.ended.is_set() for engine in engines)
    assert not world.rooms


@pytest.mark.parametrize("error", [AssertionError("x is 3"), KeyError("Ship"), JoinRefused(4041, "Full.")])
async def test_what_a_test_raises_comes_out_as_it_is(autojump_clock: MockClock, error: Exception) -> None:
    with pytest.raises(type(error)) as caught:
        await raise_in_a_world(error)
    assert caught.value is error


async def raise_in_a_world(error: Exception) -> None:
    async with World(Meadow) as world:
        await world.join("meadow")
        raise error


async def test_a_test_may_be_given_a_time_limit(autojump_clock: MockClock) -> None:
    with trio.move_on_after(5.0) as limit:
        async with World(Meadow) as world:
            await world.join("meadow")
            await trio.sleep_forever()
    assert limit.cancelled_caught
    assert trio.current_time() < 10


async def test_a_world_that_does_not_run_says_how_to_run_it(autojump_clock: MockClock) -> None:
    world = World(Meadow)
    with pytest.raises(UsageError, match=r"use `async with World"):
        await world.join("meadow")
    with pytest.raises(UsageError, match=r"use `async with World"):
        world.open_stream()
    async with world:
        await world.join("meadow")
    with pytest.raises(UsageError, match=r"use `async with World"):
        await world.join("meadow")
    with pytest.raises(UsageError, match=r"runs once"):
        await world.__aenter__()


def test_a_world_needs_rooms() -> None:
    with pytest.raises(DeclarationError, match="at least one room type"):
        World()


async def test_a_bare_connection_speaks_the_protocol_by_hand(autojump_clock: MockClock) -> None:
    async with World(Empty) as world:
        client = RawClient(world.open_stream())
        await client.open()
        assert (await client.join(Join("create", "empty"))).type == "empty"


@pytest.mark.parametrize("head", [b"", b"GET /ws HTTP/1.1\r\n", b"x" * 40_000])
async def test_a_bare_connection_that_asks_for_nothing_is_closed(autojump_clock: MockClock, head: bytes) -> None:
    async with World(Empty) as world:
        stream = world.open_stream()
        await stream.send_all(head)
        await stream.send_stream.aclose()
        assert await stream.receive_some() == b""


def test_without_pytest_trio_play_runs_a_minute_of_game_at_once_and_returns_its_result() -> None:
    async def idle() -> int:
        async with World(Empty) as world:
            await world.join("empty")
            await trio.sleep(60.0)
            return world.rooms[0].tick

    assert play(idle) == pytest.approx(600, abs=2)


async def test_the_same_seed_gives_the_same_clients(autojump_clock: MockClock) -> None:
    resumed: list[float] = []
    for _ in range(2):
        async with World(Meadow, seed=5) as world:
            ada = await world.join("meadow")
            began = trio.current_time()
            await world.cut(ada)
            while not ada.stats.resumes:  # noqa: ASYNC110 - the clock is virtual
                await trio.sleep(0.01)
            resumed.append(round(trio.current_time() - began, 2))
    assert resumed[0] == resumed[1]
