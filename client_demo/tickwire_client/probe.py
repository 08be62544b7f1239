"""Single connections for looking into what goes wrong: every step by hand, every answer kept.

A player's connection (`connection.py`) hides what this is about. The bytes are wsproto's and h11's business.
"""

from __future__ import annotations

from collections import deque
from typing import Final

import h11
import trio
from attrs import define, field, frozen
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)
from wsproto.utilities import RemoteProtocolError

from tickwire_shared.closing import ABNORMAL

MAX_BODY_BYTES: Final = 16 * 1024
_RECEIVE_BYTES: Final = 65_536
_BROKEN: Final = (trio.BrokenResourceError, trio.ClosedResourceError)


@frozen
class HttpAnswer:
    """An answer to a plain request.

    Attributes:
        headers: Their names are in lower case.
        body: At most `MAX_BODY_BYTES` of it.
    """

    status: int
    headers: dict[str, str] = field(repr=False)
    body: bytes

    @property
    def sentence(self) -> str:
        """The first line of the body, for a person."""
        lines = self.body.decode(errors="replace").split("\n")
        return lines[0].strip()[:200]


@frozen
class NotHttp:
    """What came was no HTTP.

    Attributes:
        seen: The first bytes; b"" if the connection just ended.
    """

    seen: bytes


@frozen
class Said:
    """A message of the server's."""

    data: bytes | str


@frozen
class Closed:
    """How the connection ended; 1006 when it broke."""

    code: int
    reason: str


async def get(stream: trio.abc.Stream, host: str, target: str) -> HttpAnswer | NotHttp:
    """Ask for ``target`` and read the answer; the stream is of no further use."""
    http = h11.Connection(h11.CLIENT)
    headers = [("Host", host), ("User-Agent", "tickwire-doctor"), ("Connection", "close")]
    request = http.send(h11.Request(method="GET", target=target, headers=headers)) or b""
    seen, answer, body = b"", None, b""
    try:
        await stream.send_all(request + (http.send(h11.EndOfMessage()) or b""))
        while len(body) < MAX_BODY_BYTES:
            event = http.next_event()
            if event is h11.NEED_DATA:
                data = bytes(await stream.receive_some(_RECEIVE_BYTES))
                seen = seen or data
                http.receive_data(data)
            elif isinstance(event, h11.Response):
                answer = event
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif not isinstance(event, h11.InformationalResponse):
                break
    except (h11.RemoteProtocolError, *_BROKEN):
        pass  # what was read so far says enough
    if answer is None:
        return NotHttp(seen)
    return HttpAnswer(answer.status_code, _texts(list(answer.headers)), body[:MAX_BODY_BYTES])


@define(eq=False)
class Probe:
    """One WebSocket, driven by hand."""

    stream: trio.abc.Stream
    _socket: WSConnection = field(init=False, factory=lambda: WSConnection(ConnectionType.CLIENT))
    _events: deque[Event] = field(init=False, factory=deque[Event])

    async def upgrade(self, host: str, target: str, origin: str | None) -> HttpAnswer | NotHttp | None:
        """Do the opening handshake; None when it succeeded, else what came instead.

        Args:
            host: For the Host header.
            target: The path, with the query.
            origin: What a browser would say of the page; None for no such header.
        """
        headers = [] if origin is None else [(b"Origin", origin.encode())]
        refusal: RejectConnection | None = None
        body = b""
        try:
            await self.stream.send_all(self._socket.send(Request(host=host, target=target, extra_headers=headers)))
            while len(body) < MAX_BODY_BYTES:
                event = await self._next()
                if isinstance(event, AcceptConnection):
                    return None
                if isinstance(event, RejectConnection):
                    refusal = event
                if isinstance(event, RejectData):
                    body += event.data
                if refusal is not None and (not refusal.has_body or getattr(event, "body_finished", False)):
                    break
        except (RemoteProtocolError, EOFError, *_BROKEN) as error:
            if refusal is None:
                return NotHttp(b"" if isinstance(error, EOFError) else str(error).encode())
        assert refusal is not None
        return HttpAnswer(refusal.status_code, _texts(list(refusal.headers)), body[:MAX_BODY_BYTES])

    async def say(self, data: bytes) -> None:
        """Send one binary message; a connection that broke is told of by ``next``."""
        try:
            await self.stream.send_all(self._socket.send(BytesMessage(data=data)))
        except _BROKEN:
            self._events.append(CloseConnection(ABNORMAL, "The connection broke."))

    async def next(self) -> Said | Closed:
        """The next message, or how the connection ended."""
        parts: list[bytes] = []
        while True:
            try:
                event = await self._next()
            except (RemoteProtocolError, EOFError, *_BROKEN) as error:
                return Closed(ABNORMAL, str(error) or "The connection broke.")
            match event:
                case BytesMessage():
                    parts.append(bytes(event.data))
                    if event.message_finished:
                        return Said(b"".join(parts))
                case TextMessage():
                    return Said(str(event.data))
                case Ping():
                    await self.stream.send_all(self._socket.send(event.response()))
                case CloseConnection():
                    return Closed(event.code, event.reason or "")
                case _:
                    pass  # a pong

    async def _next(self) -> Event:
        while not self._events:
            data = bytes(await self.stream.receive_some(_RECEIVE_BYTES))
            if not data:
                raise EOFError
            self._socket.receive_data(data)
            self._events.extend(self._socket.events())
        return self._events.popleft()


def _texts(headers: list[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}
