"""The one home of Hypothesis strategies: kinds, schemas, states, steps from one state to the next, and messages."""

from __future__ import annotations

import string
from collections.abc import Sequence
from functools import cache
from typing import cast

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from tickwire_shared.byte_kinds import Blob, Packed, Text
from tickwire_shared.int_kinds import MAX_INTEGER, Angle, Choice, Flag, Integer, IntKind, Quantized, Ref, Trigger
from tickwire_shared.kinds import Kind
from tickwire_shared.schema import ClassType, FieldType, Schema
from tickwire_shared.state import Column, Table, WorldState
from tickwire_shared.ticks import TICK_MODULUS
from tickwire_shared.wire_values import Wire

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


@cache
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
    return cast("Column", draw(st.lists(value, min_size=rows, max_size=rows)))


def table_of(draw: DrawFn, item: ClassType, ids: Sequence[int]) -> Table:
    """A table of a class with just these ids."""
    ordered = tuple(sorted(ids))
    return Table(ordered, tuple(column_of(draw, field, len(ordered)) for field in item.public))


def _deal(draw: DrawFn, ids: Sequence[int], classes: int) -> list[list[int]]:
    """Give each id to one class."""
    hands: list[list[int]] = [[] for _ in range(classes)]
    taken = draw(st.lists(st.integers(0, classes - 1), min_size=len(ids), max_size=len(ids)))
    for ident, index in zip(ids, taken, strict=True):
        hands[index].append(ident)
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
    gone = draw(st.sets(st.sampled_from(table.ids), max_size=4)) if table.ids else set[int]()
    kept = tuple(row for row, ident in enumerate(table.ids) if ident not in gone)
    born = table_of(draw, item, fresh)
    ids = [*(table.ids[row] for row in kept), *born.ids]
    order = sorted(range(len(ids)), key=ids.__getitem__)
    columns: list[Column] = []
    for field, old, new in zip(item.public, table.columns, born.columns, strict=True):
        joined = [*_moved(draw, field.kind, [old[row] for row in kept]), *new]
        columns.append(cast("Column", [joined[at] for at in order]))
    return Table(tuple(ids[at] for at in order), tuple(columns))


_moves = st.sampled_from((-1, 1, 127, -128, 128, 2047, -2048, 2048, -32768, 32768)) | st.integers(-150, 150)


def _moved(draw: DrawFn, kind: Kind, values: list[Wire]) -> list[Wire]:
    """Leave a column, change some of its rows, or all: by a small motion, or to anything."""
    mode = draw(st.sampled_from(("kept", "some", "all", "anything")))
    if mode == "kept" or not values:
        return values
    count = len(values)
    if not isinstance(kind, IntKind) or mode == "anything":
        new = draw(st.lists(wires(kind), min_size=count, max_size=count))
    else:
        moves = draw(st.lists(_moves, min_size=count, max_size=count))
        pairs = zip(values, moves, strict=True)
        new = [cast("Wire", min(max(cast("int", held) + by, kind.low), kind.high)) for held, by in pairs]
    if mode == "some":
        rows = draw(st.sets(st.integers(0, count - 1), max_size=4))
        return [new[row] if row in rows else values[row] for row in range(count)]
    return new


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
