"""The last commits of a room, for every reader that is not exactly one tick behind."""

from __future__ import annotations

from collections import deque
from operator import is_
from typing import Final

import attrs

from tickwire_shared.state import WorldState
from tickwire_shared.ticks import TICK_MODULUS, tick_distance

DEFAULT_BYTES: Final = 8 << 20
"""Per room. One of 16 ships at 30 ticks a second keeps minutes, one of 5,000 entities some five seconds."""

DEFAULT_TICKS: Final = 600

BYTES_PER_VERSION: Final = 400
BYTES_PER_VALUE: Final = 4
"""Nearly all columns are arrays of 32-bit words."""


@attrs.define
class History:
    """Commits in which something changed, newest last, bounded by age and by an estimate of their bytes.

    The tick of a commit in which something changed names the *version* of the state: the state stays the same
    from that tick until the tick before the next version.
    """

    max_bytes: int = DEFAULT_BYTES
    max_ticks: int = DEFAULT_TICKS
    _commits: deque[tuple[int, WorldState, int]] = attrs.field(init=False, factory=deque[tuple[int, WorldState, int]])
    _bytes: int = attrs.field(init=False, default=0)

    def __len__(self) -> int:
        """How many versions are kept."""
        return len(self._commits)

    @property
    def size_bytes(self) -> int:
        """The estimate of what is kept."""
        return self._bytes

    def add(self, tick: int, state: WorldState) -> None:
        """Keep ``state`` as the one version of ``tick``, and forget the oldest beyond the bounds."""
        commits = self._commits
        if commits and commits[-1][0] == tick:
            self._bytes -= commits.pop()[2]
        size = _added_bytes(commits[-1][1] if commits else None, state)
        commits.append((tick, state, size))
        self._bytes += size
        while len(commits) > 1 and (
            self._bytes > self.max_bytes or (tick - commits[1][0]) % TICK_MODULUS > self.max_ticks
        ):
            self._bytes -= commits.popleft()[2]

    def before(self, tick: int) -> WorldState | None:
        """Return the version of ``tick`` if that is the last but one, as nearly every reader asks for; else None."""
        commits = self._commits
        return commits[-2][1] if len(commits) > 1 and commits[-2][0] == tick else None

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
    if before is None:
        return BYTES_PER_VERSION + BYTES_PER_VALUE * sum(len(table.columns) * len(table.ids) for table in state.tables)
    values = 0
    for table, old in zip(state.tables, before.tables, strict=True):
        if table is not old:
            same = sum(map(is_, table.columns, old.columns))
            values += (len(table.columns) - same) * len(table.ids)
    return BYTES_PER_VERSION + values * BYTES_PER_VALUE
