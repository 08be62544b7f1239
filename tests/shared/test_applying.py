"""Applying deltas that a hostile or broken server sends: an error, or a state that is well formed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.shared.strategies import mutations, transitions
from tickwire_shared.applying import apply, ungap
from tickwire_shared.byte_kinds import Text
from tickwire_shared.delta import Delta, diff
from tickwire_shared.errors import ProtocolError
from tickwire_shared.int_kinds import Angle, Integer
from tickwire_shared.schema import ClassType, FieldType, Schema
from tickwire_shared.server_messages import SnapshotMessage, build_snapshot, parse_server
from tickwire_shared.state import Table, WorldState, checksum

SCHEMA = Schema(
    entities=(
        ClassType(
            name="Ship",
            flags=(),
            fields=(
                FieldType(name="hp", kind=Integer(min=0, max=100), private=False, default=100),
                FieldType(name="heading", kind=Angle(bits=10), private=False, default=0),
                FieldType(name="name", kind=Text(max=4), private=False, default=b""),
            ),
        ),
        ClassType(name="Rock", flags=(), fields=()),
    ),
    input=None,
    events=(),
)
BASE = WorldState(SCHEMA, (Table((3, 5), ([100, 50], [0, 1023], [b"", b"ab"])), Table((20,), ())))
EMPTY = WorldState.empty(SCHEMA)


def assert_well_formed(state: WorldState) -> None:
    for item, table in zip(state.schema.entities, state.tables, strict=True):
        assert list(table.ids) == sorted(set(table.ids))
        for field, column in zip(item.public, table.columns, strict=True):
            assert len(column) == len(table.ids)
            for value in column:
                assert field.kind.check(value) == value


@given(transitions(), st.data())
def test_a_mutated_snapshot_is_applied_whole_or_refused(
    pair: tuple[WorldState, WorldState], data: st.DataObject
) -> None:
    base, new = pair
    before = base.to_dict()
    try:
        message = parse_server(data.draw(mutations(build_snapshot(9, 1, diff(base, new)))))
        if isinstance(message, SnapshotMessage):
            assert_well_formed(apply(base, message.delta))
    except ProtocolError:
        pass
    assert base.to_dict() == before


def test_groups_are_applied_to_what_they_name() -> None:
    groups = ([2, [3]], [0, [0], 3, 0, b"\x05\x02"], [1, [9], 4, 0, b"", [b"new"]], [5, [20]], [4, [6, 1], 0, 0, b""])
    assert apply(BASE, Delta(tuple(list(group) for group in groups))).to_dict() == {
        "Ship": {5: {"hp": 55, "heading": 1, "name": b"ab"}, 9: {"hp": 100, "heading": 0, "name": b"new"}},
        "Rock": {6: {}, 7: {}},
    }


def test_an_older_id_finds_its_place_among_newer_ones() -> None:
    reached = apply(BASE, Delta(([1, [1, 3], 1, 0, b"\xff\xfe"],)))
    assert reached.tables[0].ids == (1, 3, 4, 5)
    assert reached.tables[0].columns[0] == [99, 100, 98, 50]


MALFORMED: dict[str, list[object]] = {
    "no array": [5],
    "nothing": [[]],
    "one item": [[0]],
    "tag beyond the classes": [[6, None, 0, 0, b""]],
    "negative tag": [[-1, None, 0, 0, b""]],
    "tag of the wrong type": [[True, None, 0, 0, b""]],
    "spawn before update": [[1, [9], 0, 0, b""], [0, None, 0, 0, b""]],
    "update before despawn": [[0, None, 0, 0, b""], [2, [3]]],
    "second class first": [[3, None, 0, 0, b""], [0, None, 0, 0, b""]],
    "two despawns": [[2, [3]], [2, [5]]],
    "two spawns": [[1, [8], 0, 0, b""], [1, [9], 0, 0, b""]],
    "despawn of the unknown": [[2, [4]]],
    "despawn with too much": [[2, [3], 0]],
    "despawn of no list": [[2, 3]],
    "spawn of nobody": [[1, [], 0, 0, b""]],
    "spawn of the known": [[1, [3], 0, 0, b""]],
    "spawn of what another class has": [[1, [20], 0, 0, b""]],
    "spawn of id 0": [[1, [0], 0, 0, b""]],
    "spawn of the same twice": [[1, [8, 0], 0, 0, b""]],
    "spawn beyond the ids": [[1, [1 << 32], 0, 0, b""]],
    "spawn with ids that overflow": [[1, [(1 << 32) - 1, 1], 0, 0, b""]],
    "ids of the wrong type": [[1, [8.0], 0, 0, b""]],
    "ids with a bool": [[1, [8, True], 0, 0, b""]],
    "ids that descend": [[1, [8, -1], 0, 0, b""]],
    "update without a body": [[0, None, 0, 0]],
    "mask beyond the fields": [[0, None, 8, 0, b""]],
    "negative mask": [[0, None, -1, 0, b""]],
    "mask of the wrong type": [[0, None, None, 0, b""]],
    "widths of too many": [[0, None, 1, 5, b"\0\0"]],
    "widths of none": [[0, None, 0, 1, b""]],
    "ints too short": [[0, None, 1, 0, b"\0"]],
    "ints too long": [[0, None, 1, 0, b"\0\0\0"]],
    "ints of the wrong type": [[0, None, 1, 0, "\0\0"]],
    "ints as an array": [[0, None, 1, 0, [0, 0]]],
    "above the range": [[0, None, 1, 0, b"\x01\x00"]],
    "below the range": [[0, None, 1, 0, b"\x00\xcd"]],
    "turn the long way round": [[0, None, 2, 2, b"\x00\x02\x00\x00"]],
    "byte column missing": [[0, None, 4, 0, b""]],
    "byte column too many": [[0, None, 0, 0, b"", [b"", b""]]],
    "byte column too short": [[0, None, 4, 0, b"", [b""]]],
    "byte column of the wrong type": [[0, None, 4, 0, b"", b"ab"]],
    "byte value of the wrong type": [[0, None, 4, 0, b"", ["a", "b"]]],
    "byte value too long": [[0, None, 4, 0, b"", [b"12345", b""]]],
    "byte value that is no text": [[0, None, 4, 0, b"", [b"\xff", b""]]],
    "no rows": [[0, [], 1, 0, b""]],
    "empty bitmap": [[0, b"\0", 1, 0, b""]],
    "bitmap too long": [[0, b"\1\0", 1, 0, b"\0"]],
    "bitmap too short": [[0, b"", 1, 0, b""]],
    "bitmap beyond the rows": [[0, b"\4", 1, 0, b"\0"]],
    "row beyond the rows": [[0, [2], 1, 0, b"\0"]],
    "rows that don't ascend": [[0, [0, 0], 1, 0, b"\0\0"]],
    "negative row": [[0, [-1], 1, 0, b"\0"]],
    "rows of the wrong type": [[0, "\1", 1, 0, b"\0"]],
    "rows as a number": [[0, 1, 1, 0, b"\0"]],
    "rows after a despawn": [[2, [3]], [0, [1], 1, 0, b"\0"]],
}


@pytest.mark.parametrize("groups", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_delta_is_a_protocol_error(groups: list[object]) -> None:
    with pytest.raises(ProtocolError, match=r"\w+.*\.$"):
        apply(BASE, Delta(tuple(groups)))  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


@given(st.lists(st.integers(1, 1000), max_size=50))
def test_gaps_are_undone(steps: list[int]) -> None:
    assert ungap(steps, 1 << 32, first=1) == [sum(steps[: at + 1]) for at in range(len(steps))]


@given(st.lists(st.none() | st.integers() | st.floats() | st.text(max_size=2), max_size=5) | st.none() | st.integers())
def test_whatever_is_no_gap_coded_list_is_a_protocol_error(value: object) -> None:
    try:
        ids = ungap(value, 1000, first=1)
    except ProtocolError:
        return
    assert ids == sorted(set(ids))
    assert all(1 <= ident <= 1000 for ident in ids)


def test_a_full_snapshot_starts_from_nothing_whatever_is_held() -> None:
    assert apply(EMPTY, Delta(())).to_dict() == {"Ship": {}, "Rock": {}}
    assert checksum(apply(EMPTY, diff(EMPTY, BASE))) == checksum(BASE)
