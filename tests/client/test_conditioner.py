"""The link conditioner under the virtual clock: on bare streams first, then under a client of a real server."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from math import inf
from typing import Any, cast

import pytest
import trio
import trio.testing
from trio.testing import MockClock

from tests.client.meadow import Meadow
from tickwire.testing import World
from tickwire_client.conditioner import MAX_BACKLOG_S, MAX_UNDER_WAY_BYTES, Link, LinkedStream
from tickwire_shared.errors import UsageError

Arrivals = list[tuple[int, bytes]]


@asynccontextmanager
async def linked(link: Link) -> AsyncGenerator[tuple[LinkedStream, trio.abc.Stream]]:
    """A stream behind ``link``, and the peer's end of it."""
    ours, theirs = trio.testing.memory_stream_pair()
    async with trio.open_nursery() as nursery:
        yield link.carry(nursery, ours), theirs
        nursery.cancel_scope.cancel()


async def collect(receive: Callable[[], Awaitable[bytes | bytearray]], arrivals: Arrivals) -> None:
    """Note what comes, and in which millisecond, until the end of the stream."""
    while data := bytes(await receive()):
        arrivals.append((round(trio.current_time() * 1000), data))


async def arrivals_of(link: Link, count: int, gap_ms: float, direction: str = "in") -> Arrivals:
    """Send ``count`` numbered messages so far apart, and return what came when."""
    arrivals: Arrivals = []
    async with linked(link) as (client, server), trio.open_nursery() as nursery:
        sender, receiver = (server, client) if direction == "in" else (client, server)
        nursery.start_soon(collect, receiver.receive_some, arrivals)
        for number in range(count):
            await sender.send_all(bytes([number]))
            await trio.sleep(gap_ms / 1000)
        await trio.sleep(2.0)
        nursery.cancel_scope.cancel()
    return arrivals


@pytest.mark.parametrize("direction", ["in", "out"])
async def test_each_message_takes_the_delay_in_either_direction(autojump_clock: MockClock, direction: str) -> None:
    arrivals = await arrivals_of(Link(delay_ms=75), 3, 50, direction)
    assert arrivals == [(75, b"\x00"), (125, b"\x01"), (175, b"\x02")]


async def test_jitter_spreads_the_delay_and_keeps_the_order(autojump_clock: MockClock) -> None:
    arrivals = await arrivals_of(Link(delay_ms=100, jitter_ms=40, seed=5), 200, 10)
    assert [data[0] for _, data in arrivals] == list(range(200))
    delays = [at - number * 10 for number, (at, _) in enumerate(arrivals)]
    assert 60 <= min(delays) < 90
    assert 130 < max(delays) <= 140


async def test_the_same_seed_gives_the_same_network_and_another_one_another(autojump_clock: MockClock) -> None:
    runs: list[list[int]] = []
    for seed in (1, 1, 2):
        start_ms = round(trio.current_time() * 1000)
        arrivals = await arrivals_of(Link(delay_ms=100, jitter_ms=40, seed=seed), 20, 100)
        runs.append([at - start_ms for at, _ in arrivals])
    assert runs[0] == runs[1] != runs[2]


async def test_two_clients_of_one_link_have_different_luck(autojump_clock: MockClock) -> None:
    link = Link(delay_ms=100, jitter_ms=40)
    first = await arrivals_of(link, 10, 100)
    start_ms = round(trio.current_time() * 1000)
    second = [(at - start_ms, data) for at, data in await arrivals_of(link, 10, 100)]
    assert first != second


async def test_a_stall_holds_everything_up_and_lets_it_come_at_once(autojump_clock: MockClock) -> None:
    arrivals = await arrivals_of(Link(delay_ms=50, stall_every_ms=1000, stall_ms=300), 25, 100)
    times = [at for at, _ in arrivals]
    assert times[:10] == list(range(50, 1050, 100))
    assert times[10:13] == [1300, 1300, 1300]
    assert times[13:20] == list(range(1350, 2050, 100))
    assert times[20:23] == [2300, 2300, 2300]


async def test_a_narrow_line_takes_its_time_for_each_byte(autojump_clock: MockClock) -> None:
    arrivals: Arrivals = []
    async with linked(Link(delay_ms=10, bytes_per_second=1000)) as (client, server), trio.open_nursery() as nursery:
        nursery.start_soon(collect, client.receive_some, arrivals)
        for _ in range(3):
            await server.send_all(bytes(100))
            await trio.sleep(0.01)
        await trio.sleep(1.0)
        nursery.cancel_scope.cancel()
    assert [at for at, _ in arrivals] == [110, 210, 310]


async def test_a_sender_waits_for_a_narrow_line_instead_of_hoarding(autojump_clock: MockClock) -> None:
    async with linked(Link(bytes_per_second=1000)) as (client, _):
        most = 0
        for _ in range(20):
            await client.send_all(bytes(100))
            most = max(most, client.under_way_bytes)
        assert most <= MAX_BACKLOG_S * 1000 + 200  # the one just sent, and one that is just arriving
        assert trio.current_time() == pytest.approx(20 * 0.1 - MAX_BACKLOG_S - 0.1)


async def test_what_is_under_way_is_bounded_however_long_the_way_is(autojump_clock: MockClock) -> None:
    async with linked(Link(delay_ms=5000)) as (client, _):
        with trio.move_on_after(1.0):
            while True:
                await client.send_all(bytes(10_000))
        assert MAX_UNDER_WAY_BYTES - 10_000 < client.under_way_bytes <= MAX_UNDER_WAY_BYTES


async def test_a_peer_that_sends_too_much_has_to_wait(autojump_clock: MockClock) -> None:
    ours, theirs = trio.testing.lockstep_stream_pair()
    async with trio.open_nursery() as nursery:
        client = Link(delay_ms=5000).carry(nursery, ours)
        with trio.move_on_after(1.0) as sending:
            await theirs.send_all(bytes(2 * MAX_UNDER_WAY_BYTES))
        assert sending.cancelled_caught
        assert client.under_way_bytes <= MAX_UNDER_WAY_BYTES
        nursery.cancel_scope.cancel()


async def test_a_message_larger_than_what_may_be_under_way_goes_alone(autojump_clock: MockClock) -> None:
    async with linked(Link(delay_ms=100)) as (client, server):
        await client.send_all(b"first")
        await client.send_all(bytes(MAX_UNDER_WAY_BYTES + 1))
        assert trio.current_time() == pytest.approx(0.1)
        assert len(await server.receive_some()) == 5


async def test_new_conditions_hold_for_what_is_sent_from_then_on(autojump_clock: MockClock) -> None:
    link = Link(delay_ms=200)
    arrivals: Arrivals = []
    async with linked(link) as (client, server), trio.open_nursery() as nursery:
        nursery.start_soon(collect, client.receive_some, arrivals)
        await server.send_all(b"a")
        await trio.sleep(0.05)
        link.delay_ms = 10
        await server.send_all(b"b")
        await trio.sleep(0.3)
        await server.send_all(b"c")
        await trio.sleep(1.0)
        nursery.cancel_scope.cancel()
    assert arrivals == [(200, b"a"), (200, b"b"), (360, b"c")]


async def test_the_end_of_the_stream_arrives_behind_what_was_sent(autojump_clock: MockClock) -> None:
    arrivals: Arrivals = []
    async with linked(Link(delay_ms=100)) as (client, server):
        await server.send_all(b"last words")
        await server.aclose()
        await collect(client.receive_some, arrivals)
        assert arrivals == [(100, b"last words")]
        assert await client.receive_some() == b""


async def test_a_broken_stream_is_told_behind_what_was_under_way(autojump_clock: MockClock) -> None:
    ours, theirs = trio.testing.memory_stream_pair()
    async with trio.open_nursery() as nursery:
        client = Link(delay_ms=100).carry(nursery, ours)
        await theirs.send_all(b"last words")
        await trio.testing.wait_all_tasks_blocked()
        await trio.aclose_forcefully(ours)
        assert await client.receive_some() == b"last words"
        with pytest.raises(trio.ClosedResourceError):
            await client.receive_some()
        nursery.cancel_scope.cancel()


async def test_sending_on_a_broken_stream_says_so(autojump_clock: MockClock) -> None:
    async with linked(Link(delay_ms=100)) as (client, server):
        await server.aclose()
        await client.send_all(b"goes on its way")
        await trio.sleep(0.2)
        with pytest.raises(trio.BrokenResourceError):
            await client.send_all(b"doesn't")


async def test_closing_wakes_whoever_waits_and_loses_what_is_under_way(autojump_clock: MockClock) -> None:
    async with linked(Link(delay_ms=1000)) as (client, server):
        woken = trio.Event()

        async def receive() -> None:
            with pytest.raises(trio.ClosedResourceError):
                await client.receive_some()
            woken.set()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(receive)
            await server.send_all(b"too late")
            await trio.testing.wait_all_tasks_blocked()
            await client.aclose()
        assert woken.is_set()
        assert client.under_way_bytes == 0
        assert trio.current_time() == 0.0
        with pytest.raises(trio.ClosedResourceError):
            await client.send_all(b"never")


async def test_a_receiver_may_take_a_message_in_pieces(autojump_clock: MockClock) -> None:
    async with linked(Link()) as (client, server):
        await server.send_all(b"abcde")
        assert [await client.receive_some(2) for _ in range(3)] == [b"ab", b"cd", b"e"]


@pytest.mark.parametrize("name", ["delay_ms", "jitter_ms", "stall_ms", "stall_every_ms", "bytes_per_second"])
@pytest.mark.parametrize("value", [-1.0, float("nan")])
def test_a_condition_that_no_network_has_is_refused(name: str, value: float) -> None:
    link = Link()
    with pytest.raises(UsageError, match=f"{name}={value!r}; use"):
        setattr(link, name, value)
    with pytest.raises(UsageError, match=f"{name}={value!r}; use"):
        cast("Any", Link)(**{name: value})
    assert getattr(link, name) == getattr(Link(), name)


def test_a_link_that_would_never_move_is_refused() -> None:
    for make in (
        lambda: Link(bytes_per_second=0),
        lambda: Link(delay_ms=inf),
        lambda: Link(stall_every_ms=100, stall_ms=100),
        lambda: setattr(Link(stall_every_ms=500, stall_ms=100), "stall_ms", 500),
        lambda: setattr(Link(stall_every_ms=500, stall_ms=100), "stall_every_ms", 100),
    ):
        with pytest.raises(UsageError, match="use"):
            make()


# Under a client


async def test_a_client_behind_a_link_sees_its_round_trip(autojump_clock: MockClock) -> None:
    async with World(Meadow) as world:
        ada = await world.join("meadow", link=Link.of_round_trip(150))
        await trio.sleep(3.0)
        assert ada.clock.rtt_ms == pytest.approx(150.0, abs=0.01)


async def test_a_client_leaves_through_a_slow_link_without_being_cut_off(autojump_clock: MockClock) -> None:
    async with World(Meadow) as world:
        ada = await world.join("meadow", link=Link(delay_ms=200))
        bob = await world.join("meadow")
        await ada.leave()
        await world.ticks(2)
        assert len(bob.all("Sheep")) == 1
        assert ada.ended is not None
        assert ada.ended.code == 4000


async def test_a_connection_that_is_cut_is_resumed_behind_the_same_link(autojump_clock: MockClock) -> None:
    async with World(Meadow) as world:
        ada = await world.join("meadow", link=Link(delay_ms=100, jitter_ms=30))
        ada.steer(pace=0.5)
        await world.ticks(20)
        await world.cut(ada)
        await trio.sleep(5.0)
        assert (ada.stats.disconnects, ada.stats.resumes) == (1, 1)
        assert ada.clock.rtt_ms == pytest.approx(200.0, abs=60.0)


class Chatty(Meadow):
    """Says much in every tick: some 900 bytes a second."""

    name = "chatty"

    def on_tick(self) -> None:
        """Rename all sheep."""
        for player in self.players:
            self.sheep_of(player).name = str(self.tick) * 3


async def test_on_a_line_too_narrow_for_every_snapshot_the_server_leaves_some_out(autojump_clock: MockClock) -> None:
    async with World(Chatty) as world:
        ada = await world.join("chatty", link=Link(delay_ms=50, bytes_per_second=500))
        bob = await world.join("chatty")
        await trio.sleep(20.0)
        engine = world.lobby.rooms[0]
        behind = engine.tick - ada.tick
        assert behind < Chatty.hz
        assert engine.replicator.counts.passed_over > 100
        assert bob.tick == engine.tick
        assert bob.stats.snapshots == pytest.approx(20 * Chatty.hz, abs=2)
        assert (ada.stats.state_mismatches, ada.stats.disconnects) == (0, 0)
