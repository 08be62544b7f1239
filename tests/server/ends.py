"""A transport between two ends of a stream, for tests."""

from __future__ import annotations

import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import attrs
import trio
import trio.testing

from tests.server.frames import Op, PlainParser, Said, frame
from tickwire.framing import build_frame
from tickwire.hub import Hub
from tickwire.transport import Transport

HEAD = (
    b"GET /ws HTTP/1.1\r\nHost: game\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
PONG = frame(Op.PONG, b"pong", key=None)
SNAPSHOT = build_frame(bytes(range(250)) * 4)
SOON_S = 10.0
"""By the real clock, for what is there at once."""


@attrs.define(eq=False)
class Ends:
    """A transport, the peer's end of its stream, and what it has delivered."""

    transport: Transport
    peer: trio.abc.Stream
    delivered: list[bytes]
    received: bytearray = attrs.field(init=False, factory=bytearray)

    async def read(self, count: int) -> None:
        """Let the peer read ``count`` bytes."""
        goal = len(self.received) + count
        with trio.fail_after(SOON_S):
            while len(self.received) < goal:
                self.received += await self.peer.receive_some(goal - len(self.received))

    def said(self) -> list[Said]:
        """What the peer has read; fails when it isn't whole frames."""
        parser = PlainParser()
        said = parser.feed(bytes(self.received))
        assert parser.feed(PONG) == [Said(Op.PONG, b"pong")], "the last frame is cut off"
        return said

    def fill(self) -> int:
        """Write snapshots until the socket takes no more; return how many were taken over."""
        count = 0
        while self.transport.write_nowait(SNAPSHOT):
            count += 1
        return count


@asynccontextmanager
async def between(
    server: trio.abc.Stream,
    peer: trio.abc.Stream,
    *,
    early: bytes = b"",
    start: bool = True,
    hub: Hub | None = None,
) -> AsyncGenerator[Ends]:
    delivered: list[bytes] = []
    async with server, peer, trio.open_nursery() as nursery:
        ends = Ends(Transport(server, HEAD + early, nursery, hub), peer, delivered)
        assert await ends.transport.receive_some() == HEAD
        if start:
            ends.transport.start(delivered.append)
        yield ends
        nursery.cancel_scope.cancel()


def sockets() -> tuple[trio.SocketStream, trio.SocketStream]:
    """A pair of the kernel's sockets with little room in them."""
    ours, theirs = trio.socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    return trio.SocketStream(ours), trio.SocketStream(theirs)


def tcp_sockets() -> tuple[trio.SocketStream, trio.SocketStream]:
    """A server's end of a connection, and a client's."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        theirs = socket.create_connection(listener.getsockname())
        ours, _ = listener.accept()
    return trio.SocketStream(trio.socket.from_stdlib_socket(ours)), trio.SocketStream(
        trio.socket.from_stdlib_socket(theirs)
    )


@asynccontextmanager
async def over_sockets() -> AsyncGenerator[Ends]:
    async with between(*sockets()) as ends:
        yield ends


@asynccontextmanager
async def in_memory(*, early: bytes = b"", start: bool = True) -> AsyncGenerator[Ends]:
    ours, theirs = trio.testing.memory_stream_pair()
    async with between(theirs, ours, early=early, start=start) as ends:
        yield ends
