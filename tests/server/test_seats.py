"""Seats: who has one, who keeps it, and who may come back to it."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from tests.server.kit import FakeLink, FakePlayer, joined, running, ticks
from tests.server.logged import HZ, Logged, Ship, Steer, room_of
from tickwire.board import NEVER
from tickwire.player import LeaveReason, Player
from tickwire.seat import MAX_CLIENT_EVENTS
from tickwire_shared.closing import CloseCode
from tickwire_shared.errors import ProtocolError
from tickwire_shared.event_messages import EventMessage
from tickwire_shared.server_messages import Welcome
from tickwire_shared.session import SeatState


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


async def test_how_early_inputs_came_on_an_old_connection_says_nothing_about_the_new_one(
    autojump_clock: MockClock,
) -> None:
    async with running(Logged) as engine:
        (player,) = await joined(engine)
        player.send_input(engine.tick + 3, (1, 0, 0))
        assert engine.board.newest[player.seat.column] == engine.tick + 3
        player.drop()
        player.resume()
        assert engine.board.newest[player.seat.column] == NEVER


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
