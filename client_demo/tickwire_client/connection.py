"""One WebSocket connection to a server. The only file of the client that knows trio-websocket.

trio-websocket does the handshake, ping and pong, close, and whatever is out of the ordinary; plain messages go
round it (`wire.py`). It tells of a refused upgrade by an exception in a background task, and of a peer that
hangs up during the handshake not at all; both end here as a ``ConnectionEnded``.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar, cast

import trio
from trio_websocket import ConnectionClosed, ConnectionRejected, WebSocketConnection, wrap_client_stream

from tickwire_client.address import Address
from tickwire_client.conditioner import Link
from tickwire_client.frames import close_frame
from tickwire_client.wire import RECEIVE_BYTES, Wire
from tickwire_shared.closing import ABNORMAL, clip_reason
from tickwire_shared.errors import ConnectionEnded, ProtocolError, UsageError
from tickwire_shared.packing import MAX_SERVER_MESSAGE_BYTES

OPEN_TIMEOUT_S = 10.0
GOODBYE_TIMEOUT_S = 1.0

Dial = Callable[[], Awaitable[trio.abc.Stream]]
"""Opens a stream to the server; called once per connection."""

ErrorT = TypeVar("ErrorT", bound=BaseException)


class Connection:
    """An open connection. Both methods raise ConnectionEnded once it is over."""

    def __init__(self, wire: Wire, socket: WebSocketConnection, deliver: Callable[[bytes], None]) -> None:
        """Use an open WebSocket."""
        self._wire = wire
        self._socket = socket
        self._deliver = deliver

    async def send(self, data: bytes) -> None:
        """Send one message. If cancelled, the connection can't be used any more."""
        try:
            await self._wire.send_message(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            raise ConnectionEnded(ABNORMAL, "The connection was lost.") from None

    def send_nowait(self, data: bytes) -> bool:
        """Send one message if that needs no waiting; says whether it did. What the socket left over needs ``flush``."""
        try:
            return self._wire.send_nowait(data)
        except trio.BrokenResourceError:
            return False  # whoever then sends, and waits, gets to know

    @property
    def needs_flush(self) -> bool:
        """Whether a part of a message is still to be sent."""
        return self._wire.needs_flush

    async def flush(self) -> None:
        """Send what is left of the last message."""
        try:
            await self._wire.flush()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            raise ConnectionEnded(ABNORMAL, "The connection was lost.") from None

    async def listen(self) -> None:
        """Wait until the connection is over, which is raised. Messages are delivered meanwhile."""
        while True:
            try:
                message = await self._socket.get_message()
            except ConnectionClosed as closed:
                raise _ended(closed) from None
            if isinstance(message, str):
                raise ProtocolError("The server sent a text message.")
            self._deliver(message)


async def converse(
    address: Address,
    dial: Dial,
    deliver: Callable[[bytes], None],
    talk: Callable[[Connection], Awaitable[None]],
    link: Link | None = None,
) -> ConnectionEnded:
    """Open a connection, run ``talk`` on it, and return how it ended.

    Args:
        address: Where to; names the server in the handshake.
        dial: Opens the stream.
        deliver: Gets each message; when it raises ProtocolError, the connection is closed with its code.
        talk: Sends, listens, and raises ConnectionEnded when it is over.
        link: How bad the way there is to be.
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
            way = stream if link is None else link.carry(nursery, stream)
            await talk(await _open(nursery, way, address, deliver))
    except* ProtocolError as group:
        broken = next(_leaves(group))
        endings.append(ConnectionEnded(broken.code, str(broken)))
        await _say_goodbye(stream, endings[0])
    except* ConnectionRejected as group:
        status = next(_leaves(group)).status_code
        sentence = f"{address.url} answered with HTTP {status}: is it a tickwire server?"
        endings.append(ConnectionEnded(ABNORMAL, sentence))
    except* ConnectionClosed as group:
        endings.append(_ended(next(_leaves(group))))
    except* ConnectionEnded as group:
        endings.extend(_leaves(group))
    finally:
        await trio.aclose_forcefully(stream)
    return endings[0]


def tcp_dial(address: Address, ssl_context: ssl.SSLContext | None) -> Dial:
    """Dial by TCP, with TLS if the address says so."""

    async def dial() -> trio.abc.Stream:
        if not address.secure:
            return await trio.open_tcp_stream(address.host, address.port)
        context = ssl_context or ssl.create_default_context()
        stream = await trio.open_ssl_over_tcp_stream(
            address.host, address.port, ssl_context=context, https_compatible=True
        )
        await shake_hands(stream)
        return stream

    return dial


def trusting(authority: str | os.PathLike[str]) -> ssl.SSLContext:
    """Make a TLS context that trusts the certificates in the file ``authority`` besides the system's.

    Raises:
        UsageError: The file can't be read or holds no certificate.
    """
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(authority)
    except ssl.SSLError as error:
        raise UsageError(f"{os.fspath(authority)!r} holds no certificate in PEM form") from error
    except OSError as error:
        raise UsageError(f"the certificate {os.fspath(authority)!r} can't be read: {error.strerror}") from error
    return context


async def shake_hands(stream: trio.SSLStream[trio.SocketStream]) -> None:
    """Do a client's TLS handshake; if that fails, the stream is closed.

    Raises:
        OSError: The other side doesn't speak TLS, went away, or isn't trusted (ssl.SSLCertVerificationError).
    """
    try:
        await stream.do_handshake()
    except BaseException as error:  # whatever it is, nobody else has the stream yet
        await trio.aclose_forcefully(stream)
        if isinstance(error, trio.BrokenResourceError):
            raise _cause(error) from None
        raise


def _cause(error: trio.BrokenResourceError) -> OSError:
    """What TLS or the socket said, which trio hides behind its own error."""
    cause = error.__cause__
    return cause if isinstance(cause, OSError) else ConnectionResetError("the server hung up during the TLS handshake")


async def _open(
    nursery: trio.Nursery, stream: trio.abc.Stream, address: Address, deliver: Callable[[bytes], None]
) -> Connection:
    """Do the opening handshake."""
    with trio.move_on_after(OPEN_TIMEOUT_S) as opening:
        wire = Wire(stream, deliver, opening.cancel)
        socket = await wrap_client_stream(
            nursery,
            cast("trio.SocketStream", wire),  # its docstring says that any Stream will do
            address.host_header,
            address.path,
            max_message_size=MAX_SERVER_MESSAGE_BYTES,
            receive_buffer_size=RECEIVE_BYTES,
        )
        return Connection(wire, socket, deliver)
    raise ConnectionEnded(ABNORMAL, f"{address.url} hung up, or was silent, during the WebSocket handshake.")


async def _say_goodbye(stream: trio.abc.Stream, ended: ConnectionEnded) -> None:
    """Tell the server why, now that nothing else is sent any more."""
    frame = close_frame(ended.code, clip_reason(ended.reason), os.urandom(4))
    with trio.move_on_after(GOODBYE_TIMEOUT_S, shield=True):
        try:
            await stream.send_all(frame)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return  # it has gone by itself


def _ended(closed: ConnectionClosed) -> ConnectionEnded:
    if closed.reason is None:
        return ConnectionEnded(ABNORMAL, "The connection was lost.")
    return ConnectionEnded(closed.reason.code, closed.reason.reason or "")


def _leaves(group: BaseExceptionGroup[ErrorT]) -> Iterator[ErrorT]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(cast("BaseExceptionGroup[ErrorT]", error))
        else:
            yield error
