"""EVENT, which has one form in both directions (PROTOCOL.md, sections 4 and 5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import attrs

from tickwire_shared.errors import ProtocolError
from tickwire_shared.packing import pack
from tickwire_shared.quoting import quote
from tickwire_shared.schema import ClassType
from tickwire_shared.wire_values import Wire


@attrs.frozen
class EventMessage:
    """An event: the index of its class and its wire values."""

    index: int
    values: tuple[Wire, ...]


def build_event(index: int, values: Sequence[Wire]) -> bytes:
    """Encode EVENT."""
    return pack([4, index, *values])


def parse_event(items: list[object]) -> EventMessage:
    """Read an unpacked EVENT; ``check_event`` compares it with its class.

    Raises:
        ProtocolError: It names no class, or holds something else than ints and byte strings.
    """
    if len(items) < 2 or type(items[1]) is not int:
        raise ProtocolError("An event has no class.")
    for value in items[2:]:
        if type(value) is not int and type(value) is not bytes:
            raise ProtocolError(f"{quote(value)} is no wire value of an event.")
    return EventMessage(items[1], cast("tuple[Wire, ...]", tuple(items[2:])))


def check_event(message: EventMessage, events: Sequence[ClassType], *, from_client: bool) -> ClassType:
    """Check an event's values against its class and return the class.

    Raises:
        ProtocolError: There is no such class, clients may not send it, or a value is wrong.
    """
    if not 0 <= message.index < len(events):
        raise ProtocolError(f"There is no event class {message.index}.")
    item = events[message.index]
    if from_client and not item.from_client:
        raise ProtocolError(f"{item.name} is not an event that clients may send.")
    if len(message.values) != len(item.public):
        raise ProtocolError(f"{item.name} has {len(item.public)} fields, not {len(message.values)}.")
    for field, value in zip(item.public, message.values, strict=True):
        field.kind.check(value)
    return item
