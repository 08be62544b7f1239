"""Phases: when within a tick each room's turn is, so that rooms of the same rate are not all due at once.

A tick is divided into slots of at most `SLOT_S`. A new room gets the slot that the fewest rooms have, and in it a
place. The rooms of a slot share one wake-up, one reading of the sockets and one writing; they are due one behind
another, as they are run, since a thread can't run two at once. A room keeps its phase for life: whatever it drops or
rests, its deadlines are whole ticks apart.

::

    tick of 50 ms   slot 0                         slot 1                         slot 0
                    |012345678 ...                 |01234567 ...                  |012345678 ...
                     a room each `STEP_S`, or as often as their ticks take
"""

from __future__ import annotations

import math
from typing import Final

import attrs

SLOT_S: Final = 0.025
"""As short as wake-ups are cheap: each, with fetching its code from memory, costs as much as the ticks of
some rooms. The rooms of a slot run in one go, and meanwhile nothing else does."""

STEP_S: Final = 0.00005
"""Somewhat less than a small room's tick takes, so that a room seldom waits for its deadline when its turn has come.
Rooms that take longer are due so much further apart."""

PLACES: Final = 128
"""In a slot; further rooms share them."""

SPREAD_S: Final = STEP_S * PLACES
"""The small rooms of a slot are due within this time at most."""


@attrs.define
class Phases:
    """How many rooms have each phase, for each length of a tick: a list of places for each slot."""

    _taken: dict[float, list[list[int]]] = attrs.field(init=False, factory=dict[float, list[list[int]]])

    def take(self, dt: float, earliest: float, took_s: float = 0.0) -> tuple[int, float]:
        """Give a room with ticks of ``dt`` seconds a phase; such ticks took ``took_s`` on average so far.

        Returns:
            The number of the phase, to be given back, and the room's first deadline: less than two ticks after
            ``earliest``.
        """
        taken = self._taken.get(dt)
        if taken is None:
            places = min(PLACES, max(1, int(dt / 2 / STEP_S)))
            taken = self._taken[dt] = [[0] * places for _ in range(math.ceil(dt / SLOT_S - 1e-6))]
        count = len(taken)
        first = math.ceil(earliest / dt * count - 1e-6)
        number = min(range(first, first + count), key=lambda number: (sum(taken[number % count]), number))
        slot = taken[number % count]
        place = slot.index(min(slot))
        slot[place] += 1
        behind = place * max(STEP_S, took_s - STEP_S) % (dt / count)
        return number % count * PLACES + place, number * dt / count + behind

    def give_back(self, dt: float, phase: int) -> None:
        """Let another room have the phase."""
        slot, place = divmod(phase, PLACES)
        self._taken[dt][slot][place] -= 1
