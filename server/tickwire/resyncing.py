"""Full snapshots for clients whose state failed its check (PROTOCOL.md, RESYNC): each gets one, and not too often."""

from __future__ import annotations

from typing import Final

import attrs

from tickwire.seat import Seat

PAUSE_S: Final = 1.0
"""A client that asks all the time gets one full snapshot a second; an honest one needs one in its life."""


@attrs.define
class Resyncs:
    """Grants what the clients of one room ask for; all times in seconds.

    Who asks too soon gets its snapshot later, for it has to get one in the end: an honest client takes no delta before.

    Attributes:
        granted: Full snapshots given.
        put_off: How often somebody asked too soon.
        waiting: Who waits for one that was put off.
    """

    granted: int = 0
    put_off: int = 0
    waiting: set[Seat] = attrs.field(init=False, factory=set[Seat])

    def ask(self, seat: Seat, now: float) -> None:
        """Let the next snapshot of ``seat`` be a full one, now or as soon as it may have another."""
        if now < seat.resync_from:
            self.put_off += 1
            self.waiting.add(seat)
        else:
            self._grant(seat, now)

    def grant_due(self, now: float) -> None:
        """Grant what was put off until now."""
        if self.waiting:
            for seat in [seat for seat in self.waiting if seat.resync_from <= now]:
                self.waiting.discard(seat)
                self._grant(seat, now)

    def _grant(self, seat: Seat, now: float) -> None:
        self.granted += 1
        seat.resync_from = now + PAUSE_S
        seat.hold_nothing()
