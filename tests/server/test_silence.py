"""Dead peers are found, whoever gives any sign of life is not one, and a server that slept accuses nobody."""

from __future__ import annotations

import attrs
import pytest
import trio
from trio.testing import MockClock

from tests.server.frames import Op, frame
from tests.server.kit import FakeLink, running, ticks
from tests.server.raw_client import Closed, RawClient
from tickwire.framing import PING_FRAME
from tickwire.player import LeaveReason, Player
from tickwire.room import Room
from tickwire.testing import World
from tickwire_shared.client_messages import Join
from tickwire_shared.closing import CloseCode
from tickwire_shared.errors import DeclarationError

SILENCE_S = 6.0
CHECK_S = 1.0


class Hall(Room[None]):
    """Notes who comes and goes."""

    silence_s = SILENCE_S
    auto_dispose = False

    def on_create(self, options: object) -> None:
        self.log: list[str] = []

    def on_drop(self, player: Player[None]) -> None:
        self.log.append(f"drop {player.id}")

    def on_leave(self, player: Player[None], reason: LeaveReason) -> None:
        self.log.append(f"leave {player.id}: {reason.value}")


@attrs.define(eq=False)
class Peer(FakeLink):
    """A connection of which the test says when something was heard."""

    heard_at: float = 0.0
    pings: list[float] = attrs.field(factory=list[float])

    @property
    def last_heard(self) -> float:
        return self.heard_at

    def post(self, frames: bytes) -> bool:
        if frames.startswith(PING_FRAME):
            self.pings.append(trio.current_time())
        return super().post(frames)


class Answering(Peer):
    """One that answers pings and says nothing else."""

    def post(self, frames: bytes) -> bool:
        if frames.startswith(PING_FRAME):
            self.heard_at = trio.current_time()
        return super().post(frames)


async def joined(world: World) -> RawClient:
    client = RawClient(world.open_stream())
    await client.open()
    await client.join(Join("join_or_create", "hall"))
    return client


async def test_a_dead_peer_is_given_up_in_time_and_keeps_its_seat(autojump_clock: MockClock) -> None:
    async with World(Hall) as world:
        client = await joined(world)
        began = trio.current_time()
        assert await client.closed() == Closed(CloseCode.TIMED_OUT, "Nothing was heard of you for 6 s.")
        assert SILENCE_S - CHECK_S <= trio.current_time() - began <= SILENCE_S + 2 * CHECK_S
        await world.ticks(2)
        (room,) = world.rooms
        assert isinstance(room, Hall)
        assert room.log == ["drop 1"]
        assert [player.connected for player in room.players] == [False]


async def test_a_peer_that_only_answers_pings_lives(autojump_clock: MockClock) -> None:
    async with World(Hall) as world:
        client = await joined(world)
        pings = 0
        end = trio.current_time() + 30.0
        while trio.current_time() < end:
            if (said := await client.next()).op is Op.PING:
                pings += 1
                await client.stream.send_all(frame(Op.PONG, said.payload))
        assert world.lobby.rooms[0].silence.given_up == 0
        assert pings == pytest.approx(30.0 / (SILENCE_S / 2), abs=4)


async def test_a_peer_that_talks_is_never_pinged(autojump_clock: MockClock) -> None:
    async with World(Hall) as world:
        game = await world.join("hall")
        await trio.sleep(30.0)
        assert game.stats.disconnects == 0
        peer = Peer()
        (engine,) = world.lobby.rooms
        engine.reserve({}, peer)
        for _ in range(20):
            peer.heard_at = trio.current_time()
            await trio.sleep(1.0)
        assert peer.pings == []


async def test_a_server_that_slept_gives_its_peers_the_time_again(autojump_clock: MockClock) -> None:
    async with running(Hall) as engine:
        peer = Peer()
        engine.reserve({}, peer)
        await trio.sleep(1.0)
        peer.heard_at = trio.current_time()
        autojump_clock.jump(3 * SILENCE_S)
        await trio.sleep(SILENCE_S - CHECK_S)
        closed_at_once = peer.closed is not None
        await trio.sleep(3 * CHECK_S)
        assert not closed_at_once
        assert peer.closed == (CloseCode.TIMED_OUT, "Nothing was heard of you for 6 s.")
        assert engine.silence.given_up >= 1
        await ticks(engine)


class Restful(Hall):
    """Has nothing to do, and says so."""

    name = "hall"

    def on_tick(self) -> None:
        self.rest()


async def test_a_room_at_rest_pings_in_time_and_finds_a_dead_peer(autojump_clock: MockClock) -> None:
    async with running(Restful) as engine:
        alive, dead = Answering(), Peer()
        for peer in (alive, dead):
            peer.heard_at = trio.current_time()
            engine.reserve({}, peer)
        await trio.sleep(2 * SILENCE_S)
        assert dead.closed == (CloseCode.TIMED_OUT, "Nothing was heard of you for 6 s.")
        assert 1 <= len(dead.pings) <= 6
        assert alive.closed is None


@pytest.mark.parametrize("silence_s", [0, 2.9, -1, "15", True])
def test_a_room_can_not_bear_too_little_silence(silence_s: object) -> None:
    with pytest.raises(DeclarationError, match=r"silence_s is .*; use 3 or more seconds"):
        type("Deaf", (Room,), {"silence_s": silence_s})
