"""The audience of a room: the seats that have a connection, and which of them are sent the very same.

Nearly all seats hold what the last flush brought them to, and want nothing of their own. They are *followers*: what
they are sent is one frame for all, and goes to the outbox as a list of file numbers, without a look at any of them.
To fetch a seat, its connection and what that is made of from memory takes longer than everything else that is done for
it. All others are *apart*, and looked at one by one.

::

    attach -> apart --(flush: holds the newest, has nothing of its own, its socket takes it)--> follower
                 ^---(an event, a message, an entity of its own; its socket is full or closes)----/
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from typing import TYPE_CHECKING

from tickwire.outbox import Outbox

if TYPE_CHECKING:
    from tickwire.seat import Seat


class Audience:
    """Keeps track of who follows; the room alone touches it.

    Attributes:
        outbox: Where what followers are sent goes.
        apart: Connected seats that don't follow, in the order in which they began not to.
        following: Seats that do, in the order of ``filenos``.
        version: The version of the state that followers hold.
        heard_tick: The last tick that a snapshot told them.
    """

    __slots__ = ("_filenos", "apart", "following", "heard_tick", "outbox", "version")

    def __init__(self, outbox: Outbox) -> None:
        """Start with no seats; what followers are sent goes to ``outbox``."""
        self.outbox = outbox
        self._filenos = array("i")
        self.apart: dict[Seat, None] = {}
        self.following: list[Seat] = []
        self.version = 0
        self.heard_tick = 0

    def __len__(self) -> int:
        """How many seats have a connection."""
        return len(self.apart) + len(self.following)

    def enter(self, seat: Seat) -> None:
        """Count in a seat that has a connection from now on."""
        self.apart[seat] = None

    def leave(self, seat: Seat) -> None:
        """Forget a seat, which need not be here."""
        self.set_apart(seat)
        self.apart.pop(seat, None)

    def follow(self, seat: Seat) -> None:
        """Let a seat follow that holds what followers do, if its connection lets it."""
        assert seat.line is not None
        fileno = seat.line.follow(seat.stand_apart)
        if fileno < 0:
            return
        del self.apart[seat]
        seat.place = len(self.following)
        self.following.append(seat)
        self._filenos.append(fileno)

    def set_apart(self, seat: Seat) -> None:
        """Look at a seat alone from now on; harmless if it doesn't follow."""
        place = seat.place
        if place < 0:
            return
        last, fileno = self.following.pop(), self._filenos.pop()
        if last is not seat:
            self.following[place], self._filenos[place], last.place = last, fileno, place
        seat.place = -1
        seat.version, seat.heard_tick = self.version, self.heard_tick
        self.apart[seat] = None
        if seat.line is not None:
            seat.line.unfollow()

    def set_all_apart(self) -> None:
        """Look at each seat alone."""
        for seat in list(self.following):
            self.set_apart(seat)

    def post(self, frames: bytes, more: Mapping[int, bytes]) -> None:
        """Send the followers whole frames, the same for all; behind them ``more`` by place, for some."""
        if not frames:
            for place, own in more.items():
                self.outbox.filenos.append(self._filenos[place])
                self.outbox.frames.append(own)
            return
        each = [frames] * len(self._filenos)
        for place, own in more.items():
            each[place] += own
        self.outbox.filenos += self._filenos
        self.outbox.frames += each
