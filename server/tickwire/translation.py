"""Translation between wire values and the author's objects: inputs and events in, events out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from tickwire.entities import EntityStore
from tickwire.framing import build_frame
from tickwire_shared.declare import Event
from tickwire_shared.errors import UsageError, ValueRefused
from tickwire_shared.event_messages import build_event
from tickwire_shared.int_kinds import Ref
from tickwire_shared.schema import ClassType, FieldType
from tickwire_shared.wire_values import Wire

if TYPE_CHECKING:
    from tickwire.room import Room


class Translator:
    """Translates for one room, whose entities references mean.

    Attributes:
        make_input: Makes the author's input of wire values; the same values give the same object, unless the input
            class has references.
    """

    def __init__(self, room_type: type[Room[Any]], store: EntityStore) -> None:
        """Translate the classes of ``room_type``."""
        self._store = store
        self._events = room_type.schema.events
        self.make_input: Callable[[tuple[int, ...]], Any] = _no_input
        reader = room_type.input_reader
        if reader is not None:
            refers = any(isinstance(field.kind, Ref) for field in reader.item.public)
            self.make_input = partial(self.make, reader.item) if refers else reader.make

    def make(self, item: ClassType, values: tuple[Wire, ...]) -> Any:
        """Make the author's object of wire values; references become the entities that are there now."""
        assert item.author is not None
        fields = {
            field.name: self._store.get(field.kind.of, cast("int", value))
            if isinstance(field.kind, Ref)
            else field.kind.from_wire(value)
            for field, value in zip(item.public, values, strict=True)
        }
        return item.author(**fields)

    def event_frame(self, event: Event) -> bytes:
        """Return the frame that carries ``event``.

        Raises:
            UsageError: It is not of a class that the room lists.
            ValueRefused: A field can't be carried; names class and field.
        """
        item = type(event).wire_type
        if item not in self._events:
            names = ", ".join(listed.name for listed in self._events) or "none"
            raise UsageError(f"{item.name} is not among the room's events ({names}); list it there.")
        values = [_wire_value(item, field, event) for field in item.public]
        return build_frame(build_event(self._events.index(item), values))


def _no_input(values: tuple[int, ...]) -> None:
    raise AssertionError(f"an input {values} in a room that takes none")


def _wire_value(item: ClassType, field: FieldType, event: Event) -> Wire:
    try:
        return field.kind.to_wire(getattr(event, field.name))
    except ValueRefused as error:
        raise ValueRefused(f"{item.name}.{field.name}: {error}") from None
