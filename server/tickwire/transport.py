r"""The transport: what lies between a session and its socket.

::

    socket -> Transport.receive_some -> FrameSplitter --fast--> deliver(payload)
                                                     \-slow-> trio-websocket -> get_message -> deliver(payload)
    session -> Transport.write_nowait(frames) -> one non-blocking write -> socket
                                                \-what it didn't take-> finished by a task of the connection
    trio-websocket -> Transport.send_all -> (after that) -> socket

trio-websocket keeps the handshake, ping and pong, close, fragments, text and every error: it is given this
object as its stream, through its public ``wrap_server_stream``. Ready-made frames go around it.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from typing import Final

import trio

from tickwire.framing import FrameSplitter, Lane, Piece

RECEIVE_BYTES: Final = 16384

_CLOSE_BYTE: Final = b"\x88"
_WOULD_BLOCK: Final = (BlockingIOError, InterruptedError)


class Transport(trio.abc.Stream):
    """A stream for trio-websocket with a fast lane in each direction.

    One task receives (trio-websocket's reader) and any may write; writes are whole frames and are never interleaved.

    Attributes:
        bytes_in: Bytes received since the start.
        bytes_out: Bytes handed to the socket, or taken over to be.
        last_heard: ``trio.current_time()`` of the last bytes received.
        said_close: Whether a close frame was sent, or was to be.
        on_close: Called when trio-websocket has done with the stream.
    """

    def __init__(self, stream: trio.abc.Stream, head: bytes, nursery: trio.Nursery) -> None:
        """Wrap ``stream``; ``head`` is what was read from it already: the request's head and whatever followed."""
        self._stream = stream
        self._nursery = nursery
        self._fileno = stream.socket.fileno() if isinstance(stream, trio.SocketStream) else -1
        self._splitter = FrameSplitter()
        self._pieces: deque[Piece] = deque()
        self._deliver: Callable[[bytes], None] = _nobody
        self._gate: trio.Event | None = None
        self._gated = True
        self._sending = False
        self._tail: memoryview | None = None
        self._idle = trio.Event()
        self._closed = False
        self.bytes_in = len(head)
        self.bytes_out = 0
        self.last_heard = trio.current_time()
        self.said_close = False
        self.on_close: Callable[[], object] = _nothing
        request, rest = _split_head(head)
        # RFC 6455 lets a client talk right behind its request; that waits until ``start``.
        self._pieces.append(Piece(Lane.SLOW_MESSAGE_END, request))
        self._pieces.extend(self._splitter.feed(rest))

    # In

    def start(self, deliver: Callable[[bytes], None]) -> None:
        """Hand each fast message to ``deliver`` from now on; it must not block or raise."""
        self._deliver = deliver
        self.message_done()

    def message_done(self) -> None:
        """Say that the last slow message was processed, so that the frames after it may be delivered."""
        if self._gate is not None:
            self._gate.set()
            self._gate = None

    def release(self) -> None:
        """Say that no slow message is processed any more: from now on none is waited for."""
        self._gated = False
        self.message_done()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Return the next slow bytes, delivering the fast messages before them; b"" at the end."""
        while True:
            if self._gate is not None:
                await self._gate.wait()
            while self._pieces:
                piece = self._pieces.popleft()
                if piece.lane is Lane.FAST:
                    self._deliver(piece.data)
                    continue
                if piece.lane is Lane.SLOW_MESSAGE_END and self._gated:
                    self._gate = trio.Event()
                await trio.lowlevel.checkpoint()
                return piece.data
            data = bytes(await self._stream.receive_some(RECEIVE_BYTES))
            if not data:
                return b""
            self.bytes_in += len(data)
            self.last_heard = trio.current_time()
            self._pieces.extend(self._splitter.feed(data))

    # Out

    @property
    def blocked(self) -> bool:
        """Whether a write is under way, so that ``write_nowait`` would refuse."""
        return self._sending or self._tail is not None or self._closed

    def write_nowait(self, frames: bytes) -> bool:
        """Write whole frames if nothing else is being written.

        Returns:
            True when ``frames`` were taken over: what the socket didn't take at once is finished before
            anything else is written. False when the connection is blocked or closed: nothing was written.
        """
        if self.blocked:
            return False
        written = 0
        if self._fileno >= 0:
            try:
                written = os.write(self._fileno, frames)
            except _WOULD_BLOCK:
                pass
            except OSError:
                # The reader sees the same, and ends the session.
                self._closed = True
                return False
        self.bytes_out += len(frames)
        if written < len(frames):
            self._tail = memoryview(frames)[written:]
            self._nursery.start_soon(self._finish_tail)
        return True

    async def _finish_tail(self) -> None:
        tail = self._tail
        assert tail is not None
        try:
            await self._stream.send_all(tail)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            # The reader sees the same, and ends the session.
            self._closed = True
        finally:
            self._tail = None
            self._idle.set()
            self._idle = trio.Event()

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send trio-websocket's own bytes, after whatever is being written."""
        self.said_close |= data[:1] == _CLOSE_BYTE
        while self._tail is not None or self._sending:
            await self._idle.wait()
        self._sending = True
        try:
            await self._stream.send_all(data)
            self.bytes_out += len(data)
        except BaseException:  # cancelled or broken: a part of a frame may be out, and nothing fits behind that
            self._closed = True
            raise
        finally:
            self._sending = False
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
        self.on_close()
        await trio.lowlevel.checkpoint()


def _split_head(head: bytes) -> tuple[bytes, bytes]:
    end = head.find(b"\r\n\r\n")
    return (head, b"") if end < 0 else (head[: end + 4], head[end + 4 :])


def _nothing() -> None:
    pass


def _nobody(payload: bytes) -> None:
    raise AssertionError("a message was delivered before start()")
