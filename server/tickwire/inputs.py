"""The inputs of one player, by tick (design: held for a few ticks, late ones folded, far ones refused)."""

from __future__ import annotations

import attrs

from tickwire_shared.schema import ClassType, trigger_positions
from tickwire_shared.ticks import tick_distance

MAX_AHEAD = 32
"""PROTOCOL.md, section 10: an input further ahead is refused, which bounds how much a client may hoard."""

HOLD_TICKS = 6
"""How long a missing input is replaced by the last one (a fifth of a second at 30 ticks a second)."""

REMEMBERED_INPUTS = 128
"""So many ticks are known to have had their input, so that one that is sent again doesn't fire again."""

Values = tuple[int, ...]


@attrs.define
class InputBuffer:
    """Takes inputs as they come and gives one for each tick.

    Attributes:
        late: Inputs that came after their tick.
        refused: Inputs that were too far ahead.
        force: The wire values in force at the last tick.
    """

    _type: ClassType
    late: int = attrs.field(init=False, default=0)
    refused: int = attrs.field(init=False, default=0)
    force: Values = attrs.field(init=False)
    _neutral: Values = attrs.field(init=False)
    _triggers: tuple[int, ...] = attrs.field(init=False)
    _ring: dict[int, Values] = attrs.field(init=False, factory=dict[int, Values])
    _newest: int | None = attrs.field(init=False, default=None)
    _missing: int = attrs.field(init=False, default=HOLD_TICKS)
    _least_slack: int | None = attrs.field(init=False, default=None)
    _folded: set[int] = attrs.field(init=False, factory=set[int])
    _seen: dict[int, None] = attrs.field(init=False, factory=dict[int, None])

    def __attrs_post_init__(self) -> None:
        """Start with the neutral input."""
        self._neutral = tuple(int(field.default) for field in self._type.public)
        self._triggers = trigger_positions(self._type)
        self.force = self._neutral

    def put(self, tick: int, values: Values, now: int) -> None:
        """Take the input for ``tick``; ``now`` is the last tick simulated. A repeated one is ignored."""
        ahead = tick_distance(tick, now)
        if ahead > MAX_AHEAD:
            self.refused += 1
            return
        if tick in self._seen:
            return
        self._remember(tick)
        if ahead <= 0:
            self.late += 1
            self._folded.update(position for position in self._triggers if values[position])
        else:
            self._ring[tick] = values
        if self._newest is None or tick_distance(tick, self._newest) > 0:
            self._newest = tick

    def take_slack(self) -> int | None:
        """Return the least slack since the last call: how far ahead of its tick the newest input was.

        None when no tick had one to measure.
        """
        slack, self._least_slack = self._least_slack, None
        return slack

    def take(self, tick: int) -> bool:
        """Put the input for ``tick`` in force; a missing one is held, then neutral.

        Returns:
            Whether an input for just this tick had come.
        """
        if self._newest is not None:
            slack = tick_distance(self._newest, tick)
            if self._least_slack is None or slack < self._least_slack:
                self._least_slack = slack
        values = self._ring.pop(tick, None)
        fresh = values is not None
        if values is not None:
            self._missing = 0
            self.force = values
        elif self._missing < HOLD_TICKS:
            self._missing += 1
            self.force = self._without_triggers(self.force)
        elif self.force is not self._neutral:
            self.force = self._neutral
        if self._folded:
            self.force = tuple(1 if at in self._folded else value for at, value in enumerate(self.force))
            self._folded.clear()
            self._missing = min(self._missing, HOLD_TICKS - 1)
        return fresh

    def forget(self, now: int) -> None:
        """Drop what was buffered, for a connection that was replaced or ticks that were dropped."""
        self._ring = {tick: values for tick, values in self._ring.items() if tick_distance(tick, now) > 0}

    def _remember(self, tick: int) -> None:
        self._seen[tick] = None
        if len(self._seen) > REMEMBERED_INPUTS:
            del self._seen[next(iter(self._seen))]

    def _without_triggers(self, values: Values) -> Values:
        if not any(values[position] for position in self._triggers):
            return values
        return tuple(0 if at in self._triggers else value for at, value in enumerate(values))
