"""The network client: `connect` joins a room and gives a `Game` to play.

Three tasks per game, all in the nursery that ``connect`` opens::

    connect
    +-- Game.run            one connection after the other: dial, handshake, join or resume, backoff
        +-- listener        waits for the end; messages are delivered, through the session, as they are read
        +-- sender          the only one that sends: what was asked for, PINGs and inputs when they are due
"""

from __future__ import annotations

import random
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import assert_never

import trio

from tickwire_client.address import Address, parse_address
from tickwire_client.client_session import ClientSession, Effect, Happened, Phase, Send, Updated, Welcomed
from tickwire_client.conditioner import Link
from tickwire_client.connection import Connection, Dial, converse, tcp_dial
from tickwire_client.decoding import Decoder, PlainDecoder
from tickwire_client.game_view import GameView
from tickwire_client.reconnect import NEVER, Backoff
from tickwire_client.sender import Sender, now_ms
from tickwire_client.views import EventView
from tickwire_shared.client_messages import Join, Mode
from tickwire_shared.closing import ABNORMAL, CloseCode, RetryPolicy
from tickwire_shared.errors import ConnectionEnded, JoinRefused, UsageError

JOIN_TIMEOUT_S = 15.0
LEAVE_TIMEOUT_S = 2.0  # for the server's answer to LEAVE
DEFAULT_BACKOFF = Backoff()


class Game(GameView):
    """A room being played over the network. Made by ``connect``.

    All methods are for tasks of the same trio loop, any number of them at once.
    """

    def __init__(
        self,
        address: Address,
        session: ClientSession,
        dial: Dial,
        *,
        backoff: Backoff,
        rng: random.Random,
        thrifty: bool,
        link: Link | None = None,
    ) -> None:
        """Prepare; ``run`` does the work."""
        super().__init__(session)
        self._address = address
        self._dial = dial
        self._backoff = backoff
        self._rng = rng
        self._thrifty = thrifty
        self._link = link
        self._sender: Sender | None = None
        self._updates = trio.lowlevel.ParkingLot()
        self._events = trio.lowlevel.ParkingLot()
        self._waits: Iterator[float] | None = None
        self._leaving = False
        self._ended: ConnectionEnded | None = None

    @property
    def ended(self) -> ConnectionEnded | None:
        """Why the game is over for this player; None while it is not."""
        return self._ended

    async def next_snapshot(self) -> int:
        """Wait for the next snapshot and return its tick. Cancellation loses nothing.

        Raises:
            ConnectionEnded: The game is over for this player.
        """
        await self._wait(self._updates)
        return self.tick

    def events(self) -> EventIterator:
        """Iterate over the events of the room, from the oldest that nobody has taken yet.

        Each event goes to one iteration only, and stopping in the middle loses none. Ends when this player leaves.

        Raises:
            ConnectionEnded: While iterating: the game ended in another way.
        """
        return EventIterator(self.next_event)

    async def next_event(self) -> EventView | None:
        """Wait for the next event; None when this player has left.

        Raises:
            ConnectionEnded: The game ended in another way.
        """
        await trio.lowlevel.checkpoint()
        while True:
            event = self.take_event()
            if event is not None or self._leaving:
                return event
            if self._ended is not None:
                raise self._ended
            await self._events.park()

    async def leave(self) -> None:
        """Give up the seat and wait, for a short time, until the server has confirmed it."""
        if self._leaving or self._ended is not None:
            return
        self._leaving = True
        if self.session.phase is not Phase.PLAYING:
            return
        self._outbox.append(self.session.leave())
        self._wake()
        with trio.move_on_after(LEAVE_TIMEOUT_S):
            while self._ended is None:
                await self._updates.park()

    async def wait_joined(self) -> None:
        """Wait until the first snapshot is there.

        Raises:
            JoinRefused: The server refused, can't be reached, or doesn't answer.
        """
        with trio.move_on_after(JOIN_TIMEOUT_S):
            while self.session.replica is None or self.session.replica.tick is None:
                await self._wait(self._updates)
            return
        raise JoinRefused(ABNORMAL, f"{self._address.url} did not answer the join within {JOIN_TIMEOUT_S:.0f} s.")

    async def run(self) -> None:
        """Play until the game is over for this player; for ``connect`` alone."""
        while True:
            ended = await converse(self._address, self._dial, self._deliver, self._talk, self._link)
            if self._leaving:
                # The server may have closed its end before it had read all that was under way to it.
                ended = ConnectionEnded(CloseCode.LEFT, "This player left.")
            policy = self.session.lose(ended.code)
            if policy is RetryPolicy.NEVER or not await self._pause(policy):
                break
        self.session.end()
        refused = self.session.welcome is None
        self._ended = JoinRefused(ended.code, ended.reason) if refused else ended
        self._updates.unpark_all()
        self._events.unpark_all()

    async def _pause(self, policy: RetryPolicy) -> bool:
        """Wait before the next attempt; False when there is to be none."""
        if self._waits is None:
            self._waits = self._backoff.waits_s(self._rng, at_once=policy is RetryPolicy.NOW)
        wait_s = next(self._waits, None)
        if wait_s is None:
            return False
        await trio.sleep(wait_s)
        return not self._leaving

    async def _talk(self, connection: Connection) -> None:
        await connection.send(self.session.begin(now_ms()))
        async with trio.open_nursery() as nursery:
            self._sender = Sender(self, connection)
            nursery.start_soon(self._sender.run)
            await connection.listen()

    def _deliver(self, data: bytes) -> None:
        for effect in self.session.receive(data, now_ms()):
            self._carry_out(effect)
            if self._thrifty and self._sender is not None and type(effect) is Updated:
                self._sender.send_early()

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case Updated():
                self._updates.unpark_all()
            case Happened(event):
                self.note_event(event)
                self._events.unpark_all()
            case Send(data):
                self._outbox.append(data)
                self._wake()
            case Welcomed():
                self._waits = None
                self._wake()
            case _:
                assert_never(effect)

    async def _wait(self, lot: trio.lowlevel.ParkingLot) -> None:
        if self._ended is None:
            await lot.park()
        if self._ended is not None:
            raise self._ended

    def _now_ms(self) -> float:
        return now_ms()

    def _wake(self) -> None:
        if self._sender is not None:
            self._sender.wake()


class EventIterator(AsyncIterator[EventView]):
    """What ``async for event in game.events()`` runs on. Not a generator, which would want to be closed."""

    def __init__(self, wait: Callable[[], Awaitable[EventView | None]]) -> None:
        """Iterate over what ``wait`` returns until that is None."""
        self._wait = wait

    async def __anext__(self) -> EventView:
        """The next event."""
        event = await self._wait()
        if event is None:
            raise StopAsyncIteration
        return event


@asynccontextmanager
async def connect(
    url: str,
    *,
    room: str = "",
    reservation: str | None = None,
    mode: Mode = "join_or_create",
    options: Mapping[str, object] | None = None,
    stream: trio.abc.Stream | None = None,
    dial: Dial | None = None,
    backoff: Backoff = DEFAULT_BACKOFF,
    rng: random.Random | None = None,
    decoder: Decoder | None = None,
    thrifty: bool = False,
    link: Link | None = None,
    snap: Mapping[str, float] | None = None,
    ssl_context: ssl.SSLContext | None = None,
) -> AsyncGenerator[Game]:
    """Join a room and play in it; leaving the block leaves the room.

    Entering waits for the first snapshot. A lost connection is resumed in the background; meanwhile
    the last state stays readable. What the block raises comes out as it is, not in a group.

    Args:
        url: The server, like ``ws://127.0.0.1:8000``; the address of its page will do.
        room: A room type, or with ``mode="id"`` a room's id.
        reservation: Of a seat that the server's matchmaking keeps, instead of ``room`` and ``mode``.
        mode: Join a room that has a free seat or create one, only create, only join, or join by id.
        options: Handed to the room.
        stream: Talk over this stream instead of dialling, once: the game then never reconnects.
        dial: Opens each connection's stream, instead of TCP to ``url``.
        backoff: When to try again after a lost connection.
        rng: Where the backoff's jitter comes from.
        decoder: For many clients of one room in one process: a ``SharedDecoder`` that all are given.
        thrifty: Send inputs when a snapshot comes, up to a tick early, instead of by a timer of its own: for swarms.
        link: How bad the network is to be; for tests and demonstrations.
        snap: Units by entity class: what moves farther from one snapshot to the next jumps in ``entity.view``;
            an eighth of a field's range unless given.
        ssl_context: For ``wss``; by default the system's certificates decide.

    Raises:
        JoinRefused: The server refused the join, can't be reached or doesn't answer.
        UsageError: The URL is not one, or neither a room nor a reservation is given.
    """
    address = parse_address(url)
    if reservation is not None:
        room, mode = reservation, "reserved"
    if not room:
        raise UsageError("connect() needs to know which room: give it room= or reservation=.")
    if stream is not None:
        dial, backoff = _dial_once(stream), NEVER
    dial = dial or tcp_dial(address, ssl_context)
    session = ClientSession(Join(mode, room, options=dict(options or {})), decoder or PlainDecoder(), dict(snap or {}))
    game = Game(address, session, dial, backoff=backoff, rng=rng or random.Random(), thrifty=thrifty, link=link)
    failure: Exception | None = None
    async with trio.open_nursery() as nursery:
        running = trio.CancelScope(shield=True)  # a cancelled player still says goodbye
        nursery.start_soon(_run_in, running, game)
        try:
            await game.wait_joined()
            yield game
        except Exception as error:  # any: raised again below, where the nursery can't wrap it in a group
            failure = error
        finally:
            with trio.CancelScope(shield=True):
                await game.leave()
            running.cancel()
    if failure is not None:
        raise failure


async def _run_in(scope: trio.CancelScope, game: Game) -> None:
    with scope:
        await game.run()


def _dial_once(stream: trio.abc.Stream) -> Dial:
    async def dial() -> trio.abc.Stream:
        return stream

    return dial
