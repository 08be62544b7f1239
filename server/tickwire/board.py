"""The board: what the players of all rooms of a process command, by tick and player.

Nearly all that comes from players is one input each for the tick behind the last one. It is put here as it is read, by
the number of a column, and a room takes a row of it: nobody looks at a connection, a seat or a room in between. Each
object that is looked at has to be fetched from memory, since all other players had their turn since the last time,
and that takes longer than all that is done with it; a row of numbers holds eight players in one line of memory.

::

                   column 1   column 2   column 3      a column belongs to one player, of any room
    place 12       500        -1         12            a tick's place is its number modulo `PLACES`
                   (1, 0)                (0, 1)
    place 13       501        -1         4109          another tick than the one that is asked for is none
                   (1, 0)                (0, 0)

What is there stays when its tick is over, so that an input that is sent again doesn't fire again, and one that is
missing can be held.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import Final

from tickwire.recall import Forms, Recall, find
from tickwire_shared.ticks import tick_add

MAX_AHEAD: Final = 32
"""PROTOCOL.md, section 10: an input further ahead is refused, which bounds how much a client may hoard."""

MAX_BEHIND: Final = 32
"""An input this late is counted and no more: a button pressed a second ago must not go off now."""

PLACES: Final = MAX_AHEAD + MAX_BEHIND
"""One for each tick from which or for which an input may come."""

NO_TICK: Final = -1
NEVER: Final = 1 << 62
"""The newest tick of who sent nothing yet."""

NO_SLACK: Final = 1 << 32
"""The least slack where none was measured."""

ASLEEP: Final = 1 << 61
"""The last tick of a room that no input may take the short way to."""

FIRST_COLUMNS: Final = 64

Values = tuple[int, ...]
Put = Callable[[int, int, Values], None]
"""Gets the column, the tick and the values of an input that can't take the short way."""


class InputBoard:
    """Holds inputs; columns and rooms have numbers, and those of 0 are nobody's.

    Attributes:
        ticks: For each place and column, the tick that the input there is for.
        values: For each place and column, the wire values of the input.
        newest: By column: the newest tick that there was an input for; `NEVER`: none, on this connection.
        least_slack: By column: see `RoomInputs.take_slack`.
        heard_at: By column: when an input came that took the short way (``trio.current_time()``).
        now: By room: the last tick simulated, or `ASLEEP`.
    """

    __slots__ = (
        "_forms",
        "_free_columns",
        "_free_rooms",
        "_put",
        "_room_of",
        "heard_at",
        "least_slack",
        "newest",
        "now",
        "ticks",
        "values",
    )

    def __init__(self) -> None:
        """Start without players."""
        self.ticks = [array("q", [NO_TICK]) for _ in range(PLACES)]
        self.values: list[list[Values]] = [[()] for _ in range(PLACES)]
        self.newest = array("q", [NEVER])
        self.least_slack = array("q", [NO_SLACK])
        self.heard_at = array("d", [0.0])
        self._room_of = array("i", [0])
        self._free_columns: list[int] = []
        self.now = array("q", [ASLEEP])
        self._forms: list[Forms] = [Recall().forms]
        self._put: list[Put] = [_nobody]
        self._free_rooms: list[int] = []

    def add_room(self, recall: Recall, put: Put) -> int:
        """Return the number of a new room, whose messages' meaning is remembered by ``recall``."""
        if not self._free_rooms:
            self._free_rooms.append(len(self.now))
            self.now.append(ASLEEP)
            self._forms.append(self._forms[0])
            self._put.append(_nobody)
        room = self._free_rooms.pop()
        self._forms[room], self._put[room] = recall.forms, put
        return room

    def remove_room(self, room: int) -> None:
        """Let another room have the number; its players have no columns any more."""
        self.now[room] = ASLEEP
        self._forms[room], self._put[room] = self._forms[0], _nobody
        self._free_rooms.append(room)

    def add(self, room: int) -> int:
        """Return the number of an empty column for a player of ``room``."""
        if not self._free_columns:
            self._grow()
        column = self._free_columns.pop()
        self._room_of[column] = room
        return column

    def remove(self, column: int) -> None:
        """Let another player have the column: who put something there must not do so any more."""
        self._room_of[column] = 0
        self.reconnect(column)
        for ticks in self.ticks:
            ticks[column] = NO_TICK
        self._free_columns.append(column)

    def reconnect(self, column: int) -> None:
        """Another connection begins: how early the last one's inputs came says nothing about this one's."""
        self.newest[column] = NEVER
        self.least_slack[column] = NO_SLACK
        self.heard_at[column] = 0.0

    def _grow(self) -> None:
        """Make as many columns again as there are, and `FIRST_COLUMNS` at first."""
        old = len(self.newest)
        more = max(FIRST_COLUMNS - old, old)
        for ticks in self.ticks:
            ticks.extend([NO_TICK] * more)
        for values in self.values:
            values.extend([()] * more)
        self.newest.extend([NEVER] * more)
        self.least_slack.extend([NO_SLACK] * more)
        self.heard_at.extend([0.0] * more)
        self._room_of.extend([0] * more)
        self._free_columns.extend(range(old + more - 1, old - 1, -1))

    def take_next(self, payload: int, size: int, column: int) -> bool:
        """Take an INPUT's payload, a big-endian int of ``size`` bytes, if it is one for the tick behind the newest one.

        Its bytes but for the tick must have been read before. It runs for each player in each tick, and does no more
        than it has to. Such messages come no more often than ticks, but for the first `MAX_AHEAD`, so nobody has to
        count them against a limit. Never raises.

        Returns:
            Whether it was taken; else nothing was done.
        """
        room = self._room_of[column]
        head_shift, by_head = self._forms[room][size]
        form = by_head.get(payload >> head_shift)
        if form is None:
            return False
        batch = form.tails.get(payload & form.tail_mask)
        if batch is None or len(batch) != 1:
            return False
        tick = payload >> form.tick_shift & form.tick_mask
        if tick != self.newest[column] + 1 or not 0 < tick - self.now[room] <= MAX_AHEAD:
            return False
        self.newest[column] = tick
        place = tick % PLACES
        self.ticks[place][column] = tick
        self.values[place][column] = batch[0]
        return True

    def take_known(self, payload: int, size: int, column: int) -> bool:
        """Take any INPUT whose bytes but for the tick were read before; return whether it was one."""
        room = self._room_of[column]
        known = find(self._forms[room], payload, size)
        if known is None:
            return False
        tick, batch = known
        for number, values in enumerate(batch):
            self._put[room](column, tick_add(tick, number), values)
        return True


def _nobody(column: int, tick: int, values: Values) -> None:
    raise AssertionError(f"an input for tick {tick} in column {column}, which is nobody's")
