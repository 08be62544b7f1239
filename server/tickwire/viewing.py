"""How far in the past a player sees the world: what it says, as far as that can be true.

The player commands tick T while its screen shows tick T - delay. The delay is its lead over the server plus how far
behind the server it draws: in all a round trip, and what smooths the jitter both ways. It tells the delay
(PROTOCOL.md, VIEW), for only it knows; the server believes as much of it as the round trip that
it measured itself justifies, and never that time ran backwards.
"""

from __future__ import annotations

from math import floor
from typing import Final

import attrs

from tickwire_shared.client_messages import VIEW_STEPS
from tickwire_shared.ticks import tick_distance

MOST_ROUND_TRIP_S: Final = 0.5
"""Of a longer round trip no more than this is made up for: others would be hit too long after they took cover.
Half a second is what Colyseus 0.18 allows; Source allows one."""

SPARE_S: Final = 0.1
"""What clients add for jitter and late inputs, beyond the deviation of the round trip."""

SPARE_SNAPSHOTS: Final = 2
"""What clients add to have a snapshot on either side of what they draw."""

SPARE_TICKS: Final = 2
"""What clients add so that an input waits for its tick, not the tick for it."""

LEAST_TICKS: Final = 1.0
"""In tick T the newest state that anyone can have seen is the commit of the tick before."""

BACKWARD_TICKS: Final = 8.0
"""An honest client's lead may grow by this at once (after a late input). Its time then stands still."""


def justified_ticks(round_trip_s: float, hz: float, snapshot_every: int) -> float:
    """Return the longest delay, in ticks, that a client with this round trip can have."""
    trip_s = min(round_trip_s, MOST_ROUND_TRIP_S)
    return (trip_s + SPARE_S) * hz + SPARE_SNAPSHOTS * snapshot_every + SPARE_TICKS


@attrs.define
class Viewing:
    """One player's delay, in ticks. A player that never told one sees the newest commit.

    Attributes:
        told: What it told last.
        most: The longest delay that is believed.
    """

    told: float = LEAST_TICKS
    most: float = LEAST_TICKS
    _since: int | None = attrs.field(init=False, default=None)
    _before: float = attrs.field(init=False, default=LEAST_TICKS)

    def allow(self, round_trip_s: float, hz: float, snapshot_every: int) -> None:
        """Believe what this round trip justifies."""
        most = justified_ticks(round_trip_s, hz, snapshot_every)
        self.most = floor(most * VIEW_STEPS) / VIEW_STEPS  # what is believed can always be told to others

    def claim(self, delay: float, now: int) -> bool:
        """Take what the player tells; ``now`` is the last tick simulated.

        Returns:
            False when it can't be true: longer than justified, shorter than possible, or far back in time.
        """
        first = self._since is None
        before = self.delay(now)
        likely = LEAST_TICKS <= delay <= self.most and (first or delay <= self._reach(now) + BACKWARD_TICKS)
        self.told, self._since, self._before = delay, now, before if not first else self.most
        return likely

    def delay(self, now: int) -> float:
        """The delay that is believed in tick ``now``: no longer than justified, and never back in time."""
        return min(self.told, self.most, self._reach(now))

    def _reach(self, now: int) -> float:
        """The delay with which time would have stood still since the last claim."""
        return self.most if self._since is None else self._before + tick_distance(now, self._since)
