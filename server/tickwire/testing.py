"""Test your game in milliseconds: a whole server and any number of clients in memory, under a virtual clock.

No port, no sleep, no flakiness: the clients are real ones, and every byte goes through the real handshake,
sessions and codec. With pytest-trio, ask for its ``autojump_clock`` fixture; without it, use `play`::

    from tickwire.testing import World, play

    async def test_a_player_moves(autojump_clock):
        async with World(Arena) as world:
            ada = await world.join("arena", name="Ada")
            ada.steer(thrust=True)
            await world.ticks(10)
            assert ada.all("Ship")[0].x > 0
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import trio
import trio.testing
from trio.testing import lockstep_stream_pair, memory_stream_pair

from tickwire.door import Door
from tickwire.engine import Engine
from tickwire.limits import Limits
from tickwire.lobby import Lobby
from tickwire.room import Room
from tickwire.token_key import TokenKey
from tickwire_client.client import Game, connect
from tickwire_client.conditioner import Link as Link
from tickwire_client.reconnect import Backoff
from tickwire_shared.client_messages import Mode
from tickwire_shared.errors import UsageError
from tickwire_shared.ticks import tick_add, tick_distance

T = TypeVar("T")
StreamT = TypeVar("StreamT", bound=trio.abc.Stream)
AnyRoom = type[Room[Any]]
MemoryStream = trio.StapledStream[trio.testing.MemorySendStream, trio.testing.MemoryReceiveStream]

HEAD_BYTES: Final = 16384
SHUT_DOWN_S: Final = 2.0

_BACKOFF: Final = Backoff()
_NOT_RUNNING: Final = "The world is not running: use `async with World(...) as world`."


def play(test: Callable[[], Awaitable[T]]) -> T:
    """Run an async function under trio with a clock that jumps over every wait, and return its result."""
    return trio.run(test, clock=trio.testing.MockClock(autojump_threshold=0))


class World:
    """A server of one or more room types in memory, and the clients that you let join.

    Use it with ``async with``; leaving the block lets the clients leave and the rooms end.
    """

    def __init__(
        self, *room_types: AnyRoom, seed: int = 0, limits: Limits | None = None, token_key: TokenKey | None = None
    ) -> None:
        """Offer ``room_types``; ``seed`` is for the clients' own randomness, the rest as for ``serve``."""
        self.lobby = Lobby(room_types, door=Door(limits), token_key=token_key)
        self._random = random.Random(seed)
        self._stack = AsyncExitStack()
        self._nursery: trio.Nursery | None = None
        self._clients: trio.Nursery | None = None
        self._closing = trio.Event()
        self._streams: dict[Game, list[trio.abc.Stream]] = {}

    async def __aenter__(self) -> Self:
        """Start the server.

        Raises:
            UsageError: It ran before.
        """
        if self._closing.is_set() or self._nursery is not None:
            raise UsageError("A world runs once; make another one.")
        nursery = await self._stack.enter_async_context(trio.open_nursery())
        self._nursery = nursery
        self._stack.callback(nursery.cancel_scope.cancel)
        await nursery.start(self.lobby.run)
        self._stack.push_async_callback(self.lobby.shut_down, SHUT_DOWN_S)
        self._clients = await self._stack.enter_async_context(trio.open_nursery())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        """Let the clients leave, then end the server. What the block raised comes out as it is, not in a group."""
        self._closing.set()
        try:
            if isinstance(error, Exception):  # the nurseries are not told, for they would wrap it
                kind = error = trace = None
            return await self._stack.__aexit__(kind, error, trace)
        finally:
            self._nursery = self._clients = None

    async def join(
        self, target: str, mode: Mode = "join_or_create", /, *, link: Link | None = None, **options: object
    ) -> Game:
        """Let a client join and return its game once it has its first snapshot.

        Args:
            target: The name of a room type, or with ``mode="id"`` a room's id.
            mode: As in ``tickwire_client.connect``.
            link: How bad the network is to be: ``Link(delay_ms=75, jitter_ms=20)``; adjustable later.
            options: Handed to the room.

        Raises:
            JoinRefused: The server said no; ``code`` and ``reason`` say why.
        """
        streams: list[trio.abc.Stream] = []

        async def dial() -> trio.abc.Stream:
            # Behind a link the server has to feel when the line is full: what a lockstep stream takes, somebody took.
            streams.append(self.open_stream() if link is None else self.open_narrow_stream())
            return streams[-1]

        client = connect(
            "ws://world",
            room=target,
            mode=mode,
            options=options,
            dial=dial,
            backoff=_BACKOFF,
            rng=self._random,
            link=link,
        )
        if self._clients is None:
            raise UsageError(_NOT_RUNNING)
        # A task of its own, so that a test may join from inside any nursery or cancel scope of its own.
        game: Game = await self._clients.start(self._hold, client)
        self._streams[game] = streams
        return game

    def open_stream(self) -> MemoryStream:
        """Open a bare connection to the server's port, for tests that speak the protocol by hand."""
        return self._open(*memory_stream_pair())

    def open_narrow_stream(self) -> trio.abc.Stream:
        """Open one that takes nothing before its reader has asked for it, so that who doesn't read is felt."""
        return self._open(*lockstep_stream_pair())

    async def cut(self, game: Game) -> None:
        """Break a client's connection without a close handshake; the client comes back by itself."""
        await trio.aclose_forcefully(self._streams[game][-1])

    async def ticks(self, count: int, room: Room[Any] | None = None) -> None:
        """Wait until ``room`` (or the only one) has simulated ``count`` more ticks and the clients have heard of it."""
        engine = self._engine(room)
        goal = tick_add(engine.tick, count)
        while tick_distance(engine.tick, goal) < 0 and not engine.over:  # noqa: ASYNC110 - the clock is virtual: this polls nothing
            await trio.sleep(0.5 / engine.room_type.hz)
        await trio.testing.wait_all_tasks_blocked()

    @property
    def rooms(self) -> tuple[Room[Any], ...]:
        """The rooms that run: your own objects, to look into."""
        return tuple(engine.room for engine in self.lobby.rooms)

    def _engine(self, room: Room[Any] | None) -> Engine:
        engines = [engine for engine in self.lobby.rooms if room is None or engine.room is room]
        if len(engines) != 1:
            raise UsageError(f"{len(engines)} rooms run; join one first, or say which one with ticks(count, room).")
        return engines[0]

    def _open(self, ours: StreamT, theirs: trio.abc.Stream) -> StreamT:
        self._server.start_soon(self._serve, theirs)
        return ours

    @property
    def _server(self) -> trio.Nursery:
        if self._nursery is None:
            raise UsageError(_NOT_RUNNING)
        return self._nursery

    async def _hold(self, client: AbstractAsyncContextManager[Game], task_status: trio.TaskStatus[Game]) -> None:
        async with client as game:
            task_status.started(game)
            await self._closing.wait()

    async def _serve(self, stream: trio.abc.Stream) -> None:
        head = b""
        try:
            while b"\r\n\r\n" not in head:
                received = await stream.receive_some(HEAD_BYTES)
                if not received or len(head) > HEAD_BYTES:
                    return
                head += bytes(received)
            await self.lobby.handle_upgrade(stream, head)
        finally:
            await trio.aclose_forcefully(stream)
