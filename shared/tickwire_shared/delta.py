"""Deltas: how one state differs from another, in the form in which it is sent (PROTOCOL.md, section 6).

::

    group   := [3*class,     which, mask, widths, ints, bytes, ...]   update
             | [3*class + 1, ids,   mask, widths, ints, bytes, ...]   spawn
             | [3*class + 2, ids]                                     despawn

A delta is a pure function of two states. Rows that did not change are left out with whatever costs least:
nothing (all rows, the unchanged ones as zeros), a bitmap, or a list of gaps. The design's other way,
"the same rows as last time", would have made a delta depend on the one before it, and merged deltas for
slow and resumed clients impossible to share.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import ne, sub
from typing import cast

import attrs

from tickwire_shared.columns import column_bytes, join_widths, narrowest, write_column
from tickwire_shared.errors import SchemaMismatch
from tickwire_shared.schema import ClassType
from tickwire_shared.state import Column, Table, WorldState

UPDATE, SPAWN, DESPAWN = 0, 1, 2

GROUP_OVERHEAD_BYTES = 7
"""Array head, tag, which, mask, widths and the head of the ints: what a further group costs."""

MAX_SMALL_ROWS = 64
"""Up to here all columns are taken at once; beyond, each by itself: there, one often differs by more than a byte."""

Group = list[object]


@attrs.define
class Delta:
    """What differs between two states; empty when nothing does."""

    groups: tuple[Group, ...]

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.groups)


def diff(base: WorldState, new: WorldState) -> Delta:
    """Describe how ``new`` differs from ``base``.

    An unchanged entity class costs nothing, and equal states give an empty delta. For all states,
    ``apply(base, diff(base, new)) == new``. Pure; linear in the number of entities.

    Args:
        base: A state the receiver holds, or ``WorldState.empty(schema)`` for a full snapshot.
        new: The state to reach; built from the same schema.

    Raises:
        SchemaMismatch: The two states come from different schemas.
    """
    if base.schema is not new.schema and base.schema.hash != new.schema.hash:
        raise SchemaMismatch("A delta needs two states of the same schema.")
    groups: list[Group] = []
    for index, (old, current) in enumerate(zip(base.tables, new.tables, strict=True)):
        if old is not current:
            item = new.schema.entities[index]
            small = _diff_small(index, item, old, current) if 0 < len(current.ids) <= MAX_SMALL_ROWS else None
            if small is None:
                _diff_table(groups, index, item, old, current)
            else:
                groups.append(small)
    return Delta(tuple(groups))


def _diff_small(index: int, item: ClassType, old: Table, new: Table) -> Group | None:
    """Describe the usual changes of a small table: steps of a byte, in nearly every row of the columns that changed.

    It is what `_diff_table` says of them, by fewer calls, of which each costs as much as some rows.

    Returns:
        None for all other changes.
    """
    if old.ids is not new.ids:
        return None
    befores: list[Column] = []
    afters: list[Column] = []
    mask = 0
    bit = 1
    for before, after in zip(old.columns, new.columns, strict=True):
        if before is not after:
            mask |= bit
            befores.append(before)
            afters.append(after)
        bit <<= 1
    rows = len(new.ids)
    lanes = item.lanes.of(mask, rows) if mask else None
    changes = None if lanes is None else lanes.byte_differences(befores, afters)
    if changes is None:
        return None
    if changes.count(0):  # perhaps so often that a column is better told otherwise
        for start in range(0, len(changes), rows):
            same = changes.count(0, start, start + rows)
            if same == rows or (same > GROUP_OVERHEAD_BYTES and rows > _sparse_bytes(0, rows, rows - same)):
                return None
    return [3 * index, None, mask, 0, changes]


def _diff_table(groups: list[Group], index: int, item: ClassType, old: Table, new: Table) -> None:
    spawned: Table | None = None
    if old.ids is not new.ids and old.ids != new.ids:
        before, after = set(old.ids), set(new.ids)
        gone = [ident for ident in old.ids if ident not in after]
        if gone:
            groups.append([3 * index + DESPAWN, gaps(gone)])
            old = _select(old, [row for row, ident in enumerate(old.ids) if ident in after])
        if len(old.ids) < len(new.ids):
            spawned = _select(new, [row for row, ident in enumerate(new.ids) if ident not in before])
            new = _select(new, [row for row, ident in enumerate(new.ids) if ident in before])
    _diff_rows(groups, index, item, old, new)
    if spawned is not None:
        groups.append(_spawn(index, item, spawned))


def _select(table: Table, rows: Sequence[int]) -> Table:
    return Table(
        tuple([table.ids[row] for row in rows]),
        tuple(cast("Column", [column[row] for row in rows]) for column in table.columns),
    )


def _spawn(index: int, item: ClassType, table: Table) -> Group:
    """Describe new entities as differences to the defaults; fields that all have the default are left out."""
    rows = len(table.ids)
    writer = GroupWriter()
    for number, (field, modulus) in enumerate(zip(item.public, item.moduli, strict=True)):
        column = table.columns[number]
        if column.count(field.default) == rows:
            continue
        if modulus is not None:
            default = cast("int", field.default)
            writer.add_ints(number, _wrapped(modulus, [value - default for value in cast("Sequence[int]", column)]))
        else:
            writer.add_bytes(number, list(cast("Sequence[bytes]", column)))
    return writer.finish(3 * index + SPAWN, gaps(table.ids))


def _diff_rows(groups: list[Group], index: int, item: ClassType, old: Table, new: Table) -> None:
    """Describe what changed in rows that both tables have; one group per set of changed rows."""
    rows = len(new.ids)
    if not rows:
        return
    dense = GroupWriter()
    sparse: dict[tuple[int, ...], GroupWriter] = {}
    for number, modulus in enumerate(item.moduli):
        before, after = old.columns[number], new.columns[number]
        if before is after or before == after:
            continue
        if modulus is None:
            which = tuple([row for row, differs in enumerate(map(ne, before, after)) if differs])
            if len(which) == rows:
                dense.add_bytes(number, list(cast("Sequence[bytes]", after)))
            else:
                sparse.setdefault(which, GroupWriter()).add_bytes(number, [cast("bytes", after[row]) for row in which])
            continue
        lanes = item.lanes.of(1 << number, rows)
        column = None if lanes is None else lanes.byte_differences((before,), (after,))
        if column is None:
            values = map(sub, cast("Sequence[int]", after), cast("Sequence[int]", before))
            wide = _wrapped(modulus, list(values))
            changes: Sequence[int] = wide
            low, high, same = min(wide), max(wide), wide.count(0)
        else:
            changes = memoryview(column).cast("b")
            low, high, same = 0, 0, column.count(0)
        changed = rows - same
        if not changed:  # a list and an array of the same values
            continue
        code = narrowest(low, high, rows)
        if column_bytes(code, rows) <= _sparse_bytes(narrowest(low, high, changed), rows, changed):
            dense.add_column(number, code, write_column(changes, code) if column is None else column)
        else:
            which = tuple([row for row, change in enumerate(changes) if change])
            sparse.setdefault(which, GroupWriter()).add_ints(number, [changes[row] for row in which])
    if dense:
        groups.append(dense.finish(3 * index, None))
    groups.extend(writer.finish(3 * index, _which(which, rows)) for which, writer in sparse.items())


def _sparse_bytes(code: int, rows: int, changed: int) -> int:
    return column_bytes(code, changed) + min(changed + 1, (rows + 7) // 8 + 2) + GROUP_OVERHEAD_BYTES


def _wrapped(modulus: int, changes: list[int]) -> list[int]:
    """Take differences of a kind that wraps at ``modulus`` the short way round; 0: it doesn't."""
    if not modulus:
        return changes
    half = modulus >> 1
    mask = modulus - 1
    return [((change + half) & mask) - half for change in changes]


class GroupWriter:
    """Collects the columns of one group."""

    __slots__ = ("_blobs", "_codes", "_mask", "_parts")

    def __init__(self) -> None:
        """Start with no columns."""
        self._mask = 0
        self._codes: list[int] = []
        self._parts: list[bytes] = []
        self._blobs: list[list[bytes]] = []

    def __bool__(self) -> bool:
        """Whether any column was added."""
        return self._mask != 0

    def add_ints(self, number: int, changes: list[int]) -> None:
        """Add the differences of int field ``number``."""
        code = narrowest(min(changes), max(changes), len(changes))
        self.add_column(number, code, write_column(changes, code))

    def add_column(self, number: int, code: int, column: bytes) -> None:
        """Add the differences of int field ``number``, encoded already."""
        self._mask |= 1 << number
        self._codes.append(code)
        self._parts.append(column)

    def add_bytes(self, number: int, values: list[bytes]) -> None:
        """Add the new values of byte field ``number``."""
        self._mask |= 1 << number
        self._blobs.append(values)

    def finish(self, tag: int, which: object) -> Group:
        """Return the group."""
        return [tag, which, self._mask, join_widths(self._codes), b"".join(self._parts), *self._blobs]


def gaps(ids: Sequence[int]) -> list[int]:
    """Gap-code ascending ids: the first, then each difference to the one before."""
    return [ids[0], *map(sub, ids[1:], ids)] if ids else []


def _which(rows: tuple[int, ...], total: int) -> object:
    """Name ``rows`` of ``total``: None for all, else a bitmap or gaps, whichever is shorter."""
    if len(rows) == total:
        return None
    if len(rows) > (total + 7) // 8:
        return bitmap(rows, total)
    return gaps(rows)


def bitmap(rows: Iterable[int], total: int) -> bytes:
    """Return a bitmap with the bits of ``rows`` set."""
    bits = bytearray((total + 7) // 8)
    for row in rows:
        bits[row >> 3] |= 1 << (row & 7)
    return bytes(bits)
