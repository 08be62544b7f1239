"""One WebSocket connection to a server. The only file of the client that knows trio-websocket.

trio-websocket tells of a refused upgrade by an exception in a background task, and of a peer that
hangs up during the handshake not at all; both end here as a ``ConnectionEnded``.
"""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable, Iterator
from typing import cast

import trio
from trio_websocket import ConnectionClosed, ConnectionRejected, WebSocketConnection, wrap_client_stream

from tickwire_client.address import Address
from tickwire_shared.closing import ABNORMAL, CloseCode
from tickwire_shared.errors import ConnectionEnded
from tickwire_shared.packing import MAX_SERVER_MESSAGE_BYTES

OPEN_TIMEOUT_S = 10.0
RECEIVE_BYTES = 65_536

Dial = Callable[[], Awaitable[trio.abc.Stream]]
"""Opens a stream to the server; called once per connection."""


class Link:
    """An open connection: binary messages both ways. Everything raises ConnectionEnded once it is over."""

    def __init__(self, socket: WebSocketConnection) -> None:
        """Wrap an open WebSocket."""
        self._socket = socket

    async def send(self, data: bytes) -> None:
        """Send one message. If cancelled, the connection can't be used any more."""
        try:
            await self._socket.send_message(data)
        except ConnectionClosed as closed:
            raise _ended(closed) from None

    async def receive(self) -> bytes:
        """Wait for the next message."""
        try:
            message = await self._socket.get_message()
        except ConnectionClosed as closed:
            raise _ended(closed) from None
        if isinstance(message, str):
            raise ConnectionEnded(CloseCode.BAD_MESSAGE, "The server sent a text message.")
        return message

    async def close(self, code: int, reason: str) -> None:
        """Close with a code and a sentence."""
        await self._socket.aclose(code, reason)


async def converse(address: Address, dial: Dial, talk: Callable[[Link], Awaitable[None]]) -> ConnectionEnded:
    """Open a connection, run ``talk`` on it, and return how it ended.

    Args:
        address: Where to; names the server in the handshake.
        dial: Opens the stream.
        talk: Uses the link until that raises ConnectionEnded, or closes it and returns.
    """
    try:
        with trio.fail_after(OPEN_TIMEOUT_S):
            stream = await dial()
    except (OSError, trio.TooSlowError) as error:
        detail = str(error) or f"no answer within {OPEN_TIMEOUT_S:.0f} s"
        return ConnectionEnded(ABNORMAL, f"Can't reach {address.url}: {detail}.")
    endings: list[ConnectionEnded] = []
    try:
        async with trio.open_nursery() as nursery:
            socket = await _open(nursery, stream, address)
            await talk(Link(socket))
            nursery.cancel_scope.cancel()
    except* ConnectionEnded as group:
        endings.extend(cast("Iterator[ConnectionEnded]", _leaves(group)))
    except* ConnectionRejected as group:
        status = next(cast("Iterator[ConnectionRejected]", _leaves(group))).status_code
        endings.append(
            ConnectionEnded(ABNORMAL, f"{address.url} answered with HTTP {status}: is it a tickwire server?")
        )
    except* ConnectionClosed as group:
        endings.extend(_ended(cast("ConnectionClosed", leaf)) for leaf in _leaves(group))
    finally:
        await trio.aclose_forcefully(stream)
    return endings[0] if endings else ConnectionEnded(CloseCode.LEFT, "This player left.")


def tcp_dial(address: Address, ssl_context: ssl.SSLContext | None) -> Dial:
    """Dial by TCP, with TLS if the address says so."""

    async def dial() -> trio.abc.Stream:
        if not address.secure:
            return await trio.open_tcp_stream(address.host, address.port)
        context = ssl_context or ssl.create_default_context()
        return await trio.open_ssl_over_tcp_stream(
            address.host, address.port, ssl_context=context, https_compatible=True
        )

    return dial


class _WatchedStream(trio.abc.Stream):
    """Passes everything on, and cancels ``opening`` if the stream ends before the handshake did."""

    def __init__(self, stream: trio.abc.Stream, opening: trio.CancelScope) -> None:
        self._stream = stream
        self._opening = opening

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        try:
            data = await self._stream.receive_some(max_bytes)
        except trio.BrokenResourceError:
            self._opening.cancel()
            raise
        if not data:
            self._opening.cancel()
        return data

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self._stream.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        await self._stream.aclose()


async def _open(nursery: trio.Nursery, stream: trio.abc.Stream, address: Address) -> WebSocketConnection:
    """Do the opening handshake."""
    with trio.move_on_after(OPEN_TIMEOUT_S) as opening:
        return await wrap_client_stream(
            nursery,
            cast("trio.SocketStream", _WatchedStream(stream, opening)),  # any Stream will do, its docstring says
            address.host_header,
            address.path,
            max_message_size=MAX_SERVER_MESSAGE_BYTES,
            receive_buffer_size=RECEIVE_BYTES,
        )
    raise ConnectionEnded(ABNORMAL, f"{address.url} hung up, or was silent, during the WebSocket handshake.")


def _ended(closed: ConnectionClosed) -> ConnectionEnded:
    if closed.reason is None:
        return ConnectionEnded(ABNORMAL, "The connection was lost.")
    return ConnectionEnded(closed.reason.code, closed.reason.reason or "")


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(cast("BaseExceptionGroup[BaseException]", error))
        else:
            yield error
