"""Reading: the commit of one entity class, from the author's attributes to columns of wire values.

For each class a function is generated that reads one attribute of all entities in one list comprehension
with the constants of the kind written in, because that is the least Python per value. It does the
arithmetic of ``int_kinds.py``. What it can't vouch for (NaN, wrong types, out of range) it hands to the kind's own
``to_wire``, value by value, which clamps or names the culprit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, cast

import attrs

from tickwire_shared.byte_kinds import Text
from tickwire_shared.declare import Entity
from tickwire_shared.errors import ValueRefused
from tickwire_shared.int_kinds import Angle, Choice, Flag, Integer, IntKind, Quantized, Ref
from tickwire_shared.schema import ClassType, FieldType
from tickwire_shared.state import Column, Table
from tickwire_shared.wire_values import Wire

_FALLBACK = (TypeError, ValueError, OverflowError, AttributeError, KeyError, ValueRefused)

ReadField = Callable[[Sequence[Entity]], list[Any]]


@attrs.define
class TableReader:
    """Reads all entities of one class at the end of a tick.

    It remembers the last str values, because comparing lists of the same str objects costs far less
    than encoding them anew.
    """

    item: ClassType
    _readers: tuple[ReadField, ...] = attrs.field(init=False)
    _write_back: Callable[[Sequence[Entity], Sequence[Column]], None] | None = attrs.field(init=False)
    _texts: dict[int, tuple[list[str], Column]] = attrs.field(init=False, factory=dict[int, tuple[list[str], Column]])

    def __attrs_post_init__(self) -> None:
        """Generate the code."""
        self._readers = tuple(_compile_reader(field) for field in self.item.fields)
        self._write_back = _compile_write_back(self.item) if self.item.predicted else None

    def read(
        self, ids: tuple[int, ...], entities: Sequence[Entity], previous: Table
    ) -> tuple[Table, tuple[Column, ...]]:
        """Quantise all fields of ``entities``, which are sorted by id.

        Returns:
            The table of public columns (``previous`` itself when nothing changed, and its columns where
            those did not), and the private columns.

        Raises:
            ValueRefused: A value can't be carried; names class, id and field.
        """
        columns = [self._column(number, entities) for number in range(len(self.item.fields))]
        if self._write_back is not None:
            self._write_back(entities, columns)
        public: list[Column] = []
        private: list[Column] = []
        for field, column in zip(self.item.fields, columns, strict=True):
            (private if field.private else public).append(column)
        return _reuse(previous, ids, public), tuple(private)

    def _column(self, number: int, entities: Sequence[Entity]) -> Column:
        field = self.item.fields[number]
        try:
            values = self._readers[number](entities)
            if isinstance(field.kind, Text):
                return self._text_column(number, field, values, entities)
            if not isinstance(field.kind, Quantized | Integer) or not values or not _outside(field.kind, values):
                return values
        except _FALLBACK:
            pass  # one by one, the kind clamps or says what is wrong
        return cast("Column", [_one(self.item, field, entity) for entity in entities])

    def _text_column(self, number: int, field: FieldType, values: list[str], entities: Sequence[Entity]) -> Column:
        held = self._texts.get(number)
        if held is not None and held[0] == values:
            return held[1]
        column = cast("Column", [_one(self.item, field, entity) for entity in entities])
        self._texts[number] = (values, column)
        return column


def _outside(kind: IntKind, values: list[int]) -> bool:
    return min(values) < kind.low or max(values) > kind.high or type(sum(values)) is not int


def _reuse(previous: Table, ids: tuple[int, ...], columns: list[Column]) -> Table:
    if previous.ids != ids:
        return Table(ids, tuple(columns))
    kept = tuple(old if old == new else new for old, new in zip(previous.columns, columns, strict=True))
    if all(old is new for old, new in zip(previous.columns, kept, strict=True)):
        return previous
    return Table(previous.ids, kept)


def _one(item: ClassType, field: FieldType, entity: Entity) -> Wire:
    try:
        return field.kind.to_wire(getattr(entity, field.name))
    except ValueRefused as error:
        raise ValueRefused(f"{item.name} {entity.id}, field {field.name}: {error}") from None


def _compile_reader(field: FieldType) -> ReadField:
    kind = field.kind
    scope: dict[str, object] = {"floor": math.floor}
    value = f"e.{field.name}"
    match kind:
        case Quantized():
            scope |= {"MIN": kind.min, "STEP": kind.step}
            term = f"floor(({value} - MIN) / STEP + 0.5)"
        case Angle():
            scope |= {"STEP": kind.step, "MASK": kind.high}
            term = f"floor({value} / STEP + 0.5) & MASK"
        case Flag():
            term = f"1 if {value} else 0"
        case Choice():
            scope["POSITION"] = {member: position for position, member in enumerate(kind.members)}
            term = f"POSITION[{value}]"
        case Ref():
            term = f"0 if (r := {value}) is None else r.id"
        case Integer() | Text():
            term = value
        case _:
            scope["TO_WIRE"] = kind.to_wire
            term = f"TO_WIRE({value})"
    source = f"def read(entities):\n    return [{term} for e in entities]\n"
    exec(compile(source, f"<reader of {field.name}>", "exec"), scope)
    return cast("ReadField", scope["read"])


def _compile_write_back(item: ClassType) -> Callable[[Sequence[Entity], Sequence[Column]], None]:
    """Generate a loop that gives predicted entities the values that their clients will hold."""
    scope: dict[str, object] = {}
    lines: list[str] = []
    for number, field in enumerate(item.fields):
        kind = field.kind
        if isinstance(kind, Quantized):
            scope |= {f"MIN{number}": kind.min, f"STEP{number}": kind.step}
            lines.append(
                f"    for e, i in zip(entities, columns[{number}]): e.{field.name} = MIN{number} + i * STEP{number}"
            )
        elif isinstance(kind, Angle):
            scope[f"STEP{number}"] = kind.step
            lines.append(f"    for e, i in zip(entities, columns[{number}]): e.{field.name} = i * STEP{number}")
    source = "def write_back(entities, columns):\n" + ("\n".join(lines) or "    pass") + "\n"
    exec(compile(source, f"<write back of {item.name}>", "exec"), scope)
    return cast("Callable[[Sequence[Entity], Sequence[Column]], None]", scope["write_back"])
