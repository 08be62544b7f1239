"""The pulse: one task that hears every socket and runs whatever is due, in all rooms.

A task of its own for each room's sleep costs as much as the tick of a small room: going once through trio's
loop is tens of microseconds. Here one wake-up serves all rooms that are due by then, and the inputs that came
meanwhile are read in one go right before they are needed. Deadlines are absolute; only the first one of a room
is moved (`phases`).
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from heapq import heappop, heappush
from typing import Final

import trio

from tickwire.hub import Hub
from tickwire.ladder import Ladder
from tickwire.phases import Phases

COALESCE_S: Final = 0.002
"""After it heard something the pulse waits this long before it listens again, unless a room is due."""

AT_ONCE: Final = 64
"""So many writes wait at most for the ticks of other rooms that are due."""


class Beat:
    """A call that is due at a time, again and again if it is armed again; ``cancel`` it when it is no longer wanted.

    Attributes:
        call: What is called; it must not raise.
        due: When; NaN: not at all.
    """

    __slots__ = ("call", "due")

    def __init__(self, call: Callable[[], None]) -> None:
        """Not due before it is armed (`Pulse.arm`)."""
        self.call = call
        self.due = math.nan

    def cancel(self) -> None:
        """Make sure that it is never called again, and keep nothing alive that it would call."""
        self.due = math.nan
        self.call = _nothing


class Pulse:
    """Calls rooms when they are due, and hears their sockets before.

    Attributes:
        hub: The sockets.
        ladder: How much of its time the process spends in ticks.
        phases: When within a tick each room's turn is.
        now: ``trio.current_time()`` when the pulse or what it calls looked last (`look`).
        running: What it calls just now; read by another thread (`watchdog`).
    """

    def __init__(self, spare: Callable[[float], object] | None = None) -> None:
        """Start with nothing due; ``spare`` is told how many seconds nothing is due for, before the pulse sleeps."""
        self._spare = spare
        self.hub = Hub()
        self.ladder = Ladder()
        self.phases = Phases()
        self.running: Callable[[], None] | None = None
        self.now = 0.0
        self._clock: Callable[[], float] = trio.current_time
        self._heap: list[tuple[float, int, Beat]] = []
        self._made = 0
        self._waiting: trio.CancelScope | None = None

    def look(self) -> float:
        """Return the time, and remember it as ``now``: for what is called next, no time has passed since."""
        self.now = now = self._clock()
        return now

    def arm(self, beat: Beat, due: float) -> None:
        """Let ``beat`` be called when ``trio.current_time()`` has reached ``due``, and not when it was due before."""
        beat.due = due
        self._made += 1
        heappush(self._heap, (due, self._made, beat))
        if self._waiting is not None and due < self._waiting.deadline:
            self._waiting.deadline = due

    async def run(self) -> None:
        """Run until cancelled."""
        wait_for_news = self.hub.wait if self.hub.listens else _sleep
        self._clock = trio.lowlevel.current_clock().current_time  # three calls fewer than trio.current_time
        with self.hub:
            while True:
                news = self.hub.drain()
                news |= self._run_due()
                if self._spare is not None:
                    self._spare(self._next_due() - self.look())
                if news:
                    await self._wait(min(self.look() + COALESCE_S, self._next_due()), _sleep)
                else:
                    await self._wait(self._next_due(), wait_for_news)

    def _run_due(self) -> bool:
        """Run what is due now, and return whether there was anything.

        What becomes due meanwhile waits, so that sockets are heard in between.
        """
        heap = self._heap
        posted = self.hub.posted
        began = self.look()
        due: list[tuple[float, int, Beat]] = []
        while heap and heap[0][0] <= began:
            due.append(heappop(heap))
        for when, _, beat in due:
            if beat.due == when:  # neither cancelled nor armed again
                self.running = beat.call
                beat.call()
                if len(posted) >= AT_ONCE:
                    self.hub.send()
                    posted = self.hub.posted
                    self.look()
        if due:
            self.running = None
            self.hub.send()
            if self.ladder.note(began, self.look()):
                self.ladder.report()
        return bool(due)

    def _next_due(self) -> float:
        return self._heap[0][0] if self._heap else math.inf

    async def _wait(self, until: float, wait: Callable[[], Awaitable[object]]) -> None:
        if until <= self.look():
            await trio.lowlevel.checkpoint()
            return
        with trio.CancelScope(deadline=until) as self._waiting:
            await wait()
        self._waiting = None
        await trio.lowlevel.checkpoint_if_cancelled()


async def _sleep() -> None:
    """Sleep until the scope around it is cancelled, and return: an exception costs more than all the rest of it."""
    task = trio.lowlevel.current_task()

    def wake(raise_cancel: object) -> trio.lowlevel.Abort:
        trio.lowlevel.reschedule(task)
        return trio.lowlevel.Abort.FAILED  # so it is left to us to wake

    await trio.lowlevel.wait_task_rescheduled(wake)


def _nothing() -> None:
    pass
