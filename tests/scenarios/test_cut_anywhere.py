"""A connection is cut after any byte of a short game, in either direction: the player is back, with its seat.

All games run side by side, a room each, on one virtual clock; the client is the real one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import attrs
import trio
from trio.testing import MockClock

from tests.conftest import EXAMPLES
from tickwire.engine import UNHEARD_GRACE_S, Engine
from tickwire.player import LeaveReason, Player
from tickwire.room import Room
from tickwire.testing import World
from tickwire_client.client import Game, connect
from tickwire_client.frames import ServerFrames
from tickwire_shared.declare import Entity, Input, entity, inputs, integer
from tickwire_shared.delta import diff
from tickwire_shared.errors import JoinRefused
from tickwire_shared.server_messages import SnapshotMessage, build_snapshot, parse_server
from tickwire_shared.state import WorldState, private_checksum

HZ = 8
PLAYED_S = 0.76
"""When the uncut game is over: all bytes up to then are cut at."""

BACK_S = 2.01
"""When all must be back who had heard their WELCOME ..."""

GHOST_S = BACK_S + UNHEARD_GRACE_S
"""... and all others: they wait for their own ghost to be gone."""

AGAIN_S = 0.5

AT_ONCE = 60
"""A server lets so many in without a wait."""

STRIDE = 29
"""How many bytes lie between two cuts, unless TICKWIRE_EXAMPLES asks for more: then every byte is tried."""

INF = float("inf")


@inputs
class Push(Input):
    by: int = integer(-3, 3, default=0)


@entity
class Cart(Entity):
    x: int = integer(-999, 999, default=0)
    load: int = integer(0, 9, default=4, to="owner")


@entity
class Stone(Entity):
    x: int = integer(0, 99999)


class Track(Room[Push]):
    """Has one seat, so that a doubled one is refused."""

    name = "track"
    hz = HZ
    max_players = 1
    entities = (Cart, Stone)
    auto_dispose = False

    def on_create(self, options: object) -> None:
        self.stones = [self.spawn(Stone(x=1000 * number)) for number in range(24)]
        self.log: list[str] = []

    def on_join(self, player: Player[Push]) -> None:
        self.log.append(f"join {player.id}")
        self.spawn(Cart(), owner=player)

    def on_leave(self, player: Player[Push], reason: LeaveReason) -> None:
        self.log.append(f"leave {player.id}")

    def on_tick(self) -> None:
        self.stones[0].x = self.tick
        for player in self.players:
            for cart in player.owned:
                assert isinstance(cart, Cart)
                cart.x += player.input.by
                cart.load = self.tick % 10


@attrs.define(eq=False)
class CutStream(trio.abc.Stream):
    """A stream that breaks when so many bytes have gone up, or come down, and tells how many did."""

    inner: trio.abc.Stream
    up: float
    down: float
    sent: int = 0
    received: bytearray = attrs.field(factory=bytearray)
    joined_at: int = 0

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        part = data[: int(min(self.up - self.sent, len(data)))]
        await self.inner.send_all(part)
        self.sent += len(part)
        self.joined_at = self.joined_at or (self.sent if self.received else 0)
        if self.sent >= self.up:
            await trio.aclose_forcefully(self.inner)
            raise trio.BrokenResourceError("cut")

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        data = bytes(await self.inner.receive_some(max_bytes))
        data = data[: int(min(self.down - len(self.received), len(data)))]
        self.received += data
        if len(self.received) >= self.down:
            await trio.aclose_forcefully(self.inner)
        return data

    async def wait_send_all_might_not_block(self) -> None:
        await self.inner.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        await self.inner.aclose()


@attrs.define(eq=False)
class Ride:
    """One player's game, on connections of which the first is cut."""

    engine: Engine
    up: float = float("inf")
    down: float = float("inf")
    log: list[str] = attrs.field(factory=list[str])
    lines: list[CutStream] = attrs.field(factory=list[CutStream])
    game: Game = attrs.field(init=False)

    @property
    def name(self) -> str:
        return f"cut after {self.up} up, {self.down} down"

    async def play(self, world: World, until: Callable[[], Awaitable[None]]) -> None:
        async def dial() -> trio.abc.Stream:
            cut = (self.up, self.down) if not self.lines else (float("inf"), float("inf"))
            self.lines.append(CutStream(world.open_stream(), *cut))
            return self.lines[-1]

        while True:  # who was not let in asks again, as a page does
            try:
                async with connect("ws://world", room=self.engine.id, mode="id", dial=dial) as game:
                    self.game = game
                    game.steer(by=2)
                    await until()
                    return
            except JoinRefused:
                await trio.sleep(AGAIN_S)

    def check(self) -> None:
        """Everything is as if nothing had happened."""
        room = self.engine.room
        assert isinstance(room, Track)
        self.log = list(room.log)
        assert self.game.ended is None, self.name
        assert [player.connected for player in room.players] == [True], self.name
        replica, told = self.game.replica, self.engine.replicator.state
        assert replica.tick == self.engine.tick, self.name
        assert replica.state == told, self.name
        owned = tuple(room.players[0].entities)
        held = {ident: row for ident, (_, row) in self.engine.store.private_rows(owned).items()}
        assert replica.owned == frozenset(held), self.name
        assert private_checksum(told, tuple(held), held) == private_checksum(told, tuple(held), replica.private), (
            self.name
        )

    def first_snapshot(self, line: CutStream) -> bytes | None:
        """The first snapshot that came whole on a connection."""
        messages, _ = ServerFrames().feed(bytes(line.received))
        return next((data for data in messages if isinstance(parse_server(data), SnapshotMessage)), None)


async def rides(*cuts: tuple[float, float], play_s: float) -> list[Ride]:
    """Play games that are cut at these bytes up and down, and return them as they stand after ``play_s``."""
    made: list[Ride] = []
    for first in range(0, len(cuts), AT_ONCE):
        async with World(Track) as world, trio.open_nursery() as nursery:
            done = trio.Event()
            batch = [Ride(world.lobby.create(Track, {}), *cut) for cut in cuts[first : first + AT_ONCE]]
            for ride in batch:
                nursery.start_soon(ride.play, world, done.wait)
            await trio.sleep(play_s)
            for ride in batch:
                ride.check()
            done.set()
            made += batch
    return made


def places(first: int, last: int) -> list[int]:
    """The bytes to cut after: all, or some and both ends."""
    return sorted({*range(first, last, 1 if EXAMPLES else STRIDE), last - 1, last})


def end_of_welcome(received: bytes) -> int:
    """How many bytes it takes to hear all of WELCOME."""
    return next(size for size in range(len(received)) if ServerFrames().feed(received[:size])[0])


def check_resume(ride: Ride) -> None:
    """The player came back to its place, and was told less than all."""
    assert ride.log == ["join 1"], ride.name
    assert ride.game.stats.resumes == 1, ride.name
    if ride.first_snapshot(ride.lines[0]) is not None:
        whole = ride.engine.replicator.state
        full = build_snapshot(ride.engine.tick, 0, diff(WorldState.empty(whole.schema), whole))
        told = ride.first_snapshot(ride.lines[-1])
        assert told is not None
        assert len(told) < len(full) / 2, ride.name


async def test_a_connection_cut_after_any_byte_to_the_player_harms_nothing(autojump_clock: MockClock) -> None:
    (uncut,) = await rides((INF, INF), play_s=PLAYED_S)
    received = bytes(uncut.lines[0].received)
    welcomed = end_of_welcome(received)
    for ride in await rides(*((INF, place) for place in places(1, welcomed - 1)), play_s=GHOST_S):
        assert ride.log in (["join 1"], ["join 1", "leave 1", "join 2"]), ride.name
    for ride in await rides(*((INF, place) for place in places(welcomed, len(received))), play_s=BACK_S):
        check_resume(ride)


async def test_a_connection_cut_after_any_byte_from_the_player_harms_nothing(autojump_clock: MockClock) -> None:
    (uncut,) = await rides((INF, INF), play_s=PLAYED_S)
    line = uncut.lines[0]
    joined = line.joined_at
    for ride in await rides(*((place, INF) for place in places(1, joined - 1)), play_s=BACK_S):
        assert ride.log == ["join 1"], ride.name
        assert ride.game.stats.resumes == 0
    for ride in await rides(*((place, INF) for place in places(joined + 1, line.sent)), play_s=GHOST_S):
        if ride.game.stats.resumes:
            check_resume(ride)
        else:  # cut before it heard its WELCOME
            assert ride.log == ["join 1", "leave 1", "join 2"], ride.name
