"""The short way from a real socket to a room: who takes it, and what it changes for nobody."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import trio
import trio.testing
from trio.testing import MockClock

from tests.server.ends import tcp_sockets
from tests.server.frames import Op, frame
from tests.server.raw_client import Closed, RawClient
from tickwire.engine import Engine
from tickwire.player import Player
from tickwire.room import Room
from tickwire.testing import World
from tickwire_shared.client_messages import Join, build_input, build_ping
from tickwire_shared.closing import CloseCode
from tickwire_shared.declare import Input, inputs, integer
from tickwire_shared.server_messages import Pong

HZ = 100
SAME_SIZE = 256
"""From this tick on, messages have the same size for long."""


@inputs
class Steer(Input):
    turn: int = integer(0, 100, default=0)


class Road(Room[Steer]):
    """Writes down each player's inputs."""

    name = "road"
    hz = HZ
    entities = ()
    grace_s = 0.0

    def on_create(self, options: Mapping[str, object]) -> None:
        self.turns: list[tuple[int, int, int]] = []

    def on_input(self, player: Player[Steer], steer: Steer) -> None:
        self.turns.append((player.id, self.tick, steer.turn))


async def joined(world: World) -> tuple[RawClient, trio.SocketStream]:
    ours, theirs = tcp_sockets()
    client = RawClient(world._open(theirs, ours))
    await client.open()
    await client.join(Join("join_or_create", "road"))
    return client, theirs


def room_of(world: World) -> tuple[Road, Engine]:
    (engine,) = world.lobby.rooms
    assert isinstance(engine.room, Road)
    return engine.room, engine


async def drive(world: World, client: RawClient, turns: list[int]) -> list[int]:
    """Send an input for each tick; return the ticks."""
    engine = room_of(world)[1]
    if engine.tick < SAME_SIZE:  # each tick below 128 is written in another way, and those below 256 in one byte
        await world.ticks(SAME_SIZE - engine.tick)
    ticks: list[int] = []
    for turn in turns:
        ticks.append(engine.tick + 3)
        await client.send(build_input(ticks[-1], [turn]))
        await world.ticks(1)
    await world.ticks(4)
    return ticks


async def test_an_input_that_was_read_before_is_put_on_the_board_by_the_hub(autojump_clock: MockClock) -> None:
    async with World(Road) as world:
        client, stream = await joined(world)
        turns = [1, 2, 1, 1, 2, 3, 2, 1]
        ticks = await drive(world, client, turns)
        assert room_of(world)[0].turns == [(1, tick, turn) for tick, turn in zip(ticks, turns, strict=True)]
        assert world.lobby.wires._past["frames_in"] == 0
        assert world.lobby._pulse.hub.frames_in == len(turns) - 3, "each was read once"
        await client.send(build_ping(1.0))
        while not isinstance(await client.next_message(), Pong):
            pass
        await stream.aclose()


async def test_players_of_one_room_and_of_another_get_their_own(autojump_clock: MockClock) -> None:
    async with World(Road) as world:
        pairs = [await joined(world) for _ in range(5)]
        engine = room_of(world)[1]
        await world.ticks(SAME_SIZE)
        for step in range(6):
            for number, (client, _) in enumerate(pairs):
                await client.send(build_input(engine.tick + 3, [10 * number + 4 + step % 2]))
            await world.ticks(1)
        await world.ticks(4)
        turns = room_of(world)[0].turns
        for number in range(5):
            came = [turn for player, _, turn in turns if player == number + 1]
            assert came == [10 * number + 4 + step % 2 for step in range(6)]
        assert world.lobby._pulse.hub.frames_in == 5 * 4, "all but those that nobody sent before"
        for _, stream in pairs:
            await stream.aclose()


@pytest.mark.parametrize("together", [True, False])
async def test_nothing_that_comes_behind_a_bad_message_is_obeyed(autojump_clock: MockClock, together: bool) -> None:
    async with World(Road) as world:
        client, stream = await joined(world)
        await drive(world, client, [1, 1, 1])
        engine = room_of(world)[1]
        before = list(room_of(world)[0].turns)
        pieces = [frame(Op.BINARY, b"\x93\x63"), frame(Op.BINARY, build_input(engine.tick + 2, [1]))]
        if together:
            await stream.send_all(b"".join(pieces))
        else:
            for piece in pieces:
                await stream.send_all(piece)
                world.lobby._pulse.hub.drain()
        room = room_of(world)[0]
        closed = await client.closed()
        assert isinstance(closed, Closed)
        assert closed.code == CloseCode.BAD_MESSAGE
        await trio.sleep(0.5)
        assert room.turns == before
        await stream.aclose()


async def test_a_column_is_given_back_by_who_leaves_and_by_a_room_that_is_over(autojump_clock: MockClock) -> None:
    async with World(Road) as world:
        board = world.lobby._pulse.hub.board
        for _ in range(3):
            first, stream = await joined(world)
            second, other = await joined(world)
            await drive(world, first, [1, 1])
            await drive(world, second, [1, 1])
            engine = room_of(world)[1]
            columns = [seat.column for seat in engine._seats.values()]
            assert columns == [1, 2]
            await stream.aclose()
            await trio.sleep(1)
            third, stream = await joined(world)
            await drive(world, third, [1, 1])
            assert [seat.column for seat in engine._seats.values()] == [2, 1]
            assert board.now[1] < 1 << 32
            engine.request_end("enough")
            await trio.sleep(1)
            assert engine.ended.is_set()
            assert world.rooms == ()
            for each in (stream, other):
                await each.aclose()
