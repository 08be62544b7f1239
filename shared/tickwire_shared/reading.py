"""Reading: the commit of one entity class, from the author's attributes to columns of wire values.

For each class a function is generated that reads each attribute of all entities in one list comprehension
with the constants of the kind written in, because that is the least Python per value. It does the
arithmetic of ``int_kinds.py``. What it can't vouch for (NaN, wrong types, out of range) it hands to the kind's own
``to_wire``, value by value, which clamps or names the culprit.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Sequence
from contextlib import suppress
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

Read = tuple[Any, ...]
"""A column per field; None where the values can't be vouched for."""

ReadAll = Callable[[Sequence[Entity], Sequence[Column]], tuple[Read, bool]]


@attrs.define
class TableReader:
    """Reads all entities of one class at the end of a tick.

    It remembers the last str values, because comparing lists of the same str objects costs far less
    than encoding them anew.
    """

    item: ClassType
    _read_all: ReadAll = attrs.field(init=False)
    _is_plain: bool = attrs.field(init=False)
    _text_fields: frozenset[int] = attrs.field(init=False)
    _write_back: Callable[[Sequence[Entity], Sequence[Column]], None] | None = attrs.field(init=False)
    _texts: dict[int, tuple[list[str], Column]] = attrs.field(init=False, factory=dict[int, tuple[list[str], Column]])

    def __attrs_post_init__(self) -> None:
        """Generate the code, unless another room has done so: a thousand rooms' own copies would crowd the caches."""
        generated = self.item.generated
        if not generated:
            generated["read_all"] = _compile_reader(self.item)
            if self.item.predicted:
                generated["write_back"] = _compile_write_back(self.item)
        self._read_all = generated["read_all"]
        self._text_fields = frozenset(
            number for number, field in enumerate(self.item.fields) if isinstance(field.kind, Text)
        )
        self._write_back = generated.get("write_back")
        self._is_plain = not (self._text_fields or self.item.private or self.item.predicted)

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
        if self._is_plain and previous.ids is ids and ids:
            try:
                read, sure = self._read_all(entities, previous.columns)
            except _FALLBACK:  # read again, the kind says what is wrong
                read, sure = (), False
            if sure:
                return (previous if read == previous.columns else Table(ids, read)), ()
        columns = self._columns(entities)
        if self._write_back is not None:
            self._write_back(entities, columns)
        if not self.item.private:
            return _reuse(previous, ids, columns), ()
        public: list[Column] = []
        private: list[Column] = []
        for field, column in zip(self.item.fields, columns, strict=True):
            (private if field.private else public).append(column)
        return _reuse(previous, ids, public), tuple(private)

    def _columns(self, entities: Sequence[Entity]) -> list[Column]:
        """Read a column per field; what the generated code can't vouch for one by one, by the kind itself."""
        nothing: Read = (None,) * len(self.item.fields)
        read = nothing
        if entities:
            with suppress(*_FALLBACK):  # the kind says what is wrong
                read, _ = self._read_all(entities, nothing)
        columns: list[Column] = []
        for number, field in enumerate(self.item.fields):
            values = read[number]
            if values is None:
                columns.append(_one_by_one(self.item, field, entities))
            elif number in self._text_fields:
                columns.append(self._text_column(number, field, values, entities))
            else:
                columns.append(values)
        return columns

    def _text_column(self, number: int, field: FieldType, values: list[str], entities: Sequence[Entity]) -> Column:
        held = self._texts.get(number)
        if held is not None and held[0] == values:
            return held[1]
        column = _one_by_one(self.item, field, entities)
        self._texts[number] = (values, column)
        return column


def _reuse(previous: Table, ids: tuple[int, ...], columns: list[Column]) -> Table:
    if previous.ids != ids:
        return Table(ids, tuple(columns))
    kept = tuple([old if old == new else new for old, new in zip(previous.columns, columns, strict=True)])
    return previous if kept == previous.columns else Table(previous.ids, kept)


def _one_by_one(item: ClassType, field: FieldType, entities: Sequence[Entity]) -> Column:
    values = [_one(item, field, entity) for entity in entities]
    return (
        array(field.kind.typecode, cast("list[int]", values))
        if isinstance(field.kind, IntKind)
        else cast("Column", values)
    )


def _one(item: ClassType, field: FieldType, entity: Entity) -> Wire:
    try:
        return field.kind.to_wire(getattr(entity, field.name))
    except ValueRefused as error:
        raise ValueRefused(f"{item.name} {entity.id}, field {field.name}: {error}") from None


def _compile_reader(item: ClassType) -> ReadAll:
    """Generate a function from entities (one at least) and the columns before to the columns now.

    A column that is as it was before is that very one; None stands for one that is out of range. The second value says
    that there is no such column.
    """
    scope: dict[str, object] = {"floor": math.floor, "array": array}
    numbers = range(len(item.fields))
    lines = [f"    {''.join(f'b{number}, ' for number in numbers)} = before"] if item.fields else []
    lines.append("    sure = True")
    for number, field in enumerate(item.fields):
        kind = field.kind
        column = f"c{number}"
        lines.append(f"    {column} = [{_term(number, field, scope)} for e in entities]")
        if isinstance(kind, Quantized | Integer):
            lines.append(
                f"    if min({column}) < {kind.low} or max({column}) > {kind.high}: sure, {column} = False, None"
            )
            lines.append(f"    else: {column} = array({kind.typecode!r}, {column})")
        elif isinstance(kind, IntKind):
            lines.append(f"    {column} = array({kind.typecode!r}, {column})")
        lines.append(f"    if {column} == b{number}: {column} = b{number}")
    lines.append(f"    return ({''.join(f'c{number}, ' for number in numbers)}), sure")
    source = "def read_all(entities, before):\n" + "\n".join(lines) + "\n"
    exec(compile(source, f"<reader of {item.name}>", "exec"), scope)
    return cast("ReadAll", scope["read_all"])


def _term(number: int, field: FieldType, scope: dict[str, object]) -> str:
    """Return the expression for the wire value of entity ``e``; its constants go to ``scope``."""
    kind = field.kind
    value = f"e.{field.name}"
    match kind:
        case Quantized():
            offset = f"({value} - {kind.min!r})" if kind.min else value
            if (
                math.frexp(kind.step)[0] == 0.5
            ):  # a power of two: multiplying by its inverse is exact as well, and quicker
                return f"floor({offset} * {1 / kind.step!r} + 0.5)"
            return f"floor({offset} / {kind.step!r} + 0.5)"
        case Angle():
            return f"floor({value} / {kind.step!r} + 0.5) & {kind.high}"
        case Flag():
            return f"1 if {value} else 0"
        case Choice():
            scope[f"POSITION{number}"] = {member: position for position, member in enumerate(kind.members)}
            return f"POSITION{number}[{value}]"
        case Ref():
            return f"0 if (r := {value}) is None else r.id"
        case Integer() | Text():
            return value
        case _:
            scope[f"TO_WIRE{number}"] = kind.to_wire
            return f"TO_WIRE{number}({value})"


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
