r"""The transport: what lies between a session and its socket.

::

    socket -> Hub -> InputBoard.take_next                        a player's usual input, when nothing is before it
                \-all else-> Transport.heard -> FrameSplitter --fast--> deliver(payload)
                                                             \-slow-> trio-websocket -> get_message -> deliver(payload)
    room -> Transport.post(frames) -> Outbox.send, after all rooms that were due -> one non-blocking write -> socket
    session -> Transport.write_nowait(frames) -> the same, at once
                                                \-what it didn't take-> finished by a task of the connection
    trio-websocket -> Transport.send_all -> (after that) -> socket

trio-websocket keeps the handshake, ping and pong, close, fragments, text and every error: it is given this
object as its stream, through its public ``wrap_server_stream``. Ready-made frames go around it, and so does a pong
without content that comes alone: it answers a ping of ours, and that it came is all that it says.

Where there is no epoll, and on streams that are no plain sockets (TLS, memory), trio-websocket's reader task reads the
stream itself and hands the bytes to ``heard`` as the hub would.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from os import write
from typing import Final

import trio

from tickwire.board import InputBoard
from tickwire.framing import FAST_HEAD_BYTES, FrameSplitter, Lane, Piece, is_plain_pong, take_fast_payload
from tickwire.hub import Hub
from tickwire.outbox import Outbox

RECEIVE_BYTES: Final = 16384

MAX_PENDING_BYTES: Final = 1024
"""Beyond this, what trio-websocket has not taken yet keeps the connection from being read: little, since all that a
flood has sent is split into frames before anybody can say that it is one."""

CROWD: Final = 16
"""Frames in one read; more come from a client that was stuck, or from a flood."""

AT_ONCE: Final = 4
"""So many messages of one client are delivered in one go; a crowd's others wait for a turn."""

Call = Callable[..., object]  # without arguments; pyright would bind one that says so, as the class has slots

_CLOSE_BYTE: Final = b"\x88"
_WOULD_BLOCK: Final = (BlockingIOError, InterruptedError)
_to_int = int.from_bytes


class Transport(trio.abc.Stream):
    """A stream for trio-websocket with a fast lane in each direction.

    One task receives (trio-websocket's reader) and any may write; writes are whole frames and are never interleaved.
    There is one for each player, so it has slots: more than 30 attributes of a plain object take a dict of their own in
    Python 3.11, and longer to read.

    Attributes:
        bytes_in: Bytes received since the start, but for what the hub put on the board.
        frames_in: Frames received since the start, but for those; what is cut counts once for each piece.
        writes_out: Writes of one or more whole frames, but for those of the outbox, which counts its own.
        on_crowd: Called when one read brought many frames, before they are delivered.
        on_stir: Called once, when the next bytes come.
        bytes_out: Bytes handed to the socket, or taken over to be; but for those of the outbox.
        said_close: Whether a close frame was sent, or was to be.
        on_close: Called when trio-websocket has done with the stream.
    """

    __slots__ = (
        "_board",
        "_clear",
        "_closed",
        "_column",
        "_deliver",
        "_ended",
        "_fileno",
        "_gated",
        "_gates",
        "_heard_at",
        "_hub",
        "_idle",
        "_listening",
        "_news",
        "_nursery",
        "_open",
        "_outbox",
        "_paused",
        "_pending_bytes",
        "_pieces",
        "_posted_in",
        "_sending",
        "_splitter",
        "_stand_apart",
        "_stream",
        "_stuck",
        "_tail",
        "_turn",
        "bytes_in",
        "bytes_out",
        "frames_in",
        "on_close",
        "on_crowd",
        "on_stir",
        "said_close",
        "writes_out",
    )
    on_crowd: Call
    on_stir: Call | None

    def __init__(self, stream: trio.abc.Stream, head: bytes, nursery: trio.Nursery, hub: Hub | None = None) -> None:
        """Wrap ``stream``; ``head`` is what was read from it already: the request's head and whatever followed.

        With a ``hub``, a plain socket is read by that.
        """
        self._stream = stream
        self._nursery = nursery
        self._fileno = stream.socket.fileno() if isinstance(stream, trio.SocketStream) else -1
        self._hub = hub if hub is not None and hub.listens and self._fileno >= 0 else None
        self._outbox: Outbox | None = None
        self._posted_in = -1  # the round of the outbox in which it was given something
        self._turn = trio.lowlevel.checkpoint if hub is None else hub.turn
        self._open = False
        self._listening = False
        self._splitter = FrameSplitter()
        self._pieces: list[Piece] = []  # few; an empty deque takes 760 bytes
        self._pending_bytes = 0
        self._deliver: Callable[[bytes], None] = _nobody
        self._gates = True  # whether slow messages are waited for
        self._gated = False  # whether one is
        self._clear = False  # whether a fast frame that comes now may be delivered at once
        self._board: InputBoard | None = None
        self._column = 0
        self._ended = False
        self._paused = False
        self._news = trio.Event()
        self._sending = False
        self._tail: memoryview | None = None
        self._idle = trio.Event()
        self._closed = False
        self._stuck = False  # whether any of the last three is so
        self._stand_apart: Callable[[], None] | None = None
        self.bytes_in = len(head)
        self.frames_in = 0
        self.writes_out = 0
        self.on_crowd = _nothing
        self.on_stir = None
        self.bytes_out = 0
        self._heard_at = trio.current_time()
        self.said_close = False
        self.on_close: Callable[[], object] = _nothing
        request, rest = _split_head(head)
        # RFC 6455 lets a client talk right behind its request; that waits until ``start``.
        self._queue(Piece(Lane.SLOW_MESSAGE_END, request))
        for piece in self._splitter.feed(rest):
            self._queue(piece)

    # In

    @contextmanager
    def listening(self) -> Generator[None]:
        """Let the hub, if there is one for this stream, read and write it for as long as the block takes."""
        self._open = True
        if self._hub is not None:
            self._outbox = self._hub.outbox
            self._outbox.open(self._fileno, self)
        self._listen()
        try:
            yield
        finally:
            self._open = False
            self._unlisten()
            if self._outbox is not None:
                self._let_stand_apart()
                self._outbox.close(self._fileno)
                self._outbox = None

    def start(self, deliver: Callable[[bytes], None]) -> None:
        """Hand each fast message to ``deliver`` from now on; it must not block or raise."""
        self._deliver = deliver
        self.message_done()

    def message_done(self) -> None:
        """Say that the last slow message was processed, so that the frames after it may be delivered."""
        self._gated = False
        self._deliver_fast()
        self._news.set()

    def heard(self, data: bytes, now: float) -> None:
        """Take what the socket had at ``now``; b"" is the end of the stream."""
        self.bytes_in += len(data)
        self._heard_at = now
        if self.on_stir is not None:
            stir, self.on_stir = self.on_stir, None
            stir()
        if self._clear:
            payload = take_fast_payload(data)
            if payload >= 0:  # exactly one fast frame, as what a player sends at once nearly always is
                self.frames_in += 1
                size = len(data) - FAST_HEAD_BYTES
                if not self._take(payload, size):
                    self._deliver(payload.to_bytes(size))
                return
            if is_plain_pong(data):  # it said all there is to say by coming
                self.frames_in += 1
                return
        if not data:
            self._ended = True
            self._unlisten()
        pieces = self._splitter.feed(data)
        self.frames_in += len(pieces)
        for piece in pieces:
            self._queue(piece)
        if len(pieces) > CROWD:
            self.on_crowd()
        self._deliver_fast()
        if self._pending_bytes > MAX_PENDING_BYTES:
            self._unlisten()
        if self._pieces or self._ended:
            self._news.set()

    def pause(self) -> None:
        """Read and deliver nothing until `unpause`: the kernel's buffers fill, and TCP slows the peer down."""
        self._paused = True
        self._set_clear(False)
        self._unlisten()

    def unpause(self) -> None:
        """Go on where `pause` was called."""
        self._paused = False
        self._listen()
        self._deliver_fast()
        self._news.set()

    def release(self) -> None:
        """Say that no slow message is processed any more: from now on none is waited for."""
        self._gates = False
        self.message_done()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Return the next slow bytes, delivering the fast messages before them; b"" at the end."""
        while True:
            self._deliver_fast()
            if self._fast_is_next:
                await self._turn()
                continue
            if self._pieces and not self._gated and not self._paused:
                piece = self._pieces.pop(0)
                self._pending_bytes -= len(piece.data)
                self._gated = self._gates and piece.lane is Lane.SLOW_MESSAGE_END
                self._set_clear(False)
                if self._pending_bytes <= MAX_PENDING_BYTES:
                    self._listen()
                await self._turn()
                return piece.data
            if self._ended and not self._pieces:
                return b""
            if self._hub is None and not self._gated and not self._paused:
                self.heard(bytes(await self._stream.receive_some(RECEIVE_BYTES)), trio.current_time())
            else:
                if self._pending_bytes <= MAX_PENDING_BYTES:
                    self._listen()
                self._news = trio.Event()
                await self._news.wait()

    def _pass_on(self, payload: bytes) -> None:
        if not self._take(_to_int(payload), len(payload)):
            self._deliver(payload)

    def _take(self, payload: int, size: int) -> bool:
        """Put an INPUT on the board, if the player is known there and the message is; return whether it was."""
        board, column = self._board, self._column
        return board is not None and (board.take_next(payload, size, column) or board.take_known(payload, size, column))

    @property
    def last_heard(self) -> float:
        """``trio.current_time()`` of the last bytes received."""
        return self._heard_at if self._board is None else max(self._heard_at, self._board.heard_at[self._column])

    def open_lane(self, board: InputBoard, column: int) -> None:
        """Let the player's inputs be put into a column of the board as they come, without a call of ``deliver``."""
        if self._board is None:
            self._board, self._column = board, column
            self._set_lane()

    def close_lane(self) -> None:
        """Put nothing there any more."""
        if self._board is not None:
            self._heard_at = self.last_heard
            self._board, self._column = None, 0
            self._set_lane()

    def _set_clear(self, clear: bool) -> None:
        if clear is not self._clear:
            self._clear = clear
            self._set_lane()

    def _set_lane(self) -> None:
        """Let the hub do so past this object, while every byte that comes begins a frame that may be delivered."""
        if self._listening and self._hub is not None:
            self._hub.set_lane(self._fileno, self._column if self._clear else 0)

    @property
    def _fast_is_next(self) -> bool:
        """Whether more fast messages may be delivered, after those of this round."""
        return bool(self._pieces) and not self._gated and not self._paused and self._pieces[0].lane is Lane.FAST

    def _queue(self, piece: Piece) -> None:
        self._pieces.append(piece)
        self._pending_bytes += len(piece.data)

    def _deliver_fast(self) -> None:
        """Deliver the fast messages that nothing slow is before; of a crowd the first, so that rooms can tick."""
        pieces = self._pieces
        left = AT_ONCE
        while left and pieces and not self._gated and not self._paused and pieces[0].lane is Lane.FAST:
            left -= 1
            payload = pieces.pop(0).data
            self._pending_bytes -= len(payload)
            self._pass_on(payload)
        self._set_clear(not pieces and not self._gated and not self._paused and self._splitter.at_boundary)

    def _listen(self) -> None:
        if self._hub is not None and self._open and not self._listening and not self._ended and not self._paused:
            self._hub.add(self._fileno, self)
            self._listening = True

    def _unlisten(self) -> None:
        if self._hub is not None and self._listening:
            self._hub.remove(self._fileno, self)
            self._listening = False

    # Out

    @property
    def blocked(self) -> bool:
        """Whether a write is under way, so that ``write_nowait`` would refuse."""
        return self._stuck or self._has_posted

    @property
    def _has_posted(self) -> bool:
        """Whether the outbox has something that it is still to send."""
        outbox = self._outbox
        if outbox is None:
            return False
        return self._posted_in == outbox.round or (self._stand_apart is not None and self._fileno in outbox.filenos)

    def _block(self) -> None:
        """Take note that the socket is in the middle of a write from now on, or closed."""
        self._stuck = True
        self._let_stand_apart()

    def _settle(self) -> None:
        """Work out anew whether that is so, after a write ended."""
        self._stuck = self._sending or self._tail is not None or self._closed

    def follow(self, stand_apart: Callable[[], None]) -> int:
        """Return the number of the socket if the outbox may be given frames for it without `post`, else -1.

        It may until `unfollow`, or until ``stand_apart`` is called: as the socket takes no more, or closes.
        """
        if self._outbox is None or self._stuck:
            return -1
        self._stand_apart = stand_apart
        return self._fileno

    def unfollow(self) -> None:
        """Say that frames are posted again from now on."""
        self._stand_apart = None

    def _let_stand_apart(self) -> None:
        stand_apart, self._stand_apart = self._stand_apart, None
        if stand_apart is not None:
            stand_apart()

    @property
    def waiting_bytes(self) -> int:
        """What is held for the peer, whether the socket has taken the beginning of it or not, and of the peer."""
        tail = self._tail
        return self._pending_bytes + (0 if tail is None else memoryview(tail.obj).nbytes)

    def write_nowait(self, frames: bytes) -> bool:
        """Write whole frames if nothing else is being written.

        Returns:
            True when ``frames`` were taken over: what the socket didn't take at once is finished before
            anything else is written. False when the connection is blocked or closed: nothing was written.
        """
        if self.blocked:
            return False
        self._write(frames)
        return not self._closed

    def post(self, frames: bytes) -> bool:
        """Write whole frames as `write_nowait` does, but when the outbox, if there is one, sends what it was given.

        Until then the connection is blocked. It returns True even if the connection turns out to be broken.
        """
        if self._stuck:
            return False
        outbox = self._outbox
        if outbox is None:
            self._write(frames)
            return True
        if self._posted_in == outbox.round:
            return False
        self._posted_in = outbox.round
        outbox.filenos.append(self._fileno)
        outbox.frames.append(frames)
        return True

    def _write(self, frames: bytes) -> None:
        taken = 0
        if self._fileno >= 0:
            try:
                taken = write(self._fileno, frames)
            except _WOULD_BLOCK:
                pass
            except OSError:
                self.broke()
                return
        self.bytes_out += len(frames)
        self.writes_out += 1
        if taken < len(frames):
            self.cut_off(frames, taken)

    def cut_off(self, frames: bytes, taken: int) -> None:
        """Finish ``frames``, of which the socket took ``taken`` bytes, before anything else is written."""
        if self._closed:
            return
        self._tail = memoryview(frames)[taken:]
        self._block()
        self._nursery.start_soon(self._finish_tail)

    def broke(self) -> None:
        """Write nothing more: the reader sees that the socket is broken as well, and ends the session."""
        self._closed = True
        self._block()

    async def _finish_tail(self) -> None:
        tail = self._tail
        assert tail is not None
        try:
            await self._stream.send_all(tail)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            self._closed = True  # the reader sees the same, and ends the session
        finally:
            self._tail = None
            self._settle()
            self._idle.set()
            self._idle = trio.Event()

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send trio-websocket's own bytes, after whatever is being written."""
        self.said_close |= data[:1] == _CLOSE_BYTE
        if self._outbox is not None and self._has_posted:
            self._outbox.send()
        while self._tail is not None or self._sending:
            await self._idle.wait()
        self._sending = True
        self._block()
        try:
            await self._stream.send_all(data)
            self.bytes_out += len(data)
        except BaseException:  # cancelled or broken: a part of a frame may be out, and nothing fits behind that
            self._closed = True
            raise
        finally:
            self._sending = False
            self._settle()
            self._idle.set()
            self._idle = trio.Event()

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until nothing is being written and the socket takes more."""
        while self._tail is not None or self._sending:
            await self._idle.wait()
        await self._stream.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        """Take no more frames. The socket stays open for a last word: who opened it closes it."""
        self._closed = True
        self._block()
        self.on_close()
        await trio.lowlevel.checkpoint()


def _split_head(head: bytes) -> tuple[bytes, bytes]:
    end = head.find(b"\r\n\r\n")
    return (head, b"") if end < 0 else (head[: end + 4], head[end + 4 :])


def _nothing() -> None:
    pass


def _nobody(payload: bytes) -> None:
    raise AssertionError("a message was delivered before start()")
