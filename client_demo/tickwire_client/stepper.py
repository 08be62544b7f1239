"""Runs the author's step on wire values, so that what comes out is what the server would hold after its commit.

The step gets author's values in a plain object and changes them. They are quantised after every step, as the
server does with entities that it marks ``predicted``: both go on from the same numbers and never drift.
The browser's twin is ``client_demo/web/sdk/stepper.js``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, cast

from attrs import frozen

from tickwire_client.replica import Replica
from tickwire_client.views import EntityView
from tickwire_shared.errors import UsageError, ValueRefused
from tickwire_shared.int_kinds import IntKind
from tickwire_shared.kinds import Kind
from tickwire_shared.schema import ClassType, FieldType
from tickwire_shared.wire_values import Wire

Wires = tuple[int, ...]


@frozen(slots=True)
class Raised:
    """What a step said: an event, or (with the wire values of its fields) the spawn of an entity.

    Attributes:
        name: The event's name, or the entity's class.
        key: Which one it is, for those that may come again in another tick.
        fields: Author's values; those of a spawn as the server will round them.
        wires: A spawn's wire values by field name; None for an event.
    """

    name: str
    key: str
    tick: int
    fields: Mapping[str, Any]
    wires: Mapping[str, Wire] | None = None

    @property
    def is_spawn(self) -> bool:
        """Whether an entity is to come of it."""
        return self.wires is not None


class StepContext:
    """What a step may look at besides its state and input, and what it may say.

    Attributes:
        tick: The tick that is simulated (u32).
        hz: Ticks per second.
        dt: Seconds per tick.
        entity: The entity that is predicted, with the server's newest values.
    """

    def __init__(self, replica: Replica, hz: float) -> None:
        """Look at ``replica``."""
        self.tick = 0
        self.hz = hz
        self.dt = 1.0 / hz
        self.entity: EntityView | None = None
        self._replica = replica
        self._raised: list[Raised] = []
        self._read: dict[str, tuple[object, tuple[SimpleNamespace, ...]]] = {}

    def all(self, name: str) -> tuple[SimpleNamespace, ...]:
        """The public fields of all entities of a class as the server last had them, by id; references as ids.

        Good for what seldom changes, such as walls. The same objects until the class changes: don't write to them.

        Raises:
            KeyError: The room has no such class.
        """
        layout = self._replica.layout(name)
        table = self._replica.state.tables[layout.index]
        known = self._read.get(name)
        if known is not None and known[0] is table:
            return known[1]
        names = ["id", *(place for place in layout.places if not layout.places[place].private)]
        found = tuple(
            SimpleNamespace(**dict(zip(names, values, strict=True))) for values in self._replica.rows(name, *names)
        )
        self._read[name] = (table, found)
        return found

    def one(self, name: str) -> SimpleNamespace | None:
        """The first entity of a class: that of a singleton."""
        return next(iter(self.all(name)), None)

    def event(self, name: str, /, key: str | None = None, **fields: Any) -> None:
        """Say that something happens in this tick, to be shown at once.

        Told as predicted when it is raised first, later as confirmed or withdrawn.

        Args:
            name: What happens; any name.
            key: Which one it is, when it may move to another tick; its tick and its number in it unless given.
            fields: Whatever is to be shown.
        """
        self._raise(name, key, fields, None)

    def spawn(self, name: str, /, key: str | None = None, **fields: Any) -> None:
        """Say that an entity is launched in this tick. The server's is known by having the same ``fields``.

        Raises:
            UsageError: The room has no such class, or the class no such field.
            ValueRefused: A value doesn't fit its field.
        """
        item = self._class(name)
        wires: dict[str, Wire] = {}
        rounded: dict[str, Any] = {}
        for field_name, value in fields.items():
            kind = _public_kind(item, field_name)
            wires[field_name] = kind.to_wire(value)
            rounded[field_name] = kind.from_wire(wires[field_name])
        self._raise(name, key, rounded, wires)

    def take_raised(self) -> list[Raised]:
        """What was raised since the last call."""
        raised, self._raised = self._raised, []
        return raised

    def _raise(self, name: str, key: str | None, fields: Mapping[str, Any], wires: Mapping[str, Wire] | None) -> None:
        number = sum(other.tick == self.tick and other.name == name for other in self._raised)
        self._raised.append(Raised(name, key or f"{self.tick}/{number}", self.tick, fields, wires))

    def _class(self, name: str) -> ClassType:
        for item in self._replica.schema.entities:
            if item.name == name:
                return item
        known = ", ".join(item.name for item in self._replica.schema.entities) or "none"
        raise UsageError(f"The room has no entity class {name!r} to spawn; it has {known}.")


Step = Callable[[Any, Any, StepContext], None]
"""One tick of the entity that is predicted: changes the state given, a plain object with the class's number fields.

Must be pure: the same state, input and context give the same result, without clock, randomness or memory of its
own, because it runs again for ticks that are over. References are ids. Nothing but the class's fields survives a tick.
"""


class Stepper:
    """The step of one class of entity, from wire values to wire values.

    Attributes:
        fields: The fields of the state, public and private: those with a number on the wire.
    """

    def __init__(self, item: ClassType, input_type: ClassType, step: Step, context: StepContext) -> None:
        """Run ``step`` for entities of the class ``item``."""
        self.fields = tuple(field for field in (*item.public, *item.private) if isinstance(field.kind, IntKind))
        self.context = context
        self._item = item
        self._step = step
        self._state_kinds = _kinds(self.fields)
        self._input_kinds = _kinds(input_type.public)

    def run(self, wires: Wires, inputs: Wires, tick: int) -> Wires:
        """One tick.

        Args:
            wires: The state after the tick before.
            inputs: What is in force at ``tick``.
            tick: The tick to simulate.

        Raises:
            ValueRefused: The step left a value that its field can't hold, or none.
            Exception: Whatever the step raises.
        """
        state = self.read(wires)
        self.context.tick = tick
        self._step(state, _read(self._input_kinds, inputs), self.context)
        return self._write(state.__dict__)

    def read(self, wires: Sequence[Wire]) -> SimpleNamespace:
        """The author's values of a state; a reference stays an id."""
        return _read(self._state_kinds, wires)

    def _write(self, values: Mapping[str, object]) -> Wires:
        name = ""
        try:
            wires: list[Wire] = []
            for name, kind in self._state_kinds:
                wires.append(kind.to_wire(values[name]))
        except KeyError:
            raise UsageError(f"The step deleted {self._item.name}.{name}; leave every field with a value.") from None
        except ValueRefused as error:
            raise ValueRefused(f"{self._item.name}.{name} after the step: {error}") from None
        if len(values) > len(wires):
            known = {name for name, _ in self._state_kinds}
            added = next(name for name in values if name not in known)
            raise UsageError(f"The step set {self._item.name}.{added}, which is no field with a number of that class.")
        return cast("Wires", tuple(wires))


def _kinds(fields: Sequence[FieldType]) -> tuple[tuple[str, Kind], ...]:
    return tuple((field.name, field.kind) for field in fields)


def _read(kinds: tuple[tuple[str, Kind], ...], wires: Sequence[Wire]) -> SimpleNamespace:
    return SimpleNamespace(**{name: kind.from_wire(wire) for (name, kind), wire in zip(kinds, wires, strict=True)})


def _public_kind(item: ClassType, name: str) -> Kind:
    for field in item.public:
        if field.name == name:
            return field.kind
    known = ", ".join(field.name for field in item.public)
    raise UsageError(f"{item.name} has no public field {name!r} to be spawned with; it has {known}.")
