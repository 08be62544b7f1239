from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.client.meadow import Meadow
from tests.shared.strategies import mutations
from tickwire_client.client_session import (
    TRANSITIONS,
    ClientSession,
    Happened,
    Phase,
    Send,
    Updated,
    Welcomed,
    wire_values,
)
from tickwire_client.lead import LEAST_MARGIN_TICKS, LeadController
from tickwire_shared.client_messages import (
    InputBatch,
    Join,
    Leave,
    Ping,
    Resume,
    build_resync,
    parse_client,
    parse_input,
)
from tickwire_shared.closing import CloseCode, RetryPolicy
from tickwire_shared.delta import Delta, diff
from tickwire_shared.errors import PeerError, ProtocolError, UsageError, ValueRefused
from tickwire_shared.event_messages import EventMessage, build_event
from tickwire_shared.packing import unpack_array
from tickwire_shared.server_messages import (
    Welcome,
    build_check,
    build_epoch,
    build_load,
    build_news,
    build_pong,
    build_private,
    build_snapshot,
    build_welcome,
)
from tickwire_shared.state import Table, WorldState, checksum

SCHEMA = Meadow.schema
EMPTY = WorldState.empty(SCHEMA)
RAIN = WorldState(SCHEMA, (EMPTY.tables[0], Table((1,), ([7],))))
WET = WorldState(SCHEMA, (EMPTY.tables[0], Table((1,), ([90],))))


def welcome(*, token: str = "one", resumed: bool = False, tick: int = 10) -> bytes:
    """The WELCOME of a meadow."""
    return build_welcome(
        Welcome(
            room="r1",
            type="meadow",
            player=3,
            token=token,
            hz=20,
            snapshot_every=1,
            tick=tick,
            time=5_000.0,
            schema=SCHEMA.describe(),
            schema_hash=SCHEMA.hash,
            resumed=resumed,
            hold=6,
        )
    )


def snapshot(tick: int, age: int, base: WorldState, new: WorldState) -> bytes:
    return build_snapshot(tick, age, diff(base, new))


@pytest.fixture
def session() -> ClientSession:
    """A session that has joined and holds the state of tick 10."""
    session = ClientSession(Join("join_or_create", "meadow"))
    session.begin(0.0)
    session.receive(welcome(), 10.0)
    session.receive(build_private(10, [2], []), 10.0)
    session.receive(snapshot(10, 0, EMPTY, RAIN), 10.0)
    return session


# The lifecycle


def test_it_joins_with_what_it_was_told() -> None:
    session = ClientSession(Join("create", "meadow", options={"name": "Ada"}))
    assert parse_client(session.begin(0.0)) == Join("create", "meadow", None, {"name": "Ada"})
    assert session.phase is Phase.JOINING


def test_a_welcome_starts_the_play_and_a_full_snapshot_fills_it() -> None:
    session = ClientSession(Join("join", "meadow"))
    session.begin(0.0)
    assert session.receive(welcome(), 10.0) == (Welcomed(resumed=False),)
    assert session.phase is Phase.PLAYING
    assert session.receive(snapshot(10, 0, EMPTY, RAIN), 10.0) == (Updated(10, full=True),)
    assert session.playing().state == RAIN


def test_a_lost_connection_is_resumed_with_the_last_token_and_tick(session: ClientSession) -> None:
    assert session.lose(1006) is RetryPolicy.BACKOFF
    assert session.phase is Phase.LOST
    assert parse_client(session.begin(500.0)) == Resume("r1", "one", 10, SCHEMA.hash)
    assert session.receive(welcome(token="two", resumed=True), 510.0) == (Welcomed(resumed=True),)
    assert session.receive(snapshot(30, 25, RAIN, WET), 520.0) == (Updated(30, full=False),)
    assert session.playing().state == WET
    assert session.lose(int(CloseCode.MOVED)) is RetryPolicy.NOW
    assert parse_client(session.begin(900.0)) == Resume("r1", "two", 30, SCHEMA.hash)
    assert (session.stats.disconnects, session.stats.resumes) == (2, 1)


def test_a_private_whose_snapshot_never_came_is_forgotten_with_the_connection(session: ClientSession) -> None:
    session.receive(build_private(11, [2, 3], []), 20.0)
    session.lose(1006)
    session.begin(30.0)
    session.receive(welcome(resumed=True), 40.0)
    session.receive(snapshot(12, 4, RAIN, RAIN), 50.0)
    assert session.playing().owned == {2}


def test_several_attempts_may_fail_in_a_row(session: ClientSession) -> None:
    for _ in range(3):
        assert session.lose(1006) is RetryPolicy.BACKOFF
    assert session.stats.disconnects == 1


@pytest.mark.parametrize("code", [CloseCode.KICKED, CloseCode.ROOM_OVER, CloseCode.RESUME_FAILED])
def test_after_a_final_code_it_never_begins_again(session: ClientSession, code: CloseCode) -> None:
    assert session.lose(code) is RetryPolicy.NEVER
    assert session.phase is Phase.ENDED


def test_leaving_is_no_disconnect(session: ClientSession) -> None:
    session.lose(CloseCode.LEFT)
    assert session.stats.disconnects == 0


def test_nothing_is_due_behind_a_leave(session: ClientSession) -> None:
    assert session.poll(100.0) != []
    assert parse_client(session.leave()) == Leave()
    assert session.poll(5_000.0) == []
    assert session.next_due_ms(5_000.0) == float("inf")


def test_a_join_that_was_refused_is_not_tried_again() -> None:
    session = ClientSession(Join("join", "meadow"))
    session.begin(0.0)
    assert session.lose(CloseCode.ROOM_FULL) is RetryPolicy.NEVER


@pytest.mark.parametrize("start, end", list(product(Phase, Phase)))
def test_only_the_transitions_of_the_table_happen(start: Phase, end: Phase) -> None:
    session = ClientSession(Join("join", "meadow"))
    session.phase = start
    if end in TRANSITIONS[start]:
        session.enter(end)
        assert session.phase is end
    else:
        with pytest.raises(UsageError, match=f"that is {start.value} can't become {end.value}"):
            session.enter(end)
        assert session.phase is start


# State


def test_a_stale_delta_asks_for_a_full_snapshot_once_and_ignores_deltas_until_it_comes(session: ClientSession) -> None:
    assert session.receive(snapshot(20, 3, RAIN, WET), 0.0) == (Send(build_resync(20)),)
    assert session.receive(snapshot(21, 1, WET, RAIN), 0.0) == ()
    assert session.playing().state == RAIN
    assert session.receive(snapshot(22, 0, EMPTY, WET), 0.0) == (Updated(22, full=True),)
    assert session.playing().state == WET
    assert session.stats.resyncs == 1


def test_a_state_that_went_wrong_is_found_and_mended(session: ClientSession) -> None:
    session.playing().state = WET
    assert session.receive(build_check(10, checksum(RAIN), None), 0.0) == (Send(build_resync(10)),)
    assert session.stats.state_mismatches == 1
    session.receive(snapshot(11, 0, EMPTY, RAIN), 0.0)
    assert session.receive(build_check(11, checksum(RAIN), None), 0.0) == ()
    assert (session.stats.checks, session.stats.state_mismatches) == (2, 1)


def test_a_check_while_a_full_snapshot_is_awaited_is_not_compared(session: ClientSession) -> None:
    session.receive(snapshot(20, 3, RAIN, WET), 0.0)
    assert session.receive(build_check(20, 1, None), 0.0) == ()
    assert session.stats.checks == 0


def test_a_delta_that_does_not_fit_is_answered_with_a_resync_but_a_full_one_ends_the_session(
    session: ClientSession,
) -> None:
    unfit = Delta(([2, [99]],))
    assert session.receive(build_snapshot(11, 1, unfit), 0.0) == (Send(build_resync(11)),)
    assert (session.stats.state_mismatches, session.stats.resyncs) == (1, 1)
    with pytest.raises(ProtocolError):
        session.receive(build_snapshot(12, 0, unfit), 0.0)


def test_snapshots_and_their_intervals_are_counted(session: ClientSession) -> None:
    session.receive(snapshot(11, 1, RAIN, WET), 60.0)
    session.receive(snapshot(12, 1, WET, RAIN), 110.0)
    assert (session.stats.snapshots, session.stats.full_snapshots) == (3, 1)
    assert session.stats.intervals.percentile(50) == pytest.approx(50.0, rel=0.02)


def test_events_are_handed_on(session: ClientSession) -> None:
    (effect,) = session.receive(build_event(1, [9]), 0.0)
    assert isinstance(effect, Happened)
    assert (effect.event.type, effect.event.volume) == ("Thunder", 9)


# Time


def pong(session: ClientSession, sent_ms: float, server_ms: float, now_ms: float) -> None:
    session.receive(build_pong(sent_ms, server_ms, server_ms), now_ms)


def test_pings_are_sent_while_playing_and_their_answers_measured(session: ClientSession) -> None:
    (ping,) = session.poll(100.0)
    assert parse_client(ping) == Ping(100.0)
    assert session.next_due_ms(100.0) == 350.0
    pong(session, 100.0, 5_150.0, 140.0)
    assert session.clock.rtt_ms == 40.0
    assert session.stats.rtt.count == 1


def test_nothing_is_due_unless_it_plays() -> None:
    session = ClientSession(Join("join", "meadow"))
    session.begin(0.0)
    assert session.poll(10.0) == []
    assert session.next_due_ms(10.0) == float("inf")


def inputs(messages: list[bytes]) -> list[InputBatch]:
    items = [unpack_array(message) for message in messages]
    return [parse_input(item, SCHEMA.input) for item in items if item[0] == 3]


def test_inputs_start_with_the_first_command_and_the_first_pong(session: ClientSession) -> None:
    assert session.pacer is not None
    session.poll(100.0)
    session.pacer.steer({"pace": 1.0})
    assert inputs(session.poll(110.0)) == []
    pong(session, 100.0, 5_110.0, 120.0)
    (batch,) = inputs(session.poll(120.0))
    # The server is at tick 10 + 120 ms / 50 ms; the way there takes 10 ms, and one and a half ticks are spare.
    assert batch == InputBatch(14, ((4, 0, 0),))


def test_inputs_are_sent_once_per_tick_when_they_are_due(session: ClientSession) -> None:
    assert session.pacer is not None
    session.poll(100.0)
    pong(session, 100.0, 5_110.0, 120.0)
    session.pacer.steer({"graze": True})
    now = 120.0
    ticks: list[int] = []
    while now < 1_120.0:
        ticks += [batch.tick for batch in inputs(session.poll(now))]
        due = session.next_due_ms(now)
        assert due > now
        now = due
    assert ticks == list(range(ticks[0], ticks[0] + len(ticks)))
    assert 19 <= len(ticks) <= 22


def test_early_inputs_are_those_of_the_next_tick_and_are_not_sent_twice(session: ClientSession) -> None:
    assert session.pacer is not None
    session.poll(100.0)
    pong(session, 100.0, 5_110.0, 120.0)
    session.pacer.steer({"graze": True})
    (early,) = inputs(session.poll(120.0, 1.0))
    assert early.tick == 15
    assert inputs(session.poll(150.0)) == []
    assert session.next_due_ms(150.0) > 150.0


def test_news_of_late_inputs_widens_the_lead(session: ClientSession) -> None:
    assert session.pacer is not None
    session.poll(100.0)
    pong(session, 100.0, 5_110.0, 120.0)
    session.pacer.steer({"graze": True})
    (batch,) = inputs(session.poll(120.0))
    before = session.pacer.newest(150.0)
    session.receive(build_news(batch.tick + 2, -2, 1, 0), 150.0)
    assert session.pacer.newest(150.0) == pytest.approx(before + 2 + LEAST_MARGIN_TICKS)
    assert (session.stats.late_inputs, session.stats.refused_inputs) == (1, 0)


def test_a_busy_server_is_known_and_its_rarer_snapshots_are_expected(session: ClientSession) -> None:
    assert session.interpolation is not None
    session.receive(build_load(3, 4), 50.0)
    assert session.stats.load == 3
    assert session.interpolation.lateness.gap_ticks == 4
    session.receive(build_load(1, 2), 60.0)
    session.receive(build_load(0, 1), 70.0)
    assert (session.stats.load, session.interpolation.lateness.gap_ticks) == (0, 1)


def test_after_an_overload_the_lead_shrinks_in_no_time() -> None:
    tick_ms = 50.0
    calm, relieved = LeadController(), LeadController()
    for lead in (calm, relieved):
        lead.step(0.0, 40.0, tick_ms)
        lead.note_sent(1)
        lead.lead_ticks = 14.0
    relieved.relieve()
    for now_ms in range(0, 2001, 50):
        calm.step(now_ms, 40.0, tick_ms)
        relieved.step(now_ms, 40.0, tick_ms)
    assert calm.lead_ticks > 11
    assert relieved.lead_ticks < 3


def test_an_epoch_moves_the_tick(session: ClientSession) -> None:
    session.receive(build_epoch(100, 5_000.0), 50.0)
    assert session.clock.tick_at(10.0) == pytest.approx(100.0)


# What is written


def test_an_event_is_written_with_defaults_for_what_is_not_given(session: ClientSession) -> None:
    assert parse_client(session.write_event("Bleat", {"words": "hi"})) == EventMessage(0, (0, b"hi"))


@pytest.mark.parametrize("name", ["Thunder", "Moo"])
def test_an_event_that_clients_may_not_send_is_refused(session: ClientSession, name: str) -> None:
    with pytest.raises(UsageError, match="no event that clients may send here; there are Bleat"):
        session.write_event(name, {})


def test_an_unknown_field_or_a_wrong_value_is_refused(session: ClientSession) -> None:
    assert session.pacer is not None
    with pytest.raises(UsageError, match="Bleat has no field 'loud'; it has by, words"):
        session.write_event("Bleat", {"loud": True})
    with pytest.raises(ValueRefused):
        session.write_event("Bleat", {"words": 7})
    with pytest.raises(UsageError, match="Walk has no field 'fly'; it has pace, graze, jump"):
        session.pacer.steer({"fly": True})
    with pytest.raises(ValueRefused):
        session.pacer.steer({"pace": float("nan")})
    with pytest.raises(UsageError, match=r"Walk\.graze is no trigger"):
        session.pacer.press("graze")


def test_a_choice_is_written_by_name_on_a_client_that_has_no_such_class() -> None:
    replica = ClientSession(Join("join", "meadow"))
    replica.begin(0.0)
    replica.receive(welcome(), 0.0)
    item = replica.playing().schema.entities[0]
    assert wire_values(item, {"wool": "BLACK"})[4] == 1


def test_nothing_is_read_or_written_before_the_join() -> None:
    with pytest.raises(UsageError, match="not been joined"):
        ClientSession(Join("join", "meadow")).write_event("Bleat", {})


# What the server may not send


@pytest.mark.parametrize(
    "message",
    [
        snapshot(1, 0, EMPTY, RAIN),
        build_check(1, 1, None),
        build_private(1, [], []),
        build_pong(1.0, 1.0, 1.0),
        build_event(1, [9]),
    ],
)
def test_anything_before_welcome_ends_the_session(message: bytes) -> None:
    session = ClientSession(Join("join", "meadow"))
    session.begin(0.0)
    with pytest.raises(ProtocolError, match="before WELCOME"):
        session.receive(message, 0.0)


def test_a_second_welcome_ends_the_session(session: ClientSession) -> None:
    with pytest.raises(ProtocolError, match="second WELCOME"):
        session.receive(welcome(), 0.0)


@pytest.mark.parametrize("resumed", [False, True])
def test_a_welcome_that_answers_something_else_ends_the_session(session: ClientSession, resumed: bool) -> None:
    if resumed:
        session = ClientSession(Join("join", "meadow"))
    else:
        session.lose(1006)
    session.begin(0.0)
    with pytest.raises(ProtocolError, match="resumed is"):
        session.receive(welcome(resumed=resumed), 0.0)


MESSAGES = (
    welcome(),
    snapshot(11, 1, RAIN, WET),
    snapshot(11, 0, EMPTY, WET),
    build_private(11, [2], [[1, 1, 1]]),
    build_event(0, [2, b"hello"]),
    build_pong(1.0, 2.0, 3.0),
    build_check(10, checksum(RAIN), 0),
    build_epoch(11, 5.0),
    build_news(10, 1, 0, 0),
)


@given(st.lists(st.binary(max_size=60) | st.sampled_from(MESSAGES).flatmap(mutations), max_size=6))
def test_whatever_bytes_come_only_a_peer_error_comes_out(messages: list[bytes]) -> None:
    session = ClientSession(Join("join_or_create", "meadow"))
    session.begin(0.0)
    session.receive(welcome(), 10.0)
    session.receive(snapshot(10, 0, EMPTY, RAIN), 10.0)
    for message in messages:
        try:
            session.receive(message, 20.0)
            session.poll(30.0)
        except PeerError:
            return
