"""What only this player sees: the rows of PRIVATE messages, checked and added up (PROTOCOL.md, section 5)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from typing import cast

from tickwire_shared.applying import MAX_ID, ungap
from tickwire_shared.errors import ProtocolError
from tickwire_shared.schema import ClassType
from tickwire_shared.state import WorldState
from tickwire_shared.wire_values import Wire

PrivateRows = dict[int, tuple[Wire, ...]]


def read_owned(owned: object, before: frozenset[int]) -> frozenset[int]:
    """The ids that a PRIVATE says the player owns; nil is as before.

    Raises:
        ProtocolError: It is no gap-coded list.
    """
    return before if owned is None else frozenset(ungap(owned, MAX_ID, first=1))


def apply_private(state: WorldState, rows: list[object], held: Mapping[int, tuple[Wire, ...]]) -> PrivateRows:
    """Add the rows of a PRIVATE to what is held; ``state`` is that of its tick.

    Raises:
        ProtocolError: A row is malformed, or for an entity that ``state`` doesn't have.
    """
    values = dict(held)
    for row in rows:
        id, mask, news = _parts(row)
        item = _class_of(state, id)
        if item is None:
            raise ProtocolError(f"PRIVATE has a row for entity {id}, which is not in the state.")
        before = values.get(id) or tuple(field.default for field in item.private)
        values[id] = _changed(item, before, mask, news)
    return values


def still_held(state: WorldState, owned: frozenset[int], values: PrivateRows) -> PrivateRows:
    """Only the values of entities that are owned and in the state: the others fell back to their defaults."""
    return {id: row for id, row in values.items() if id in owned and _class_of(state, id) is not None}


def _parts(row: object) -> tuple[int, int, list[object]]:
    if type(row) is not list or len(cast("list[object]", row)) < 2:
        raise ProtocolError(f"{row!r:.60} is no row of PRIVATE.")
    id, mask, *news = cast("list[object]", row)
    if type(id) is not int or type(mask) is not int or mask < 0:
        raise ProtocolError(f"A row of PRIVATE starts with {id!r:.40}, {mask!r:.40}; an id and a mask are needed.")
    return id, mask, news


def _changed(item: ClassType, before: tuple[Wire, ...], mask: int, news: list[object]) -> tuple[Wire, ...]:
    numbers = [number for number in range(len(item.private)) if mask >> number & 1]
    if mask >> len(item.private) or len(numbers) != len(news):
        raise ProtocolError(f"A row of PRIVATE has mask {mask} and {len(news)} values; {item.name} can't have that.")
    after = list(before)
    for number, wire in zip(numbers, news, strict=True):
        after[number] = item.private[number].kind.check(wire)
    return tuple(after)


def _class_of(state: WorldState, id: int) -> ClassType | None:
    for item, table in zip(state.schema.entities, state.tables, strict=True):
        row = bisect_left(table.ids, id)
        if row < len(table.ids) and table.ids[row] == id:
            return item
    return None
