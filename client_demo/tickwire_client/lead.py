"""How many ticks ahead of the server an input has to be addressed to arrive in time.

The aim is the way there, plus what the way varies by, plus a margin. The margin grows at once when
the server says that an input came late, and shrinks slowly while none does, so that a stall now and
then doesn't make it oscillate. Growth is applied at once; shrinking is slewed, because it leaves
ticks without a new input.
"""

from __future__ import annotations

from attrs import define, field

LEAST_MARGIN_TICKS = 1.0
MOST_MARGIN_TICKS = 8.0
CALM_MS = 5_000.0  # without a late input for this long, the margin shrinks by a tick
JITTER_SPREAD = 2.0  # a smoothed mean deviation times this covers about 95 % of arrivals
SHRINK_RATE = 0.05  # the local step is stretched by at most 5 %


@define
class LeadController:
    """Holds the lead of one connection. Pure: told the time and the network's estimates."""

    margin_ticks: float = LEAST_MARGIN_TICKS
    lead_ticks: float = field(default=0.0, init=False)
    _late: int = field(default=0, init=False)
    _calm_since_ms: float = field(default=0.0, init=False)
    _stepped_at_ms: float | None = field(default=None, init=False)

    def observe_news(self, slack: int, late: int, local_ms: float) -> None:
        """Learn how inputs arrived: the newest one's slack, and how many were late since the join."""
        if late > self._late:
            growth = max(1.0, -float(slack))
            self.margin_ticks = min(MOST_MARGIN_TICKS, self.margin_ticks + growth)
            self._calm_since_ms = local_ms
        self._late = late

    def step(self, local_ms: float, rtt_ms: float, jitter_ms: float, tick_ms: float) -> float:
        """Move the lead towards its aim and return it, in ticks with fraction."""
        self._relax(local_ms)
        way = (rtt_ms / 2 + JITTER_SPREAD * jitter_ms) / tick_ms
        aim = way + self.margin_ticks
        before = self._stepped_at_ms
        self._stepped_at_ms = local_ms
        if before is None or aim >= self.lead_ticks:
            self.lead_ticks = aim
        else:
            reach = SHRINK_RATE * max(0.0, local_ms - before) / tick_ms
            self.lead_ticks = max(aim, self.lead_ticks - reach)
        return self.lead_ticks

    def restart(self) -> None:
        """Begin anew on a new connection, keeping the margin that the old one taught.

        The server counts late inputs since the join, so that count goes on.
        """
        self._stepped_at_ms = None

    def _relax(self, local_ms: float) -> None:
        if self.margin_ticks <= LEAST_MARGIN_TICKS:
            self._calm_since_ms = local_ms
        elif local_ms - self._calm_since_ms >= CALM_MS:
            self.margin_ticks = max(LEAST_MARGIN_TICKS, self.margin_ticks - 1.0)
            self._calm_since_ms = local_ms
