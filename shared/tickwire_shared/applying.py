"""Applying deltas: the receiver's half of ``delta.py``, which trusts nothing that it is given."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from operator import add
from typing import NoReturn, cast

from tickwire_shared.columns import column_bytes, read_column, split_widths
from tickwire_shared.delta import DESPAWN, SPAWN, UPDATE, Delta
from tickwire_shared.errors import ProtocolError
from tickwire_shared.int_kinds import IntKind
from tickwire_shared.quoting import quote
from tickwire_shared.schema import ClassType, FieldType
from tickwire_shared.state import Column, Table, WorldState

MAX_ENTITIES = 1 << 20
"""Per class: bounds what a hostile list of ids may make a client allocate."""

MAX_ID = (1 << 32) - 1


def apply(base: WorldState, delta: Delta) -> WorldState:
    """Return the state that ``delta`` leads to from ``base``; neither is changed.

    Raises:
        ProtocolError: The delta is not well formed, or does not fit ``base``.
    """
    tables = list(base.tables)
    last = (-1, UPDATE)
    for group in delta.groups:
        index, step = _place(group, len(tables))
        if (index, step) < last or (step != 1 and (index, step) == last):
            _refuse("its groups are not in order")
        last = (index, step)
        item = base.schema.entities[index]
        match step:
            case 0:
                tables[index] = _despawn(item, tables[index], group)
            case 1:
                tables[index] = _update(item, tables[index], group)
            case _:
                tables[index] = _spawn(item, tables, index, group)
    return WorldState(base.schema, tuple(tables))


def _place(group: object, classes: int) -> tuple[int, int]:
    """Return the class index and the position of the operation in the order of application."""
    if type(group) is not list or len(cast("list[object]", group)) < 2:
        _refuse("a group is not an array of at least two items")
    tag = cast("list[object]", group)[0]
    if type(tag) is not int or not 0 <= tag < 3 * classes:
        _refuse(f"{quote(tag)} is no group tag")
    return tag // 3, _ORDER[tag % 3]


def _despawn(item: ClassType, table: Table, group: list[object]) -> Table:
    if len(group) != 2:
        _refuse("a despawn has two items")
    gone = set(ungap(group[1], MAX_ID, first=1))
    rows = [row for row, ident in enumerate(table.ids) if ident not in gone]
    if len(rows) + len(gone) != len(table.ids):
        _refuse(f"it despawns a {item.name} that is not held")
    return Table(
        tuple([table.ids[row] for row in rows]),
        tuple(cast("Column", [column[row] for row in rows]) for column in table.columns),
    )


def _update(item: ClassType, table: Table, group: list[object]) -> Table:
    which = _rows(group[1], len(table.ids))
    columns = list(table.columns)
    for number, values in _group_columns(item, group, len(table.ids) if which is None else len(which)):
        columns[number] = _updated(item.public[number], columns[number], which, values)
    return Table(table.ids, tuple(columns))


def _updated(field: FieldType, column: Column, which: Sequence[int] | None, values: Column) -> Column:
    if field.is_int:
        held = cast("Sequence[int]", column)
        old = held if which is None else [held[row] for row in which]
        values = _moved(field, old, cast("list[int]", values))
    if which is None:
        return values
    changed = list(cast("Sequence[int]", column))
    for row, value in zip(which, cast("Sequence[int]", values), strict=True):
        changed[row] = value
    return changed


def _spawn(item: ClassType, tables: list[Table], index: int, group: list[object]) -> Table:
    table = tables[index]
    ids = ungap(group[1], MAX_ID, first=1)
    if not ids or len(ids) + len(table.ids) > MAX_ENTITIES or _any_held(tables, ids):
        _refuse(f"it spawns no {item.name}, too many, or one whose id is held already")
    rows = len(ids)
    columns: list[Column] = [cast("Column", [field.default] * rows) for field in item.public]
    for number, values in _group_columns(item, group, rows):
        field = item.public[number]
        if field.is_int:
            values = _moved(field, cast("list[int]", columns[number]), cast("list[int]", values))
        columns[number] = values
    return _merge(table, Table(tuple(ids), tuple(columns)))


def _any_held(tables: list[Table], ids: list[int]) -> bool:
    """Whether one of the ascending ``ids`` is in use; in a game they are nearly always beyond all that are."""
    near = (table.ids for table in tables if table.ids and table.ids[-1] >= ids[0])
    return any(not set(ids).isdisjoint(held) for held in near)


def _merge(table: Table, spawned: Table) -> Table:
    if not table.ids:
        return spawned
    ids = table.ids + spawned.ids
    joined = [[*old, *new] for old, new in zip(table.columns, spawned.columns, strict=True)]
    if table.ids[-1] < spawned.ids[0]:
        return Table(ids, cast("tuple[Column, ...]", tuple(joined)))
    order = sorted(range(len(ids)), key=ids.__getitem__)
    return Table(
        tuple([ids[row] for row in order]),
        cast("tuple[Column, ...]", tuple([column[row] for row in order] for column in joined)),
    )


def _moved(field: FieldType, held: Sequence[int], changes: list[int]) -> list[int]:
    """Add differences to held values, modulo the kind's turn, and check the range."""
    kind = cast("IntKind", field.kind)
    moved = list(map(add, held, changes))
    if kind.modulus:
        half = kind.modulus >> 1
        if changes and (min(changes) < -half or max(changes) >= half):
            _refuse(f"{field.name} turns by more than half a turn")
        mask = kind.modulus - 1
        return [value & mask for value in moved]
    if moved and (min(moved) < kind.low or max(moved) > kind.high):
        _refuse(f"{field.name} leaves its range {kind.low}..{kind.high}")
    return moved


def _group_columns(item: ClassType, group: list[object], rows: int) -> list[tuple[int, Column]]:
    """Decode the columns of an update or a spawn: pairs of field number and values."""
    if len(group) < 5:
        _refuse("an update or spawn has at least five items")
    mask, widths, ints = group[2], group[3], group[4]
    if type(mask) is not int or not 0 <= mask < 1 << len(item.public):
        _refuse(f"{quote(mask)} is no mask of {item.name}")
    numbers = [number for number in range(len(item.public)) if mask >> number & 1]
    int_numbers = [number for number in numbers if item.public[number].is_int]
    blob_numbers = [number for number in numbers if not item.public[number].is_int]
    if len(group) != 5 + len(blob_numbers):
        _refuse(f"it has {len(group) - 5} byte columns where its mask has {len(blob_numbers)}")
    decoded = _int_columns(int_numbers, split_widths(widths, len(int_numbers)), ints, rows)
    for number, values in zip(blob_numbers, group[5:], strict=True):
        decoded.append((number, _byte_column(item.public[number], values, rows)))
    return decoded


def _int_columns(numbers: list[int], codes: list[int], ints: object, rows: int) -> list[tuple[int, Column]]:
    sizes = [column_bytes(code, rows) for code in codes]
    if type(ints) is not bytes or len(ints) != sum(sizes):
        _refuse(f"its int columns should have {sum(sizes)} bytes")
    decoded: list[tuple[int, Column]] = []
    start = 0
    for number, code, size in zip(numbers, codes, sizes, strict=True):
        decoded.append((number, read_column(ints[start : start + size], code, rows)))
        start += size
    return decoded


def _byte_column(field: FieldType, values: object, rows: int) -> list[bytes]:
    if type(values) is not list or len(cast("list[object]", values)) != rows:
        _refuse(f"{field.name} does not have {rows} values")
    return [cast("bytes", field.kind.check(value)) for value in cast("list[object]", values)]


def _rows(which: object, total: int) -> Sequence[int] | None:
    """Decode which rows an update is for; None for all."""
    if which is None:
        return None
    if type(which) is bytes:
        if len(which) != (total + 7) // 8:
            _refuse(f"a bitmap of {len(which)} bytes does not fit {total} rows")
        rows = [row for row in range(len(which) * 8) if which[row >> 3] >> (row & 7) & 1]
    else:
        rows = ungap(which, total - 1, first=0)
    if not rows or rows[-1] >= total:
        _refuse(f"it updates no rows, or some beyond the {total} held")
    return rows


def ungap(value: object, highest: int, *, first: int) -> list[int]:
    """Decode a gap-coded ascending list, from ``first`` to ``highest``.

    Raises:
        ProtocolError: Not an array of ints, not ascending, or out of range.
    """
    if type(value) is not list or len(cast("list[object]", value)) > MAX_ENTITIES:
        _refuse("a list of ids is not an array, or too long")
    steps = cast("list[int]", value)
    if any(type(step) is not int for step in steps):
        _refuse("a list of ids holds something else than ints")
    if steps and (steps[0] < first or min(steps[1:], default=1) < 1):
        _refuse("a list of ids does not ascend")
    decoded = list(accumulate(steps))
    if decoded and decoded[-1] > highest:
        _refuse(f"id or row {decoded[-1]} is beyond {highest}")
    return decoded


def _refuse(what: str) -> NoReturn:
    raise ProtocolError(f"The delta can't be applied: {what}.")


_ORDER = {DESPAWN: 0, UPDATE: 1, SPAWN: 2}
