"""The hub: one epoll for all players' sockets, read in one go instead of by a waking task each.

Linux only; elsewhere `Hub.listens` is False and every connection's own task reads (`transport`).
"""

from __future__ import annotations

import math
import select
import sys
from collections import deque
from itertools import repeat
from os import read
from types import TracebackType
from typing import Final, Protocol, Self

import trio

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

    Use it with ``with``: that closes the epoll.

    Attributes:
        outbox: What goes out to them.
    """

    def __init__(self) -> None:
        """Start with no sockets."""
        self.outbox = Outbox()
        self._epoll = select.epoll() if hasattr(select, "epoll") else None
        self._ears: list[Ear | None] = []  # by file number: no list of ints to look through, and small
        self._count = 0
        self._last_turn = -math.inf

    @property
    def listens(self) -> bool:
        """Whether this system has epoll, so that sockets can be added."""
        return self._epoll is not None

    def __len__(self) -> int:
        """How many sockets are listened to."""
        return self._count

    def __enter__(self) -> Self:
        """Nothing: the epoll is there already."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the epoll."""
        if self._epoll is not None:
            self._epoll.close()

    def add(self, fileno: int, ear: Ear) -> None:
        """Let ``ear`` hear the non-blocking socket ``fileno`` from now on."""
        assert self._epoll is not None
        self._epoll.register(fileno, _EVENTS)
        self._ears += [None] * (fileno + 1 - len(self._ears))
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
        self._count -= 1
        assert self._epoll is not None
        if not self._epoll.closed:
            self._epoll.unregister(fileno)

    def drain(self) -> bool:
        """Read every socket that has something, and hand it to its ear; return whether there was any."""
        if self._epoll is None or not self._count:
            return False
        ears = self._ears
        now = trio.current_time()
        ready = self._epoll.poll(0, MAX_EVENTS)
        filenos = [fileno for fileno, _ in ready]
        listening = [ears[fileno] for fileno in filenos]
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
        for (fileno, events), ear, data in zip(ready, listening, pieces, strict=True):
            assert ear is not None  # the kernel tells of those alone that were added
            if data is None:
                continue
            more = events != _NEWS or len(data) == READ_BYTES  # there is more, or the end behind it: tell of it again
            if more and ears[fileno] is ear:
                self._epoll.modify(fileno, _EVENTS)
            ear.heard(data, now)
        return bool(ready)

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
