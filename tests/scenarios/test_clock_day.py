"""Probe: a client whose clock is 50 ppm fast, which is a bad quartz, plays for a day.

A day of pings is little to compute; a day of frames and inputs is not. So the whole session is looked at every fifteen
seconds only, and sends then what is due, while its ticks wrap at noon.
"""

from __future__ import annotations

import random
from itertools import pairwise

import attrs
import pytest

from tests.client.meadow import Meadow
from tickwire_client.client_session import ClientSession, Send
from tickwire_client.clock import PING_MS, ServerClock
from tickwire_shared.client_messages import InputBatch, Join, Ping, View, parse_client, parse_input
from tickwire_shared.delta import diff
from tickwire_shared.packing import unpack_array
from tickwire_shared.server_messages import (
    Welcome,
    build_check,
    build_news,
    build_pong,
    build_snapshot,
    build_welcome,
)
from tickwire_shared.state import Table, WorldState, checksum
from tickwire_shared.ticks import TICK_MODULUS, tick_add, tick_distance

DAY_S = 24 * 3600
DRIFT = 50e-6
LOCAL_START_MS = 9_000_000.0
WORST_MS = 2.0
JITTER_MS = 20.0
"""Of each direction, more or less: the round trip is off by up to 40 ms."""
ONE_WAY_MS = 75.0
HZ = 20
LOOK_S = 15
FIRST_TICK = TICK_MODULUS - HZ * DAY_S // 2

SCHEMA = Meadow.schema
EMPTY = WorldState.empty(SCHEMA)
STATES = tuple(WorldState(SCHEMA, (EMPTY.tables[0], Table((1,), ([rain],)))) for rain in (7, 90))


def local_ms(server_ms: float) -> float:
    """What the client's fast clock shows."""
    return LOCAL_START_MS + server_ms * (1 + DRIFT)


def errors_ms(jitter_ms: float) -> list[float]:
    """How far off the client takes the server's time to be, when it is furthest: just before each PONG."""
    rng = random.Random(1)
    clock = ServerClock(hz=HZ)
    errors: list[float] = []
    for second in range(DAY_S):
        sent = second * PING_MS
        there = sent + ONE_WAY_MS + rng.uniform(-jitter_ms, jitter_ms)
        back = there + ONE_WAY_MS + rng.uniform(-jitter_ms, jitter_ms)
        if second:
            errors.append(abs(clock.time_at(local_ms(back)) - back))
        clock.observe_pong(local_ms(sent), there, there, local_ms(back))
    return errors


def test_on_a_steady_link_a_fast_clock_is_off_by_less_than_2_ms_all_day() -> None:
    assert max(errors_ms(0.0)) < WORST_MS


def test_jitter_adds_no_more_than_itself_to_that() -> None:
    errors = errors_ms(JITTER_MS)
    assert max(errors) < WORST_MS + JITTER_MS
    assert sum(errors) / len(errors) < WORST_MS


@attrs.define
class Server:
    """A server with a steady clock, and what it notices of one client."""

    session: ClientSession
    tick: int = FIRST_TICK
    held: WorldState = STATES[0]
    slacks: list[int] = attrs.field(factory=list[int])
    delays: list[int] = attrs.field(factory=list[int])
    commanded: list[int] = attrs.field(factory=list[int])

    def welcome(self, now_ms: float) -> bytes:
        return build_welcome(
            Welcome(
                room="r1",
                type="meadow",
                player=1,
                token="one",
                hz=HZ,
                snapshot_every=1,
                tick=FIRST_TICK,
                time=now_ms,
                schema=SCHEMA.describe(),
                schema_hash=SCHEMA.hash,
                resumed=False,
                hold=6,
            )
        )

    def snapshots(self, now_ms: float) -> list[bytes]:
        """Two snapshots, of the tick before and of the newest one, and a check."""
        newest = tick_add(FIRST_TICK, int(now_ms * HZ / 1000))
        before, first = self.tick, self.tick == FIRST_TICK
        self.tick = newest
        state = STATES[newest // 7 % 2]
        step = diff(EMPTY if first else self.held, state)
        self.held = state
        eve = tick_add(newest, -1)
        return [
            build_snapshot(eve, 0 if first else tick_distance(eve, before), step),
            build_snapshot(newest, 1, diff(state, state)),
            build_check(newest, checksum(state), None),
        ]

    def hear(self, data: bytes, now_ms: float) -> list[bytes]:
        """Take one message and answer it."""
        tick = tick_add(FIRST_TICK, int(now_ms * HZ / 1000))
        items = unpack_array(data, max_bytes=4096)
        message = parse_input(items, SCHEMA.input) if items[0] == 3 else parse_client(data)
        match message:
            case Ping():
                return [build_pong(message.t1, now_ms, now_ms)]
            case InputBatch():
                newest = tick_add(message.tick, len(message.values) - 1)
                self.commanded.append(newest)
                self.slacks.append(tick_distance(newest, tick))
                return [build_news(tick, self.slacks[-1], 0, 0)]
            case View():
                if message.delay is not None:
                    self.delays.append(message.delay)
                return []
            case _:
                raise AssertionError(message)


def talk(server: Server, messages: list[bytes], now_ms: float) -> None:
    """Carry messages to the server and its answers back, and what the client says to those."""
    session = server.session
    for message in messages:
        for answer in server.hear(message, now_ms + ONE_WAY_MS):
            effects = session.receive(answer, local_ms(now_ms + 2 * ONE_WAY_MS))
            said = [effect.data for effect in effects if isinstance(effect, Send)]
            talk(server, said, now_ms + 2 * ONE_WAY_MS)


@pytest.fixture(scope="module")
def server() -> Server:
    """A server at the end of the day."""
    session = ClientSession(Join("join", "meadow"))
    server = Server(session)
    session.begin(local_ms(0.0))
    session.receive(server.welcome(0.0), local_ms(ONE_WAY_MS))
    assert session.pacer is not None
    session.pacer.steer({"pace": 0.5})
    for second in range(LOOK_S, DAY_S, LOOK_S):
        now_ms = second * 1000.0
        for message in server.snapshots(now_ms - ONE_WAY_MS):
            session.receive(message, local_ms(now_ms))
        session.frame(local_ms(now_ms))
        talk(server, session.poll(local_ms(now_ms)), now_ms)
    return server


def test_every_input_of_the_day_arrives_in_time_and_not_too_early(server: Server) -> None:
    assert len(server.slacks) == DAY_S // LOOK_S - 2
    assert min(server.slacks) >= 0
    assert max(server.slacks[20:]) <= 1


def test_inputs_are_addressed_to_ticks_that_wrap_at_noon(server: Server) -> None:
    steps = {tick_distance(after, before) for before, after in pairwise(server.commanded)}
    assert server.commanded[0] > server.commanded[-1]
    assert steps <= {HZ * LOOK_S + drift for drift in (-2, -1, 0, 1, 2)}


def test_every_state_of_the_day_is_the_servers(server: Server) -> None:
    stats = server.session.stats
    assert stats.checks == stats.snapshots // 2 == DAY_S // LOOK_S - 1
    assert (stats.state_mismatches, stats.resyncs, stats.full_snapshots) == (0, 0, 1)
    assert server.session.replica is not None
    assert server.session.replica.tick == server.tick


def test_the_picture_stays_as_far_behind_as_it_was(server: Server) -> None:
    # Trip and back, a snapshot, and what the lead is above the trip: 3 ticks for both ways, and at most 3 more.
    assert all(3 * 16 <= delay <= 6 * 16 for delay in server.delays[20:])
