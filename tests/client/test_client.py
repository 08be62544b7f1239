"""The network client against a real server in memory, and against peers that are none."""

from __future__ import annotations

import base64
import hashlib
import random
import struct
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import cast

import pytest
import trio
import trio.testing
from trio.testing import MockClock

from tests.client.meadow import Meadow
from tickwire.testing import World
from tickwire_client.client import JOIN_TIMEOUT_S, Game, connect
from tickwire_client.connection import OPEN_TIMEOUT_S, Dial
from tickwire_client.game_view import OUTBOX_LIMIT, Me
from tickwire_client.lead import FIRST_MARGIN_TICKS
from tickwire_client.reconnect import NEVER, Backoff
from tickwire_client.sender import SILENCE_S
from tickwire_shared.client_messages import Mode
from tickwire_shared.closing import ABNORMAL, CloseCode
from tickwire_shared.delta import Delta
from tickwire_shared.errors import ConnectionEnded, JoinRefused, UsageError


def meadow(world: World) -> Meadow:
    return cast("Meadow", world.rooms[0])


async def end_of(game: Game) -> None:
    """Wait until the game is over, which raises."""
    while True:
        await game.next_snapshot()


# Playing


async def test_a_player_joins_and_sees_its_entities(autojump_clock: MockClock) -> None:
    async with World(Meadow) as world:
        ada = await world.join("meadow", name="Ada")
        bob = await world.join("meadow", name="Bob")
        await world.ticks(3)
        assert [sheep.name for sheep in ada.all("Sheep")] == ["Ada", "Bob"]
        (mine,) = bob.owned
        assert (mine.name, mine.mine) == ("Bob", True)
        assert bob.me == Me(2, frozenset({mine.id}))
        assert (bob.room_id, bob.hz) == (ada.room_id, 20)
        assert ada.find(mine.id) == ada.all("Sheep")[1]
        weather = ada.one("Weather")
        assert weather is not None
        assert weather.rain == 0


async def test_what_is_steered_is_applied_in_each_tick_from_then_on(autojump_clock: MockClock) -> None:
    async with World(Meadow) as world:
        ada = await world.join("meadow")
        await trio.sleep(1.0)
        ada.steer(pace=1.0)
        await world.ticks(10)
        ada.steer(pace=0.0)
        await world.ticks(5)
        (sheep,) = ada.owned
        # What was sent just before is already on its way when the command changes.
        assert sheep.x in (60.0, 61.0)
        ticks = [tick for _, tick, _ in meadow(world).walked]
        assert ticks == list(range(ticks[0], ticks[0] + len(ticks)))
        assert (ada.stats.late_inputs, ada.stats.refused_inputs) == (0, 0)


async def test_a_press_lasts_exactly_one_tick(autojump_clock: MockClock) -> None:
    async with World(Meadow) as world:
        ada = await world.join("meadow")
        await trio.sleep(1.0)
        for _ in range(3):
            ada.press("jump")
            await world.ticks(7)
        (sheep,) = ada.owned
        assert sheep.jumps == 3


async def test_next_snapshot_waits_for_a_newer_state(autojump_clock: MockClock) -> None:
    async with World(Meadow) as world:
        ada = await world.join("meadow")
        ada.steer(pace=0.5)
        ticks = [await ada.next_snapshot() for _ in range(5)]
        assert ticks == sorted(set(ticks))
        assert ticks[-1] == ada.tick


async def test_events_come_in_order_with_their_references(autojump_clock: MockClock) -> None:
    async with World(Meadow) as world:
        ada = await world.join("meadow", name="Ada")
        bob = await world.join("meadow", name="Bob")
        ada.send("Bleat", words="one")
        ada.send("Bleat", words="two")
        heard: list[str] = []
        async for event in bob.events():
            assert event.by.name == "Ada"
            heard.append(event.words)
            if len(heard) == 2:
                break
        assert heard == ["one", "two"]


async def test_events_that_nobody_waited_for_can_be_taken_later(autojump_clock: MockClock) -> None:
    async with World(Meadow) as world:
        ada = await world.join("meadow")
        ada.send("Bleat", words="hi")
        await world.ticks(5)
        assert [event.words for event in ada.take_events()] == ["hi"]
        assert ada.take_events() == []


async def test_the_clock_agrees_with_the_servers(autojump_clock: MockClock) -> None:
    async with World(Meadow) as world:
        ada = await world.join("meadow")
        await trio.sleep(5.0)
        now_ms = trio.current_time() * 1000
        assert ada.session.clock.time_at(now_ms) == pytest.approx(now_ms, abs=1.0)
        assert ada.clock.rtt_ms == pytest.approx(0.0, abs=1.0)
        assert ada.lead_ticks == 0.0
        ada.steer(pace=0.0)
        await world.ticks(2)
        assert ada.lead_ticks == pytest.approx(FIRST_MARGIN_TICKS, abs=0.1)


async def test_the_servers_checks_find_nothing_wrong(autojump_clock: MockClock) -> None:
    async with World(Meadow) as world:
        ada = await world.join("meadow")
        ada.steer(pace=-0.5, graze=True)
        await trio.sleep(30.0)
        assert ada.stats.checks > 2
        assert (ada.stats.state_mismatches, ada.stats.resyncs) == (0, 0)


async def test_a_state_that_went_wrong_is_mended_and_the_play_goes_on(autojump_clock: MockClock) -> None:
    async with World(Meadow) as world:
        ada = await world.join("meadow")
        ada.replica.state = ada.replica.decoder.apply(ada.replica.state, _teleport(ada))
        await trio.sleep(10.0)
        assert (ada.stats.state_mismatches, ada.stats.resyncs) == (1, 1)
        assert ada.owned[0].x == 50.0


def _teleport(game: Game) -> Delta:
    """A change that the server never made: the first sheep is one step further."""
    return Delta(([0, None, 1, 0, b"\x01"],))


# The end


async def test_leaving_the_block_gives_up_the_seat_at_once(autojump_clock: MockClock) -> None:
    async with World(Meadow) as world:
        bob = await world.join("meadow")
        before = trio.current_time()
        async with joined(world) as ada:
            await world.ticks(2)
            assert len(bob.all("Sheep")) == 2
        await world.ticks(2)
        assert len(bob.all("Sheep")) == 1
        assert trio.current_time() - before < 1.0
        assert ada.ended is not None
        assert ada.ended.code == CloseCode.LEFT
        assert ada.stats.disconnects == 0


async def test_a_cancelled_player_gives_up_its_seat_too(autojump_clock: MockClock) -> None:
    async with World(Meadow) as world:
        bob = await world.join("meadow")
        with trio.move_on_after(1.0):
            async with joined(world):
                await trio.sleep_forever()
        await world.ticks(2)
        assert len(bob.all("Sheep")) == 1


async def test_what_the_block_raises_comes_out_as_it_is(autojump_clock: MockClock) -> None:
    async with World(Meadow) as world:
        with pytest.raises(ZeroDivisionError):
            async with joined(world):
                _ = 1 / 0


async def test_whoever_waits_is_told_why_it_is_over(autojump_clock: MockClock) -> None:
    async with World(Meadow) as world:
        ada = await world.join("meadow")
        meadow(world).players[0].kick("Too loud.")
        with pytest.raises(ConnectionEnded, match="Too loud") as ended:
            await ada.next_snapshot()
        assert ended.value.code == CloseCode.KICKED
        with pytest.raises(ConnectionEnded, match="Too loud"):
            await ada.next_snapshot()
        with pytest.raises(ConnectionEnded, match="Too loud"):
            async for _ in ada.events():
                pass


async def test_events_end_without_an_error_when_the_player_leaves(autojump_clock: MockClock) -> None:
    async with World(Meadow) as world, trio.open_nursery() as nursery:
        ada = await world.join("meadow")
        over = trio.Event()

        async def listen() -> None:
            async for _ in ada.events():
                pass
            over.set()

        nursery.start_soon(listen)
        await world.ticks(1)
        await ada.leave()
        with trio.fail_after(1.0):
            await over.wait()


@pytest.mark.parametrize("room, mode", [("pasture", "join_or_create"), ("meadow", "join"), ("xyz", "id")])
async def test_a_refused_join_says_why(autojump_clock: MockClock, room: str, mode: Mode) -> None:
    async with World(Meadow) as world:
        with pytest.raises(JoinRefused) as refused:
            await world.join(room, mode)
        assert refused.value.code == CloseCode.NO_SUCH_ROOM
        assert refused.value.reason


# Coming back


async def test_a_lost_connection_is_resumed_and_nothing_is_missed(autojump_clock: MockClock) -> None:
    async with World(Meadow) as world:
        ada = await world.join("meadow", name="Ada")
        bob = await world.join("meadow", name="Bob")
        bob.steer(pace=0.5)
        await world.ticks(10)
        await world.cut(ada)
        await trio.sleep(5.0)
        assert (ada.stats.disconnects, ada.stats.resumes) == (1, 1)
        assert ada.replica.state == bob.replica.state
        assert len(ada.owned) == 1
        assert ada.stats.full_snapshots == 1


async def test_inputs_and_events_go_on_after_a_resume(autojump_clock: MockClock) -> None:
    async with World(Meadow) as world:
        ada = await world.join("meadow")
        ada.steer(pace=0.5)
        await world.ticks(10)
        await world.cut(ada)
        await trio.testing.wait_all_tasks_blocked()
        ada.send("Bleat", words="still here")
        await trio.sleep(2.0)
        before = ada.owned[0].x
        await world.ticks(10)
        assert ada.owned[0].x == before + 5.0
        assert [event.words for event in ada.take_events()] == ["still here"]


async def test_events_are_not_hoarded_without_bound_while_the_connection_is_lost(autojump_clock: MockClock) -> None:
    async with World(Meadow) as world:
        ada = await world.join("meadow")
        await world.cut(ada)
        await trio.testing.wait_all_tasks_blocked()
        for _ in range(OUTBOX_LIMIT):
            ada.send("Bleat")
        with pytest.raises(UsageError, match=f"{OUTBOX_LIMIT} messages are waiting"):
            ada.send("Bleat")


async def test_a_server_that_stays_away_is_given_up(autojump_clock: MockClock) -> None:
    async with World(Meadow) as world:
        dials = 0

        async def dial() -> trio.abc.Stream:
            nonlocal dials
            dials += 1
            if dials > 1:
                raise OSError("nobody is there")
            return stream

        stream = world.open_stream()
        async with connect(
            "ws://w", room="meadow", dial=dial, backoff=Backoff(attempts=4), rng=random.Random(1)
        ) as ada:
            await trio.aclose_forcefully(stream)
            with pytest.raises(ConnectionEnded, match="Can't reach ws://w: nobody is there"):
                await end_of(ada)
        assert dials == 5


async def test_a_game_over_one_given_stream_never_comes_back(autojump_clock: MockClock) -> None:
    async with World(Meadow) as world:
        stream = world.open_stream()
        async with connect("ws://w", room="meadow", stream=stream) as ada:
            await trio.aclose_forcefully(stream)
            with pytest.raises(ConnectionEnded) as ended:
                await ada.next_snapshot()
        assert ended.value.code == ABNORMAL


# A thrifty client


async def test_a_thrifty_client_plays_the_same_game(autojump_clock: MockClock) -> None:
    async with World(Meadow) as world, joined(world, thrifty=True) as ada:
        await trio.sleep(1.0)
        ada.steer(pace=1.0)
        await world.ticks(10)
        ada.steer(pace=0.0)
        await world.ticks(6)
        assert 59.0 <= ada.owned[0].x <= 61.0
        ticks = [tick for _, tick, _ in meadow(world).walked]
        assert ticks == list(range(ticks[0], ticks[0] + len(ticks)))
        assert ada.stats.late_inputs == 0


# Peers that are no tickwire server

Peer = Callable[[trio.abc.Stream], Awaitable[None]]


@asynccontextmanager
async def peer(behave: Peer) -> AsyncGenerator[Dial]:
    """Something that answers connections in its own way."""
    async with trio.open_nursery() as nursery:

        async def dial() -> trio.abc.Stream:
            ours, theirs = trio.testing.memory_stream_pair()
            nursery.start_soon(behave, theirs)
            return ours

        yield dial
        nursery.cancel_scope.cancel()


async def shake_hands(stream: trio.abc.Stream) -> None:
    """Accept the WebSocket, and wait for the first message."""
    request = bytes(await stream.receive_some())
    key = next(line for line in request.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key:"))
    digest = hashlib.sha1(key.split(b":")[1].strip() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
    head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    await stream.send_all(head + b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n")
    await stream.receive_some()


async def refused_by(behave: Peer) -> JoinRefused:
    """Try to join and return the error."""
    async with peer(behave) as dial:
        with pytest.raises(JoinRefused) as refused:
            async with connect("ws://peer:1", room="meadow", dial=dial, backoff=NEVER):
                raise AssertionError("it joined")
        return refused.value


async def test_a_web_server_is_recognised(autojump_clock: MockClock) -> None:
    async def behave(stream: trio.abc.Stream) -> None:
        await stream.receive_some()
        await stream.send_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

    error = await refused_by(behave)
    assert error.reason == "ws://peer:1 answered with HTTP 404: is it a tickwire server?"


async def test_a_peer_that_hangs_up_during_the_handshake_is_noticed_at_once(autojump_clock: MockClock) -> None:
    async def behave(stream: trio.abc.Stream) -> None:
        await stream.receive_some()
        await stream.aclose()

    error = await refused_by(behave)
    assert "hung up" in error.reason
    assert trio.current_time() < 1.0


async def test_a_peer_that_never_answers_the_handshake_is_given_up(autojump_clock: MockClock) -> None:
    async def behave(stream: trio.abc.Stream) -> None:
        await trio.sleep_forever()

    before = trio.current_time()
    error = await refused_by(behave)
    assert "silent" in error.reason
    assert trio.current_time() - before == pytest.approx(OPEN_TIMEOUT_S, abs=0.1)


async def test_a_peer_that_never_answers_the_join_is_given_up(autojump_clock: MockClock) -> None:
    async def behave(stream: trio.abc.Stream) -> None:
        await shake_hands(stream)
        await trio.sleep_forever()

    before = trio.current_time()
    await refused_by(behave)
    assert trio.current_time() - before == pytest.approx(JOIN_TIMEOUT_S, abs=0.1)


@pytest.mark.parametrize(
    "frame, sentence",
    [
        (b"\x81\x02hi", "text message"),
        (b"\x82\x02\xff\xff", "not one msgpack value"),
        (b"\x82\x03\x91\xcc\x63", "no message kind"),
        (b"\x02\x01\xff\x80\x01\xff", "not one msgpack value"),
        (b"\x82\x04\x94\x06\x01\x00", "not one msgpack value"),
    ],
)
async def test_a_peer_that_breaks_the_protocol_is_told_so(
    autojump_clock: MockClock, frame: bytes, sentence: str
) -> None:
    heard = b""

    async def behave(stream: trio.abc.Stream) -> None:
        nonlocal heard
        await shake_hands(stream)
        await stream.send_all(frame)
        heard = bytes(await stream.receive_some())

    error = await refused_by(behave)
    assert error.code == CloseCode.BAD_MESSAGE
    assert sentence in error.reason
    key, payload = heard[2:6], heard[6:]
    plain = bytes(byte ^ key[i % 4] for i, byte in enumerate(payload))
    assert heard[0] == 0x88
    assert struct.unpack("!H", plain[:2])[0] == CloseCode.BAD_MESSAGE
    assert sentence in plain[2:].decode()


async def test_a_message_in_fragments_is_a_message(autojump_clock: MockClock) -> None:
    async def behave(stream: trio.abc.Stream) -> None:
        await shake_hands(stream)
        await stream.send_all(b"\x02\x01\x93" + b"\x80\x03\x06\x01\x00")

    error = await refused_by(behave)
    assert "kind 6 has 4 items, not 3" in error.reason


async def test_a_server_that_falls_silent_is_lost(autojump_clock: MockClock) -> None:
    async with World(Meadow) as world:
        hung = trio.Event()

        async def dial() -> trio.abc.Stream:
            return Deaf(world.open_stream(), hung)

        async with connect("ws://w", room="meadow", dial=dial, backoff=NEVER) as ada:
            hung.set()
            before = trio.current_time()
            with pytest.raises(ConnectionEnded, match="Nothing was heard"):
                await end_of(ada)
            assert trio.current_time() - before == pytest.approx(SILENCE_S, abs=2.0)


class Deaf(trio.abc.Stream):
    """A stream from which nothing comes any more once ``hung`` is set."""

    def __init__(self, stream: trio.abc.Stream, hung: trio.Event) -> None:
        self._stream = stream
        self._hung = hung

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        data = await self._stream.receive_some(max_bytes)
        if self._hung.is_set():
            await trio.sleep_forever()
        return data

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self._stream.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        await self._stream.aclose()


@asynccontextmanager
async def joined(world: World, *, thrifty: bool = False) -> AsyncGenerator[Game]:
    """A player in the meadow that leaves at the end of the block."""

    async def dial() -> trio.abc.Stream:
        return world.open_stream()

    async with connect("ws://w", room="meadow", dial=dial, thrifty=thrifty) as game:
        yield game
