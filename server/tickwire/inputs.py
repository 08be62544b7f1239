"""The inputs of one player, by tick.

An input is in force at the tick it is addressed to. A tick without one repeats the newest that is known, for a
while; what comes late can't change the past any more, but its pressed buttons count at the next tick, and
it is what is repeated if it is the newest. Each tick has one input at most, whatever a client claims.
"""

from __future__ import annotations

import attrs

from tickwire_shared.schema import ClassType, trigger_positions
from tickwire_shared.ticks import tick_distance

MAX_AHEAD = 32
"""PROTOCOL.md, section 10: an input further ahead is refused, which bounds how much a client may hoard."""

MAX_BEHIND = 32
"""An input this late is counted and no more: a button pressed a second ago must not go off now."""

HOLD_TICKS = 6
"""How long a missing input is replaced by the last one (a fifth of a second at 30 ticks a second)."""

REMEMBERED_INPUTS = 2 * (MAX_AHEAD + MAX_BEHIND)
"""So many ticks are known to have had their input, so that one that is sent again doesn't fire again: a tick can
be named for ``MAX_AHEAD + MAX_BEHIND`` ticks, and during those only so many others can be."""

Values = tuple[int, ...]


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


@attrs.define
class InputBuffer:
    """Takes inputs as they come and gives one for each tick.

    Attributes:
        counts: Those of the room, which this buffer adds to.
        late: Inputs that came after their tick.
        refused: Inputs that were too far ahead.
        force: The wire values in force at the last tick.
    """

    _type: ClassType
    counts: InputCounts = attrs.field(factory=InputCounts)
    late: int = attrs.field(init=False, default=0)
    refused: int = attrs.field(init=False, default=0)
    force: Values = attrs.field(init=False)
    _neutral: Values = attrs.field(init=False)
    _triggers: tuple[int, ...] = attrs.field(init=False)
    _ring: dict[int, Values] = attrs.field(init=False, factory=dict[int, Values])
    _newest: int | None = attrs.field(init=False, default=None)
    _held: Values = attrs.field(init=False)
    _held_tick: int | None = attrs.field(init=False, default=None)
    _least_slack: int | None = attrs.field(init=False, default=None)
    _folded: set[int] = attrs.field(init=False, factory=set[int])
    _seen: dict[int, None] = attrs.field(init=False, factory=dict[int, None])

    def __attrs_post_init__(self) -> None:
        """Start with the neutral input."""
        self._neutral = tuple(int(field.default) for field in self._type.public)
        self._triggers = trigger_positions(self._type)
        self.force = self._held = self._neutral

    def put(self, tick: int, values: Values, now: int) -> None:
        """Take the input for ``tick``; ``now`` is the last tick simulated. A repeated one is ignored."""
        ahead = tick - now
        if not -MAX_BEHIND < ahead <= MAX_AHEAD:  # nearly never, and then perhaps for the wrap of ticks
            ahead = tick_distance(tick, now)
            if ahead > MAX_AHEAD:
                self.refused += 1
                self.counts.refused += 1
                return
            if ahead <= -MAX_BEHIND:
                self._count_late()
                return
        seen = self._seen
        if tick in seen:
            self.counts.repeated += 1
            return
        seen[tick] = None
        if len(seen) > REMEMBERED_INPUTS:
            del seen[next(iter(seen))]
        if ahead > 0:
            self._ring[tick] = values
        else:
            self._fold(tick, values)
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
        if values is not None:
            self._held_tick = tick
            self._held = self._without_triggers(values) if self._triggers else values
            self.force = values
        elif self._held_tick is not None and tick_distance(tick, self._held_tick) <= HOLD_TICKS:
            self.force = self._held
        else:
            self.force = self._neutral
        if self._folded:
            self.force = tuple(1 if at in self._folded else value for at, value in enumerate(self.force))
            self._folded.clear()
        return values is not None

    def reconnect(self) -> None:
        """Another connection begins: how early the last one's inputs came says nothing about this one's."""
        self._newest = self._least_slack = None

    def _fold(self, tick: int, values: Values) -> None:
        """Save of a late input what still counts."""
        self._count_late()
        self._folded.update(position for position in self._triggers if values[position])
        if self._held_tick is None or tick_distance(tick, self._held_tick) > 0:
            self._hold(tick, values)

    def _count_late(self) -> None:
        self.late += 1
        self.counts.late += 1

    def _hold(self, tick: int, values: Values) -> None:
        self._held_tick = tick
        self._held = self._without_triggers(values)

    def _without_triggers(self, values: Values) -> Values:
        if not any(values[position] for position in self._triggers):
            return values
        return tuple(0 if at in self._triggers else value for at, value in enumerate(values))
