"""Which input belongs to which tick.

An input is addressed to the tick it is for, so a snapshot of that tick says by itself that the
input is in it. `InputSchedule` turns "this is what the player holds now" into a gapless run of
such inputs: one for each tick, never two for the same, triggers in exactly one of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import floor

from attrs import define, field, frozen

from tickwire_shared.client_messages import MAX_INPUTS_PER_MESSAGE
from tickwire_shared.ticks import TICK_MODULUS, tick_add, tick_distance

MAX_AHEAD_TICKS = 32  # PROTOCOL.md, section 10: further ahead is refused
REMEMBERED = 128  # ticks of sent inputs: far more than are ever between here and the server's word on them

Wires = tuple[int, ...]


@frozen(slots=True)
class InputRun:
    """Inputs of consecutive ticks, the first of them for ``tick``."""

    tick: int
    inputs: tuple[Wires, ...]

    @property
    def last(self) -> int:
        """The tick of the last of them."""
        return tick_add(self.tick, len(self.inputs) - 1)

    def flat(self) -> Sequence[int]:
        """The values one after the other, as INPUT carries them."""
        if len(self.inputs) == 1:
            return self.inputs[0]
        return [wire for wires in self.inputs for wire in wires]


@define
class InputSchedule:
    """The input in force and the next tick that has none yet. Works on wire values; pure.

    Attributes:
        neutral: What a player commands that does nothing.
        triggers: Positions of the fields that are true for one tick only.
    """

    neutral: Wires
    triggers: frozenset[int] = frozenset()
    _held: list[int] = field(init=False)
    _pressed: set[int] = field(factory=set[int], init=False)
    _next: int | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        """Hold the neutral input."""
        self._held = list(self.neutral)

    @property
    def held(self) -> Wires:
        """The input in force, triggers aside."""
        return tuple(self._held)

    def steer(self, values: Mapping[int, int]) -> None:
        """Change fields of the input from the next tick on; a trigger that is set is pressed once."""
        for position, wire in values.items():
            if position not in self.triggers:
                self._held[position] = wire
            elif wire:
                self._pressed.add(position)

    def take(self, newest: int) -> InputRun | None:
        """Hand out the inputs for all ticks up to ``newest`` that have none yet.

        The first call starts at ``newest``. After a gap of more than a message holds, the ticks
        before are skipped: the server has simulated them without us. When ``newest`` went back
        by more than the server would accept ahead, the schedule starts again from it.
        """
        first = self._first_due(newest)
        count = tick_distance(newest, first) + 1
        if count <= 0:
            return None
        if count > MAX_INPUTS_PER_MESSAGE:
            first = tick_add(newest, 1 - MAX_INPUTS_PER_MESSAGE)
            count = MAX_INPUTS_PER_MESSAGE
        self._next = tick_add(newest, 1)
        return InputRun(first, self._inputs(count))

    def ticks_until_due(self, newest: float) -> float:
        """How long until ``take`` has something to hand out, when ``newest`` is reached now; not below 0."""
        if self._next is None:
            return 0.0
        return max(0.0, tick_distance(self._next, floor(newest) % TICK_MODULUS) - newest % 1.0)

    def peek(self) -> Wires:
        """The input that the next tick would get now."""
        return self._fired() if self._pressed else tuple(self._held)

    def restart(self) -> None:
        """Start at whichever tick is due next: the connection or the server's schedule is a new one."""
        self._next = None

    def _first_due(self, newest: int) -> int:
        if self._next is None or tick_distance(self._next, newest) > MAX_AHEAD_TICKS:
            return newest
        return self._next

    def _inputs(self, count: int) -> tuple[Wires, ...]:
        held = tuple(self._held)
        if not self._pressed:
            return (held,) * count
        fired = self._fired()
        self._pressed.clear()
        return (fired, *((held,) * (count - 1)))

    def _fired(self) -> Wires:
        return tuple(1 if position in self._pressed else wire for position, wire in enumerate(self._held))


@define
class SentInputs:
    """The inputs that were sent, by tick: what the server has in force when all of them arrive in time.

    Attributes:
        neutral: As in `InputSchedule`.
        triggers: As in `InputSchedule`.
        hold: Ticks that the server repeats a missing input (WELCOME).
    """

    neutral: Wires
    triggers: frozenset[int]
    hold: int
    _ring: dict[int, tuple[int, Wires]] = field(factory=dict[int, tuple[int, Wires]], init=False)

    def note(self, run: InputRun) -> None:
        """Remember what was sent; the newest ``REMEMBERED`` are kept."""
        for ahead, wires in enumerate(run.inputs):
            tick = tick_add(run.tick, ahead)
            self._ring[tick % REMEMBERED] = (tick, wires)

    def in_force(self, tick: int) -> Wires:
        """The input for ``tick``; a missing one repeats the newest before it, then the neutral one follows."""
        for missing in range(self.hold + 1):
            before = tick_add(tick, -missing)
            sent, wires = self._ring.get(before % REMEMBERED, (None, self.neutral))
            if sent == before:
                return self._without_triggers(wires) if missing else wires
        return self.neutral

    def clear(self) -> None:
        """Forget all: the server has nothing of them in force."""
        self._ring.clear()

    def _without_triggers(self, wires: Wires) -> Wires:
        return tuple(0 if position in self.triggers else wire for position, wire in enumerate(wires))
