from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.shared.strategies import schemas, states, steps
from tickwire_client.decoding import MEMORY, PlainDecoder, SharedDecoder
from tickwire_shared.delta import Delta, diff
from tickwire_shared.server_messages import SnapshotMessage, build_pong, build_snapshot
from tickwire_shared.state import WorldState


@given(st.data())
def test_sharing_changes_no_result(data: st.DataObject) -> None:
    schema = data.draw(schemas())
    state = data.draw(states(schema))
    shared, plain = SharedDecoder(), PlainDecoder()
    mine = ours = WorldState.empty(schema)
    for tick in range(1, 4):
        message = build_snapshot(tick, 0 if tick == 1 else 1, diff(mine, state))
        parsed = shared.parse(message)
        assert parsed == plain.parse(message)
        assert isinstance(parsed, SnapshotMessage)
        mine = plain.apply(mine, parsed.delta)
        ours = shared.apply(ours, parsed.delta)
        assert ours == mine == state
        assert shared.checksum(ours) == plain.checksum(mine)
        state = data.draw(steps(state))


@given(st.data())
def test_the_second_replica_gets_the_very_objects_of_the_first(data: st.DataObject) -> None:
    schema = data.draw(schemas())
    state = data.draw(states(schema))
    decoder = SharedDecoder()
    message = build_snapshot(1, 0, diff(WorldState.empty(schema), state))
    first, second = decoder.parse(message), decoder.parse(bytes(bytearray(message)))
    assert first is second
    assert isinstance(first, SnapshotMessage)
    empty = WorldState.empty(schema)
    assert decoder.apply(empty, first.delta) is decoder.apply(empty, first.delta)


@given(st.data())
def test_replicas_that_joined_at_different_times_share_from_the_next_snapshot_on(data: st.DataObject) -> None:
    schema = data.draw(schemas())
    state = data.draw(states(schema))
    decoder = SharedDecoder()
    delta = diff(state, data.draw(steps(state)))
    early, late = (WorldState(schema, state.tables) for _ in range(2))
    assert decoder.apply(early, delta) is decoder.apply(late, delta)


def test_what_is_for_one_client_is_not_remembered() -> None:
    decoder = SharedDecoder()
    pong = build_pong(1.0, 2.0, 3.0)
    assert decoder.parse(pong) is not decoder.parse(pong)


def test_its_memory_has_a_bound() -> None:
    decoder = SharedDecoder()
    first = decoder.parse(heartbeat(0))
    for tick in range(1, MEMORY):
        decoder.parse(heartbeat(tick))
    assert decoder.parse(heartbeat(0)) is first
    decoder.parse(heartbeat(MEMORY))
    assert decoder.parse(heartbeat(0)) == first
    assert decoder.parse(heartbeat(0)) is not first


def heartbeat(tick: int) -> bytes:
    return build_snapshot(tick, 1, Delta(()))
