"""The pulse: one task that hears every socket and runs whatever is due, in all rooms.

A task of its own for each room's sleep costs as much as the tick of a small room: going once through trio's
loop is tens of microseconds. Here one wake-up serves all rooms of a slot (`phases`), and the inputs that came
meanwhile are read in one go right before they are needed. Deadlines are absolute; only the first one of a room
is moved.

::

    not busy   hear -> run what is due -> write -> wait in trio for a socket or a deadline
    busy       hear ---> hold on ---> run a slot, room by room ---> write ---> nap, then give all other tasks turns
               so early that it is over when the first room is due
"""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable
from heapq import heappop, heappush
from typing import Final

import trio

from tickwire.hub import Hub
from tickwire.ladder import Ladder
from tickwire.phases import SPREAD_S, Phases
from tickwire.turns import Turns

COALESCE_S: Final = 0.002
"""After it heard something the pulse waits this long before it listens again, unless a room is due."""

BUSY: Final = 0.1
"""The share of its time in ticks above which the process saves wake-ups, each of which costs as much as some players'
ticks: no input is in force any later for that, but the answer to a ping is."""

BUSY_COALESCE_S: Final = 0.01
"""How long a busy pulse naps at most before it listens again, so that all other tasks get their turn as often; a
connection's bytes of a second are to be read in that time."""

COALESCE_PER_LOAD_S: Final = 0.05
"""The busier it is the longer it naps: so long times the share of its time in ticks."""

WAKE_S: Final = 0.0005
"""A busy pulse wakes so much earlier than it has to: waking up takes a moment, and so do the other tasks."""

MOST_READING_S: Final = 0.003
"""It begins to read at most so long before rooms are due, however long that took before."""

AT_ONCE: Final = 512
"""So many writes wait at most for the ticks of other rooms that are due; a ring takes no more at once."""

HOLD_S: Final = 0.0005
"""It holds the process for a room that is due so soon behind another one: to go round would take as long."""

LEAST_HOLD_S: Final = 0.0002
"""It holds it so long at least: some rooms share what it costs then."""

READING_WEIGHT: Final = 1 / 8
"""Of the last time in what is expected that reading takes."""


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
        self._real_s_until: Callable[[float], float] = _for_ever
        self._heap: list[tuple[float, int, Beat]] = []
        self._made = 0
        self._turns = Turns()
        self._waiting: trio.CancelScope | None = None
        self._reading_s = 0.0

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
        clock = trio.lowlevel.current_clock()
        self._clock = clock.current_time  # three calls fewer than trio.current_time
        self._real_s_until = clock.deadline_to_sleep_time
        with self.hub, self._turns:
            while True:
                news = self._listen() if self._is_busy else self.hub.drain()
                news |= self._run_due()
                if self._spare is not None:
                    self._spare(self._next_due() - self.look())
                if self._is_busy:
                    pause_s = min(BUSY_COALESCE_S, COALESCE_PER_LOAD_S * self.ladder.load)
                    await self._nap(min(self.look() + pause_s, self._wake_at()))
                elif news:
                    await self._wait(min(self.look() + COALESCE_S, self._next_due()), _sleep)
                else:
                    await self._wait(self._next_due(), wait_for_news)

    @property
    def _is_busy(self) -> bool:
        return self.ladder.load > BUSY

    def _listen(self) -> bool:
        """Read the sockets so early that it is over when the next rooms are due, and wait for these."""
        began = self.look()
        news = self.hub.drain()
        reading_s = self.look() - began
        early_s = self._reading_s + WAKE_S
        rest_s = self._real_s_until(self._next_due())  # for ever, by a clock that stands still
        if rest_s < early_s:
            self._reading_s = min(MOST_READING_S, self._reading_s + (reading_s - self._reading_s) * READING_WEIGHT)
            if rest_s > 0.0:
                time.sleep(rest_s)  # trio can't wait for so short a time, and would need as long for it
                news |= self.hub.drain()  # what came meanwhile may be for this very tick
        return news

    def _wake_at(self) -> float:
        """When a busy pulse goes on: in time to read before the next rooms are due, or else as they are."""
        next_due = self._next_due()
        early = next_due - self._reading_s - WAKE_S
        return early if early > self.now else next_due

    async def _nap(self, until: float) -> None:
        """Hold the process still until then, and let the other tasks run behind that.

        A wait in trio, with a scope for its deadline, takes as long as the ticks of a room.
        """
        rest_s = self._real_s_until(until)
        if rest_s > 2 * BUSY_COALESCE_S:  # a clock that stands still
            await self._wait(until, _sleep)
        elif rest_s > 0.0:
            time.sleep(rest_s)  # noqa: ASYNC251 (all other tasks wait: that is what makes it cheap)
        await self._turns.give()

    def _run_due(self) -> bool:
        """Run what is due now, and what is due soon behind that, each when it is; return whether there was anything.

        What becomes due meanwhile waits, so that sockets are heard in between.
        """
        outbox = self.hub.outbox
        began = self.look()
        due = self._take_due(began)
        held_s = 0.0
        for number, (when, _, beat) in enumerate(due):
            if beat.due != when:  # cancelled, or armed again
                continue
            if when > self.now and when > self.look():
                if when > self.now + HOLD_S:
                    for later in due[number:]:
                        heappush(self._heap, later)
                    break
                held_s += self._hold(when - self.now)
            self.running = beat.call
            beat.call()
            if len(outbox.frames) >= AT_ONCE:
                outbox.send()
                self.look()
        if due:
            self.running = None
            outbox.send()
            if self.ladder.note(began + held_s, self.look()):
                self.ladder.report()
        return bool(due)

    def _hold(self, seconds: float) -> float:
        """Hold the process for so long at least; return for how many seconds."""
        self.running = None
        began = self.now
        time.sleep(max(seconds, LEAST_HOLD_S))
        return self.look() - began

    def _take_due(self, now: float) -> list[tuple[float, int, Beat]]:
        """Take from the heap what is due by ``now``, and if there is anything, the rooms of the same slot."""
        heap = self._heap
        if not heap or heap[0][0] > now:
            return []
        # A clock that stands still would never come to them.
        until = now + SPREAD_S if self._real_s_until(now + SPREAD_S) <= SPREAD_S else now
        due: list[tuple[float, int, Beat]] = []
        while heap and heap[0][0] <= until:
            due.append(heappop(heap))
        return due

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


def _for_ever(due: float) -> float:
    return math.inf
