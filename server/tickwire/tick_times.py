"""How long ticks take, without the writes behind them: counts in buckets, cheap enough to note every tick."""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

import attrs

BOUNDS_S: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
"""From an idle room's tick to the longest that a room of one tick a second may take, in steps of about 2.5."""


@attrs.define
class TickTimes:
    """A histogram of durations in seconds.

    Attributes:
        counts: How many took up to each of `BOUNDS_S` (and longer than the one before), then how many took longer.
        total_s: Their sum.
    """

    counts: list[int] = attrs.field(factory=lambda: [0] * (len(BOUNDS_S) + 1))
    total_s: float = 0.0

    def note(self, took_s: float) -> None:
        """Count one tick."""
        self.counts[bisect_left(BOUNDS_S, took_s)] += 1
        self.total_s += took_s

    def add(self, other: TickTimes) -> None:
        """Count what another histogram has counted."""
        self.counts = [ours + theirs for ours, theirs in zip(self.counts, other.counts, strict=True)]
        self.total_s += other.total_s

    def cumulative(self) -> list[tuple[str, float]]:
        """The buckets as Prometheus has them: each counts what the ones before it do, the last is ``+Inf``."""
        buckets: list[tuple[str, float]] = []
        so_far = 0
        for bound, count in zip((*map(str, BOUNDS_S), "+Inf"), self.counts, strict=True):
            so_far += count
            buckets.append((bound, so_far))
        return buckets
