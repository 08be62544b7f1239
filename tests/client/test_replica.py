from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.client.meadow import Meadow, Wool
from tests.shared.strategies import mutations, schemas, states, steps, wires
from tickwire_client.replica import Replica
from tickwire_client.views import EntityView
from tickwire_shared.delta import diff, gaps
from tickwire_shared.errors import PeerError, ProtocolError, StaleBaseline
from tickwire_shared.event_messages import EventMessage
from tickwire_shared.schema import Schema
from tickwire_shared.server_messages import Check, Private, SnapshotMessage, build_private, build_snapshot, parse_server
from tickwire_shared.state import Table, WorldState, checksum, private_checksum
from tickwire_shared.ticks import tick_add
from tickwire_shared.wire_values import Wire

PrivateRows = dict[int, tuple[Wire, ...]]


def snapshot(tick: int, age: int, base: WorldState, new: WorldState) -> SnapshotMessage:
    """The snapshot that leads from ``base`` to ``new``, as it comes out of the parser."""
    message = parse_server(build_snapshot(tick, age, diff(base, new)))
    assert isinstance(message, SnapshotMessage)
    return message


def private(tick: int, owned: Sequence[int] | None, rows: list[list[object]]) -> Private:
    """A PRIVATE as it comes out of the parser."""
    message = parse_server(build_private(tick, None if owned is None else gaps(sorted(owned)), rows))
    assert isinstance(message, Private)
    return message


def classes_of(state: WorldState) -> dict[int, int]:
    """The class index of each entity."""
    return {id: index for index, table in enumerate(state.tables) for id in table.ids}


def draw_private(data: st.DataObject, state: WorldState) -> tuple[list[int], PrivateRows]:
    """Who is owned, and all private values of those that have any."""
    classes = classes_of(state)
    owned = sorted(data.draw(st.sets(st.sampled_from(sorted(classes)), max_size=5))) if classes else []
    values: PrivateRows = {}
    for id in owned:
        fields = state.schema.entities[classes[id]].private
        if fields:
            values[id] = tuple(data.draw(st.just(field.default) | wires(field.kind)) for field in fields)
    return owned, values


def rows_between(state: WorldState, held: PrivateRows, wanted: PrivateRows) -> list[list[object]]:
    """The rows of a PRIVATE that leads from the held values to the wanted ones."""
    rows: list[list[object]] = []
    classes = classes_of(state)
    for id, values in wanted.items():
        defaults = tuple(field.default for field in state.schema.entities[classes[id]].private)
        before = held.get(id, defaults)
        changed = [number for number, value in enumerate(values) if value != before[number]]
        if changed:
            rows.append([id, sum(1 << number for number in changed), *(values[number] for number in changed)])
    return rows


@given(st.data(), st.integers(0, 2**32 - 1))
def test_whatever_happens_the_replica_equals_the_servers_state_and_passes_its_checks(
    data: st.DataObject, tick: int
) -> None:
    schema = data.draw(schemas())
    replica = Replica(schema)
    state = WorldState.empty(schema)
    values: PrivateRows = {}
    for number in range(4):
        full = number == 0 or data.draw(st.booleans())
        new = data.draw(steps(state) | states(schema)) if full else data.draw(steps(state))
        tick = tick_add(tick, data.draw(st.integers(1, 3)))
        owned, wanted = draw_private(data, new)
        kept = {} if full else {id: row for id, row in values.items() if id in owned and id in classes_of(new)}
        replica.stage(private(tick, owned, rows_between(new, kept, wanted)))
        replica.advance(snapshot(tick, 0 if full else 3, WorldState.empty(schema) if full else state, new))
        state, values = new, wanted
        assert replica.state == state
        assert replica.owned == set(owned)
        assert replica.agrees(Check(tick, checksum(state), private_checksum(state, owned, wanted)))


@given(st.data())
def test_a_wrong_state_fails_its_check(data: st.DataObject) -> None:
    schema = data.draw(schemas())
    state = data.draw(states(schema).filter(lambda state: bool(state.size)))
    replica = Replica(schema)
    replica.advance(snapshot(9, 0, replica.state, state))
    index = next(index for index, table in enumerate(state.tables) if table.ids)
    table = state.tables[index]
    wrong = Table(table.ids[:-1], tuple(column[:-1] for column in table.columns))
    replica.state = WorldState(schema, (*state.tables[:index], wrong, *state.tables[index + 1 :]))
    assert not replica.agrees(Check(9, checksum(state), None))


@given(st.data())
def test_a_mutated_message_is_applied_whole_or_refused_and_changes_nothing(data: st.DataObject) -> None:
    schema = data.draw(schemas())
    base = data.draw(states(schema))
    replica = Replica(schema)
    replica.advance(snapshot(5, 0, replica.state, base))
    message = build_snapshot(6, 1, diff(base, data.draw(steps(base))))
    before = (replica.state, replica.tick, replica.owned, replica.private)
    try:
        parsed = parse_server(data.draw(mutations(message)))
        if not isinstance(parsed, SnapshotMessage):
            return
        replica.advance(parsed)
    except PeerError:
        assert (replica.state, replica.tick, replica.owned, replica.private) == before


# The meadow


SHEEP, WEATHER = 0, 1


@pytest.fixture
def schema() -> Schema:
    """The meadow's, as a client parses it: without the author's classes."""
    return Schema.parse(Meadow.schema.describe())


@pytest.fixture
def replica(schema: Schema) -> Replica:
    """A meadow with two sheep, the second following the first, and no weather."""
    replica = Replica(schema)
    replica.stage(private(7, [2], [[2, 1, 5]]))
    replica.advance(snapshot(7, 0, replica.state, flock(schema, {2: (20, 0), 5: (30, 2)})))
    return replica


def flock(schema: Schema, sheep: dict[int, tuple[int, int]]) -> WorldState:
    """A state with sheep: for each id the wire values of x and follows."""
    item = schema.entities[SHEEP]
    columns: list[list[Wire]] = [[field.default] * len(sheep) for field in item.public]
    columns[0] = [x for x, _ in sheep.values()]
    columns[5] = [follows for _, follows in sheep.values()]
    table = Table(tuple(sheep), tuple(columns))  # type: ignore[arg-type]
    return WorldState(schema, (table, WorldState.empty(schema).tables[WEATHER]))


def test_views_show_the_authors_values(replica: Replica) -> None:
    first, second = replica.all("Sheep")
    assert (first.id, first.type, first.x, first.awake, first.name, first.bag) == (2, "Sheep", 10.0, True, "", [])
    assert first.wool == Wool.WHITE.name
    assert second.x == 15.0
    assert set(first.to_dict()) == {field.name for field in replica.schema.entities[SHEEP].fields}


def test_a_reference_reads_as_the_entitys_view(replica: Replica) -> None:
    first, second = replica.all("Sheep")
    assert second.follows == first
    assert first.follows is None
    assert hash(second.follows) == hash(first)


def test_a_reference_to_an_entity_that_is_not_there_reads_as_none(replica: Replica, schema: Schema) -> None:
    replica.advance(snapshot(8, 1, replica.state, flock(schema, {5: (30, 2)})))
    (second,) = replica.all("Sheep")
    assert second.follows is None


def test_only_the_owner_sees_private_values(replica: Replica) -> None:
    first, second = replica.all("Sheep")
    assert (first.mine, first.hunger) == (True, 5)
    assert (second.mine, second.hunger) == (False, 3)


def test_private_values_fall_back_to_the_default_when_the_entity_is_not_owned_any_more(replica: Replica) -> None:
    replica.stage(private(8, [], []))
    replica.advance(snapshot(8, 1, replica.state, replica.state))
    assert replica.all("Sheep")[0].hunger == 3
    replica.stage(private(9, [2], []))
    replica.advance(snapshot(9, 1, replica.state, replica.state))
    assert replica.all("Sheep")[0].hunger == 3


def test_a_full_snapshot_voids_all_private_values_that_its_own_private_does_not_repeat(replica: Replica) -> None:
    replica.stage(private(8, None, [[2, 1, 9]]))  # its snapshot never came
    replica.stage(private(9, [2], []))
    replica.advance(snapshot(9, 0, WorldState.empty(replica.schema), replica.state))
    assert replica.all("Sheep")[0].hunger == 3


def test_a_view_follows_its_entity_and_keeps_the_last_values_when_it_is_gone(replica: Replica, schema: Schema) -> None:
    _, second = replica.all("Sheep")
    replica.advance(snapshot(8, 1, replica.state, flock(schema, {5: (40, 0)})))
    assert second.x == 20.0
    replica.advance(snapshot(9, 1, replica.state, flock(schema, {})))
    assert second.x == 20.0
    assert replica.find(5) is None
    assert "Sheep #5" in repr(second)


def test_views_of_different_replicas_are_different(replica: Replica, schema: Schema) -> None:
    other = Replica(schema)
    other.advance(snapshot(7, 0, other.state, replica.state))
    assert other.all("Sheep")[0] != replica.all("Sheep")[0]


def test_rows_give_many_values_at_once(replica: Replica) -> None:
    assert list(replica.rows("Sheep", "id", "x", "follows")) == [(2, 10.0, 0), (5, 15.0, 2)]


def test_unknown_names_are_explained(replica: Replica) -> None:
    with pytest.raises(KeyError, match="no entity class 'Goat'; it has Sheep, Weather"):
        replica.all("Goat")
    with pytest.raises(AttributeError, match="Sheep has no field 'y'; it has x, facing"):
        replica.all("Sheep")[0].y  # noqa: B018 - reading raises
    with pytest.raises(AttributeError, match="private to its owner"):
        replica.rows("Sheep", "hunger")


def test_events_are_decoded_with_their_references(replica: Replica) -> None:
    bleat = replica.read_event(EventMessage(0, (2, b"hello")))
    assert (bleat.type, bleat.words) == ("Bleat", "hello")
    assert isinstance(bleat.by, EntityView)
    assert bleat.by.id == 2
    assert bleat.to_dict() == {"by": bleat.by, "words": "hello"}
    with pytest.raises(AttributeError, match="Bleat has no field 'loud'; it has by, words"):
        bleat.loud  # noqa: B018 - reading raises


# What may not come


@pytest.mark.parametrize("tick, age", [(9, 1), (7, 1), (6, 3), (7, 0x7FFFFFFF)])
def test_a_delta_for_holders_of_another_state_is_stale(replica: Replica, tick: int, age: int) -> None:
    with pytest.raises(StaleBaseline, match="this one holds 7"):
        replica.advance(snapshot(tick, age, replica.state, replica.state))


def test_a_delta_before_anything_is_held_is_stale(schema: Schema) -> None:
    with pytest.raises(StaleBaseline, match="nothing is held yet"):
        Replica(schema).advance(snapshot(1, 1, flock(schema, {}), flock(schema, {})))


@pytest.mark.parametrize("age", [1, 5])
def test_a_delta_may_start_from_an_older_state_that_did_not_change_since(replica: Replica, age: int) -> None:
    replica.advance(snapshot(8, age, replica.state, replica.state))
    assert replica.tick == 8


@pytest.mark.parametrize(
    "row",
    [
        [],
        [2],
        7,
        [2, -1],
        [2, 2, 0],
        [2, 1],
        [2, 1, 10],
        [2, 1, b"x"],
        [2, 1, 1, 1],
        ["2", 1, 1],
        [99, 1, 1],
        [2, None, 1],
    ],
)
def test_a_malformed_row_of_private_is_refused_and_changes_nothing(replica: Replica, row: object) -> None:
    before = (replica.state, replica.tick, replica.private)
    replica.stage(Private(8, None, [row]))
    with pytest.raises(ProtocolError):
        replica.advance(snapshot(8, 1, replica.state, replica.state))
    assert (replica.state, replica.tick, replica.private) == before


@pytest.mark.parametrize("owned", [7, [0], [1, 0], [1, -1], ["1"], [2**32]])
def test_a_malformed_list_of_owned_ids_is_refused(replica: Replica, owned: object) -> None:
    replica.stage(Private(8, owned, []))
    with pytest.raises(ProtocolError):
        replica.advance(snapshot(8, 1, replica.state, replica.state))


def test_a_check_of_a_tick_that_is_past_is_not_compared(replica: Replica) -> None:
    assert replica.agrees(Check(6, 12345, None))
    assert not replica.agrees(Check(7, 12345, None))
    assert not replica.agrees(Check(8, 12345, None))
