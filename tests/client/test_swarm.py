from __future__ import annotations

import io
import json

import pytest
import trio
from rich.console import Console
from trio.testing import MockClock

from tests.client.meadow import Meadow
from tickwire.demo.arena import Arena
from tickwire.testing import World
from tickwire_client.conditioner import Link
from tickwire_client.connection import Dial
from tickwire_client.progress import show_progress
from tickwire_client.swarm import Swarm, SwarmOrder, bot_name, run_swarm
from tickwire_client.swarm_report import SwarmReport
from tickwire_shared.errors import UsageError


def order(count: int, room: str = "meadow", duration_s: float = 5.0) -> SwarmOrder:
    return SwarmOrder("ws://w", room, count, duration_s, seed=0)


def dial_into(world: World) -> Dial:
    async def dial() -> trio.abc.Stream:
        return world.open_stream()

    return dial


async def test_a_swarm_joins_plays_and_reports(autojump_clock: MockClock) -> None:
    async with World(Arena) as world:
        report = await run_swarm("ws://w", "arena", 18, 8.0, dial=dial_into(world))
        assert (report.joined, report.failed, report.disconnects, report.state_mismatches) == (18, 0, 0, 0)
        assert report.ok
        assert report.state_checks >= 18
        assert report.snapshots_per_s == pytest.approx(30.0, rel=0.1)
        assert report.interval_p50_ms == pytest.approx(1000 / 30, rel=0.03)
        assert report.bytes_per_s > 500
        assert report.late_inputs == 0
        assert report.errors == {}


async def test_it_makes_as_many_rooms_as_it_needs_and_leaves_them_empty(autojump_clock: MockClock) -> None:
    async with World(Meadow) as world:
        swarm = Swarm(order(10), dial_into(world))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(swarm.run)
            await trio.sleep(2.0)
            assert sorted(len(room.players) for room in world.rooms) == [2, 4, 4]
            assert swarm.settled == 10
        await trio.sleep(1.0)
        assert world.rooms == ()


async def test_a_swarm_behind_a_bad_link_reports_what_it_makes_of_it(autojump_clock: MockClock) -> None:
    async with World(Meadow) as world:
        link = Link.of_round_trip(150, 40)
        report = await run_swarm("ws://w", "meadow", 2, 5.0, dial=dial_into(world), link=link)
        assert report.ok
        assert report.rtt_p50_ms == pytest.approx(150, abs=20)
        assert 150 < report.rtt_p99_ms < 195


async def test_it_plays_for_the_ordered_time_from_the_last_join_on(autojump_clock: MockClock) -> None:
    async with World(Meadow) as world:
        before = trio.current_time()
        await run_swarm("ws://w", "meadow", 26, 3.0, dial=dial_into(world))
        assert 3.5 <= trio.current_time() - before <= 4.0


async def test_bots_that_cannot_join_have_failed_and_the_reason_is_counted(autojump_clock: MockClock) -> None:
    async with World(Meadow) as world:
        report = await run_swarm("ws://w", "pasture", 3, 60.0, dial=dial_into(world))
        assert (report.joined, report.failed) == (0, 3)
        assert not report.ok
        assert list(report.errors.values()) == [3]
        assert "pasture" in next(iter(report.errors))
        assert trio.current_time() < 5.0


async def test_a_server_that_is_not_there_is_one_clear_error(autojump_clock: MockClock) -> None:
    async def dial() -> trio.abc.Stream:
        raise OSError("connection refused")

    report = await run_swarm("ws://w", "arena", 2, 60.0, dial=dial)
    assert report.errors == {"Can't reach ws://w: connection refused.": 2}


async def test_a_bot_that_is_thrown_out_has_failed_and_the_others_play_on(autojump_clock: MockClock) -> None:
    async with World(Meadow) as world:
        swarm = Swarm(order(3), dial_into(world))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(swarm.run)
            await trio.sleep(1.0)
            world.rooms[0].players[1].kick("Too loud.")
        report = swarm.report(trio.current_time())
        assert (report.joined, report.failed, report.disconnects) == (3, 1, 1)
        assert report.errors == {"Too loud.": 1}


async def test_a_bot_whose_state_differed_has_failed(autojump_clock: MockClock) -> None:
    async with World(Meadow) as world:
        swarm = Swarm(order(2, duration_s=10.0), dial_into(world))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(swarm.run)
            await trio.sleep(1.0)
            game = swarm.records[0].game
            assert game is not None
            game.replica.state = type(game.replica.state).empty(game.replica.schema)
        report = swarm.report(trio.current_time())
        assert (report.failed, report.state_mismatches) == (1, 1)
        assert report.errors == {"The state differed from the server's.": 1}


@pytest.mark.parametrize("count", [0, -1])
async def test_a_swarm_needs_bots(count: int) -> None:
    with pytest.raises(UsageError, match="ask for at least 1"):
        await run_swarm("ws://w", "arena", count, 1.0)


async def test_a_swarm_needs_an_address() -> None:
    with pytest.raises(UsageError, match="is not a server's address"):
        await run_swarm("nonsense", "arena", 1, 1.0)


def test_bots_have_different_names() -> None:
    names = [bot_name(number) for number in range(200)]
    assert len(set(names)) == 200
    assert names[0] == "Ada"
    assert max(len(name.encode()) for name in names) <= 24


# The report


REPORT = SwarmReport(
    url="ws://w",
    room="arena",
    count=10,
    duration_s=5.0,
    joined=9,
    failed=2,
    disconnects=1,
    snapshots_per_s=29.98765,
    bytes_per_s=2345.6,
    rtt_p50_ms=1.25,
    rtt_p99_ms=3.5,
    interval_p50_ms=33.3,
    interval_p99_ms=40.0,
    state_checks=50,
    state_mismatches=1,
    late_inputs=4,
    errors={"[red]Full.": 1},
)


def test_a_report_is_one_line_of_json() -> None:
    text = REPORT.to_json()
    assert "\n" not in text
    values = json.loads(text)
    assert values["ok"] is False
    assert values["snapshots_per_s"] == 29.988
    assert values["errors"] == {"[red]Full.": 1}
    assert set(values) == {"ok", *SwarmReport.__slots__} - {"__weakref__"}


def shown(report: SwarmReport) -> str:
    console = Console(file=io.StringIO(), width=100)
    console.print(report.to_table())
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_report_is_a_table_for_people() -> None:
    table = shown(REPORT)
    for part in ("10 bots in arena at ws://w", "9 of 10", "1 of 50 checks", "30.0 /s", "2,346 /s", "1.2 / 3.5 ms"):
        assert part in table


def test_what_servers_say_is_shown_as_it_is() -> None:
    assert "[red]Full." in shown(REPORT)


# Progress


async def test_progress_tells_how_it_is_going_on_a_terminal(autojump_clock: MockClock) -> None:
    async with World(Meadow) as world:
        swarm = Swarm(order(4), dial_into(world))
        console = Console(file=io.StringIO(), force_terminal=True, width=120)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(show_progress, swarm, console)
            await swarm.run()
            nursery.cancel_scope.cancel()
        assert isinstance(console.file, io.StringIO)
        assert "4 of 4 bots in meadow" in console.file.getvalue()


async def test_progress_is_silent_elsewhere() -> None:
    console = Console(file=io.StringIO())
    await show_progress(Swarm(order(1)), console)
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue() == ""
