"""Timers counted in ticks, run in order of their tick and then of their making."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Final

import attrs

from tickwire_shared.errors import UsageError

_NEVER: Final = 10**9


@attrs.define(eq=False)
class Timer:
    """A function that will be called; ``cancel`` it if it should not."""

    due: int
    period: int
    call: Callable[[], object]
    cancelled: bool = attrs.field(init=False, default=False)

    def cancel(self) -> None:
        """Make sure that it is not called any more; harmless when it is over."""
        self.cancelled = True


@attrs.define
class Timers:
    """The timers of one room."""

    _heap: list[tuple[int, int, Timer]] = attrs.field(init=False, factory=list[tuple[int, int, Timer]])
    _made: int = attrs.field(init=False, default=0)
    _clock: int = attrs.field(init=False, default=0)

    def after(self, ticks: int, call: Callable[[], object]) -> Timer:
        """Call ``call`` once, ``ticks`` ticks from now (at least 1)."""
        return self._add(ticks, 0, call)

    def every(self, ticks: int, call: Callable[[], object]) -> Timer:
        """Call ``call`` each ``ticks`` ticks, first that long from now."""
        return self._add(ticks, ticks, call)

    def run(self) -> None:
        """Go on by one tick and call what is due; what a call raises ends the room."""
        self._clock += 1
        while self._heap and self._heap[0][0] <= self._clock:
            _, _, timer = heapq.heappop(self._heap)
            if timer.cancelled:
                continue
            timer.call()
            if timer.period and not timer.cancelled:
                self._push(timer, self._clock + timer.period)

    def next_in(self) -> int:
        """Return in how many ticks a timer is due, perhaps a cancelled one; a billion if there is none."""
        return self._heap[0][0] - self._clock if self._heap else _NEVER

    def pass_over(self, ticks: int) -> None:
        """Go on by ``ticks`` ticks in which nothing is due."""
        self._clock += ticks

    def _add(self, ticks: int, period: int, call: Callable[[], object]) -> Timer:
        if type(ticks) is not int or ticks < 1:
            raise UsageError(f"A timer of {ticks!r} ticks; use an int of at least 1.")
        timer = Timer(0, period, call)
        self._push(timer, self._clock + ticks)
        return timer

    def _push(self, timer: Timer, due: int) -> None:
        timer.due = due
        self._made += 1
        heapq.heappush(self._heap, (due, self._made, timer))
