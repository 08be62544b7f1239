"""Deltas: all states, all schemas, and nothing said twice."""

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from tests.shared.strategies import schemas, states, transitions
from tickwire_shared.applying import apply
from tickwire_shared.byte_kinds import Blob
from tickwire_shared.delta import DESPAWN, SPAWN, UPDATE, bitmap, diff, gaps
from tickwire_shared.errors import SchemaMismatch
from tickwire_shared.int_kinds import Angle, Flag, Integer, IntKind
from tickwire_shared.kinds import Kind
from tickwire_shared.schema import ClassType, FieldType, Schema
from tickwire_shared.server_messages import SnapshotMessage, build_snapshot, parse_server
from tickwire_shared.state import Column, Table, WorldState, checksum

WIDE = Integer(min=-(1 << 52), max=1 << 52)


def schema_of(*kinds: Kind, classes: int = 1) -> Schema:
    fields = tuple(
        FieldType(name=f"f{i}", kind=kind, private=False, default=kind.zero()) for i, kind in enumerate(kinds)
    )
    return Schema(
        entities=tuple(ClassType(name=f"E{i}", flags=(), fields=fields) for i in range(classes)), input=None, events=()
    )


def state_of(schema: Schema, ids: tuple[int, ...], *columns: Column) -> WorldState:
    rest = tuple(Table((), tuple([] for _ in item.public)) for item in schema.entities[1:])
    return WorldState(schema, (Table(ids, columns), *rest))


def sent(base: WorldState, new: WorldState) -> bytes:
    return build_snapshot(7, 1, diff(base, new))


def received(base: WorldState, message: bytes) -> WorldState:
    parsed = parse_server(message)
    assert isinstance(parsed, SnapshotMessage)
    return apply(base, parsed.delta)


@given(transitions())
def test_a_receiver_of_the_delta_reaches_the_state(pair: tuple[WorldState, WorldState]) -> None:
    base, new = pair
    assert apply(base, diff(base, new)).to_dict() == new.to_dict()


@given(transitions())
def test_so_does_one_who_gets_it_as_bytes(pair: tuple[WorldState, WorldState]) -> None:
    base, new = pair
    reached = received(base, sent(base, new))
    assert reached.to_dict() == new.to_dict()
    assert checksum(reached) == checksum(new)


@given(transitions())
def test_a_full_snapshot_is_a_delta_from_nothing(pair: tuple[WorldState, WorldState]) -> None:
    _, new = pair
    empty = WorldState.empty(new.schema)
    assert received(empty, sent(empty, new)).to_dict() == new.to_dict()


@given(transitions())
def test_merged_deltas_lead_where_single_ones_do(pair: tuple[WorldState, WorldState]) -> None:
    first, last = pair
    empty = WorldState.empty(first.schema)
    stepwise = apply(apply(empty, diff(empty, first)), diff(first, last))
    assert stepwise.to_dict() == apply(empty, diff(empty, last)).to_dict()


SMALL = schema_of(Integer(min=0, max=1 << 20), Angle(bits=10), Angle(bits=6), Flag(), WIDE)
SMALL_MOVES = st.integers(-3, 3) | st.sampled_from((-128, 127))
FEW_MOVES = st.sampled_from((0,) * 12 + (1,))
WILD_MOVES = st.sampled_from((0, 1, 128, 511, -512, 1000, 4000))
CALM = st.sampled_from((st.just(0), SMALL_MOVES, FEW_MOVES))
STYLES = st.sampled_from((st.just(0), SMALL_MOVES, FEW_MOVES, WILD_MOVES))
LIMITS = (1 << 20, 1023, 63, 1, 1 << 52)


@st.composite
def columns_and_moved(draw: DrawFn, rows: int) -> tuple[tuple[Column, ...], tuple[Column, ...]]:
    """The columns of ``rows`` entities, and the same a tick later: some are the very same ones."""
    before: list[Column] = []
    after: list[Column] = []
    is_calm = draw(st.booleans())
    for limit, field in zip(LIMITS, SMALL.entities[0].public, strict=True):
        old = draw(st.lists(st.integers(0, limit), min_size=rows, max_size=rows))
        moves = st.just(0) if is_calm and field.kind is WIDE else draw(CALM if is_calm else STYLES)
        by = draw(st.lists(moves, min_size=rows, max_size=rows))
        new = [min(max(value + move, 0), limit) for value, move in zip(old, by, strict=True)]
        assert isinstance(field.kind, IntKind)
        before.append(array(field.kind.typecode, old))
        after.append(before[-1] if new == old and draw(st.integers(0, 9)) else array(field.kind.typecode, new))
    return tuple(before), tuple(after)


@given((st.integers(1, 8) | st.integers(1, 70)).flatmap(columns_and_moved))
def test_the_short_way_for_small_tables_says_what_the_long_one_says(
    pair: tuple[tuple[Column, ...], tuple[Column, ...]],
) -> None:
    before, after = pair
    ids = tuple(range(1, len(before[0]) + 1))
    base = state_of(SMALL, ids, *before)
    short = diff(base, state_of(SMALL, ids, *after))
    long = diff(base, state_of(SMALL, (*ids,), *after))  # other ids, for all that is known
    assert short == long


def test_the_short_way_names_the_columns_that_changed() -> None:
    item = schema_of(Integer(min=0, max=1000), Angle(bits=10), Angle(bits=10))
    ids, still = (1, 2, 3), array("i", (500, 600, 700))
    base = state_of(item, ids, still, array("i", (1, 2, 1023)), array("i", (5, 6, 7)))
    both = state_of(item, ids, still, array("i", (2, 1, 0)), array("i", (5, 16, 8)))
    assert diff(base, both).groups == ([0, None, 0b110, 0, b"\x01\xff\x01\x00\x0a\x01"],)
    last = state_of(item, ids, still, base.tables[0].columns[1], array("i", (5, 16, 8)))
    assert diff(base, last).groups == ([0, None, 0b100, 0, b"\x00\x0a\x01"],)


@given(transitions())
def test_neither_side_changes_the_states_it_is_given(pair: tuple[WorldState, WorldState]) -> None:
    base, new = pair
    before = base.to_dict(), new.to_dict()
    apply(base, diff(base, new))
    assert (base.to_dict(), new.to_dict()) == before


@given(schemas().flatmap(states))
def test_equal_states_have_an_empty_delta(state: WorldState) -> None:
    copy = WorldState(state.schema, tuple(Table(t.ids, tuple(list(c) for c in t.columns)) for t in state.tables))  # type: ignore[misc]
    assert not diff(state, copy)
    assert not diff(state, state)


@given(transitions())
def test_only_what_changed_is_mentioned(pair: tuple[WorldState, WorldState]) -> None:
    base, new = pair
    for group in diff(base, new).groups:
        tag, mask = group[0], group[2] if len(group) > 2 else 0
        assert isinstance(tag, int)
        assert isinstance(mask, int)
        index, op = divmod(tag, 3)
        old, current = base.tables[index], new.tables[index]
        assert old != current
        if op == UPDATE:
            common = [ident for ident in old.ids if ident in set(current.ids)]
            for number in range(len(old.columns)):
                if mask >> number & 1:
                    before = dict(zip(old.ids, old.columns[number], strict=True))
                    after = dict(zip(current.ids, current.columns[number], strict=True))
                    assert any(before[ident] != after[ident] for ident in common)


def test_an_unchanged_field_costs_nothing() -> None:
    narrow, wide = schema_of(Integer(min=0, max=9)), schema_of(Integer(min=0, max=9), WIDE, Blob(max=9))
    one = sent(state_of(narrow, (1, 2), [1, 2]), state_of(narrow, (1, 2), [3, 2]))
    other = sent(
        state_of(wide, (1, 2), [1, 2], [5, 6], [b"", b"a"]), state_of(wide, (1, 2), [3, 2], [5, 6], [b"", b"a"])
    )
    assert len(one) == len(other)


def test_a_default_costs_nothing_in_a_spawn() -> None:
    schema = schema_of(WIDE, Blob(max=9))
    empty = WorldState.empty(schema)
    assert diff(empty, state_of(schema, (5,), [0], [b""])).groups == ([SPAWN, [5], 0, 0, b""],)


def test_one_of_many_entities_costs_a_row_number_and_not_a_bitmap() -> None:
    schema = schema_of(Integer(min=0, max=9))
    ids = tuple(range(1, 1001))
    changed = [0] * 1000
    changed[500] = 1
    assert len(sent(state_of(schema, ids, [0] * 1000), state_of(schema, ids, changed))) <= 16


def test_a_few_of_many_entities_cost_a_bitmap() -> None:
    schema = schema_of(Integer(min=0, max=9))
    ids = tuple(range(1, 201))
    changed = [1 if row % 4 == 0 else 0 for row in range(200)]
    message = sent(state_of(schema, ids, [0] * 200), state_of(schema, ids, changed))
    assert len(message) <= 12 + 25 + 50


@pytest.mark.parametrize(
    "before, after, change",
    [(1, 1023, b"\xfe"), (1023, 1, b"\x02"), (0, 512, b"\x00\xfe"), (512, 0, b"\x00\xfe")],
)
def test_an_angle_moves_the_short_way_round(before: int, after: int, change: bytes) -> None:
    schema = schema_of(Angle(bits=10))
    (group,) = diff(state_of(schema, (1,), [before]), state_of(schema, (1,), [after])).groups
    assert group[4] == change


@pytest.mark.parametrize(
    "by, width", [(127, 1), (-128, 1), (128, 2), (32767, 2), (32768, 4), (1 << 31, 8), (-(1 << 53), 8)]
)
def test_a_column_is_as_wide_as_its_largest_motion(by: int, width: int) -> None:
    schema = schema_of(WIDE)
    start = (1 << 52) if by < -(1 << 52) else 0
    base, new = state_of(schema, (1, 2), [start, 0]), state_of(schema, (1, 2), [start + by, 1])
    (group,) = diff(base, new).groups
    assert isinstance(group[4], bytes)
    assert len(group[4]) == 2 * width
    assert received(base, sent(base, new)).to_dict() == new.to_dict()


def test_despawns_come_before_updates_and_those_before_spawns() -> None:
    schema = schema_of(Flag(), classes=2)
    base = state_of(schema, (1, 2, 3), [0, 0, 0])
    new = state_of(schema, (2, 3, 4), [1, 0, 1])
    tags = [group[0] for group in diff(base, new).groups]
    assert tags == [DESPAWN, UPDATE, SPAWN]


def test_fields_that_changed_in_the_same_rows_share_a_group() -> None:
    schema = schema_of(Flag(), Blob(max=9), WIDE)
    base = state_of(schema, (1, 2, 3), [0, 0, 0], [b"", b"", b""], [0, 0, 0])
    new = state_of(schema, (1, 2, 3), [1, 1, 1], [b"x", b"y", b"z"], [1, 2, 1 << 40])
    assert len(diff(base, new).groups) == 1
    assert apply(base, diff(base, new)).to_dict() == new.to_dict()


def test_a_class_with_48_fields_takes_its_widths_as_bytes() -> None:
    schema = schema_of(*[WIDE] * 48)
    base = state_of(schema, (1,), *[[0]] * 48)
    new = state_of(schema, (1,), *[[1 << number] for number in range(48)])
    (group,) = diff(base, new).groups
    assert group[2] == (1 << 48) - 1
    assert isinstance(group[3], bytes)
    assert received(base, sent(base, new)).to_dict() == new.to_dict()


def test_states_of_different_schemas_do_not_mix() -> None:
    one, other = WorldState.empty(schema_of(Flag())), WorldState.empty(schema_of(WIDE))
    with pytest.raises(SchemaMismatch):
        diff(one, other)


@given(st.sets(st.integers(0, 500), min_size=1))
def test_gaps_and_bitmaps_name_the_same_rows(rows: set[int]) -> None:
    ordered = tuple(sorted(rows))
    steps = gaps(ordered)
    assert [sum(steps[: at + 1]) for at in range(len(steps))] == list(ordered)
    bits = bitmap(ordered, 501)
    assert len(bits) == 63
    assert [row for row in range(501) if bits[row // 8] >> row % 8 & 1] == list(ordered)


def test_no_ids_have_no_gaps() -> None:
    assert gaps(()) == []
