"""The inputs of one room's players, by tick.

An input is in force at the tick it is addressed to. A tick without one repeats the newest that is known, for a
while; what comes late can't change the past any more, but its pressed buttons count at the next tick, and
it is what is repeated if it is the newest. Each tick has one input at most, whatever a client claims.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, Final

import attrs

from tickwire.board import ASLEEP, MAX_AHEAD, MAX_BEHIND, NEVER, NO_SLACK, NO_TICK, PLACES, InputBoard, Put, Values
from tickwire.input_reader import InputReader
from tickwire.player import Player
from tickwire_shared.schema import trigger_positions
from tickwire_shared.ticks import tick_add, tick_distance

HOLD_TICKS: Final = 6
"""How long a missing input is replaced by the last one (a fifth of a second at 30 ticks a second)."""

OnInput = Callable[[Player[Any], Any], None]
Row = Callable[[Sequence[Any]], tuple[Any, ...]]
"""Picks the room's players out of a row of the board."""


@attrs.define
class InputCounts:
    """How the inputs of all players of a room came, for the metrics: what a client that lies about ticks shows up in.

    Attributes:
        late: Inputs that came after their tick.
        refused: Inputs that were too far ahead.
        repeated: Inputs for a tick that had one already; they are ignored.
    """

    late: int = 0
    refused: int = 0
    repeated: int = 0


class RoomInputs:
    """Gives a room what its players have on the board, tick by tick.

    Attributes:
        counts: How they came.
        late: By column: inputs that came after their tick.
        refused: By column: inputs that were too far ahead.
        neutral: The wire values in force when nothing comes.
    """

    __slots__ = (
        "_board",
        "_columns",
        "_folded",
        "_force",
        "_number",
        "_players",
        "_row",
        "_triggers",
        "counts",
        "late",
        "neutral",
        "refused",
    )

    def __init__(self, board: InputBoard, reader: InputReader | None, put: Put) -> None:
        """Start without players; without a ``reader`` none of them has inputs.

        ``put`` is called with what comes and can't be put on the board without a look at the room.
        """
        self.counts = InputCounts()
        self.late = Counter[int]()
        self.refused = Counter[int]()
        self.neutral: Values = () if reader is None else reader.neutral
        self._triggers = () if reader is None else trigger_positions(reader.item)
        self._board = board
        self._number = 0 if reader is None else board.add_room(reader.recall, put)
        self._folded: dict[int, int] = {}  # by column: a bit for each trigger
        self._columns: tuple[int, ...] = ()
        self._players: tuple[Player[Any], ...] = ()
        self._force: tuple[Values, ...] = ()
        self._row = _picking(())

    @property
    def taken(self) -> bool:
        """Whether the room takes inputs at all."""
        return self._number != 0

    # Players

    def join(self, player: Player[Any]) -> int:
        """Give a player, whose input is the neutral one, a column: its number."""
        column = self._board.add(self._number)
        places = [*zip(self._columns, self._players, self._force, strict=True), (column, player, self.neutral)]
        self._seat(sorted(places, key=lambda place: place[1].id))
        return column

    def leave(self, column: int) -> None:
        """Take a player's column back: nothing may be put there for it any more. 0 is nobody's, and harmless."""
        if not column:
            return
        places = zip(self._columns, self._players, self._force, strict=True)
        self._seat([place for place in places if place[0] != column])
        for of_each in (self._folded, self.late, self.refused):
            of_each.pop(column, None)
        self._board.remove(column)

    def close(self) -> None:
        """Take all columns back; the room is over."""
        for column in self._columns:
            self.leave(column)
        if self.taken:
            self._board.remove_room(self._number)
            self._number = 0

    def reconnect(self, column: int) -> None:
        """Another connection of the player begins."""
        if column:
            self._board.reconnect(column)

    def _seat(self, places: list[tuple[int, Player[Any], Values]]) -> None:
        self._columns = tuple([column for column, _, _ in places])
        self._players = tuple([player for _, player, _ in places])
        self._force = tuple([values for _, _, values in places])
        self._row = _picking(self._columns)

    # In

    def put(self, column: int, tick: int, values: Values, now: int) -> None:
        """Take the input for ``tick``; ``now`` is the last tick simulated. A repeated one is ignored."""
        ahead = tick_distance(tick, now)
        if ahead > MAX_AHEAD:
            self.refused[column] += 1
            self.counts.refused += 1
            return
        if ahead <= -MAX_BEHIND:
            self._count_late(column)
            return
        board, place = self._board, tick % PLACES
        if board.ticks[place][column] == tick:
            self.counts.repeated += 1
            return
        board.ticks[place][column] = tick
        board.values[place][column] = values
        if ahead <= 0:  # what still counts of it
            self._count_late(column)
            pressed = sum(bool(values[position]) << position for position in self._triggers)
            if pressed:
                self._folded[column] = self._folded.get(column, 0) | pressed
        newest = board.newest[column]
        if newest == NEVER or tick_distance(tick, newest) > 0:
            board.newest[column] = tick

    def _count_late(self, column: int) -> None:
        self.late[column] += 1
        self.counts.late += 1

    # Out

    def take(self, tick: int, make_input: Callable[[Values], Any], on_input: OnInput | None = None) -> None:
        """Put every player's input for ``tick`` in force; a missing one is held, then neutral.

        ``make_input`` makes what a player's ``input`` is then. ``on_input`` is told of those that had come for just
        this tick, in the order in which players joined, when all are in force.
        """
        board, row = self._board, self._row
        board.now[self._number] = tick
        if not self._columns:
            return
        place = tick % PLACES
        ticks = row(board.ticks[place])
        if ticks == (tick,) * len(ticks) and not self._folded:
            force = row(board.values[place])
        else:
            force = self._fill_in(tick, ticks)
        slipped = False
        for player, values, before, newest, least in zip(
            self._players, force, self._force, row(board.newest), row(board.least_slack), strict=True
        ):
            if values is not before:
                player.input = make_input(values)
            if not least <= newest - tick <= MAX_AHEAD:
                slipped = True
        self._force = force
        if slipped:
            self._note_slack(tick)
        if on_input is not None:
            for player, came_for in zip(self._players, ticks, strict=True):
                if came_for == tick:
                    on_input(player, player.input)

    def _fill_in(self, tick: int, ticks: tuple[int, ...]) -> tuple[Values, ...]:
        """Return what is in force when some inputs are missing, or buttons of late ones are to be added."""
        row = self._board.values[tick % PLACES]
        force = {
            column: row[column] if came_for == tick else self._held(column, tick)
            for column, came_for in zip(self._columns, ticks, strict=True)
        }
        for column, pressed in self._folded.items():
            force[column] = tuple(1 if pressed >> at & 1 else value for at, value in enumerate(force[column]))
        self._folded.clear()
        return tuple(force.values())

    def _held(self, column: int, tick: int) -> Values:
        """Return the last input before ``tick`` without its pressed buttons; the neutral one if it is too old."""
        for back in range(1, HOLD_TICKS + 1):
            before = tick_add(tick, -back)
            if self._board.ticks[before % PLACES][column] == before:
                return self._without_triggers(self._board.values[before % PLACES][column])
        return self.neutral

    def _without_triggers(self, values: Values) -> Values:
        if not any(values[position] for position in self._triggers):
            return values
        return tuple(0 if at in self._triggers else value for at, value in enumerate(values))

    def _note_slack(self, tick: int) -> None:
        newest, least = self._board.newest, self._board.least_slack
        for column in self._columns:
            if newest[column] != NEVER:
                least[column] = min(least[column], tick_distance(newest[column], tick))

    def take_slack(self, column: int) -> int | None:
        """Return the least slack since the last call: how far ahead of its tick the newest input was.

        None when no tick had one to measure.
        """
        least = self._board.least_slack
        slack, least[column] = least[column], NO_SLACK
        return None if slack == NO_SLACK else slack

    # Rest

    def sleep(self) -> None:
        """Be at rest: each input is handed to who has to wake the room."""
        self._board.now[self._number] = ASLEEP

    def wake(self, tick: int) -> None:
        """Go on behind ``tick``."""
        self._board.now[self._number] = tick

    def busy(self, now: int) -> bool:
        """Whether the next ticks' inputs may be others than those of tick ``now``, which were taken."""
        return any(values is not self.neutral for values in self._force) or any(self._ahead(now))

    def forget_ahead(self, now: int) -> None:
        """Drop what waits for ticks beyond ``now``: it was meant for a time that never was."""
        for ticks, column in self._ahead(now):
            ticks[column] = NO_TICK

    def _ahead(self, now: int) -> list[tuple[array[int], int]]:
        """Where there are inputs for ticks to come."""
        found: list[tuple[array[int], int]] = []
        for ahead in range(1, MAX_AHEAD + 1):
            tick = tick_add(now, ahead)
            ticks = self._board.ticks[tick % PLACES]
            found += [(ticks, column) for column in self._columns if ticks[column] == tick]
        return found


def _picking(columns: tuple[int, ...]) -> Row:
    """Return what picks the items of these columns out of a row."""
    if len(columns) > 1:
        return itemgetter(*columns)
    return lambda row: tuple([row[column] for column in columns])
