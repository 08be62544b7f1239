"""When to send which input: the schedule of inputs, paced by the clock and the lead."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

from attrs import define, field

from tickwire_client.clock import ServerClock, whole_tick
from tickwire_client.inputs import InputRun, InputSchedule
from tickwire_client.lead import LeadController
from tickwire_shared.errors import UsageError
from tickwire_shared.int_kinds import Trigger
from tickwire_shared.schema import ClassType, FieldType, trigger_positions

# A wake-up that comes a rounding error early would find nothing due and be wasted.
WAKE_SLACK_MS = 0.01


@define(eq=False)
class InputPacer:
    """Sends an input for each tick, just early enough, from the first ``steer`` or ``press`` on.

    Attributes:
        input_type: The room's input class.
        clock: Tells the server's tick; shared with the session, which feeds it.
        lead: Tells how far ahead of it to be.
        neutral: The wire values of the input that does nothing.
        triggers: Which of them are true for one tick only.
    """

    input_type: ClassType
    clock: ServerClock
    lead: LeadController = field(factory=LeadController)
    neutral: tuple[int, ...] = field(init=False)
    triggers: frozenset[int] = field(init=False)
    _schedule: InputSchedule = field(init=False)
    _positions: dict[str, int] = field(init=False)
    _active: bool = field(default=False, init=False)
    _followers: list[Callable[[InputRun], None]] = field(factory=list[Callable[[InputRun], None]], init=False)

    def __attrs_post_init__(self) -> None:
        """Hold the neutral input."""
        self.neutral = tuple(cast("int", declared.default) for declared in self.input_type.public)
        self.triggers = frozenset(trigger_positions(self.input_type))
        self._schedule = InputSchedule(self.neutral, self.triggers)
        self._positions = {declared.name: number for number, declared in enumerate(self.input_type.public)}

    def steer(self, fields: Mapping[str, object]) -> None:
        """Change fields of the input from the next tick on; what isn't mentioned stays.

        Raises:
            UsageError: The input class has no such field.
            ValueRefused: A value doesn't fit its field.
        """
        wires = {self._position(name): self._declared(name).kind.to_wire(value) for name, value in fields.items()}
        self._schedule.steer(cast("dict[int, int]", wires))
        self._active = True

    def press(self, name: str) -> None:
        """Set a trigger for exactly one tick, the next.

        Raises:
            UsageError: The input class has no such trigger.
        """
        if not isinstance(self._declared(name).kind, Trigger):
            raise UsageError(f"{self.input_type.name}.{name} is no trigger; hold it with steer({name}=...).")
        self.steer({name: True})

    @property
    def running(self) -> bool:
        """Whether there is a tick to address inputs to, and anybody who wants that."""
        return self._active and self.clock.measured

    def follow(self, note: Callable[[InputRun], None]) -> None:
        """Send inputs from now on, even neutral ones, and tell ``note`` of each run of them."""
        self._followers.append(note)
        self._active = True

    def take(self, now_ms: float, early_ticks: float = 0.0) -> InputRun | None:
        """The inputs that are due to be sent now, or within ``early_ticks``."""
        if not self.running:
            return None
        run = self._schedule.take(whole_tick(self.newest(now_ms) + early_ticks))
        if run is not None:
            self.lead.note_sent(run.last)
            for follow in self._followers:
                follow(run)
        return run

    def next_due_ms(self, now_ms: float) -> float:
        """The local time at which the next input is due; infinity while none will be."""
        if not self.running:
            return float("inf")
        newest = self.newest(now_ms)
        return now_ms + self._schedule.ticks_until_due(newest) * self.clock.tick_ms + WAKE_SLACK_MS

    def restart(self) -> None:
        """Start again on a new connection."""
        self._schedule.restart()
        self.lead.restart()

    def newest(self, now_ms: float) -> float:
        """The tick, with fraction and not wrapped, that inputs are addressed to now. Only while ``running``."""
        clock = self.clock
        return clock.tick_at(now_ms) + self.lead.step(now_ms, clock.rtt_ms, clock.tick_ms)

    def peek(self) -> tuple[int, ...]:
        """The wire values of the input that the next tick will get if nothing changes."""
        return self._schedule.peek()

    def _position(self, name: str) -> int:
        try:
            return self._positions[name]
        except KeyError:
            known = ", ".join(self._positions) or "no fields"
            raise UsageError(f"{self.input_type.name} has no field {name!r}; it has {known}.") from None

    def _declared(self, name: str) -> FieldType:
        return self.input_type.public[self._position(name)]
