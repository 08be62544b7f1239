"""How late ticks begin and how long they take, without the writes behind them: cheap enough to note every tick.

One is kept for all rooms of a type: what each of them had to itself would have to be fetched from memory for each tick.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from typing import Final

import attrs

BOUNDS_S: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
"""From an idle room's tick to the longest that a room of one tick a second may take, in steps of about 2.5."""

LATENESS_SAMPLES: Final = 8192
"""Of the last ticks: those of four seconds, if there are a hundred rooms of 20 ticks a second."""


@attrs.define
class TickTimes:
    """A histogram of durations in seconds, and how late the last ticks began.

    Attributes:
        counts: How many took up to each of `BOUNDS_S` (and longer than the one before), then how many took longer.
        total_s: Their sum.
        late_s: By how many seconds the last `LATENESS_SAMPLES` ticks began late, in no order.
    """

    counts: list[int] = attrs.field(factory=lambda: [0] * (len(BOUNDS_S) + 1))
    total_s: float = 0.0
    late_s: array[float] = attrs.field(factory=lambda: array("d"))
    _oldest: int = attrs.field(init=False, default=0)

    def note(self, took_s: float, late_s: float) -> None:
        """Count one tick."""
        self.counts[bisect_left(BOUNDS_S, took_s)] += 1
        self.total_s += took_s
        if len(self.late_s) < LATENESS_SAMPLES:
            self.late_s.append(late_s)
        else:
            self.late_s[self._oldest] = late_s
            self._oldest = (self._oldest + 1) % LATENESS_SAMPLES

    @property
    def mean_s(self) -> float:
        """How long they took on average; 0 before the first one."""
        return self.total_s / max(1, sum(self.counts))

    def cumulative(self) -> list[tuple[str, float]]:
        """The buckets as Prometheus has them: each counts what the ones before it do, the last is ``+Inf``."""
        buckets: list[tuple[str, float]] = []
        so_far = 0
        for bound, count in zip((*map(str, BOUNDS_S), "+Inf"), self.counts, strict=True):
            so_far += count
            buckets.append((bound, so_far))
        return buckets
