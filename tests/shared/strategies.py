"""The one home of Hypothesis strategies: kinds, schemas, states, steps from one state to the next, and messages."""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import cast

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from tickwire_shared.kinds import (
    MAX_INTEGER,
    Angle,
    Blob,
    Choice,
    Flag,
    Integer,
    IntKind,
    Kind,
    Packed,
    Quantized,
    Ref,
    Text,
    Trigger,
    Wire,
)
from tickwire_shared.schema import ClassType, FieldType, Schema
from tickwire_shared.state import Column, Table, WorldState
from tickwire_shared.ticks import TICK_MODULUS

MAX_ID = (1 << 32) - 1

ticks = st.integers(0, TICK_MODULUS - 1) | st.sampled_from((0, 1, TICK_MODULUS // 2, TICK_MODULUS - 1))
names = st.text(string.ascii_lowercase, min_size=1, max_size=8)
finite = st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 63) - 1) | finite | st.text(max_size=8)
packables = st.lists(scalars | st.binary(max_size=8), max_size=4) | st.dictionaries(
    st.text(max_size=4), scalars, max_size=4
)


# Kinds


@st.composite
def quantizeds(draw: DrawFn) -> Quantized:
    """Quantised kinds with 1 to 2^20 steps."""
    low = draw(st.floats(-1e6, 1e6))
    step = draw(st.sampled_from((1 / 64, 0.1, 1.0, 3.0)))
    steps = draw(st.integers(1, 1 << 20))
    return Quantized(min=low, max=low + steps * step, step=step)


@st.composite
def integers(draw: DrawFn) -> Integer:
    """Int kinds of all widths."""
    bound = draw(st.sampled_from((1, 100, 2000, 40_000, 1 << 31, MAX_INTEGER)))
    low = draw(st.integers(-bound, bound - 1))
    return Integer(min=low, max=draw(st.integers(low + 1, bound)))


choices = st.lists(names, min_size=1, max_size=5, unique=True).map(lambda found: Choice(names=tuple(found)))
int_kinds: st.SearchStrategy[Kind] = st.one_of(
    quantizeds(), integers(), st.integers(2, 32).map(lambda bits: Angle(bits=bits)), choices, st.just(Flag())
)
state_int_kinds: st.SearchStrategy[Kind] = int_kinds | st.none().map(lambda of: Ref(of=of))
byte_sizes = st.integers(1, 300)
byte_kinds: st.SearchStrategy[Kind] = st.one_of(
    byte_sizes.map(lambda size: Text(max=size)),
    byte_sizes.map(lambda size: Blob(max=size)),
    byte_sizes.map(lambda size: Packed(max=size)),
)
kinds: st.SearchStrategy[Kind] = state_int_kinds | byte_kinds


def wires(kind: Kind) -> st.SearchStrategy[Wire]:
    """Wire values that ``kind`` carries, small and extreme ones among them."""
    if isinstance(kind, IntKind):
        ints = st.integers(kind.low, kind.high)
        return cast("st.SearchStrategy[Wire]", ints | st.sampled_from((kind.low, kind.high)))
    if isinstance(kind, Text):
        most = min(kind.max, 40)
        return st.text(max_size=most).map(str.encode).filter(lambda raw: len(raw) <= kind.max)
    if isinstance(kind, Packed):
        return packables.map(Packed(max=1 << 16).to_wire).filter(lambda raw: len(raw) <= kind.max)
    return st.binary(max_size=min(kind.max, 40))


# Schemas


@st.composite
def field_types(draw: DrawFn, name: str, kind: Kind, *, private: bool = False) -> FieldType:
    """A field with a default that is sometimes the kind's own."""
    default = draw(st.just(kind.zero()) | wires(kind))
    return FieldType(name=name, kind=kind, private=private, default=default)


@st.composite
def class_types(draw: DrawFn, name: str, pool: st.SearchStrategy[Kind], *, most: int, private: bool) -> ClassType:
    """A class with up to ``most`` fields."""
    count = draw(st.integers(0, most))
    fields: list[FieldType] = []
    for number in range(count):
        hidden = private and draw(st.booleans())
        kind = draw(pool)
        fields.append(draw(field_types(f"f{number}", kind, private=hidden)))
    return ClassType(name=name, flags=(), fields=tuple(fields))


@st.composite
def schemas(draw: DrawFn, *, classes: int = 3, fields: int = 6) -> Schema:
    """Schemas with up to ``classes`` entity classes and up to two events, with or without inputs."""
    count = draw(st.integers(1, classes))
    entities = [draw(class_types(f"E{i}", kinds, most=fields, private=True)) for i in range(count)]
    events = [draw(class_types(f"V{i}", kinds, most=4, private=False)) for i in range(draw(st.integers(0, 2)))]
    given = draw(class_types("Input", int_kinds | st.just(Trigger()), most=4, private=False))
    takes_input = bool(given.public) and draw(st.booleans())
    return Schema(entities=tuple(entities), input=given if takes_input else None, events=tuple(events))


# States

_id_lists = st.lists(
    st.integers(1, 400) | st.sampled_from((MAX_ID, MAX_ID - 1, 70_000, 1 << 31)), max_size=24, unique=True
)


def column_of(draw: DrawFn, field: FieldType, rows: int) -> Column:
    """A column of ``rows`` values of a field; often the default or all the same, as in games."""
    value = wires(field.kind)
    if draw(st.booleans()):
        return cast("Column", [draw(st.just(field.default) | value)] * rows)
    return cast("Column", [draw(value) for _ in range(rows)])


def table_of(draw: DrawFn, item: ClassType, ids: Sequence[int]) -> Table:
    """A table of a class with just these ids."""
    ordered = tuple(sorted(ids))
    return Table(ordered, tuple(column_of(draw, field, len(ordered)) for field in item.public))


def _deal(draw: DrawFn, ids: Sequence[int], classes: int) -> list[list[int]]:
    hands: list[list[int]] = [[] for _ in range(classes)]
    for ident in ids:
        hands[draw(st.integers(0, classes - 1))].append(ident)
    return hands


@st.composite
def states(draw: DrawFn, schema: Schema) -> WorldState:
    """A state; an id is in one class at most."""
    hands = _deal(draw, draw(_id_lists), len(schema.entities))
    return WorldState(
        schema, tuple(table_of(draw, item, ids) for item, ids in zip(schema.entities, hands, strict=True))
    )


@st.composite
def steps(draw: DrawFn, base: WorldState) -> WorldState:
    """A state that a game might reach from ``base``: some entities gone, some new, some fields of some rows changed."""
    held = [ident for table in base.tables for ident in table.ids]
    fresh = [ident for ident in draw(_id_lists) if ident not in held]
    hands = _deal(draw, fresh, len(base.tables))
    return WorldState(
        base.schema,
        tuple(
            _stepped(draw, item, table, ids)
            for item, table, ids in zip(base.schema.entities, base.tables, hands, strict=True)
        ),
    )


def _stepped(draw: DrawFn, item: ClassType, table: Table, fresh: list[int]) -> Table:
    if draw(st.booleans()) and not fresh:
        return table
    gone = set(draw(st.lists(st.sampled_from(table.ids), max_size=4))) if table.ids else set[int]()
    rows = dict(zip(table.ids, (table.row(row) for row in range(len(table.ids))), strict=True))
    born = table_of(draw, item, fresh)
    rows = {ident: _changed(draw, item, row) for ident, row in rows.items() if ident not in gone}
    rows |= {ident: born.row(row) for row, ident in enumerate(born.ids)}
    ids = tuple(sorted(rows))
    columns = [[rows[ident][number] for ident in ids] for number in range(len(item.public))]
    return Table(ids, tuple(cast("Column", column) for column in columns))


def _changed(draw: DrawFn, item: ClassType, row: tuple[Wire, ...]) -> tuple[Wire, ...]:
    if draw(st.booleans()):
        return row
    return tuple(draw(st.just(value) | near(field.kind, value)) for field, value in zip(item.public, row, strict=True))


def near(kind: Kind, value: Wire) -> st.SearchStrategy[Wire]:
    """Values a small motion away from ``value``, or anywhere."""
    if not isinstance(kind, IntKind):
        return wires(kind)
    held = cast("int", value)
    moved = st.sampled_from((-1, 1, 127, -128, 128, 2047, -2048, 2048, -32768, 32768)).map(lambda by: held + by)
    return wires(kind) | moved.filter(lambda wire: kind.low <= wire <= kind.high)


@st.composite
def transitions(draw: DrawFn) -> tuple[WorldState, WorldState]:
    """Two states of one schema: the second follows from the first, or has nothing to do with it."""
    schema = draw(schemas())
    base = draw(states(schema))
    if draw(st.booleans()):
        return base, draw(steps(base))
    # The second state may not give an id of the first to another class.
    held = {ident: index for index, table in enumerate(base.tables) for ident in table.ids}
    other = draw(states(schema))
    return base, WorldState(schema, tuple(_without(held, index, table) for index, table in enumerate(other.tables)))


def _without(held: dict[int, int], index: int, table: Table) -> Table:
    rows = [row for row, ident in enumerate(table.ids) if held.get(ident, index) == index]
    return Table(
        tuple(table.ids[row] for row in rows),
        tuple(cast("Column", [column[row] for row in rows]) for column in table.columns),
    )


# Bytes


@st.composite
def mutations(draw: DrawFn, message: bytes) -> bytes:
    """``message`` with some bytes changed, cut, doubled or put in."""
    data = bytearray(message)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        match draw(st.sampled_from(("set", "cut", "drop", "insert"))):
            case "set" if at < len(data):
                data[at] = draw(st.integers(0, 255))
            case "cut":
                del data[at:]
            case "drop":
                del data[at : at + 1]
            case _:
                data[at:at] = draw(st.binary(min_size=1, max_size=4))
    return bytes(data)
