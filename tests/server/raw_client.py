"""A client that speaks the protocol by hand, well or badly, over a stream in memory."""

from __future__ import annotations

import attrs
import trio

from tests.server.frames import Op, PlainParser, Said, frame
from tickwire_shared.client_messages import Join, build_join
from tickwire_shared.server_messages import ServerMessage, Welcome, parse_server

UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: world\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)

CLOSE_WITHIN_S = 30.0
"""A room may go on for ever: a server that doesn't close fails a test instead of holding it up."""


@attrs.frozen
class Closed:
    """How a connection ended."""

    code: int
    reason: str


@attrs.define(eq=False)
class RawClient:
    """A WebSocket client without manners: sends any frame, and reads what comes."""

    stream: trio.abc.Stream
    _parser: PlainParser = attrs.field(init=False, factory=PlainParser)
    _said: list[Said] = attrs.field(init=False, factory=list[Said])

    async def open(self, behind: bytes = b"") -> None:
        """Do the opening handshake; ``behind`` goes out in one piece with the request."""
        await self.stream.send_all(UPGRADE + behind)
        await self.open_answered()

    async def open_answered(self) -> None:
        """Read the answer to the opening handshake."""
        head = b""
        while b"\r\n\r\n" not in head:
            head += await self._receive()
        assert head.startswith(b"HTTP/1.1 101 "), head
        self._said += self._parser.feed(head.partition(b"\r\n\r\n")[2])

    async def send(self, *messages: bytes) -> None:
        """Send binary messages, in one piece."""
        await self.stream.send_all(b"".join(frame(Op.BINARY, message) for message in messages))

    async def next(self) -> Said:
        """The next message or control frame."""
        while not self._said:
            self._said += self._parser.feed(await self._receive())
        return self._said.pop(0)

    async def next_message(self) -> ServerMessage:
        """The next message, parsed."""
        said = await self.next()
        assert said.op is Op.BINARY, said
        return parse_server(said.payload)

    async def join(self, join: Join) -> Welcome:
        """Join a room and return its answer."""
        await self.send(build_join(join))
        welcome = await self.next_message()
        assert isinstance(welcome, Welcome), welcome
        return welcome

    async def closed(self) -> Closed:
        """Read on until the server closes; say how it did."""
        with trio.fail_after(CLOSE_WITHIN_S):
            while (said := await self.next()).op is not Op.CLOSE:
                pass
        return Closed(said.close_code, said.close_reason)

    async def _receive(self) -> bytes:
        data = bytes(await self.stream.receive_some())
        if not data:
            raise EOFError("the server ended the stream without a close frame")
        return data
