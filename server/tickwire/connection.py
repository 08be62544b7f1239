"""A connection: one WebSocket, from the upgrade to the close, and the session on it.

::

    nursery of the connection
    +-- trio-websocket's reader     receives; delivers fast messages to the session as it goes
    +-- slow messages               the rest: text, fragments, large ones
    +-- (asking the game)           only while Room.on_auth decides about the join
    +-- (finishing a write)         only while the socket doesn't take a frame whole
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVarTuple

import attrs
import structlog
import trio
from trio_websocket import ConnectionClosed, WebSocketConnection, wrap_server_stream
from wsproto.utilities import LocalProtocolError

from tickwire.auth import Pass
from tickwire.framing import build_close_frame, build_frame
from tickwire.hub import Hub
from tickwire.limits import Limits
from tickwire.lingering import linger
from tickwire.player import LeaveReason
from tickwire.round_trip import RoundTrip
from tickwire.seat import Line, Seat
from tickwire.socket_options import tune
from tickwire.traffic import TrafficWatch
from tickwire.transport import Transport
from tickwire.wires import Wires
from tickwire_shared.client_messages import (
    ClientKind,
    Join,
    Leave,
    Ping,
    Resume,
    Resync,
    View,
    parse_client_items,
)
from tickwire_shared.closing import ABNORMAL, CloseCode, clip_reason
from tickwire_shared.errors import ProtocolError
from tickwire_shared.event_messages import EventMessage
from tickwire_shared.packing import unpack_array
from tickwire_shared.server_messages import build_pong
from tickwire_shared.session import SessionEvent, SessionState, next_session_state

if TYPE_CHECKING:
    from tickwire.engine import Engine

CLOSE_DEADLINE_S: Final = 2.0
"""How long the peer may take to answer a close frame."""

# RFC 6455, section 7.4.1: what browsers send when the page is left or calls close().
_LEFT_CODES: Final = frozenset((1000, 1001, CloseCode.LEFT))

_MESSAGE_TOO_BIG: Final = 1009  # section 7.4.1: what trio-websocket closes with beyond MAX_CLIENT_MESSAGE_BYTES
_INTERNAL_ERROR: Final = 1011  # section 7.4.1, too
_FAULT_CODES: Final = frozenset((CloseCode.BAD_MESSAGE, CloseCode.TOO_MANY_MESSAGES))

_log = structlog.get_logger("tickwire.connection")

Given = TypeVarTuple("Given")

FindRoom = Callable[[Join | Resume], "Engine"]
Authorize = Callable[[Join], Pass | Awaitable[Pass]]
"""Says on what terms a join may go on; raises ProtocolError if it may not. Awaitable if the game has to be asked."""


_LIMITS: Final = Limits()


def _let_anybody(join: Join) -> Pass:
    return Pass(join.options)


@attrs.frozen(kw_only=True)
class Surroundings:
    """What a connection needs of its server.

    Attributes:
        hub: Reads the connection if it is a plain socket.
        limits: What its peer may ask.
        authorize: Asked about a join before the room is looked for, so before one is made.
        watch: Looks at its traffic.
        wires: Counts what goes over it.
    """

    hub: Hub | None = None
    limits: Limits = _LIMITS
    authorize: Authorize = _let_anybody
    watch: TrafficWatch | None = None
    wires: Wires = attrs.field(factory=Wires)


class Session:
    """What one connection may do, and does; without I/O of its own but for what it hands to its `Transport`.

    It is the ``Link`` that a room sees.

    Attributes:
        patience: The scope in which a join is waited for.
        line: Where the room's frames go.
    """

    def __init__(self, transport: Transport, find_room: FindRoom, surroundings: Surroundings | None = None) -> None:
        """Start before the join."""
        self.start_soon: Callable[[Callable[[], Awaitable[None]]], None] = _not_yet
        self.state = SessionState.NEW
        self.closing: tuple[int, str] | None = None
        self.was_admitted = False
        self.close_asked = trio.Event()
        self.patience = trio.CancelScope()
        self.line: Line = transport
        self._transport = transport
        self._find_room = find_room
        around = surroundings or Surroundings()
        self._authorize = around.authorize
        self._limits = around.limits
        self._engine: Engine | None = None
        self._seat: Seat | None = None
        self._generation = 0
        self._left = False
        self._confirmed = False
        self._round_trip = RoundTrip()

    # The room's side

    @property
    def blocked(self) -> bool:
        """Whether a write would be refused now."""
        return self._transport.blocked

    @property
    def waiting_bytes(self) -> int:
        """What is held for the peer and of it, beyond what waits in the room."""
        return self._transport.waiting_bytes

    @property
    def last_heard(self) -> float:
        """``trio.current_time()`` of the last bytes that came."""
        return self._transport.last_heard

    def close(self, code: int, reason: str) -> None:
        """Start closing; the first reason counts."""
        if self.closing is None:
            self.closing = (code, clip_reason(reason))
            self._stop_talking()
            self.state = next_session_state(self.state, SessionEvent.CLOSE)
            self.close_asked.set()

    def _stop_talking(self) -> None:
        self._transport.close_lane()
        self.line = _CUT
        if self._seat is not None and self._seat.link is self:
            self._seat.cut(_CUT)

    def admitted(self) -> None:
        """Say that the join was accepted."""
        if self.state is SessionState.JOINING:
            self.state = next_session_state(self.state, SessionEvent.ADMIT)
            self.was_admitted = True

    # The peer's side

    def on_message(self, payload: bytes) -> None:
        """Take one binary message; a bad one starts the close of this connection and nothing else."""
        if self.closing is not None:
            return
        self._guard(self._handle, payload)

    def _guard(self, act: Callable[[*Given], None], *given: *Given) -> None:
        """Let what goes wrong in ``act`` end this connection and nothing else."""
        try:
            act(*given)
        except ProtocolError as error:
            _log.info("bad message", code=int(error.code), reason=str(error))
            self.close(error.code, str(error))
        except Exception as error:  # a defect of ours, or of an author's class: it ends this connection and no other
            _log.error("connection failed", exc_info=error)
            self.close(_INTERNAL_ERROR, "The server failed to handle a message; its log says why.")

    def on_text(self) -> None:
        """Take a text message: always an error."""
        self.close(CloseCode.BAD_MESSAGE, "Text messages are not accepted; send binary ones.")

    def ended(self, code: int) -> None:
        """Tell the room, once, that the connection is over, with the code that the peer sent, or 1006."""
        reason = self._leave_reason(code)
        if self.closing is None:
            self.closing = (code, "")
            self._stop_talking()
            self.state = next_session_state(self.state, SessionEvent.CLOSE)
        engine, seat = self._engine, self._seat
        self._engine = self._seat = None
        if engine is not None and seat is not None:
            engine.lost(seat, self._generation, reason)

    def _leave_reason(self, code: int) -> LeaveReason:
        if self._left or code in _LEFT_CODES:
            return LeaveReason.LEFT
        # A code of the client's own accuses the server, and says nothing against the player.
        if code == _MESSAGE_TOO_BIG or (self.closing is not None and self.closing[0] in _FAULT_CODES):
            return LeaveReason.BAD_MESSAGE
        return LeaveReason.LOST

    def _handle(self, payload: bytes) -> None:
        items = unpack_array(payload, max_bytes=self._limits.message_bytes)
        if items[0] == ClientKind.INPUT and type(items[0]) is int:
            self._talk()
            engine, seat = self._joined()
            reader = engine.room_type.input_reader
            if reader is None:
                raise ProtocolError("This room takes no inputs.")
            batch = reader.read(items, payload)
            engine.put_inputs(seat, batch.tick, batch.values)
            self._transport.open_lane(engine.board, seat.column)
            return
        message = parse_client_items(items)
        match message:
            case Join() | Resume():
                self._ask(message)
            case Ping():
                now = trio.current_time() * 1000.0
                heard = self._transport.last_heard * 1000.0
                self._round_trip.asked(now)
                if self.state is SessionState.LIVE:
                    self._confirm()
                self._transport.write_nowait(build_frame(build_pong(message.t1, heard, now)))
            case EventMessage():
                self._talk()
                engine, seat = self._joined()
                engine.put_event(seat, message)
            case Resync():
                self._talk()
                engine, seat = self._joined()
                engine.resync(seat)
            case View():
                self._talk()
                engine, seat = self._joined()
                if message.t3 is not None:
                    self._round_trip.answered(message.t3, self._transport.last_heard * 1000.0)
                engine.put_view(seat, message.delay, self._round_trip)
            case Leave():
                self._left = True
                self.close(CloseCode.LEFT, "You left the room.")
            case _:
                raise AssertionError(message)

    def _talk(self) -> None:
        self.state = next_session_state(self.state, SessionEvent.TALK)
        self._confirm()

    def _confirm(self) -> None:
        """Tell the room, at the first message behind WELCOME, that the player has heard that."""
        if not self._confirmed and self._engine is not None and self._seat is not None:
            self._confirmed = True
            self._engine.confirm(self._seat)

    def _joined(self) -> tuple[Engine, Seat]:
        assert self._engine is not None
        assert self._seat is not None
        return self._engine, self._seat

    def _ask(self, message: Join | Resume) -> None:
        self.state = next_session_state(self.state, SessionEvent.ASK)
        self.patience.deadline = math.inf  # or every connection would wake once more for nothing
        if isinstance(message, Resume):
            self._engine = engine = self._find_room(message)
            self._seat, self._generation = engine.resume(message.token, message.tick, self)
            return
        answer = self._authorize(message)
        if isinstance(answer, Pass):
            self._sit_down(message, answer)
        else:
            self.start_soon(partial(self._await_pass, message, answer))

    async def _await_pass(self, join: Join, answer: Awaitable[Pass]) -> None:
        """Go on with a join once the game has decided about it."""
        try:
            granted = await answer
        except ProtocolError as error:
            _log.info("join refused", code=int(error.code), reason=str(error))
            self.close(error.code, str(error))
            return
        if self.closing is None:
            self._guard(self._sit_down, join, granted)

    def _sit_down(self, join: Join, granted: Pass) -> None:
        engine = self._find_room(attrs.evolve(join, options=granted.options))
        kept = join.reservation
        seat, self._generation = engine.reserve(granted.options, self, None if kept is None else kept[1])
        self._engine, self._seat = engine, seat
        if kept is None:
            granted.introduce(seat.player, self._limits.name_length)


def _not_yet(act: Callable[[], Awaitable[None]]) -> None:
    raise AssertionError("a join came before the session's tasks were started")


class _CutLine:
    def post(self, frames: bytes) -> bool:
        return False

    def follow(self, stand_apart: Callable[[], None]) -> int:
        return -1

    def unfollow(self) -> None:
        pass


_CUT: Final = _CutLine()


async def serve_connection(
    stream: trio.abc.Stream, head: bytes, find_room: FindRoom, surroundings: Surroundings | None = None
) -> None:
    """Serve one WebSocket from its upgrade request until it is closed; returns with the stream closed.

    Args:
        stream: The connection, of which ``head`` was read already.
        head: The request's head and whatever followed it.
        find_room: Finds the room for a join; raises ProtocolError when there is none, or of another schema.
        surroundings: What else it needs; the defaults, without a watch on its traffic, unless given.
    """
    around = surroundings or Surroundings()
    transport: Transport | None = None
    try:
        tune(stream)
        async with trio.open_nursery() as nursery:
            transport = Transport(stream, head, nursery, around.hub)
            with transport.listening():
                websocket = await _upgrade(nursery, transport, around.limits)
                if websocket is not None:
                    session = Session(transport, find_room, around)
                    with _watched(transport, session, around.watch), around.wires.counting(transport, session):
                        await _converse(websocket, transport, session, around.limits.join_timeout_s)
                    await _say_goodbye(transport, session)
            nursery.cancel_scope.cancel()
        await linger(stream)
    except* (trio.BrokenResourceError, trio.ClosedResourceError):
        _log.debug("connection broke")
    except* LocalProtocolError as group:
        # In the goodbye trio-websocket answers a ping, and wsproto refuses to send that.
        if transport is None or not transport.said_close:
            _log.error("connection failed", exc_info=group)
    except* Exception as group:  # a defect of ours or of a library ends this connection and no other
        _log.error("connection failed", exc_info=group)
    finally:
        await trio.aclose_forcefully(stream)


def _watched(transport: Transport, session: Session, watch: TrafficWatch | None) -> AbstractContextManager[object]:
    return nullcontext() if watch is None else watch.watching(transport, session.close)


async def _upgrade(nursery: trio.Nursery, transport: Transport, limits: Limits) -> WebSocketConnection | None:
    """Answer the upgrade request; None when it was not a good one (trio-websocket has said so)."""
    with trio.move_on_after(limits.handshake_timeout_s) as handshake:
        transport.on_close = handshake.cancel
        request = await wrap_server_stream(
            nursery, transport, message_queue_size=0, max_message_size=limits.message_bytes
        )
        return await request.accept()
    return None


async def _converse(
    websocket: WebSocketConnection, transport: Transport, session: Session, join_timeout_s: float
) -> None:
    """Run the session until its WebSocket is closed; the room is told, however that comes about."""
    try:
        async with trio.open_nursery() as nursery:
            session.start_soon = nursery.start_soon
            transport.start(session.on_message)
            nursery.start_soon(_close_when_asked, websocket, session, join_timeout_s)
            await _slow_messages(websocket, transport, session)
            if session.closing is None:
                nursery.cancel_scope.cancel()  # the peer closed, or is gone, or broke RFC 6455
                session.ended(_how_it_ended(websocket, transport, session))
    finally:
        session.ended(ABNORMAL)


async def _slow_messages(websocket: WebSocketConnection, transport: Transport, session: Session) -> None:
    """Deliver what didn't take the fast lane, until the WebSocket is closed."""
    while True:
        try:
            message = await websocket.get_message()
        except ConnectionClosed:
            transport.release()
            return
        if isinstance(message, bytes):
            session.on_message(message)
        else:
            session.on_text()
        transport.message_done()


def _how_it_ended(websocket: WebSocketConnection, transport: Transport, session: Session) -> int:
    """Return the close code of a WebSocket that the session didn't ask to close."""
    closed = websocket.closed
    if closed is None or closed.code == ABNORMAL:
        return ABNORMAL
    if not transport.said_close:  # trio-websocket answers a peer's close, and keeps silent about errors
        _log.info("bad frame", code=closed.code, reason=closed.reason)
        session.close(CloseCode.BAD_MESSAGE, f"The WebSocket stream is broken: {closed.reason or closed.code}.")
    return closed.code


async def _say_goodbye(transport: Transport, session: Session) -> None:
    """Send the close frame that trio-websocket didn't send."""
    assert session.closing is not None
    code, reason = session.closing
    if code != ABNORMAL and not transport.said_close:
        with trio.move_on_after(CLOSE_DEADLINE_S):
            await transport.send_all(build_close_frame(code, reason))


async def _close_when_asked(websocket: WebSocketConnection, session: Session, join_timeout_s: float) -> None:
    """Close the WebSocket once the session wants that, or when no join comes."""
    with session.patience:
        if session.state is SessionState.NEW:  # else the join came with the handshake
            session.patience.deadline = trio.current_time() + join_timeout_s
        await session.close_asked.wait()
    if session.state is SessionState.NEW:
        session.close(CloseCode.TIMED_OUT, f"No join came within {join_timeout_s:g} s.")
    await session.close_asked.wait()
    assert session.closing is not None
    code, reason = session.closing
    session.ended(code)
    with trio.move_on_after(CLOSE_DEADLINE_S):
        await websocket.aclose(code, reason)
