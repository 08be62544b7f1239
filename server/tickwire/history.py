"""The last commits of a room, for every reader that is not exactly one tick behind."""

from __future__ import annotations

from array import array
from collections import deque
from operator import is_
from typing import Final, cast

import attrs

from tickwire_shared.state import Column, Table, WorldState
from tickwire_shared.ticks import tick_distance

DEFAULT_BYTES: Final = 8 << 20
"""Per room. One of 16 ships at 30 ticks a second keeps minutes, one of 5,000 entities some five seconds."""

DEFAULT_TICKS: Final = 600

BYTES_PER_VERSION: Final = 400
BYTES_PER_VALUE: Final = 4
"""Nearly all columns are packed into 32-bit words."""

LIVE: Final = 2
"""So many of the newest versions stay lists, which Python reads faster: the base of the next delta is among them."""


@attrs.define
class History:
    """Commits in which something changed, newest last, bounded by age and by an estimate of their bytes.

    The tick of a commit in which something changed names the *version* of the state: the state stays the same
    from that tick until the tick before the next version. Older versions are packed into arrays: a ninth of the
    memory, and nothing in them for the garbage collector to walk through.
    """

    max_bytes: int = DEFAULT_BYTES
    max_ticks: int = DEFAULT_TICKS
    _commits: deque[tuple[int, WorldState, int]] = attrs.field(init=False, factory=deque[tuple[int, WorldState, int]])
    _bytes: int = attrs.field(init=False, default=0)
    _unpacked: WorldState | None = attrs.field(init=False, default=None)

    def __len__(self) -> int:
        """How many versions are kept."""
        return len(self._commits)

    @property
    def size_bytes(self) -> int:
        """The estimate of what is kept."""
        return self._bytes

    def add(self, tick: int, state: WorldState) -> None:
        """Keep ``state`` as the version of ``tick``, and forget the oldest beyond the bounds."""
        commits = self._commits
        before = commits[-1][1] if commits else None
        size = _added_bytes(before, state)
        commits.append((tick, state, size))
        if len(commits) > LIVE:
            self._pack(len(commits) - 1 - LIVE)
        self._bytes += size
        while len(commits) > 1 and (
            self._bytes > self.max_bytes or tick_distance(tick, commits[1][0]) > self.max_ticks
        ):
            self._bytes -= commits.popleft()[2]

    def _pack(self, place: int) -> None:
        """Pack the version at ``place``; what it shared with the one before, it shares with that one's packed form."""
        tick, state, size = self._commits[place]
        packed = self._commits[place - 1][1] if place else None
        self._commits[place] = (tick, _packed(state, self._unpacked if place else None, packed), size)
        self._unpacked = state

    def at(self, tick: int) -> tuple[int, WorldState] | None:
        """Return the version and the state that held at ``tick``; None when that is forgotten or to come."""
        last = len(self._commits) - 1
        if last < 0:
            return None
        # Versions are a tick apart or more, so that of ``tick`` can't be before the one that is as far from the newest.
        place = min(max(last - tick_distance(self._commits[last][0], tick), 0), last)
        while place < last and tick_distance(tick, self._commits[place + 1][0]) >= 0:
            place += 1
        version, state, _ = self._commits[place]
        return (version, state) if tick_distance(tick, version) >= 0 else None

    def oldest(self) -> tuple[int, WorldState]:
        """Return the oldest version that is kept, and its state."""
        version, state, _ = self._commits[0]
        return version, state


def _added_bytes(before: WorldState | None, state: WorldState) -> int:
    """Estimate what ``state`` takes beyond the columns that it shares with ``before``."""
    values = 0
    for number, table in enumerate(state.tables):
        old = None if before is None else before.tables[number]
        if old is None:
            values += len(table.columns) * len(table.ids)
        elif table is not old:
            same = sum(map(is_, table.columns, old.columns))
            values += (len(table.columns) - same) * len(table.ids)
    return BYTES_PER_VERSION + values * BYTES_PER_VALUE


def _packed(state: WorldState, before: WorldState | None, packed: WorldState | None) -> WorldState:
    """Return ``state`` with arrays for columns; ``packed`` is ``before`` in that form, and gives what they share."""
    tables: list[Table] = []
    for number, table in enumerate(state.tables):
        was = None if before is None else before.tables[number]
        if was is None or packed is None:
            tables.append(Table(table.ids, tuple(map(_pack_column, table.columns))))
        elif table is was:
            tables.append(packed.tables[number])
        else:
            triples = zip(table.columns, was.columns, packed.tables[number].columns, strict=True)
            columns = [done if column is old else _pack_column(column) for column, old, done in triples]
            tables.append(Table(table.ids, tuple(columns)))
    return WorldState(state.schema, tuple(tables))


def _pack_column(column: Column) -> Column:
    if not column or type(column[0]) is bytes:
        return column
    values = cast("list[int]", column)
    try:
        return array("i", values)
    except OverflowError:
        return array("q", values)
