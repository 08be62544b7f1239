"""A room without a network: the engine itself, and players that decode what it writes to them."""

from __future__ import annotations

from array import array
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Protocol, TypeVar

import attrs
import trio
import trio.testing

from tests.server.held import Held
from tickwire.engine import Engine
from tickwire.outbox import Outbox
from tickwire.player import LeaveReason, Player
from tickwire.pulse import Pulse
from tickwire.room import Room
from tickwire.seat import Seat
from tickwire_shared.server_messages import ServerMessage, Welcome, parse_server
from tickwire_shared.ticks import tick_add, tick_distance
from tickwire_shared.wire_values import Wire

MessageT = TypeVar("MessageT", bound=ServerMessage)


def unframe(data: bytes) -> list[bytes]:
    """Split what a server wrote into the payloads of its frames: whole, unmasked and binary."""
    payloads: list[bytes] = []
    at = 0
    while at < len(data):
        assert data[at] == 0x82, f"byte {data[at]:#x} starts no frame"
        size = data[at + 1]
        assert size < 128, "a server masks nothing"
        start = at + 2 + {126: 2, 127: 8}.get(size, 0)
        size = size if size < 126 else int.from_bytes(data[at + 2 : start], "big")
        payloads.append(data[start : start + size])
        assert len(payloads[-1]) == size, "a frame is cut off"
        at = start + size
    return payloads


@attrs.define(eq=False)
class FakeLink:
    """A connection as a room sees it; ``blocked`` is up to the test. With an ``outbox`` it can follow."""

    outbox: LinkOutbox | None = None
    written: list[bytes] = attrs.field(factory=list[bytes])
    closed: tuple[int, str] | None = None
    is_admitted: bool = False
    follows: bool = attrs.field(init=False, default=False)
    _blocked: bool = attrs.field(init=False, default=False)
    _stand_apart: Callable[[], None] | None = attrs.field(init=False, default=None)

    @property
    def blocked(self) -> bool:
        return self._blocked

    @blocked.setter
    def blocked(self, blocked: bool) -> None:
        self._blocked = blocked
        if blocked and self._stand_apart is not None:
            self._stand_apart()

    @property
    def line(self) -> FakeLink:
        return self

    def post(self, frames: bytes) -> bool:
        if self.blocked or self.closed is not None:
            return False
        self.written.append(frames)
        return True

    def follow(self, stand_apart: Callable[[], None]) -> int:
        assert not self.follows
        if self.outbox is None or self.blocked or self.closed is not None:
            return -1
        self._stand_apart = stand_apart
        self.follows = True
        return self.outbox.number_of(self)

    def unfollow(self) -> None:
        assert self.follows
        self._stand_apart = None
        self.follows = False

    @property
    def last_heard(self) -> float:
        return trio.current_time()

    def close(self, code: int, reason: str) -> None:
        self.closed = self.closed or (code, reason)
        if self._stand_apart is not None:
            self._stand_apart()

    def admitted(self) -> None:
        self.is_admitted = True

    def take(self) -> list[ServerMessage]:
        """The messages since the last call."""
        data, self.written = b"".join(self.written), []
        return [parse_server(payload) for payload in unframe(data)]


class Follower(Protocol):
    """A line that can follow."""

    follows: bool

    def post(self, frames: bytes) -> bool: ...


class LinkOutbox(Outbox):
    """Hands what is posted to links, which have numbers of their own here."""

    def __init__(self) -> None:
        super().__init__()
        self._links: list[Follower] = []

    def number_of(self, link: Follower) -> int:
        if link not in self._links:
            self._links.append(link)
        return self._links.index(link)

    def send(self) -> None:
        filenos, frames = self.filenos, self.frames
        self.filenos, self.frames = array("i"), []
        for number, data in zip(filenos, frames, strict=True):
            assert self._links[number].follows, "what follows is posted for it alone"
            assert self._links[number].post(data)


def outbox_of(engine: Engine) -> LinkOutbox:
    """That of a room that is `running`."""
    outbox = engine.replicator.audience.outbox
    assert isinstance(outbox, LinkOutbox)
    return outbox


@attrs.define(eq=False)
class FakePlayer:
    """A player of a room: takes a seat, and holds what a client would hold."""

    engine: Engine
    options: Mapping[str, object] = attrs.field(factory=dict[str, object])
    may_follow: bool = True
    link: FakeLink = attrs.field(init=False)
    seat: Seat = attrs.field(init=False)
    generation: int = attrs.field(init=False)
    held: Held = attrs.field(init=False)
    welcome: Welcome | None = attrs.field(init=False, default=None)
    log: list[ServerMessage] = attrs.field(init=False, factory=list[ServerMessage])

    def __attrs_post_init__(self) -> None:
        self.held = Held(self.engine.room_type.schema)
        self.link = self._new_link()
        self.seat, self.generation = self.engine.reserve(self.options, self.link)

    def _new_link(self) -> FakeLink:
        outbox = self.engine.replicator.audience.outbox
        return FakeLink(outbox if self.may_follow and isinstance(outbox, LinkOutbox) else None)

    @property
    def player(self) -> Player[Any]:
        """The player as the room's author sees it."""
        return self.seat.player

    def hear(self) -> list[ServerMessage]:
        """Take in what was written since the last call; every delta fits and every checksum is right."""
        messages = self.link.take()
        for message in messages:
            if isinstance(message, Welcome):
                self.welcome = message
                self.engine.confirm(self.seat)  # as by the first message of a real client
            else:
                assert self.welcome is not None, "something came before WELCOME"
                self.held.take(message)
        self.log += messages
        return messages

    def heard(self, kind: type[MessageT]) -> list[MessageT]:
        """All messages of a kind so far."""
        self.hear()
        return [message for message in self.log if isinstance(message, kind)]

    def send_input(self, tick: int, *values: tuple[int, ...]) -> None:
        """Send inputs for ``tick`` and the ticks after it."""
        self.engine.put_inputs(self.seat, tick, values)

    def drop(self) -> None:
        """Lose the connection, and whatever was written and not yet heard."""
        self.link.written.clear()
        self.engine.lost(self.seat, self.generation, LeaveReason.LOST)

    def leave(self) -> None:
        """Go for good."""
        self.engine.lost(self.seat, self.generation, LeaveReason.LEFT)

    def resume(self) -> None:
        """Come back on a new connection, from the tick that is held."""
        assert self.welcome is not None
        self.link = self._new_link()
        self.held.begin()
        self.seat, self.generation = self.engine.resume(self.welcome.token, self.held.tick, self.link)


@asynccontextmanager
async def running(room_type: type[Room[Any]], **options: object) -> AsyncGenerator[Engine]:
    """Run a room for as long as the block takes."""
    async with trio.open_nursery() as nursery:
        pulse = Pulse()
        pulse.hub.outbox = LinkOutbox()
        engine = Engine(room_type, "room1", options, pulse)
        nursery.start_soon(pulse.run)
        nursery.start_soon(engine.run)
        yield engine
        nursery.cancel_scope.cancel()


async def ticks(engine: Engine, count: int = 1) -> None:
    """Wait until the room has simulated ``count`` more ticks, or is over."""
    goal = tick_add(engine.tick, count)
    while tick_distance(engine.tick, goal) < 0 and not engine.ended.is_set():  # noqa: ASYNC110 - virtual clock
        await trio.sleep(0.5 / engine.room_type.hz)
    await trio.testing.wait_all_tasks_blocked()


async def joined(engine: Engine, count: int = 1) -> list[FakePlayer]:
    """Players that have heard all there was so far."""
    players = [FakePlayer(engine) for _ in range(count)]
    await ticks(engine)
    for player in players:
        player.hear()
        player.log.clear()
    return players


def projection(engine: Engine, player: FakePlayer) -> tuple[object, object]:
    """What the server holds for a player: the public state, and the private values of what it owns."""
    state = engine.replicator.state
    secrets: dict[int, dict[str, Wire]] = {}
    owned = [item.id for item in player.player.owned if item.id]
    for ident, (item, row) in engine.store.private_rows(owned).items():
        secrets[ident] = {field.name: wire for field, wire in zip(item.private, row, strict=True)}
    return state.to_dict(), secrets


def assert_up_to_date(engine: Engine, *players: FakePlayer) -> None:
    for player in players:
        player.hear()
        assert (player.held.public(), player.held.secrets()) == projection(engine, player)
