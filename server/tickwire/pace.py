"""The pace of a room: when its ticks are due. Absolute deadlines, bounded catching up, and rest.

A deadline is the one before it plus a tick, whatever the tick took, so a room neither drifts nor forgets. One that is
late by more than it may catch up shifts its deadlines and never simulates what it dropped (field.md, T1). One at
rest leaves ticks out on purpose; they count, but nothing runs.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import trio

from tickwire.pulse import Beat, Pulse


class Pace:
    """Calls a room when its next tick is due.

    Attributes:
        dt: Seconds per tick.
        due: The deadline of the tick that runs, or ran last.
        due_next: The deadline of the one that is waited for.
        resting: Ticks that are left out before that one.
        dropped_ticks: Ticks that were never simulated because the room was late.
        late_s: By how many seconds the tick that runs, or ran last, began late.
    """

    def __init__(self, pulse: Pulse, hz: float, call: Callable[[], None]) -> None:
        """Call ``call``, which must not raise, for each tick from ``start`` on."""
        self.dt = 1.0 / hz
        self.due = self.due_next = trio.current_time()
        self.resting = 0
        self.dropped_ticks = 0
        self.late_s = 0.0
        self._pulse = pulse
        self._beat = Beat(call)
        self._phase: int | None = None

    def act(self, call: Callable[[], None]) -> None:
        """Run what is no tick but may take as long, so that it is seen who runs."""
        self._pulse.running = self._beat.call
        try:
            call()
        finally:
            self._pulse.running = None

    def calls(self, call: Callable[[], None] | None) -> bool:
        """Whether this is what is called for each tick of the room."""
        return call == self._beat.call

    def start(self, took_s: float = 0.0) -> None:
        """Wait for the first tick; those of such rooms took ``took_s`` on average so far."""
        self._phase, due = self._pulse.phases.take(self.dt, trio.current_time() + self.dt, took_s)
        self._wait_until(due)

    def stop(self) -> None:
        """Call no more."""
        if self._phase is not None:
            self._pulse.phases.give_back(self.dt, self._phase)
            self._phase = None
        self._beat.cancel()

    def begin(self, now: float, most: int) -> int:
        """Begin the tick that was waited for; return how many are dropped so that ``most`` are left to run."""
        self.due = self.due_next
        self.late_s = late = now - self.due
        if late < self.dt:
            return 0
        dropped = max(0, 1 + int(late / self.dt) - most)
        self.dropped_ticks += dropped
        self.due += dropped * self.dt
        return dropped

    def go_on(self, rest: int) -> None:
        """Wait for the next tick, or for the one after ``rest`` others."""
        self.resting = rest
        self._wait_until(self.due + self.dt * (1 + rest))

    def wake(self) -> int:
        """End the rest with the next deadline; return how many ticks were left out."""
        if not self.resting:
            return 0
        left = max(0, math.floor((self.due_next - trio.current_time()) / self.dt))
        passed = max(0, self.resting - left)
        due = self.due_next - (self.resting - passed) * self.dt
        self.resting = 0
        self._wait_until(due)
        return passed

    def _wait_until(self, due: float) -> None:
        self.due_next = due
        self._pulse.arm(self._beat, due)
