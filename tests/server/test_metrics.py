"""What Prometheus is told: what happened, by room type, and nothing that went down with a room."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import pytest
import trio
import trio.testing
from prometheus_client.parser import text_string_to_metric_families
from trio.testing import MockClock

from tests.server.raw_client import RawClient
from tickwire.lobby import Lobby
from tickwire.metrics import Metrics, close_name
from tickwire.player import Player
from tickwire.room import Room
from tickwire.testing import World
from tickwire.tick_times import BOUNDS_S, LATENESS_SAMPLES, TickTimes
from tickwire.wires import MAX_CODES, Wires
from tickwire_shared.client_messages import Join, build_input, build_join, build_resync
from tickwire_shared.declare import Entity, Event, Input, entity, event, inputs, integer, text

HZ = 20


@inputs
class Step(Input):
    dx: int = integer(-1, 1, default=0)


@entity
class Pawn(Entity):
    x: int = integer(0, 1000, default=0)


@event
class Shout(Event):
    what: str = text(200)


class Pitch(Room[Step]):
    """Everybody's pawn moves in every tick."""

    hz = HZ
    entities = (Pawn,)
    events = (Shout,)

    def on_join(self, player: Player[Step]) -> None:
        self.spawn(Pawn(), owner=player)

    def on_tick(self) -> None:
        for pawn in self.all(Pawn):
            pawn.x = self.tick % 1000


class Chess(Room[None]):
    hz = 1


def read(lobby: Lobby) -> Mapping[str, float]:
    """All samples, by their name and labels as they are written."""
    families = list(text_string_to_metric_families(Metrics(lobby).render().decode()))
    assert all(family.documentation for family in families)
    samples: dict[str, float] = {}
    for family in families:
        for sample in family.samples:
            labels = ",".join(f"{key}={value}" for key, value in sorted(sample.labels.items()))
            key = f"{sample.name}{{{labels}}}" if labels else sample.name
            assert key not in samples
            samples[key] = sample.value
    return samples


async def test_each_room_type_is_there_from_the_start(autojump_clock: MockClock) -> None:
    async with World(Pitch, Chess) as world:
        told = read(world.lobby)
        for name in ("pitch", "chess"):
            assert told[f"tickwire_rooms{{type={name}}}"] == 0
            assert told[f"tickwire_tick_seconds_count{{type={name}}}"] == 0
            assert told[f"tickwire_resumes_total{{by=delta,type={name}}}"] == 0
        assert told["tickwire_connections"] == 0


async def test_what_was_played_is_told(autojump_clock: MockClock) -> None:
    async with World(Pitch, Chess) as world:
        await world.join("pitch")
        ada = await world.join("pitch")
        await world.ticks(HZ)
        await world.cut(ada)
        await world.ticks(2 * HZ)
        told = read(world.lobby)
        (engine,) = world.lobby.rooms
        assert told["tickwire_rooms{type=pitch}"] == 1
        assert told["tickwire_players{type=pitch}"] == told["tickwire_seats_given_total{type=pitch}"] == 2
        assert told["tickwire_connections"] == 2
        assert told["tickwire_resumes_total{by=delta,type=pitch}"] == 1
        assert told["tickwire_resumes_total{by=full,type=pitch}"] == 0
        assert told["tickwire_tick_seconds_count{type=pitch}"] == engine.tick
        assert told["tickwire_tick_seconds_bucket{le=+Inf,type=pitch}"] == engine.tick
        assert told["tickwire_tick_seconds_count{type=chess}"] == 0
        assert told["tickwire_snapshots_sent_total{type=pitch}"] > 2 * HZ
        assert told["tickwire_closes_total{code=1006,joined=yes,reason=other}"] == 1
        assert 0 < told["tickwire_frames_received_total"] < told["tickwire_bytes_received_total"]
        assert 0 < told["tickwire_writes_total"] < told["tickwire_bytes_sent_total"]
        assert told["tickwire_load_rung{type=pitch}"] == 0
        assert told["tickwire_tick_lateness_seconds{quantile=1,type=pitch}"] == pytest.approx(0.0, abs=1e-6)


async def test_counts_outlive_their_room_and_gauges_do_not(autojump_clock: MockClock) -> None:
    async with World(Pitch) as world:
        for _ in range(2):
            game = await world.join("pitch")
            await world.ticks(5)
            await game.leave()
            await trio.sleep(1.0)
        assert world.rooms == ()
        told = read(world.lobby)
        assert told["tickwire_rooms{type=pitch}"] == told["tickwire_players{type=pitch}"] == 0
        assert told["tickwire_rooms_created_total{type=pitch}"] == 2
        assert told["tickwire_seats_given_total{type=pitch}"] == 2
        assert told["tickwire_tick_seconds_count{type=pitch}"] >= 10
        assert told["tickwire_closes_total{code=4000,joined=yes,reason=left}"] == 2
        again = read(world.lobby)
        unsteady = {key for key in told if key.startswith("tickwire_process")}
        assert {key: again[key] for key in again.keys() - unsteady} == {
            key: told[key] for key in told.keys() - unsteady
        }


async def test_what_clients_do_wrong_is_counted(autojump_clock: MockClock) -> None:
    async with World(Pitch) as world:
        client = RawClient(world.open_stream())
        await client.open()
        await client.join(Join("join_or_create", "pitch"))
        (engine,) = world.lobby.rooms
        await world.ticks(10)
        for tick in (engine.tick + 500, engine.tick - 5, engine.tick + 3, engine.tick + 3):
            await client.send(build_input(tick, [1]))
        for _ in range(3):
            await client.send(build_resync(engine.tick))
        await world.ticks(1)
        told = read(world.lobby)
        assert told["tickwire_inputs_refused_total{type=pitch}"] == 1
        assert told["tickwire_inputs_late_total{type=pitch}"] == 1
        assert told["tickwire_inputs_repeated_total{type=pitch}"] == 1
        assert told["tickwire_resyncs_total{type=pitch}"] == 1
        assert told["tickwire_mismatches_reported_total{type=pitch}"] == 3
        await client.send(b"nonsense")
        await client.closed()
        await client.stream.aclose()
        await trio.testing.wait_all_tasks_blocked()
        assert read(world.lobby)["tickwire_closes_total{code=4002,joined=yes,reason=bad message}"] == 1


async def test_a_join_that_was_refused_is_told_with_its_reason(autojump_clock: MockClock) -> None:
    async with World(Pitch) as world:
        client = RawClient(world.open_stream())
        await client.open()
        await client.send(build_join(Join("join", "chess")))
        await client.closed()
        await client.stream.aclose()
        await trio.testing.wait_all_tasks_blocked()
        assert read(world.lobby)["tickwire_closes_total{code=4005,joined=no,reason=no such room}"] == 1


async def test_events_that_wait_are_told(autojump_clock: MockClock) -> None:
    async with World(Pitch) as world:
        await world.join("pitch")
        world.rooms[0].broadcast(Shout(what="x" * 100))
        assert 100 < read(world.lobby)["tickwire_event_queue_bytes{type=pitch}"] < 120
        await world.ticks(2)
        assert read(world.lobby)["tickwire_event_queue_bytes{type=pitch}"] == 0


def test_ticks_fall_into_the_bucket_of_their_time() -> None:
    times = TickTimes()
    for took_s in (0.0, BOUNDS_S[0], BOUNDS_S[0] * 1.01, BOUNDS_S[-1], 5.0):
        times.note(took_s, 0.0)
    assert times.counts == [2, 1, *[0] * (len(BOUNDS_S) - 3), 1, 1]
    assert times.total_s == pytest.approx(6.0, abs=0.001)
    assert times.mean_s == times.total_s / 5
    assert TickTimes().mean_s == 0.0
    assert times.cumulative()[0] == ("0.0001", 2)
    assert times.cumulative()[-1] == ("+Inf", 5)


def test_the_last_ticks_are_those_whose_lateness_is_known() -> None:
    times = TickTimes()
    for number in range(LATENESS_SAMPLES + 100):
        times.note(0.001, float(number))
    assert sorted(times.late_s) == [float(number) for number in range(100, LATENESS_SAMPLES + 100)]


async def test_rooms_are_due_as_far_apart_as_ticks_of_their_type_took(autojump_clock: MockClock) -> None:
    async with World(Pitch) as world:
        world.lobby.create(Pitch, {}).tick_times.note(0.004, 0.0)
        rooms = [world.lobby.create(Pitch, {}) for _ in range(6)]
        await trio.sleep(1.0)
        dues = sorted((room.pace.due + 0.0001) % room.pace.dt for room in rooms)
        assert all(later - sooner > 0.0038 for sooner, later in pairwise(dues)), "4 ms apart, one of two slots each"


class Silent:
    bytes_in = bytes_out = frames_in = writes_out = 0


class Ended:
    was_admitted = False

    def __init__(self, code: int) -> None:
        self.closing: tuple[int, str] | None = (code, "")


class Three:
    bytes_in = bytes_out = frames_in = writes_out = 3


def test_what_the_hub_reads_and_the_outbox_writes_for_all_counts_as_well() -> None:
    wires = Wires(read=Three(), written=Three())
    assert (wires.bytes_in, wires.frames_in, wires.bytes_out, wires.writes_out) == (3, 3, 3, 3)
    with wires.counting(Three(), Ended(1000)), wires.counting(Three(), Ended(1000)):
        assert (wires.bytes_in, wires.frames_in, wires.bytes_out, wires.writes_out) == (9, 9, 9, 9)
    assert (wires.bytes_in, wires.frames_in, wires.bytes_out, wires.writes_out) == (9, 9, 9, 9)


def test_peers_can_not_make_up_endless_close_codes() -> None:
    wires = Wires()
    for code in range(900, 6000):
        with wires.counting(Silent(), Ended(code)):
            pass
    assert len(wires.closes) <= MAX_CODES + 1
    assert sum(wires.closes.values()) == 5100


@pytest.mark.parametrize("code, name", [(4041, "room full"), (4002, "bad message"), (1006, "other"), (4999, "other")])
def test_a_close_code_has_the_name_of_the_protocol(code: int, name: str) -> None:
    assert close_name(code) == name
