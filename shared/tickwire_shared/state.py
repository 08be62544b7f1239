"""States: what a room's entities were at the end of a tick, as immutable columns of wire values."""

from __future__ import annotations

import struct
import zlib
from array import array
from collections.abc import Mapping, Sequence
from typing import cast

import attrs

from tickwire_shared.schema import ClassType, Schema
from tickwire_shared.wire_values import Wire

Column = Sequence[int] | Sequence[bytes]
"""One wire value per entity; never changed after it was put in a table. A list, or an array of ints."""

PrivateValues = Mapping[int, tuple[Wire, ...]]
"""Entity id to the wire values of all private fields of its class."""


@attrs.define(eq=False)
class Table:
    """All entities of one class, sorted by id; equal when the values are, in whatever containers.

    Never changed, though no code sees to that: one is made in each tick of each room.

    Attributes:
        ids: The entities' ids, ascending.
        columns: For each public field its column.
    """

    ids: tuple[int, ...]
    columns: tuple[Column, ...]

    def __eq__(self, other: object) -> bool:
        """Whether the same entities have the same values."""
        if not isinstance(other, Table):
            return NotImplemented
        return self.ids == other.ids and list(map(list, self.columns)) == list(map(list, other.columns))

    def __hash__(self) -> int:
        """By the ids alone: columns may be lists."""
        return hash(self.ids)

    def row(self, row: int) -> tuple[Wire, ...]:
        """The wire values of the entity in ``row``."""
        return tuple(column[row] for column in self.columns)


@attrs.define
class WorldState:
    """An immutable state: one table per entity class, in the order of the schema.

    Never changed, though no code sees to that: one is made in each tick of each room.
    """

    schema: Schema = attrs.field(eq=False, repr=False)
    tables: tuple[Table, ...]

    @classmethod
    def empty(cls, schema: Schema) -> WorldState:
        """The state with no entities: the baseline of a full snapshot."""
        return cls(schema, tuple(empty_table(item) for item in schema.entities))

    @property
    def size(self) -> int:
        """How many entities there are."""
        return sum(len(table.ids) for table in self.tables)

    def to_dict(self) -> dict[str, dict[int, dict[str, Wire]]]:
        """The state as plain data, for tests and tools: class, id, field, wire value."""
        return {
            item.name: {
                ident: {field.name: column[row] for field, column in zip(item.public, table.columns, strict=True)}
                for row, ident in enumerate(table.ids)
            }
            for item, table in zip(self.schema.entities, self.tables, strict=True)
        }


def empty_table(item: ClassType) -> Table:
    """A table of the class ``item`` with no entities."""
    return Table((), tuple([] for _ in item.public))


def checksum(state: WorldState) -> int:
    """Return the CRC-32 of a state's public part (PROTOCOL.md, section 8)."""
    crc = 0
    for index, (item, table) in enumerate(zip(state.schema.entities, state.tables, strict=True)):
        if not table.ids:
            continue
        crc = zlib.crc32(struct.pack("<II", index, len(table.ids)), crc)
        crc = zlib.crc32(_words("I", table.ids), crc)
        for field, column in zip(item.public, table.columns, strict=True):
            if field.is_int:
                crc = zlib.crc32(_words("q", cast("Sequence[int]", column)), crc)
            else:
                for value in cast("Sequence[bytes]", column):
                    crc = zlib.crc32(struct.pack("<I", len(value)) + value, crc)
    return crc


def private_checksum(state: WorldState, owned: Sequence[int], values: PrivateValues) -> int:
    """Return the CRC-32 of the private values of the ``owned`` ids that ``state`` holds (section 8)."""
    mine = set(owned)
    found = [
        (ident, item)
        for item, table in zip(state.schema.entities, state.tables, strict=True)
        if item.private
        for ident in table.ids
        if ident in mine
    ]
    crc = 0
    for ident, item in sorted(found, key=lambda pair: pair[0]):
        crc = zlib.crc32(struct.pack("<I", ident), crc)
        row = values.get(ident) or tuple(field.default for field in item.private)
        for field, value in zip(item.private, row, strict=True):
            if field.is_int:
                crc = zlib.crc32(struct.pack("<q", value), crc)
            else:
                raw = cast("bytes", value)
                crc = zlib.crc32(struct.pack("<I", len(raw)) + raw, crc)
    return crc


def _words(typecode: str, values: Sequence[int]) -> bytes:
    """Little-endian words: ``I`` for u32, ``q`` for i64."""
    if array(typecode).itemsize == struct.calcsize("<" + typecode) and struct.pack("=H", 1) == b"\1\0":
        return array(typecode, values).tobytes()
    return struct.pack(f"<{len(values)}{typecode}", *values)
