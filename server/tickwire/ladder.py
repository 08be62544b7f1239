"""The ladder: what a room does without while its ticks take too much of the time there is.

::

    rung        0 CALM         1 THIN        2 SPARE                       3 CLOSED
    snapshots   as declared    every 2nd     every 2nd                     every 4th
    CHECK, NEWS as ever        as ever       4 times as rarely             4 times as rarely
    joins       welcome        welcome       welcome                       refused: come back later
    late ticks  5 at once      5 at once     only the newest, others drop  only the newest, others drop

Load is the share of the time that ticks took, over a second or more. Above `CLIMB` the room goes one rung up, below
`RELIEF` one down; in between it stays, so that what the rung saves doesn't bring it down again at once. A server
is a single thread: next to each room's ladder there is one of the whole process, and the higher rung counts.

Nothing here ends a room or a connection: overload makes the game coarser, and it recovers by itself.
"""

from __future__ import annotations

import enum
from typing import Final

import structlog

WINDOW_S: Final = 1.0
"""Load is judged once in so long: a single slow tick is no overload."""

CLIMB: Final = 0.7
"""Above this load ticks begin to be late: of 20 rooms at 70 % some are always due together."""

RELIEF: Final = 0.5
"""Below this load there is room for what the rung above had taken away."""

EASE: Final = 0.25
"""Below this load two rungs may go at once: what they take away at most halves the work, so it stays below `RELIEF`
when the first is gone, and below `CLIMB` when the second is."""

SPARING: Final = 4
"""On rung SPARE checksums and news go out this many times as rarely."""


class Rung(enum.IntEnum):
    """How far up a room is."""

    CALM = 0
    THIN = 1
    SPARE = 2
    CLOSED = 3


THINNING: Final = {Rung.CALM: 1, Rung.THIN: 2, Rung.SPARE: 2, Rung.CLOSED: 4}
"""How many times as rarely snapshots go out."""


_log = structlog.get_logger("tickwire.ladder")


class Ladder:
    """Judges the load of one room, or of a process; all times in seconds of the same clock.

    Who runs ticks calls `note` after each. Work that nobody notes (sockets, handshakes) does not count; it shows up as
    lateness.

    Attributes:
        load: The share of its time that was spent, as of the last judgement; 1.5 is half a tick too much in each.
        rung: What is in force: the room's own rung, or that of the process if it is higher.
        climbs: How often the own rung went up.
    """

    __slots__ = ("_house", "_judge_at", "_own", "_since", "_spent_s", "climbs", "load", "rung")

    def __init__(self, now: float = 0.0, house: Ladder | None = None) -> None:
        """Start calm at ``now``; ``house`` is the ladder of the process."""
        self._house = house
        self._own = Rung.CALM
        self._since = now
        self._spent_s = 0.0
        self._judge_at = now + WINDOW_S
        self.load = 0.0
        self.rung = Rung.CALM
        self.climbs = 0

    def note(self, began: float, ended: float) -> bool:
        """Count the work from ``began`` to ``ended``, and judge if that is due.

        Returns:
            Whether ``rung`` has changed.
        """
        self._spent_s += ended - began
        return ended >= self._judge_at and self._judge(ended)

    def _judge(self, now: float) -> bool:
        """Go up, stay or go down by what was spent since the last judgement; say whether ``rung`` has changed.

        Down by a rung for each second of relief (who ticks rarely, or not at all meanwhile, is judged rarely).
        """
        passed_s = now - self._since
        self.load = self._spent_s / passed_s
        self._spent_s = 0.0
        self._since = now
        self._judge_at = now + WINDOW_S
        if self.load > CLIMB and self._own is not Rung.CLOSED:
            self._own = Rung(self._own + 1)
            self.climbs += 1
        elif self.load < RELIEF:
            steps = int(passed_s / WINDOW_S) + (self.load < EASE)
            self._own = Rung(max(Rung.CALM, self._own - steps))
        before = self.rung
        self.rung = self._own if self._house is None else max(self._own, self._house.rung)
        return self.rung is not before

    def report(self, **whose: str) -> None:
        """Say in the log which rung is in force; of a room only what its process doesn't say for all rooms."""
        if self._house is None or self._house.rung is not self.rung:
            _log.warning("load", **whose, rung=self.rung.name, load=round(self.load, 2))

    @property
    def admits(self) -> bool:
        """Whether another player may join."""
        return self.rung is not Rung.CLOSED

    @property
    def thinning(self) -> int:
        """How many times as rarely snapshots go out."""
        return THINNING[self.rung]

    @property
    def sparing(self) -> int:
        """How many times as rarely checksums and news go out."""
        return SPARING if self.rung >= Rung.SPARE else 1

    @property
    def drops_late_ticks(self) -> bool:
        """Whether a late room goes on with its newest tick instead of catching up."""
        return self.rung >= Rung.SPARE
