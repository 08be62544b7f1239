"""The engine: ticks in time, hooks in order, seats by the rules, and no fault that spreads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import new_class
from typing import Any

import pytest
import structlog
import trio
from trio.testing import MockClock

from tests.server.kit import FakeLink, FakePlayer, running, ticks
from tickwire.engine import JOIN_TIMEOUT_S, MAX_CATCH_UP_STEPS, Engine
from tickwire.player import LeaveReason, Player
from tickwire.room import Room
from tickwire.seat import MAX_CLIENT_EVENTS
from tickwire_shared.closing import CloseCode
from tickwire_shared.declare import (
    Entity,
    Event,
    Input,
    entity,
    event,
    flag,
    inputs,
    integer,
    quantized,
    ref,
    text,
    trigger,
)
from tickwire_shared.errors import DeclarationError, ProtocolError, UsageError
from tickwire_shared.event_messages import EventMessage
from tickwire_shared.server_messages import Epoch, Welcome
from tickwire_shared.session import SeatState

HZ = 20


@entity
class Ship(Entity):
    x: float = quantized(0, 100, step=1 / 64, default=0.0)


@event(client=True)
class Say(Event):
    what: str = text(max_bytes=9)
    to: Ship | None = ref("Ship")


@event
class Hit(Event):
    damage: int = integer(0, 9)


@event
class Unlisted(Event):
    pass


@inputs
class Steer(Input):
    turn: int = integer(-1, 1, default=0)
    thrust: bool = flag(default=False)
    fire: bool = trigger(default=False)


class Logged(Room[Steer]):
    """Writes down what happens to it."""

    hz = HZ
    max_players = 3
    grace_s = 2.0
    entities = (Ship,)
    events = (Say, Hit)
    seed = 7

    def on_create(self, options: Mapping[str, object]) -> None:
        self.log: list[str] = []
        self.said: list[Say] = []
        self.fail_in = options.get("fail_in")
        self.todo: list[Callable[[], object]] = []
        self.note("create")

    def on_join(self, player: Player[Steer]) -> None:
        self.note("join", player)
        self.spawn(Ship(), owner=player)

    def on_input(self, player: Player[Steer], input: Steer) -> None:
        self.note(f"input {input.turn}", player)

    def on_event(self, player: Player[Steer], event: Event) -> None:
        assert isinstance(event, Say)
        self.said.append(event)
        self.note(f"event {event.what}", player)

    def on_tick(self) -> None:
        todo, self.todo = self.todo, []
        for act in todo:
            act()
        self.note("tick", quiet=True)

    def on_drop(self, player: Player[Steer]) -> None:
        self.note("drop", player)

    def on_resume(self, player: Player[Steer]) -> None:
        self.note("resume", player)

    def on_leave(self, player: Player[Steer], reason: LeaveReason) -> None:
        self.note(f"leave {reason.value}", player)

    def on_dispose(self) -> None:
        self.note("dispose")

    def note(self, what: str, player: Player[Steer] | None = None, *, quiet: bool = False) -> None:
        if not quiet:
            self.log.append(what if player is None else f"{what} {player.id}")
        if self.fail_in == what:
            raise RuntimeError(f"bad luck in {what}")


def room_of(engine: Engine) -> Logged:
    assert isinstance(engine.room, Logged)
    return engine.room


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


# Seats


async def test_max_players_is_strict_in_every_state_of_a_seat(autojump_clock: MockClock) -> None:
    async with running(Logged) as engine:
        reserved = [FakePlayer(engine) for _ in range(3)]
        with pytest.raises(ProtocolError, match=r"all 3 seats are taken") as caught:
            FakePlayer(engine)
        assert caught.value.code is CloseCode.ROOM_FULL
        await ticks(engine)
        reserved[0].drop()
        await ticks(engine)
        assert [player.seat.state for player in reserved] == [SeatState.DROPPED, SeatState.LIVE, SeatState.LIVE]
        with pytest.raises(ProtocolError):
            FakePlayer(engine)
        reserved[1].leave()
        await ticks(engine)
        assert engine.seating.accepting
        assert FakePlayer(engine).player.id == 4


async def test_a_join_that_is_given_up_before_its_tick_frees_the_seat_and_is_never_seen(
    autojump_clock: MockClock,
) -> None:
    async with running(Logged) as engine:
        stays, goes = FakePlayer(engine), FakePlayer(engine)
        goes.drop()
        await ticks(engine)
        assert engine.seats_taken == 1
        assert room_of(engine).log == ["create", "join 1"]
        assert (stays.link.is_admitted, goes.link.is_admitted) == (True, False)


async def test_a_lost_player_keeps_its_seat_and_entities_for_the_grace_time(autojump_clock: MockClock) -> None:
    async with running(Logged) as engine:
        player, _ = FakePlayer(engine), FakePlayer(engine)
        await ticks(engine)
        player.hear()
        player.drop()
        await ticks(engine)
        assert not player.player.connected
        await trio.sleep(Logged.grace_s - 3 / HZ)
        assert len(engine.room.all(Ship)) == 2
        await trio.sleep(5 / HZ)
        assert len(engine.room.all(Ship)) == 1
        assert room_of(engine).log[3:] == ["drop 1", "leave lost 1"]
        with pytest.raises(ProtocolError, match=r"join anew") as caught:
            player.resume()
        assert caught.value.code is CloseCode.RESUME_FAILED


async def test_a_player_that_comes_back_is_the_same_player_with_a_new_token(autojump_clock: MockClock) -> None:
    async with running(Logged) as engine:
        player = FakePlayer(engine)
        await ticks(engine)
        (first,) = player.heard(Welcome)
        before = player.player
        player.drop()
        await ticks(engine, 3)
        player.resume()
        await ticks(engine)
        second = player.heard(Welcome)[-1]
        assert second.resumed
        assert not first.resumed
        assert second.token != first.token
        assert second.player == first.player
        assert player.player is before
        assert before.connected
        assert room_of(engine).log == ["create", "join 1", "drop 1", "resume 1"]


async def test_a_token_works_once(autojump_clock: MockClock) -> None:
    async with running(Logged) as engine:
        player = FakePlayer(engine)
        await ticks(engine)
        player.hear()
        assert player.welcome is not None
        token = player.welcome.token
        player.drop()
        player.resume()
        await ticks(engine)
        player.hear()
        with pytest.raises(ProtocolError) as caught:
            engine.resume(token, None, FakeLink())
        assert caught.value.code is CloseCode.RESUME_FAILED
        assert player.link.closed is None


@pytest.mark.parametrize("token", ["", "x", "1"])
async def test_a_wrong_token_resumes_nobody(autojump_clock: MockClock, token: str) -> None:
    async with running(Logged) as engine:
        FakePlayer(engine)
        await ticks(engine)
        with pytest.raises(ProtocolError):
            engine.resume(token, None, FakeLink())


async def test_another_connection_takes_over_and_the_old_one_can_not_evict_it(autojump_clock: MockClock) -> None:
    async with running(Logged) as engine:
        player = FakePlayer(engine)
        await ticks(engine)
        player.hear()
        old_link, old_generation = player.link, player.generation
        player.resume()
        assert old_link.closed is not None
        assert old_link.closed[0] == CloseCode.REPLACED
        for reason in (LeaveReason.LOST, LeaveReason.LEFT, LeaveReason.BAD_MESSAGE):
            engine.lost(player.seat, old_generation, reason)
        await ticks(engine, 3 * HZ)
        assert player.seat.state is SeatState.LIVE
        assert player.link.closed is None
        assert room_of(engine).log == ["create", "join 1"]


async def test_a_player_that_drops_and_resumes_within_a_tick_was_never_gone(autojump_clock: MockClock) -> None:
    async with running(Logged) as engine:
        player = FakePlayer(engine)
        await ticks(engine)
        player.hear()
        player.drop()
        player.resume()
        await ticks(engine)
        player.hear()
        assert room_of(engine).log == ["create", "join 1"]


async def test_a_kicked_player_is_told_why_and_can_not_come_back(autojump_clock: MockClock) -> None:
    async with running(Logged) as engine:
        player, other = FakePlayer(engine), FakePlayer(engine)
        await ticks(engine)
        player.hear()
        room_of(engine).todo.append(lambda: player.player.kick("No shouting."))
        await ticks(engine)
        assert player.link.closed == (CloseCode.KICKED, "No shouting.")
        with pytest.raises(ProtocolError):
            player.resume()
        engine.lost(player.seat, player.generation, LeaveReason.LOST)
        await ticks(engine, 2)
        assert room_of(engine).log[3:] == ["leave kicked 1"]
        assert [found.id for found in engine.room.players] == [other.player.id]
        assert len(engine.room.all(Ship)) == 1


async def test_a_player_may_be_kicked_twice_and_as_it_joins(autojump_clock: MockClock) -> None:
    class Bouncer(Logged):
        def on_join(self, player: Player[Steer]) -> None:
            super().on_join(player)
            player.kick("Not you.")
            player.kick("Really.")

    async with running(Bouncer) as engine:
        player = FakePlayer(engine)
        await ticks(engine, 3)
        assert player.link.closed == (CloseCode.KICKED, "Not you.")
        assert room_of(engine).log == ["create", "join 1", "leave kicked 1", "dispose"]


async def test_who_leaves_can_not_come_back_even_before_the_next_tick(autojump_clock: MockClock) -> None:
    async with running(Logged) as engine:
        player, _ = FakePlayer(engine), FakePlayer(engine)
        await ticks(engine)
        player.hear()
        player.leave()
        with pytest.raises(ProtocolError):
            player.resume()
        await ticks(engine)
        assert room_of(engine).log[-1] == "leave left 1"


async def test_what_a_player_owns_is_despawned_after_on_leave(autojump_clock: MockClock) -> None:
    seen: list[int] = []

    class Counting(Logged):
        def on_leave(self, player: Player[Steer], reason: LeaveReason) -> None:
            seen.append(len(player.owned))
            super().on_leave(player, reason)

    async with running(Counting) as engine:
        player, _ = FakePlayer(engine), FakePlayer(engine)
        await ticks(engine)
        room_of(engine).todo.append(lambda: engine.room.spawn(Ship(), owner=player.player))
        await ticks(engine)
        player.leave()
        await ticks(engine)
        assert seen == [2]
        assert len(engine.room.all(Ship)) == 1
        assert player.player.owned == ()


async def test_an_entity_spawned_for_who_is_gone_belongs_to_nobody(autojump_clock: MockClock) -> None:
    async with running(Logged) as engine:
        player, _ = FakePlayer(engine), FakePlayer(engine)
        await ticks(engine)
        player.leave()
        await ticks(engine)
        ship = engine.room.spawn(Ship(), owner=player.player)
        await ticks(engine, 2)
        assert ship.id
        assert not engine.over


async def test_too_many_events_in_a_tick_close_the_connection(autojump_clock: MockClock) -> None:
    async with running(Logged) as engine:
        player = FakePlayer(engine)
        await ticks(engine)
        for _ in range(MAX_CLIENT_EVENTS):
            engine.put_event(player.seat, EventMessage(0, (b"hi", 0)))
        with pytest.raises(ProtocolError) as caught:
            engine.put_event(player.seat, EventMessage(0, (b"hi", 0)))
        assert caught.value.code is CloseCode.TOO_MANY_MESSAGES


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


# Declarations


@pytest.mark.parametrize(
    "body, message",
    [
        ({"hz": 0}, r"hz is 0"),
        ({"hz": 1000}, r"hz is 1000"),
        ({"hz": "fast"}, r"hz is 'fast'"),
        ({"hz": float("nan")}, r"hz is nan"),
        ({"max_players": 0}, r"max_players is 0"),
        ({"max_players": 1.5}, r"max_players is 1.5"),
        ({"snapshot_every": 0}, r"snapshot_every is 0"),
        ({"name": ""}, r"name is ''"),
        ({"name": "x" * 65}, r"64 characters"),
        ({"name": 5}, r"name is 5"),
        ({"grace_s": -1}, r"grace_s is -1"),
        ({"entities": (Ship, Ship)}, r"Two classes of the same name"),
        ({"events": (Ship,)}, r"Ship is not an @event class"),
    ],
)
def test_a_mistake_in_a_room_class_is_named(body: dict[str, Any], message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        new_class("Bad", (Room[None],), exec_body=lambda scope: scope.update(body))


def test_the_input_class_is_found_through_the_bases() -> None:
    class Child(Logged):
        pass

    class Without(Room[None]):
        pass

    assert Child.input_class is Steer
    assert Without.input_class is None
    assert Child.name == "child"


def test_a_type_argument_that_is_no_input_is_a_mistake() -> None:
    with pytest.raises(DeclarationError, match=r"needs an @inputs class"):
        new_class("Bad", (Room[Ship],))
