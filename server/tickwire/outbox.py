"""The outbox: what the ticks of all rooms have for their players, written in one go behind them.

A write runs through the kernel's code, throws Python's out of the processor's caches, and may wake somebody. So all
ticks come first, and then all writes, without a line of Python in between. What is fetched again after so many
writes comes from memory, at some 0.2 us for each object: so nothing of a player's is looked at here unless its socket
didn't take the whole of it.
"""

from __future__ import annotations

from array import array
from collections import deque
from errno import EAGAIN
from os import write
from typing import Final, Protocol

from tickwire.ring import Ring, open_ring

FOR_A_RING: Final = 16
"""For fewer frames it takes longer to fill a ring than it saves."""

_BROKEN: Final = -1

_run_through: Final = deque[None](maxlen=0).extend
_WOULD_BLOCK: Final = (BlockingIOError, InterruptedError)


class Outlet(Protocol):
    """Whose socket was written to."""

    def cut_off(self, frames: bytes, taken: int) -> None:
        """Take note that the socket took ``taken`` bytes of ``frames`` and no more. Must not block or raise."""
        ...

    def broke(self) -> None:
        """Take note that the socket is broken. Must not block or raise."""
        ...


class Outbox:
    """Takes frames for sockets, and writes them.

    ``filenos`` and ``frames`` belong together; both are appended to, at most once in a round for each socket, and
    without a call: that would cost more than all else that a post does.

    Attributes:
        filenos: The sockets that are to be written to: all open (`open`) and non-blocking.
        frames: Whole frames for each.
        round: Goes up with each `send` that there was something for.
        bytes_out: Bytes handed to sockets so far, or taken over to be.
        writes_out: Writes so far.
    """

    def __init__(self) -> None:
        """Start with nothing to write."""
        self.filenos = array("i")
        self.frames: list[bytes] = []
        self.round = 0
        self.bytes_out = 0
        self.writes_out = 0
        self._outlets: dict[int, Outlet] = {}
        self._ring: Ring | None = None

    def begin(self) -> None:
        """Send in few system calls from now on, where the system can do that; until `end`."""
        self._ring = open_ring()

    @property
    def has_ring(self) -> bool:
        """Whether it does."""
        return self._ring is not None

    def end(self) -> None:
        """Send one by one."""
        if self._ring is not None:
            self._ring.close()
            self._ring = None

    def open(self, fileno: int, outlet: Outlet) -> None:
        """Let frames be posted for the non-blocking socket ``fileno``, and tell ``outlet`` what it doesn't take."""
        self._outlets[fileno] = outlet

    def close(self, fileno: int) -> None:
        """Take nothing more for a socket; call it before the socket is closed and its number another one's."""
        if fileno in self.filenos:
            self.send()
        del self._outlets[fileno]

    def send(self) -> None:
        """Write all that was posted, in that order."""
        filenos, frames = self.filenos, self.frames
        if not frames:
            return
        self.filenos, self.frames = array("i"), []
        self.round += 1
        taken = self._ring.send(filenos, frames) if self._ring is not None and len(frames) >= FOR_A_RING else []
        if len(taken) < len(frames):
            self._write(filenos[len(taken) :], frames[len(taken) :], taken)
        sizes = [*map(len, frames)]
        self.writes_out += len(sizes)
        self.bytes_out += sum(sizes)
        if taken != sizes:
            for fileno, sent, size, count in zip(filenos, frames, sizes, taken, strict=True):
                if count != size:
                    self._settle(self._outlets[fileno], sent, 0 if count == -EAGAIN else count)

    def _write(self, filenos: array[int], frames: list[bytes], taken: list[int]) -> None:
        """Write frames one by one; append to ``taken`` what their sockets take, or a negative number."""
        writes = map(taken.append, map(write, filenos, frames))
        goal = len(taken) + len(frames)
        while len(taken) < goal:
            try:
                _run_through(writes)
            except _WOULD_BLOCK:
                taken.append(0)
            except OSError:
                taken.append(_BROKEN)

    def _settle(self, outlet: Outlet, frames: bytes, taken: int) -> None:
        if taken < 0:
            self.writes_out -= 1
            self.bytes_out -= len(frames)
            outlet.broke()
        else:
            outlet.cut_off(frames, taken)
