"""A connection: one WebSocket, from the upgrade to the close, and the session on it.

::

    nursery of the connection
    +-- trio-websocket's reader     receives; delivers fast messages to the session as it goes
    +-- slow messages               the rest: text, fragments, large ones
    +-- (finishing a write)         only while the socket doesn't take a frame whole
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import structlog
import trio
from trio_websocket import ConnectionClosed, WebSocketConnection, wrap_server_stream

from tickwire.framing import build_frame
from tickwire.hub import Hub
from tickwire.input_reader import Rows
from tickwire.player import LeaveReason
from tickwire.seat import Seat
from tickwire.transport import Transport
from tickwire_shared.closing import ABNORMAL, CloseCode, clip_reason
from tickwire_shared.errors import ProtocolError
from tickwire_shared.messages import (
    ClientKind,
    EventMessage,
    Join,
    Leave,
    Ping,
    Resume,
    Resync,
    build_pong,
    parse_client_items,
)
from tickwire_shared.packing import MAX_CLIENT_MESSAGE_BYTES, unpack_array
from tickwire_shared.session import SessionEvent, SessionState, next_session_state

if TYPE_CHECKING:
    from tickwire.engine import Engine

JOIN_DEADLINE_S: Final = 10.0
"""From the upgrade to the first message."""

HANDSHAKE_DEADLINE_S: Final = 5.0
"""For the answer to an upgrade request whose head was read already."""

CLOSE_DEADLINE_S: Final = 2.0
"""How long the peer may take to answer a close frame."""

# RFC 6455, section 7.4.1: what browsers send when the page is left or calls close().
_LEFT_CODES: Final = frozenset((1000, 1001, CloseCode.LEFT))

_log = structlog.get_logger("tickwire.connection")

FindRoom = Callable[[Join | Resume], "Engine"]


class Session:
    """What one connection may do, and does; without I/O of its own but for ``Transport.write_nowait``.

    It is the ``Link`` that a room sees.

    Attributes:
        write_nowait: Writes whole frames, or returns False and writes nothing.
    """

    def __init__(self, transport: Transport, find_room: FindRoom) -> None:
        """Start before the join."""
        self.state = SessionState.NEW
        self.closing: tuple[int, str] | None = None
        self.close_asked = trio.Event()
        self.write_nowait: Callable[[bytes], bool] = transport.write_nowait
        self._transport = transport
        self._find_room = find_room
        self._engine: Engine | None = None
        self._seat: Seat | None = None
        self._generation = 0
        self._left = False
        self._recall: Callable[[bytes], tuple[int, Rows] | None] | None = None

    # The room's side

    @property
    def blocked(self) -> bool:
        """Whether a write would be refused now."""
        return self._transport.blocked

    def close(self, code: int, reason: str) -> None:
        """Start closing; the first reason counts."""
        if self.closing is None:
            self.closing = (code, clip_reason(reason))
            self._stop_talking()
            self.state = next_session_state(self.state, SessionEvent.CLOSE)
            self.close_asked.set()

    def _stop_talking(self) -> None:
        self._recall = None
        self.write_nowait = _refuse

    def admitted(self) -> None:
        """Say that the join was accepted."""
        if self.state is SessionState.JOINING:
            self.state = next_session_state(self.state, SessionEvent.ADMIT)
            reader = None if self._engine is None else self._engine.room_type.input_reader
            self._recall = None if reader is None else reader.recall

    # The peer's side

    def on_message(self, payload: bytes) -> None:
        """Take one binary message; a bad one starts the close of this connection and nothing else."""
        if self._recall is not None and self._seat is not None:
            known = self._recall(payload)
            if known is not None and self._engine is not None:
                self._engine.put_inputs(self._seat, *known)
                return
        if self.closing is not None:
            return
        try:
            self._handle(payload)
        except ProtocolError as error:
            _log.info("bad message", code=int(error.code), reason=str(error))
            self.close(error.code, str(error))

    def on_text(self) -> None:
        """Take a text message: always an error."""
        self.close(CloseCode.BAD_MESSAGE, "Text messages are not accepted; send binary ones.")

    def ended(self, code: int) -> None:
        """Tell the room, once, that the connection is over, with the code that the peer sent, or 1006."""
        if self.closing is None:
            self.closing = (code, "")
            self._stop_talking()
            self.state = next_session_state(self.state, SessionEvent.CLOSE)
        engine, seat = self._engine, self._seat
        self._engine = self._seat = None
        if engine is not None and seat is not None:
            engine.lost(seat, self._generation, self._leave_reason(code))

    def _leave_reason(self, code: int) -> LeaveReason:
        if self._left or code in _LEFT_CODES:
            return LeaveReason.LEFT
        if self.closing is not None and self.closing[0] in (CloseCode.BAD_MESSAGE, CloseCode.TOO_MANY_MESSAGES):
            return LeaveReason.BAD_MESSAGE
        return LeaveReason.LOST

    def _handle(self, payload: bytes) -> None:
        items = unpack_array(payload, max_bytes=MAX_CLIENT_MESSAGE_BYTES)
        if items[0] == ClientKind.INPUT and type(items[0]) is int:
            self._talk()
            engine, seat = self._joined()
            reader = engine.room_type.input_reader
            if reader is None:
                raise ProtocolError("This room takes no inputs.")
            batch = reader.read(items, payload)
            engine.put_inputs(seat, batch.tick, batch.values)
            return
        message = parse_client_items(items)
        match message:
            case Join() | Resume():
                self._ask(message)
            case Ping():
                now = trio.current_time() * 1000.0
                heard = self._transport.last_heard * 1000.0
                self.write_nowait(build_frame(build_pong(message.t1, heard, now)))
            case EventMessage():
                self._talk()
                engine, seat = self._joined()
                engine.put_event(seat, message)
            case Resync():
                self._talk()
                engine, seat = self._joined()
                engine.resync(seat)
            case Leave():
                self._left = True
                self.close(CloseCode.LEFT, "You left the room.")
            case _:
                raise AssertionError(message)

    def _talk(self) -> None:
        self.state = next_session_state(self.state, SessionEvent.TALK)

    def _joined(self) -> tuple[Engine, Seat]:
        assert self._engine is not None
        assert self._seat is not None
        return self._engine, self._seat

    def _ask(self, message: Join | Resume) -> None:
        self.state = next_session_state(self.state, SessionEvent.ASK)
        engine = self._find_room(message)
        schema = engine.room_type.schema
        if message.schema_hash is not None and message.schema_hash != schema.hash:
            raise ProtocolError(
                f"The client was built for another version of {engine.room_type.name}: reload the page or update.",
                CloseCode.WRONG_SCHEMA,
            )
        self._engine = engine
        if isinstance(message, Join):
            self._seat, self._generation = engine.reserve(message.options, self)
        else:
            self._seat, self._generation = engine.resume(message.token, message.tick, self)


def _refuse(frames: bytes) -> bool:
    return False


async def serve_connection(stream: trio.abc.Stream, head: bytes, find_room: FindRoom, hub: Hub | None = None) -> None:
    """Serve one WebSocket from its upgrade request until it is closed; returns with the stream closed.

    Args:
        stream: The connection, of which ``head`` was read already.
        head: The request's head and whatever followed it.
        find_room: Finds the room for a join; raises ProtocolError when there is none.
        hub: Reads the connection if it is a plain socket.
    """
    transport: Transport | None = None
    try:
        async with trio.open_nursery() as nursery:
            transport = Transport(stream, head, nursery, hub)
            websocket = await _upgrade(nursery, transport)
            if websocket is not None:
                session = Session(transport, find_room)
                transport.start(session.on_message)
                nursery.start_soon(_close_when_asked, websocket, session)
                session.ended(await _slow_messages(websocket, transport, session))
                with trio.move_on_after(CLOSE_DEADLINE_S):
                    await websocket.aclose()
            nursery.cancel_scope.cancel()
    except* (trio.BrokenResourceError, trio.ClosedResourceError):
        _log.debug("connection broke")
    except* Exception as group:  # a defect of ours or of a library ends this connection and no other
        _log.error("connection failed", exc_info=group)
    finally:
        await trio.aclose_forcefully(stream if transport is None else transport)


async def _upgrade(nursery: trio.Nursery, transport: Transport) -> WebSocketConnection | None:
    """Answer the upgrade request; None when it was not a good one (trio-websocket has said so)."""
    with trio.move_on_after(HANDSHAKE_DEADLINE_S):
        request = await wrap_server_stream(
            nursery, transport, message_queue_size=0, max_message_size=MAX_CLIENT_MESSAGE_BYTES
        )
        return await request.accept()
    return None


async def _slow_messages(websocket: WebSocketConnection, transport: Transport, session: Session) -> int:
    """Deliver what didn't take the fast lane, until the connection ends; return the close code."""
    while True:
        try:
            message = await websocket.get_message()
        except ConnectionClosed:
            break
        if isinstance(message, bytes):
            session.on_message(message)
        else:
            session.on_text()
        transport.message_done()
    transport.message_done()
    if session.closing is not None:
        return session.closing[0]
    return ABNORMAL if websocket.closed is None else websocket.closed.code


async def _close_when_asked(websocket: WebSocketConnection, session: Session) -> None:
    """Close the WebSocket once the session wants that, or when no join comes."""
    with trio.move_on_after(JOIN_DEADLINE_S):
        await session.close_asked.wait()
    if session.state is SessionState.NEW:
        session.close(CloseCode.TIMED_OUT, f"No join came within {JOIN_DEADLINE_S:.0f} s.")
    await session.close_asked.wait()
    assert session.closing is not None
    code, reason = session.closing
    session.ended(code)
    with trio.move_on_after(CLOSE_DEADLINE_S):
        await websocket.aclose(code, reason)
