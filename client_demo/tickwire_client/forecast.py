"""What an entity's state will be in the ticks that the server has not told yet.

::

    oldest                      newest    newest + 1
    |---------|---------|---------|- - - - -|
    the server's      predicted     tentative: the next tick, if the input stays as it is now
    last word

Pure: no time, no drawing. States are tuples of wire values. The browser's twin is ``client_demo/web/sdk/forecast.js``.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping

from attrs import define, field, frozen

from tickwire_client.stepper import Stepper, Wires
from tickwire_shared.ticks import tick_add, tick_distance

MAX_AHEAD = 64
"""Ticks predicted at most beyond the server's last word: 2 s at 30 a second. After that the state stands still."""


class Outcome(enum.Enum):
    """How a prediction compares with what the server says."""

    EQUAL = "as predicted"
    NEWS = "differs in what the step never changes"
    WRONG = "differs in what the step does change"
    UNFORESEEN = "was not predicted"


@frozen(slots=True)
class Verdict:
    """What a comparison with the server found; ``predicted`` is the state foreseen for the tick, if there was one."""

    outcome: Outcome
    predicted: Wires | None


@define(eq=False)
class Forecast:
    """The states from the server's last word on, one for each tick.

    Attributes:
        stepper: Simulates a tick.
        inputs: What is in force at a tick.
        oldest: The tick of the server's last word.
        newest: The last tick that was simulated with the input that was sent for it.
    """

    stepper: Stepper
    inputs: Callable[[int], Wires]
    oldest: int
    newest: int = field(init=False)
    _first: Wires
    _states: dict[int, Wires] = field(init=False)
    _changed: set[int] = field(factory=set[int], init=False)
    _tentative: tuple[Wires, Wires, Wires] | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        """Hold the server's last word alone."""
        self._rebase(self.oldest, self._first)

    @property
    def states(self) -> Mapping[int, Wires]:
        """The states that are held, by tick."""
        return self._states

    def extend(self, tick: int) -> None:
        """Predict up to ``tick``: the last one whose input is settled."""
        limit = tick_add(self.oldest, MAX_AHEAD)
        until = tick if tick_distance(tick, limit) < 0 else limit
        while tick_distance(self.newest, until) < 0:
            self._simulate(tick_add(self.newest, 1))

    def correct(self, tick: int, wires: Wires) -> Verdict:
        """Compare with the server's state after ``tick``, later than ``oldest``, and go on from that.

        ``replay`` makes what comes after right as well.
        """
        predicted = self._states.get(tick)
        if predicted is None:
            self._rebase(tick, wires)
            return Verdict(Outcome.UNFORESEEN, None)
        for old in range(tick_distance(tick, self.oldest)):
            del self._states[tick_add(self.oldest, old)]
        self.oldest = tick
        if predicted == wires:
            return Verdict(Outcome.EQUAL, predicted)
        self._states[tick] = wires
        wrong = any(predicted[k] != wires[k] for k in self._changed)
        return Verdict(Outcome.WRONG if wrong else Outcome.NEWS, predicted)

    def replay(self) -> int:
        """Simulate again what comes after the server's last word; returns how many ticks that were."""
        count = tick_distance(self.newest, self.oldest)
        for ahead in range(count):
            self._simulate(tick_add(self.oldest, ahead + 1))
        return count

    def at(self, tick: int) -> Wires:
        """The state after ``tick``; of ticks that are not held, the nearest one."""
        if tick_distance(tick, self.oldest) < 0:
            return self._states[self.oldest]
        return self._states.get(tick) or self._states[self.newest]

    def guess(self, inputs: Wires) -> Wires:
        """The state after ``newest + 1`` if that tick's input is ``inputs``. What its step raises is not taken."""
        if tick_distance(self.newest, self.oldest) >= MAX_AHEAD:
            return self._states[self.newest]
        before = self._states[self.newest]
        known = self._tentative
        if known is None or known[0] is not before or known[1] != inputs:
            known = (before, inputs, self._run(before, inputs, tick_add(self.newest, 1)))
            self.stepper.context.take_raised()
            self._tentative = known
        return known[2]

    def _simulate(self, tick: int) -> None:
        self._states[tick] = self._run(self._states[tick_add(tick, -1)], self.inputs(tick), tick)
        if tick_distance(tick, self.newest) > 0:
            self.newest = tick

    def _run(self, before: Wires, inputs: Wires, tick: int) -> Wires:
        after = self.stepper.run(before, inputs, tick)
        if after != before:
            self._changed.update(k for k, (old, new) in enumerate(zip(before, after, strict=True)) if old != new)
        return after

    def _rebase(self, tick: int, wires: Wires) -> None:
        self._states = {tick: wires}
        self.oldest = self.newest = tick
        self._tentative = None
