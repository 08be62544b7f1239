"""How late snapshots come, and so how far in the past a room is drawn; and the tick that is drawn, without jumps.

::

    ----|---------|---------|----------------> ticks
     snapshot  snapshot  newest          server now
                    ^ render tick = server now - delay

The delay covers the trip, the time between snapshots and the jitter of both, no more. Pure: time comes in as
arguments, ticks are unwrapped. The browser's twin is ``client_demo/web/sdk/interpolation.js``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from math import inf

from attrs import define, field, frozen

ARRIVALS = 60  # remembered to judge the link: 2 s at 30 snapshots a second
GAPS = 9  # ticks between snapshots are judged by the last few, so that a halved snapshot rate is noticed at once
MAX_GAP_FACTOR = 4  # where little happens snapshots are rare; they count as if at this many times the announced gap

BURST_GAPS = 0.25
"""What comes this close behind the one before it, in announced gaps, was held up by it: a stall counts once, not once
for every snapshot that it held up, and must not make everybody wait for the next stall."""

JITTER_PERCENTILE = 0.85
JITTER_FACTOR = 2.0
"""Jitter is twice how far the 85th percentile of lateness is above the median. Percentiles, because of stalls; twice
covers 98 % of a normal distribution."""
MAX_JITTER_GAPS = 5
MARGIN_TICKS = 0.25  # for rounding and one frame of a screen

RATE_LIMIT = 0.05  # the render tick runs at most this much faster or slower than time: too little to see
HURRY_LIMIT = 0.25  # ... and this much while it is further off than
HURRY_MS = 60.0  # this: the server's clock was set back, or the trip became a longer one
DEAD_BAND_TICKS = 0.1  # smaller errors are left alone, so that the rate does not flutter
CORRECTION_MS = 500.0  # an error is made up within about this time, as far as the rate limit allows
JUMP_MS = 500.0  # further off it jumps: after a pause there is nothing to keep smooth


@frozen(slots=True)
class _Spread:
    """What the last arrivals say, in ticks."""

    median: float
    gap: float
    jitter: float


@define
class Lateness:
    """Judges a link by when snapshots come.

    Attributes:
        snapshot_every: How many ticks a snapshot of this room covers, as announced.
    """

    snapshot_every: int
    _late: deque[float] = field(factory=lambda: deque[float](maxlen=ARRIVALS), init=False)
    _gaps: deque[float] = field(factory=lambda: deque[float](maxlen=GAPS), init=False)
    _last: float = field(default=-inf, init=False)
    _spread: _Spread | None = field(default=None, init=False)

    def announce(self, snapshot_every: int) -> None:
        """Expect a snapshot every so many ticks from now on; how often they came before says nothing any more."""
        if snapshot_every != self.snapshot_every:
            self.snapshot_every = snapshot_every
            self._gaps.clear()
            self._spread = None

    def arrived(self, late_ticks: float, gap_ticks: int) -> None:
        """Take note of a snapshot.

        Args:
            late_ticks: How far the server's clock was past its tick.
            gap_ticks: Ticks since the snapshot before; 0 if that says nothing about the rate.
        """
        waited, self._last = gap_ticks + late_ticks - self._last, late_ticks
        if gap_ticks > 0:
            self._gaps.append(min(gap_ticks, self.snapshot_every * MAX_GAP_FACTOR))
        if gap_ticks == 0 or waited >= BURST_GAPS * self.snapshot_every:
            self._late.append(late_ticks)
        self._spread = None

    @property
    def known(self) -> bool:
        """Whether a snapshot has told anything yet; before, the delay is no more than a guess."""
        return bool(self._late)

    @property
    def gap_ticks(self) -> float:
        """Ticks between two snapshots, typically."""
        return self._measured().gap

    @property
    def jitter_ticks(self) -> float:
        """The spread of the lateness."""
        return self._measured().jitter

    @property
    def delay_ticks(self) -> float:
        """How far behind the server's clock to draw."""
        spread = self._measured()
        return spread.median + spread.gap + spread.jitter + MARGIN_TICKS

    def _measured(self) -> _Spread:
        """What is known; sorted only when somebody asks."""
        if self._spread is None:
            median = _quantile(self._late, 0.5)
            gap = _quantile(self._gaps, 0.5) or float(self.snapshot_every)
            jitter = JITTER_FACTOR * (_quantile(self._late, JITTER_PERCENTILE) - median)
            self._spread = _Spread(median, gap, min(jitter, MAX_JITTER_GAPS * gap))
        return self._spread


@define
class RenderClock:
    """The tick that is drawn: follows its target without jumping.

    Attributes:
        tick: With fraction; None before the first ``advance``.
    """

    tick: float | None = None

    def advance(self, target: float, elapsed_ms: float, hz: float) -> None:
        """Go on by the time since the last call, a little faster or slower if that leads to ``target``."""
        step = elapsed_ms * hz / 1000.0
        if self.tick is None or abs(target - self.tick - step) > JUMP_MS * hz / 1000.0:
            self.tick = target
            return
        error = target - self.tick - step
        wanted = 0.0 if abs(error) < DEAD_BAND_TICKS else error * min(elapsed_ms / CORRECTION_MS, 1.0)
        reach = step * (HURRY_LIMIT if abs(error) > HURRY_MS * hz / 1000.0 else RATE_LIMIT)
        self.tick += step + max(-reach, min(reach, wanted))


def _quantile(values: Iterable[float], share: float) -> float:
    """The value that so many are below; 0 of none."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0
