"""Phases: when within a tick each room's turn is, so that rooms of the same rate are not all due at once.

A tick is divided into slots of about `SLOT_S`. A new room gets the slot that the fewest rooms have and keeps it for
life: whatever it drops or rests, its deadlines are whole ticks apart. Rooms in one slot share one wake-up, and no slot
has many more than another: of a hundred rooms at 20 ticks a second twenty are due together.
"""

from __future__ import annotations

import math
from typing import Final

import attrs

SLOT_S: Final = 0.01
"""As short as wake-ups are cheap, which cost as much as some players' ticks each."""


@attrs.define
class Phases:
    """How many rooms have each slot, for each length of a tick."""

    _taken: dict[float, list[int]] = attrs.field(init=False, factory=dict[float, list[int]])

    def take(self, dt: float, earliest: float) -> tuple[int, float]:
        """Give a room with ticks of ``dt`` seconds a slot.

        Returns:
            The slot, to be given back, and the room's first deadline: less than a tick after ``earliest``.
        """
        taken = self._taken.setdefault(dt, [0] * max(1, round(dt / SLOT_S)))
        count = len(taken)
        first = math.ceil(earliest / dt * count - 1e-6)
        number = min(range(first, first + count), key=lambda number: (taken[number % count], number))
        taken[number % count] += 1
        return number % count, number * dt / count

    def give_back(self, dt: float, slot: int) -> None:
        """Let another room have the slot."""
        self._taken[dt][slot] -= 1
