"""A connection from the upgrade to the close: joining, playing, and every way to end."""

from __future__ import annotations

from contextlib import suppress
from typing import get_args

import pytest
import structlog
import trio
import trio.testing
from trio.testing import MockClock

from tests.client.meadow import Meadow
from tests.server.frames import Op, frame
from tests.server.raw_client import UPGRADE, Closed, RawClient
from tests.server.scene import Scene, Watched, scene
from tickwire.connection import CLOSE_DEADLINE_S, serve_connection
from tickwire.engine import Engine
from tickwire.limits import Limits
from tickwire.lingering import LINGER_TIMEOUT_S
from tickwire.player import Player
from tickwire.room import Room
from tickwire.testing import World
from tickwire_shared.client_messages import Join, Mode, build_input, build_join, build_leave, build_ping, build_resync
from tickwire_shared.closing import CloseCode
from tickwire_shared.event_messages import build_event
from tickwire_shared.server_messages import Pong, Welcome, parse_server

JOIN = Join("join_or_create", "meadow")


# Joining


async def test_a_room_that_is_full_says_so(autojump_clock: MockClock) -> None:
    async with scene() as played:
        second = await played.joined()
        (room,) = played.world.rooms
        for message, sentence in (
            (Join("join", "meadow"), "Every meadow room is full."),
            (Join("id", room.id), "The room is full: all 2 seats are taken."),
        ):
            third = await played.connected()
            await third.send(build_join(message))
            assert await third.closed() == Closed(CloseCode.ROOM_FULL, sentence)
        await second.send(build_leave())
        assert (await second.closed()).code == CloseCode.LEFT
        await played.assert_unharmed()


async def test_a_join_before_the_first_is_answered_is_one_too_many(autojump_clock: MockClock) -> None:
    async with scene() as played:
        client = await played.connected()
        await client.send(build_join(JOIN), build_join(JOIN))
        sentence = "The join is not answered yet; a second one is not accepted."
        assert await client.closed() == Closed(CloseCode.BAD_MESSAGE, sentence)
        await played.assert_unharmed()
        assert played.log == [], "the room never saw it"


async def test_an_input_right_behind_the_join_is_too_early(autojump_clock: MockClock) -> None:
    async with scene() as played:
        client = await played.connected()
        await client.send(build_join(JOIN), build_input(1, [2, 0, 0]))
        sentence = "The join is not answered yet; wait for the welcome."
        assert await client.closed() == Closed(CloseCode.BAD_MESSAGE, sentence)
        await played.assert_unharmed()


async def test_a_join_right_behind_the_request_is_answered(autojump_clock: MockClock) -> None:
    async with scene() as played:
        client = RawClient(played.world.open_stream())
        await client.open(behind=frame(Op.BINARY, build_join(JOIN)) + frame(Op.PING, b"?"))
        while (said := await client.next()).op is not Op.BINARY:
            assert said.op is Op.PONG
        assert isinstance(parse_server(said.payload), Welcome)


@pytest.mark.parametrize("mode", get_args(Mode))
async def test_a_join_with_another_schema_makes_no_room(autojump_clock: MockClock, mode: Mode) -> None:
    async with World(Meadow) as world:
        client = RawClient(world.open_stream())
        await client.open()
        await client.send(build_join(Join(mode, "meadow", b"12345678")))
        codes = {"id": CloseCode.NO_SUCH_ROOM, "reserved": CloseCode.RESUME_FAILED}
        assert (await client.closed()).code == codes.get(mode, CloseCode.WRONG_SCHEMA)
        assert world.rooms == ()


async def test_the_right_schema_hash_is_welcome(autojump_clock: MockClock) -> None:
    async with scene() as played:
        client = await played.connected()
        welcome = await client.join(Join("join", "meadow", Meadow.schema.hash))
        assert welcome.schema_hash == Meadow.schema.hash


async def test_who_never_joins_is_closed_after_a_while(autojump_clock: MockClock) -> None:
    async with scene() as played:
        client = await played.connected()
        began = trio.current_time()
        await client.send(build_ping(1.0))
        assert isinstance(await client.next_message(), Pong)
        assert await client.closed() == Closed(CloseCode.TIMED_OUT, "No join came within 10 s.")
        assert trio.current_time() - began <= Limits().join_timeout_s + CLOSE_DEADLINE_S


@pytest.mark.parametrize("without", [b"Sec-WebSocket-Key", b"Sec-WebSocket-Version"])
async def test_a_bad_upgrade_request_is_refused_at_once(autojump_clock: MockClock, without: bytes) -> None:
    async with scene() as played:
        stream = played.world.open_stream()
        lines = [line for line in UPGRADE.split(b"\r\n") if not line.startswith(without)]
        began = trio.current_time()
        await stream.send_all(b"\r\n".join(lines))
        answer = b""
        while data := await stream.receive_some():
            answer += data
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert trio.current_time() - began < 0.1
        await played.assert_unharmed()


# Playing


async def test_a_ping_is_answered_with_the_times_of_its_coming_and_of_the_answer(autojump_clock: MockClock) -> None:
    async with scene() as played:
        client = await played.connected()
        await trio.sleep(1.5)
        await client.send(build_ping(12.5))
        now = trio.current_time() * 1000
        assert await client.next_message() == Pong(12.5, now, now)


async def test_a_websocket_ping_is_answered_with_its_payload(autojump_clock: MockClock) -> None:
    async with scene() as played:
        client = await played.joined()
        await client.stream.send_all(frame(Op.PING, b"still there?"))
        while (said := await client.next()).op is not Op.PONG:
            assert said.op is Op.BINARY
        assert said.payload == b"still there?"


async def test_a_message_in_fragments_is_one_message_and_keeps_its_place(autojump_clock: MockClock) -> None:
    async with scene() as played:
        client = await played.joined()
        first, second, third = (build_event(0, [0, words]) for words in (b"one", b"two", b"three"))
        pieces = frame(Op.BINARY, second[:3], final=False) + frame(Op.PING) + frame(Op.CONTINUATION, second[3:])
        await client.stream.send_all(frame(Op.BINARY, first) + pieces + frame(Op.BINARY, third))
        await played.world.ticks(3)
        assert [event.words for event in played.witness.take_events()] == ["one", "two", "three"]


async def test_a_resync_brings_a_full_snapshot(autojump_clock: MockClock) -> None:
    async with scene() as played:
        client = await played.joined()
        await played.world.ticks(2)
        await client.send(build_resync(5))
        while getattr(await client.next_message(), "age", None) != 0:
            pass
        await client.send(build_resync(6))
        while getattr(await client.next_message(), "age", None) != 0:
            pass


# The end


@pytest.mark.parametrize("code", [1000, 1001])
async def test_who_closes_in_the_usual_way_has_left(autojump_clock: MockClock, code: int) -> None:
    async with scene() as played:
        client = await played.joined()
        await client.stream.send_all(frame(Op.CLOSE, code.to_bytes(2, "big")))
        assert (await client.closed()).code == code
        await played.assert_unharmed()
        assert played.log == ["join 2", "leave 2 left"]


@pytest.mark.parametrize("code", [CloseCode.BAD_MESSAGE, CloseCode.TIMED_OUT])
async def test_who_closes_because_of_the_server_keeps_its_seat(autojump_clock: MockClock, code: CloseCode) -> None:
    async with scene() as played:
        client = await played.joined()
        await client.stream.send_all(frame(Op.CLOSE, code.to_bytes(2, "big")))
        assert (await client.closed()).code == code
        await played.world.ticks(2)
        assert played.log == ["join 2", "drop 2"]


async def test_a_leave_is_confirmed_and_frees_the_seat_at_once(autojump_clock: MockClock) -> None:
    async with scene() as played:
        client = await played.joined()
        await client.send(build_leave())
        assert await client.closed() == Closed(CloseCode.LEFT, "You left the room.")
        await played.assert_unharmed()
        assert played.log == ["join 2", "leave 2 left"]


async def test_a_leave_before_the_join_is_answered_is_never_seen_by_the_room(autojump_clock: MockClock) -> None:
    async with scene() as played:
        client = await played.connected()
        await client.send(build_join(JOIN), build_leave())
        assert (await client.closed()).code == CloseCode.LEFT
        await played.assert_unharmed()
        assert played.log == []


@pytest.mark.parametrize("unsaid", ["", "half a frame"])
async def test_a_connection_that_breaks_keeps_its_seat_for_the_grace_time(
    autojump_clock: MockClock, unsaid: str
) -> None:
    async with scene() as played:
        client = await played.joined()
        if unsaid:
            await client.stream.send_all(frame(Op.BINARY, unsaid.encode())[:-3])
        await trio.aclose_forcefully(client.stream)
        await played.world.ticks(2)
        assert played.log == ["join 2", "drop 2"]
        assert played.world.lobby.rooms[0].seats_taken == 2
        await trio.sleep(Watched.grace_s)
        await played.assert_unharmed()
        assert played.log == ["join 2", "drop 2", "leave 2 lost"]


async def test_who_breaks_websocket_and_is_gone_before_the_answer_leaves_no_ghost(autojump_clock: MockClock) -> None:
    async with scene() as played:
        client = await played.joined()
        with suppress(trio.BrokenResourceError):
            await client.stream.send_all(frame(Op.BINARY, b"a", reserved=4))
        await trio.aclose_forcefully(client.stream)
        await trio.sleep(Watched.grace_s + 1)
        await played.assert_unharmed()


async def test_who_does_not_answer_a_close_is_cut_off(autojump_clock: MockClock) -> None:
    async with scene() as played:
        client = await played.joined()
        began = trio.current_time()
        await client.send(build_leave())
        await client.closed()
        assert await client.stream.receive_some() == b""
        assert played.world.lobby.connections == 2
        await trio.sleep(CLOSE_DEADLINE_S + LINGER_TIMEOUT_S)
        assert played.world.lobby.connections == 1
        assert trio.current_time() - began <= 2 * (CLOSE_DEADLINE_S + LINGER_TIMEOUT_S)


async def test_a_cancelled_connection_is_lost_to_the_room(autojump_clock: MockClock) -> None:
    async with scene() as played:
        ours, theirs = trio.testing.memory_stream_pair()
        client = RawClient(ours)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(serve_connection, theirs, UPGRADE, played.world.lobby.find)
            await client.open_answered()
            await client.join(Join("join", "meadow"))
            nursery.cancel_scope.cancel()
        await played.world.ticks(2)
        assert played.log == ["join 2", "drop 2"]


async def test_a_defect_of_ours_ends_one_connection_and_is_reported(autojump_clock: MockClock) -> None:
    def fail(_: object) -> Engine:
        raise ZeroDivisionError

    ours, theirs = trio.testing.memory_stream_pair()
    client = RawClient(ours)
    with structlog.testing.capture_logs() as logs:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(serve_connection, theirs, UPGRADE, fail)
            await client.open_answered()
            await client.send(build_join(JOIN))
            sentence = "The server failed to handle a message; its log says why."
            assert await client.closed() == Closed(1011, sentence)
    assert [entry["event"] for entry in logs] == ["connection failed"]


class Failing(Room[None]):
    """Fails as soon as somebody is there."""

    def on_join(self, player: Player[None]) -> None:
        raise RuntimeError("bad luck")


async def test_a_room_that_fails_closes_its_players_with_the_hook_and_the_tick(autojump_clock: MockClock) -> None:
    with structlog.testing.capture_logs():
        async with World(Watched, Failing) as world:
            played = Scene(world, await world.join("meadow"))
            client = await played.connected()
            await client.send(build_join(Join("create", "failing")))
            assert await client.closed() == Closed(CloseCode.ROOM_FAILED, "The game failed in on_join at tick 1.")
            await played.assert_unharmed()
