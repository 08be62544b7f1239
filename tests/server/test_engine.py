"""The engine: ticks in time, hooks in order, rooms that end, and no fault that spreads."""

from __future__ import annotations

from functools import partial

import pytest
import structlog
import trio
from trio.testing import MockClock

from tests.server.kit import FakePlayer, running, ticks
from tests.server.logged import HZ, Hit, Logged, Ship, Steer, Unlisted, room_of
from tickwire.engine import JOIN_TIMEOUT_S, MAX_CATCH_UP_STEPS, Engine
from tickwire.player import LeaveReason
from tickwire_shared.closing import CloseCode
from tickwire_shared.errors import ProtocolError, UsageError
from tickwire_shared.event_messages import EventMessage
from tickwire_shared.server_messages import Epoch

# Time


async def test_ticks_come_at_their_deadlines_and_do_not_drift(autojump_clock: MockClock) -> None:
    async with running(Logged) as engine:
        FakePlayer(engine)
        began = trio.current_time()
        await ticks(engine, 1000)
        assert trio.current_time() - began == pytest.approx(1000 / HZ, abs=2 / HZ)
        assert (engine.pace.dropped_ticks, engine.overruns) == (0, 0)


def stall(clock: MockClock, seconds: float) -> None:
    """Let a hook take its time."""
    clock.jump(seconds)


@pytest.mark.parametrize("missed", [1, 3])
async def test_a_room_that_is_a_little_late_catches_up(autojump_clock: MockClock, missed: int) -> None:
    async with running(Logged) as engine:
        player = FakePlayer(engine)
        await ticks(engine, 10)
        began, tick = trio.current_time(), engine.tick
        room_of(engine).todo.append(partial(stall, autojump_clock, missed / HZ))
        await trio.sleep(20.5 / HZ)
        assert engine.tick - tick == pytest.approx((trio.current_time() - began) * HZ, abs=1)
        assert engine.pace.dropped_ticks == 0
        assert player.heard(Epoch) == []


async def test_a_room_that_is_very_late_drops_ticks_and_tells_its_players_when_the_next_is_due(
    autojump_clock: MockClock,
) -> None:
    async with running(Logged) as engine:
        player = FakePlayer(engine)
        await ticks(engine, 10)
        player.hear()
        began, tick = trio.current_time(), engine.tick
        room_of(engine).todo.append(partial(stall, autojump_clock, 2.0))
        await trio.sleep(3.0)
        (epoch,) = player.heard(Epoch)
        assert 2 * HZ - MAX_CATCH_UP_STEPS - 2 <= engine.pace.dropped_ticks <= 2 * HZ
        simulated = engine.tick - tick
        assert simulated + engine.pace.dropped_ticks == pytest.approx((trio.current_time() - began) * HZ, abs=2)
        assert engine.pace.due * 1000 == pytest.approx(epoch.time + (engine.tick - epoch.tick) * 1000 / HZ)
        assert engine.overruns == 1


async def test_a_late_room_lets_others_run_between_the_ticks_it_catches_up(autojump_clock: MockClock) -> None:
    seen: list[int] = []

    async def watch(engine: Engine) -> None:
        while True:
            seen.append(engine.tick)
            await trio.lowlevel.checkpoint()

    async with running(Logged) as engine, trio.open_nursery() as nursery:
        FakePlayer(engine)
        await ticks(engine, 2)
        nursery.start_soon(watch, engine)
        autojump_clock.jump(4 / HZ)
        for _ in range(20):
            await trio.lowlevel.checkpoint()
        nursery.cancel_scope.cancel()
    assert len(set(seen)) >= 3


# Hooks


async def test_hooks_run_in_order_within_a_tick(autojump_clock: MockClock) -> None:
    async with running(Logged) as engine:
        player = FakePlayer(engine)
        room = room_of
        await ticks(engine)
        assert room(engine).log == ["create", "join 1"]
        player.send_input(engine.tick + 1, (1, 0, 0))
        engine.put_event(player.seat, EventMessage(0, (b"hi", 0)))
        engine.room.after(1, lambda: room_of(engine).note("timer"))
        await ticks(engine)
        assert room(engine).log[2:] == ["event hi 1", "input 1 1", "timer"]
        player.leave()
        await ticks(engine, 2)
        assert room(engine).log[5:] == ["leave left 1", "dispose"]


async def test_a_player_s_input_is_fresh_held_and_then_neutral(autojump_clock: MockClock) -> None:
    async with running(Logged) as engine:
        player = FakePlayer(engine)
        await ticks(engine)
        assert player.player.input == Steer()
        player.send_input(engine.tick + 1, (1, 1, 1), (-1, 0, 0))
        await ticks(engine)
        assert player.player.input == Steer(turn=1, thrust=True, fire=True)
        await ticks(engine)
        assert player.player.input == Steer(turn=-1)
        await ticks(engine, 3)
        assert player.player.input == Steer(turn=-1)
        await ticks(engine, 10)
        assert player.player.input == Steer()


async def test_a_room_s_random_numbers_follow_from_its_seed(autojump_clock: MockClock) -> None:
    async with running(Logged) as one, running(Logged) as other:
        assert [one.room.random.random() for _ in range(3)] == [other.room.random.random() for _ in range(3)]


async def test_an_event_s_reference_is_the_entity(autojump_clock: MockClock) -> None:
    async with running(Logged) as engine:
        player = FakePlayer(engine)
        await ticks(engine)
        (ship,) = engine.room.all(Ship)
        engine.put_event(player.seat, EventMessage(0, (b"hi", ship.id)))
        engine.put_event(player.seat, EventMessage(0, (b"ho", 99)))
        await ticks(engine)
        assert [said.to for said in room_of(engine).said] == [ship, None]


async def test_an_event_that_the_room_does_not_list_is_the_author_s_mistake(autojump_clock: MockClock) -> None:
    async with running(Logged) as engine:
        FakePlayer(engine)
        await ticks(engine)
        with pytest.raises(UsageError, match=r"Unlisted is not among the room's events \(Say, Hit\)"):
            engine.room.broadcast(Unlisted())


async def test_an_event_with_a_bad_value_names_its_field(autojump_clock: MockClock) -> None:
    async with running(Logged) as engine:
        FakePlayer(engine)
        await ticks(engine)
        with pytest.raises(UsageError, match=r"Hit.damage: .*1\.5"):
            engine.room.broadcast(Hit(damage=1.5))  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def test_a_room_that_is_not_running_says_so() -> None:
    with pytest.raises(UsageError, match=r"use on_create"):
        _ = Logged().tick


HOOKS = [
    ("create", "on_create", 0),
    ("join", "on_join", 1),
    ("input 1", "on_input", 2),
    ("event hi", "on_event", 2),
    ("tick", "on_tick", 1),
    ("drop", "on_drop", 2),
    ("resume", "on_resume", 3),
    ("leave left", "on_leave", 2),
]


@pytest.mark.parametrize("what, hook, at", HOOKS)
async def test_a_fault_in_a_hook_ends_just_that_room_and_is_reported_with_room_tick_and_hook(
    autojump_clock: MockClock, what: str, hook: str, at: int
) -> None:
    with structlog.testing.capture_logs() as logs:
        async with running(Logged) as other, running(Logged, fail_in=what) as engine:
            bystander, player, witness = FakePlayer(other), FakePlayer(engine), FakePlayer(engine)
            await ticks(engine)
            if at >= 2:
                await provoke(engine, player, what)
            await ticks(engine, 3)
            assert engine.ended.is_set()
            assert witness.link.closed is not None
            assert witness.link.closed[0] == CloseCode.ROOM_FAILED
            assert hook in witness.link.closed[1]
            assert not other.over
            await ticks(other, 5)
            assert bystander.link.closed is None
            assert bystander.hear() is not None
    (report,) = [entry for entry in logs if entry["event"] == "room failed"]
    assert (report["room"], report["hook"]) == ("room1", hook)
    assert isinstance(report["tick"], int)
    assert isinstance(report["exc_info"], RuntimeError)


async def provoke(engine: Engine, player: FakePlayer, what: str) -> None:
    match what.split()[0]:
        case "input":
            player.send_input(engine.tick + 1, (1, 0, 0))
        case "event":
            engine.put_event(player.seat, EventMessage(0, (b"hi", 0)))
        case "drop":
            player.drop()
        case "resume":
            player.hear()
            player.drop()
            await ticks(engine)
            player.resume()
        case _:
            player.leave()


async def test_a_fault_in_a_timer_or_at_the_commit_is_named_as_such(autojump_clock: MockClock) -> None:
    for hook, act in (("a timer", None), ("the commit", float("nan"))):
        with structlog.testing.capture_logs() as logs:
            async with running(Logged) as engine:
                player = FakePlayer(engine)
                await ticks(engine)
                if act is None:
                    engine.room.after(1, lambda: 1 / 0)
                else:
                    engine.room.all(Ship)[0].x = act
                await ticks(engine, 3)
                assert player.link.closed is not None
                assert player.link.closed[0] == CloseCode.ROOM_FAILED
        assert [entry["hook"] for entry in logs if entry["event"] == "room failed"] == [hook]


async def test_a_fault_in_on_dispose_is_reported_and_ends_nothing_else(autojump_clock: MockClock) -> None:
    with structlog.testing.capture_logs() as logs:
        async with running(Logged, fail_in="dispose") as engine:
            engine.request_end("Over.")
            await engine.ended.wait()
    assert [entry["hook"] for entry in logs if entry["event"] == "room failed"] == ["on_dispose"]


async def test_closing_a_room_tells_everyone_why_after_the_tick_and_simulates_no_other(
    autojump_clock: MockClock,
) -> None:
    async with running(Logged) as engine:
        player = FakePlayer(engine)
        await ticks(engine, 2)

        def end() -> None:
            engine.room.close("Red has won.")
            engine.room.broadcast(Hit(damage=3))

        def fall_behind() -> None:
            autojump_clock.jump(4 / HZ)
            room_of(engine).todo.append(end)

        room_of(engine).todo.append(fall_behind)
        tick = engine.tick
        await engine.ended.wait()
        assert engine.tick == tick + 2
        assert player.link.closed == (CloseCode.ROOM_OVER, "Red has won.")
        assert len(player.heard(EventMessage)) == 1


# The end


async def test_a_room_is_disposed_when_its_last_player_is_gone_for_good(autojump_clock: MockClock) -> None:
    async with running(Logged) as engine:
        player = FakePlayer(engine)
        await ticks(engine)
        player.drop()
        await trio.sleep(Logged.grace_s - 3 / HZ)
        assert not engine.over
        await trio.sleep(1)
        assert engine.ended.is_set()
        with pytest.raises(ProtocolError) as caught:
            FakePlayer(engine)
        assert caught.value.code is CloseCode.ROOM_OVER


async def test_a_room_that_nobody_joins_is_disposed_after_a_while(autojump_clock: MockClock) -> None:
    async with running(Logged) as engine:
        await trio.sleep(JOIN_TIMEOUT_S - 1)
        assert not engine.over
        await trio.sleep(2)
        assert engine.ended.is_set()


async def test_a_room_may_stay_without_players(autojump_clock: MockClock) -> None:
    class Stays(Logged):
        auto_dispose = False

    async with running(Stays) as engine:
        player = FakePlayer(engine)
        await ticks(engine)
        player.leave()
        await trio.sleep(60)
        assert not engine.over
        FakePlayer(engine)
        await ticks(engine)
        assert room_of(engine).log[-1] == "join 2"


async def test_a_cancelled_room_tells_its_players(autojump_clock: MockClock) -> None:
    async with running(Logged) as engine:
        player = FakePlayer(engine)
        await ticks(engine)
    assert player.link.closed is not None
    assert player.link.closed[0] == CloseCode.SHUTTING_DOWN
    assert room_of(engine).log[-1] == "dispose"
    engine.lost(player.seat, player.generation, LeaveReason.LOST)
