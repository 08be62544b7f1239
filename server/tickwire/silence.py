"""Dead peers: a connection of which nothing is heard is pinged, then given up; its player keeps the seat for a while.

A peer that vanishes (a closed lid, a dead battery, a router that forgot) ends no connection. Any bytes are a sign of
life. Whoever is silent is sent WebSocket pings, which a browser answers even for a page whose timers are asleep. There
is no timer for a connection: a room looks at its seats once a second.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import attrs

from tickwire.framing import PING_FRAME
from tickwire.seat import Seat
from tickwire_shared.closing import CloseCode

CHECK_EVERY_S: Final = 1.0

PING_AFTER: Final = 1 / 2
"""The part of the bearable silence after which a peer is pinged: time for an answer on the worst of links."""


@attrs.define
class Silence:
    """Listens for the silence of one room's connections; all times in seconds.

    Attributes:
        bearable_s: A connection is given up when nothing was heard of it for this long.
        due: When to `check` next.
        given_up: Connections that were.
    """

    bearable_s: float
    due: float
    given_up: int = attrs.field(init=False, default=0)
    _awake_since: float = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Listen from now on."""
        self._awake_since = self.due

    @property
    def pause_s(self) -> float:
        """How long a room may rest without a look at its seats: who is silent has to be pinged in time."""
        return self.bearable_s * PING_AFTER

    def check(self, seats: Iterable[Seat], now: float, late_s: float) -> None:
        """Ping who is silent, with what is sent next, and close the connections of those who are for too long.

        A tick that is late by ``late_s`` says that it was this process that slept: what was sent meanwhile is yet to
        be read.
        """
        if late_s > CHECK_EVERY_S:
            self._awake_since = now
        self.due = now + CHECK_EVERY_S
        for seat in seats:
            link = seat.link
            if link is None:
                continue
            silent_s = now - max(link.last_heard, self._awake_since)
            if silent_s >= self.bearable_s:
                self.given_up += 1
                link.close(CloseCode.TIMED_OUT, f"Nothing was heard of you for {self.bearable_s:g} s.")
            elif silent_s >= self.pause_s:
                seat.say("ping", PING_FRAME)
