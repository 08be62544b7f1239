"""Floods: who sends or asks too much is slowed down, closed or sent away, and a player in the room notices nothing.

Behaviour and counts, on a virtual clock. How late the room's ticks are on a real one is measured by
``python -m tests.bench.floods``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import attrs
import pytest
import trio
import trio.testing
from trio.testing import MockClock, memory_stream_pair

from tests.server.frames import Op, Said, frame
from tests.server.raw_client import UPGRADE, Closed, RawClient
from tests.server.scene import Scene, Watched
from tickwire.connection import CLOSE_DEADLINE_S
from tickwire.door import TURN_BURST
from tickwire.http import serve_http
from tickwire.limits import Limits
from tickwire.lingering import LINGER_TIMEOUT_S
from tickwire.seat import MAX_CLIENT_EVENTS
from tickwire.site import Site
from tickwire.testing import World
from tickwire.traffic import BURST_S, CHECK_S, MAX_PAUSE_S, MAX_PAUSES
from tickwire_shared.client_messages import Join, build_input, build_join, build_ping
from tickwire_shared.closing import CloseCode
from tickwire_shared.event_messages import build_event

LIMITS = Limits()
STEP_S = 0.01


@asynccontextmanager
async def scene(limits: Limits = LIMITS) -> AsyncGenerator[Scene]:
    async with World(Watched, limits=limits) as world:
        yield Scene(world, await world.join("meadow"))


@attrs.define(eq=False)
class Offender:
    """A second player, which reads all that it is told."""

    played: Scene
    client: RawClient
    said: list[Said] = attrs.field(factory=list[Said])

    async def listen(self) -> None:
        with suppress(EOFError, trio.BrokenResourceError, trio.ClosedResourceError):
            while True:
                self.said.append(await self.client.next())

    async def send(self, data: bytes) -> None:
        with suppress(trio.BrokenResourceError):
            await self.client.stream.send_all(data)

    @property
    def closed(self) -> Closed | None:
        """How the server closed, if it did."""
        return next((Closed(each.close_code, each.close_reason) for each in self.said if each.op is Op.CLOSE), None)

    @property
    def pongs(self) -> list[bytes]:
        """Answers to WebSocket pings."""
        return [each.payload for each in self.said if each.op is Op.PONG]


@asynccontextmanager
async def offender(limits: Limits = LIMITS) -> AsyncGenerator[Offender]:
    async with scene(limits) as played, trio.open_nursery() as nursery:
        made = Offender(played, await played.joined())
        nursery.start_soon(made.listen)
        yield made
        nursery.cancel_scope.cancel()


# Messages and bytes of a player


PING = frame(Op.BINARY, build_ping(1.0))
INPUT = frame(Op.BINARY, build_input(1, [2, 0, 0]))
EVENT = frame(Op.BINARY, build_event(0, [0, b"baa"]))

STEADY = {
    "messages": PING * 6,
    "inputs": INPUT * 6,
    "WebSocket pings": frame(Op.PING, b"x") * 6,
    "pongs that nobody asked for": frame(Op.PONG) * 6,
    "bytes": frame(Op.PONG, bytes(125)),
    "a message in endless fragments": frame(Op.CONTINUATION, final=False) * 6,
}


@pytest.mark.parametrize("what", STEADY)
async def test_a_player_that_sends_twice_what_it_may_is_slowed_down_and_then_closed(
    autojump_clock: MockClock, what: str
) -> None:
    async with offender(Limits(bytes_per_second=6550) if what == "bytes" else LIMITS) as bad:
        if "fragments" in what:
            await bad.send(frame(Op.BINARY, b"\x92", final=False))
        began = trio.current_time()
        while bad.closed is None and trio.current_time() < began + 60:
            await bad.send(STEADY[what])
            await trio.sleep(STEP_S)
        assert bad.closed is not None
        assert bad.closed.code == CloseCode.TOO_MANY_MESSAGES
        assert "a second; send less" in bad.closed.reason
        lasted_s = trio.current_time() - began
        assert lasted_s > BURST_S
        assert len(bad.pongs) <= LIMITS.messages_per_second * (lasted_s + BURST_S + CHECK_S)
        await trio.sleep(CLOSE_DEADLINE_S + LINGER_TIMEOUT_S)
        await bad.played.assert_unharmed()
        assert bad.played.log == ["join 2", "leave 2 bad message"]


AT_ONCE = {
    "messages": PING * 5000,
    "empty messages": frame(Op.BINARY) * 5000,
    "WebSocket pings": frame(Op.PING) * 5000,
    "fragments": frame(Op.BINARY, final=False) + frame(Op.CONTINUATION, final=False) * 5000,
    "events": EVENT * 5000,
}


@pytest.mark.parametrize("what", AT_ONCE)
async def test_a_flood_in_one_go_is_closed_before_it_is_worked_off(autojump_clock: MockClock, what: str) -> None:
    async with offender() as bad:
        began = trio.current_time()
        await bad.send(AT_ONCE[what])
        while bad.closed is None:  # noqa: ASYNC110 - the clock is virtual: this polls nothing
            await trio.sleep(STEP_S)
        assert bad.closed.code == CloseCode.TOO_MANY_MESSAGES
        lasted_s = trio.current_time() - began
        assert lasted_s < BURST_S + MAX_PAUSES * MAX_PAUSE_S < 5000 / LIMITS.messages_per_second
        assert len(bad.pongs) <= LIMITS.messages_per_second * (BURST_S + lasted_s)
        assert len(bad.played.witness.take_events()) <= MAX_CLIENT_EVENTS
        await trio.sleep(CLOSE_DEADLINE_S + LINGER_TIMEOUT_S)
        await bad.played.assert_unharmed()


async def test_a_flood_of_small_frames_is_not_even_begun(autojump_clock: MockClock) -> None:
    async with offender() as bad:
        await bad.send(frame(Op.PING) * 5000)
        await trio.sleep(STEP_S)
        assert bad.closed == Closed(CloseCode.TOO_MANY_MESSAGES, "More than 300 messages a second; send less.")
        assert bad.pongs == []


async def test_what_a_stuck_line_held_back_passes(autojump_clock: MockClock) -> None:
    async with offender() as good:
        held_back = int(LIMITS.messages_per_second * BURST_S)
        for _ in range(3):
            await good.send(frame(Op.PING) * held_back)
            await trio.sleep(BURST_S + CHECK_S)
        assert good.closed is None
        assert len(good.pongs) == 3 * held_back


async def test_what_is_slowed_down_comes_late_and_is_not_lost(autojump_clock: MockClock) -> None:
    limits = Limits(messages_per_second=100)
    async with offender(limits) as fast:
        names = [str(number).encode() for number in range(int(limits.messages_per_second * (BURST_S + 1)))]
        await fast.send(b"".join(frame(Op.PING, name) for name in names))
        await trio.sleep(1 - STEP_S)
        assert fast.pongs == [], "all came in one read, and that has to wait for a second"
        await trio.sleep(2 * CHECK_S)
        assert fast.pongs == names
        assert fast.closed is None


# Connections


@attrs.define(eq=False)
class Street:
    """The server's port, with a proxy before it that says who comes."""

    played: Scene
    nursery: trio.Nursery
    answers: Counter[bytes] = attrs.field(factory=Counter[bytes])

    def arrive(self) -> trio.StapledStream[trio.testing.MemorySendStream, trio.testing.MemoryReceiveStream]:
        ours, theirs = memory_stream_pair()
        lobby = self.played.world.lobby
        self.nursery.start_soon(serve_http, theirs, Site({}, ()), lobby.handle_upgrade, lobby.door.limits)
        return ours

    async def knock(self, address: str) -> None:
        """Ask to become a WebSocket, join when that is granted, and note the answer's status."""
        stream = self.arrive()
        await stream.send_all(UPGRADE.replace(b"\r\n\r\n", f"\r\nX-Forwarded-For: {address}\r\n\r\n".encode()))
        head = bytes(await stream.receive_some())
        self.answers[head.split()[1]] += 1
        if head.startswith(b"HTTP/1.1 101 "):
            await stream.send_all(frame(Op.BINARY, build_join(Join("join", "meadow"))))
            with suppress(trio.BrokenResourceError):
                await trio.sleep(1)
        await trio.aclose_forcefully(stream)


@asynccontextmanager
async def street(limits: Limits) -> AsyncGenerator[Street]:
    async with scene(limits) as played, trio.open_nursery() as nursery:
        yield Street(played, nursery)
        nursery.cancel_scope.cancel()


async def test_of_hundreds_of_joins_a_second_from_one_address_a_few_get_through(autojump_clock: MockClock) -> None:
    async with street(Limits(trusted_proxies=1, joins_per_address=2)) as road:
        for _ in range(200):
            road.nursery.start_soon(road.knock, "203.0.113.9")
            await trio.sleep(0.001)
        assert road.answers[b"101"] <= 2 * (5 + 1) + 1
        assert road.answers[b"429"] >= 200 - 13
        await road.knock("203.0.113.10")
        assert road.answers[b"101"] <= 14, "another address is served"
        await trio.sleep(Watched.grace_s + 1)
        await road.played.assert_unharmed()


async def test_joins_from_everywhere_are_let_in_one_after_the_other(autojump_clock: MockClock) -> None:
    async with street(Limits(trusted_proxies=1, joins_per_second=20, handshake_timeout_s=2)) as road:
        for number in range(150):
            road.nursery.start_soon(road.knock, f"203.0.{number >> 8}.{number & 255}")
        await trio.sleep(0.5)
        assert road.answers[b"101"] <= TURN_BURST + 20 * 0.5
        await trio.sleep(2)
        assert TURN_BURST + 20 * 2 - 1 <= road.answers[b"101"] <= TURN_BURST + 20 * 2 + 1
        assert road.answers[b"503"] == 150 - road.answers[b"101"]
        await trio.sleep(Watched.grace_s + 2)
        await road.played.assert_unharmed()
        assert road.played.world.lobby.connections == 1


@pytest.mark.parametrize("dribble", [b"", b"G", b"GET /ws HTTP/1.1\r\nX-A: b\r\n"])
async def test_heads_that_never_end_are_given_up(autojump_clock: MockClock, dribble: bytes) -> None:
    async with street(Limits(head_timeout_s=4)) as road:
        streams = [road.arrive() for _ in range(50)]

        async def send(stream: trio.abc.Stream) -> None:
            with suppress(trio.BrokenResourceError):
                for byte in dribble * 100:
                    await stream.send_all(bytes([byte]))
                    await trio.sleep(0.5)

        before = len(road.nursery.child_tasks)
        for stream in streams:
            road.nursery.start_soon(send, stream)
        await trio.sleep(4 + 1 + 1.1)  # and the lingering close
        assert before == 50
        assert len(road.nursery.child_tasks) == 0
        await road.played.assert_unharmed()


async def test_websockets_that_never_join_are_given_up(autojump_clock: MockClock) -> None:
    async with street(Limits(join_timeout_s=3)) as road:
        for _ in range(50):
            await road.arrive().send_all(UPGRADE)
        await trio.sleep(1)
        assert road.played.world.lobby.connections == 51
        await trio.sleep(3 + 2 + 1)
        assert road.played.world.lobby.connections == 1
        await road.played.assert_unharmed()
