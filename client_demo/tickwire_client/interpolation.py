"""Draws a room a little in the past, between two snapshots, so that what others do looks smooth.

Snapshots go in as they come (``arrived``); whoever draws says when (``frame``) and asks where things are. Nobody who
doesn't draw pays for it: states are kept from the first frame on.
"""

from __future__ import annotations

from collections import deque

from attrs import define, field

from tickwire_client.clock import ServerClock
from tickwire_client.lateness import Lateness, RenderClock
from tickwire_client.statistics import GameStats
from tickwire_client.timeline import Place, Timeline
from tickwire_shared.state import WorldState

LONGEST_FRAME_MS = 1000.0  # a frame covers this much time at most: after a pause the clocks jump instead of running
MAX_OPEN_FRAMES = 1024  # frames ahead of the newest snapshot that may still turn out to have lacked the next one


@define(eq=False)
class Interpolation:
    """How one player sees one room. All times are the local clock's, in milliseconds.

    Attributes:
        clock: Tells the server's tick.
        timeline: The states to draw between.
        lateness: How late they come.
        stats: Where frames and underruns are counted.
        frame_ms: When the last frame was; None before the first.
    """

    clock: ServerClock
    timeline: Timeline
    lateness: Lateness
    stats: GameStats
    frame_ms: float | None = field(default=None, init=False)
    _render: RenderClock = field(factory=RenderClock, init=False)
    _newest: int | None = field(default=None, init=False)
    _state: WorldState | None = field(default=None, init=False)
    _open: deque[float] = field(factory=lambda: deque[float](maxlen=MAX_OPEN_FRAMES), init=False)

    @property
    def render_tick(self) -> float | None:
        """The tick that is drawn, with fraction and not wrapped; None before the first frame."""
        return self._render.tick

    @property
    def delay_ticks(self) -> float:
        """How far behind the server's clock the last frame was drawn; 0 before the first."""
        if self._render.tick is None or self.frame_ms is None:
            return 0.0
        return self.clock.tick_at(self.frame_ms) - self._render.tick

    def shown_tick(self, now_ms: float) -> float | None:
        """The tick that a frame now would show if it came exactly on time; None before the first frame."""
        if self._render.tick is None or self.frame_ms is None:
            return None
        return self._render.tick + (now_ms - self.frame_ms) * self.clock.hz / 1000.0

    def arrived(self, tick: int, state: WorldState, now_ms: float, *, full: bool) -> None:
        """Take the snapshot of ``tick``, a u32."""
        tick = self.clock.unwrap(tick)
        # The time between a full snapshot and what was held before says nothing about the rate.
        gap = 0 if full or self._newest is None else tick - self._newest
        if self.clock.measured:
            self.lateness.arrived(self.clock.tick_at(now_ms) - tick, gap)
        self._judge(tick, changed=state is not self._state)
        self._newest, self._state = tick, state
        if self.frame_ms is not None:
            self.timeline.gap = self.lateness.gap_ticks
            self.timeline.add(tick, state)

    def frame(self, now_ms: float) -> None:
        """Begin a frame: from now on everything is drawn as it is in it."""
        before, self.frame_ms = self.frame_ms, now_ms
        if self._render.tick is None and not self.lateness.known:
            return  # begun on a guess, the picture would first have to fall back
        elapsed = 0.0 if before is None else min(max(now_ms - before, 0.0), LONGEST_FRAME_MS)
        target = self.clock.tick_at(now_ms) - self.lateness.delay_ticks
        self._render.advance(target, elapsed, self.clock.hz)
        self.stats.frames += 1
        newest = self.timeline.newest
        if newest is not None and self._render.tick is not None and self._render.tick > newest:
            self._open.append(self._render.tick)

    def place(self, name: str, id: int) -> Place | None:
        """Where an entity of the class ``name`` is drawn in this frame; None: as in the newest state."""
        if self._render.tick is None:
            return None
        return self.timeline.place(self.timeline.schema.entity_index(name), id, self._render.tick)

    def _judge(self, tick: int, *, changed: bool) -> None:
        """Count the frames that would have been drawn by the snapshot of ``tick``, had it been there.

        While nothing changes there is no snapshot to lack: so only what was drawn less than a gap before this one.
        """
        since = tick - self.lateness.gap_ticks
        self.stats.underruns += changed and sum(drawn > since for drawn in self._open)
        self._open.clear()
