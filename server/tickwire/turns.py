"""Turns: how a task that holds the process lets the others do what they have to do."""

from __future__ import annotations

from typing import Final, Self

import trio

MOST: Final = 32
"""Turns at a time; tasks that never wait would take all of them for ever."""

QUIET: Final = 2
"""So many turns in which nobody is woken: who was in the one before them may run behind us in the first of them."""


class Turns(trio.abc.Instrument):
    """Gives all other tasks turns until each of them waits for something. Inside ``with`` it counts who is woken."""

    def __init__(self) -> None:
        """Nothing is counted yet."""
        self._woken = 0

    def __enter__(self) -> Self:
        trio.lowlevel.add_instrument(self)
        return self

    def __exit__(self, *_: object) -> None:
        trio.lowlevel.remove_instrument(self)

    def task_scheduled(self, task: trio.lowlevel.Task) -> None:
        """Count it; called by trio."""
        self._woken += 1

    async def give(self) -> None:
        """Return when nobody else can go on, or after ``MOST`` turns."""
        quiet = 0
        for _ in range(MOST):
            woken = self._woken
            await trio.lowlevel.checkpoint()
            quiet = quiet + 1 if self._woken == woken + 1 else 0  # nobody but ourselves
            if quiet == QUIET:
                return
