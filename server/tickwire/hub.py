"""The hub: one epoll for all players' sockets, read in one go instead of by a waking task each.

What a player usually sends, one input for the next tick, goes from the socket to the board, where its room finds it; of
all else the connection hears.

Linux only; elsewhere `Hub.listens` is False and every connection's own task reads (`transport`).
"""

from __future__ import annotations

import math
import select
import sys
from array import array
from collections import deque
from itertools import repeat
from os import read
from types import TracebackType
from typing import Final, Protocol, Self

import trio

from tickwire.board import InputBoard
from tickwire.framing import FAST_HEAD_BYTES, take_fast_payload
from tickwire.outbox import Outbox

READ_BYTES: Final = 448
"""Enough for what a player sends in a tick, and no more than some thirty frames of a flood, for which a room's tick has
to wait; the rest comes at the next pass. So small a read takes its buffer from Python's own fast allocator."""

MAX_EVENTS: Final = 512

TURN_S: Final = 0.0005
"""Between two turns when many want one: twice what a turn takes, about, so that half of the time is left for ticks."""

TURNS_AT_ONCE: Final = 4
"""So many are had without waiting after a quiet moment."""

_run_through: Final = deque[None](maxlen=0).extend
_NOTHING: Final = (BlockingIOError, InterruptedError)

# Edge-triggered: the kernel tells of a socket once, when something new comes, and doesn't look at it again each time.
_NEWS: Final = select.EPOLLIN if sys.platform == "linux" else 0
_EVENTS: Final = _NEWS | select.EPOLLRDHUP | select.EPOLLET if sys.platform == "linux" else 0


class Ear(Protocol):
    """Who listens to a socket."""

    def heard(self, data: bytes, now: float) -> None:
        """Take what arrived at ``now`` (``trio.current_time()``); b"" is the end. Must not block or raise."""
        ...


class Hub:
    """Reads all sockets that have something, whenever `drain` is called.

    Use it with ``with``, while it is in use.

    Attributes:
        outbox: What goes out to them.
        board: What players command.
        frames_in, bytes_in: Frames that were put there without a call of ``heard``, and their bytes.
    """

    def __init__(self) -> None:
        """Start with no sockets."""
        self.outbox = Outbox()
        self.board = InputBoard()
        self._epoll = select.epoll() if hasattr(select, "epoll") else None
        self._ears: list[Ear | None] = []  # by file number: no list of ints to look through, and small
        self._lanes = array("i")  # by file number: the column on the board of who sends nothing but whole messages
        self._count = 0
        self.frames_in = 0
        self.bytes_in = 0
        self._last_turn = -math.inf

    @property
    def listens(self) -> bool:
        """Whether this system has epoll, so that sockets can be added."""
        return self._epoll is not None

    def __len__(self) -> int:
        """How many sockets are listened to."""
        return self._count

    def __enter__(self) -> Self:
        """Let the outbox send in its quickest way."""
        self.outbox.begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the epoll, and what the outbox sends by."""
        self.outbox.end()
        if self._epoll is not None:
            self._epoll.close()

    def add(self, fileno: int, ear: Ear) -> None:
        """Let ``ear`` hear the non-blocking socket ``fileno`` from now on."""
        assert self._epoll is not None
        self._epoll.register(fileno, _EVENTS)
        more = fileno + 1 - len(self._ears)
        self._ears += [None] * more
        self._lanes.extend([0] * more)
        self._ears[fileno] = ear
        self._count += 1

    def remove(self, fileno: int, ear: Ear) -> None:
        """Stop listening; call it before the socket is closed. Harmless when ``ear`` isn't the one listening.

        Called by what an ear heard, it comes too late for what was read in the same go: that is heard all the same, so
        that no byte of a stream gets lost.
        """
        if fileno >= len(self._ears) or self._ears[fileno] is not ear:
            return
        self._ears[fileno] = None
        self._lanes[fileno] = 0
        self._count -= 1
        assert self._epoll is not None
        if not self._epoll.closed:
            self._epoll.unregister(fileno)

    def set_lane(self, fileno: int, column: int) -> None:
        """Put the inputs of a socket that is listened to into a column of the board; 0: call ``heard`` with them."""
        self._lanes[fileno] = column

    def drain(self) -> bool:
        """Read every socket that has something, and hand it to its ear; return whether there was any."""
        if self._epoll is None or not self._count:
            return False
        ears = self._ears
        now = trio.current_time()
        ready = self._epoll.poll(0, MAX_EVENTS)
        filenos = [fileno for fileno, _ in ready]
        # All reads come first, without Python in between: its code and the kernel's throw each other out of the caches.
        pieces: list[bytes | None] = []
        reads = map(pieces.append, map(read, filenos, repeat(READ_BYTES)))
        while len(pieces) < len(ready):
            try:
                _run_through(reads)
            except _NOTHING:
                pieces.append(None)
            except OSError:
                pieces.append(b"")  # reset by the peer: an end like any other
        others = self._put_on_board(ready, pieces, now)
        listening = [ears[fileno] for fileno, _, _ in others]
        for (fileno, events, data), ear in zip(others, listening, strict=True):
            assert ear is not None  # the kernel tells of those alone that were added
            more = events != _NEWS or len(data) == READ_BYTES  # there is more, or the end behind it: tell of it again
            if more and ears[fileno] is ear:
                self._epoll.modify(fileno, _EVENTS)
            ear.heard(data, now)
        return bool(ready)

    def _put_on_board(
        self, ready: list[tuple[int, int]], pieces: list[bytes | None], now: float
    ) -> list[tuple[int, int, bytes]]:
        """Put the inputs that are known on the board; return what else was read, with its socket and its events."""
        lanes, board = self._lanes, self.board
        others: list[tuple[int, int, bytes]] = []
        taken = size = 0
        for (fileno, events), data in zip(ready, pieces, strict=True):
            column = lanes[fileno]
            if column and data and events == _NEWS:
                payload = take_fast_payload(data)
                if payload >= 0 and board.take_next(payload, len(data) - FAST_HEAD_BYTES, column):
                    board.heard_at[column] = now
                    taken += 1
                    size += len(data)
                    continue
            if data is not None:
                others.append((fileno, events, data))
        self.frames_in += taken
        self.bytes_in += size
        return others

    async def turn(self) -> None:
        """Wait for a turn to do what takes long, such as a frame that trio-websocket has to read.

        Whoever floods the slow lane, from however many connections, takes turns with all others there, and the
        rooms' ticks come in between.
        """
        now = trio.current_time()
        self._last_turn = max(self._last_turn + TURN_S, now - (TURNS_AT_ONCE - 1) * TURN_S)
        await trio.sleep_until(self._last_turn)

    async def wait(self) -> None:
        """Return when a socket has something."""
        assert self._epoll is not None
        await trio.lowlevel.wait_readable(self._epoll.fileno())
