"""Rooms at rest: ticks that nobody needs are left out, and nobody notices."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from tests.server.kit import FakePlayer, running, ticks
from tickwire import Entity, Input, Player, Room, entity, inputs, integer
from tickwire.engine import REST_S, TOGETHER_S
from tickwire.inputs import InputCounts
from tickwire_shared.client_messages import build_input
from tickwire_shared.packing import unpack_array
from tickwire_shared.server_messages import Check, SnapshotMessage
from tickwire_shared.ticks import tick_add, tick_distance


@entity
class Piece(Entity):
    square: int = integer(0, 63, default=0)


@inputs
class Move(Input):
    to: int = integer(0, 63, default=0)


class Chess(Room[Move]):
    hz = 20
    entities = (Piece,)
    grace_s = 1.0

    def on_create(self, options: Any) -> None:
        self.piece = self.spawn(Piece())
        self.ran: list[int] = []

    def on_input(self, player: Player[Move], input: Move) -> None:
        self.piece.square = input.to

    def on_tick(self) -> None:
        self.ran.append(self.tick)
        self.rest()


def room_of(engine: Any) -> Chess:
    assert isinstance(engine.room, Chess)
    return engine.room


async def joined(engine: Any) -> FakePlayer:
    player = FakePlayer(engine)
    await ticks(engine, 2)
    player.link.take()
    return player


async def test_a_room_at_rest_runs_a_tick_every_few_seconds_and_counts_the_others(autojump_clock: object) -> None:
    async with running(Chess) as engine:
        await joined(engine)
        room = room_of(engine)
        await trio.sleep(2 * REST_S)
        before, began = len(room.ran), engine.tick
        await trio.sleep(10 * REST_S)
        assert 9 <= len(room.ran) - before <= 11
        assert tick_distance(engine.tick, began) == pytest.approx(10 * REST_S * Chess.hz, abs=REST_S * Chess.hz)


async def test_its_players_are_told_the_tick_and_the_checksum(autojump_clock: object) -> None:
    async with running(Chess) as engine:
        player = await joined(engine)
        await trio.sleep(4 * REST_S)
        said = player.link.take()
        assert {type(message) for message in said} == {SnapshotMessage, Check}
        assert all(not message.delta for message in said if isinstance(message, SnapshotMessage))


async def test_an_input_ends_the_rest_in_time_for_its_tick(autojump_clock: object) -> None:
    async with running(Chess) as engine:
        player = await joined(engine)
        await trio.sleep(REST_S + 1.01)
        awake = engine.tick
        engine.wake()
        now = engine.tick
        assert now > awake
        engine.put_inputs(player.seat, now + 2, [(42,)])
        await trio.sleep(3 / Chess.hz)
        assert room_of(engine).piece.square == 42
        assert engine.inputs.counts == InputCounts()


async def test_an_input_that_could_take_the_short_way_ends_the_rest_as_well(autojump_clock: object) -> None:
    async with running(Chess) as engine:
        player = await joined(engine)
        reader = Chess.input_reader
        assert reader is not None
        newest = tick_add(engine.tick, 20)
        engine.put_inputs(player.seat, newest, [(1,)])
        engine.inputs.forget_ahead(engine.tick)  # as after a stall
        await trio.sleep(3 / Chess.hz)
        assert engine.pace.resting
        payload = build_input(tick_add(newest, 1), [42])
        reader.read(unpack_array(payload), payload)
        word, size, column = int.from_bytes(payload), len(payload), player.seat.column
        assert not engine.board.take_next(word, size, column), "nobody would wake the room"
        assert engine.board.take_known(word, size, column)
        assert not engine.pace.resting
        await trio.sleep(25 / Chess.hz)
        assert room_of(engine).piece.square == 42
        assert engine.inputs.counts == InputCounts()


async def test_who_goes_on_to_command_after_the_rest_takes_the_short_way(autojump_clock: object) -> None:
    async with running(Chess) as engine:
        player = await joined(engine)
        reader = Chess.input_reader
        assert reader is not None
        payload = build_input(70_000, [42])
        reader.read(unpack_array(payload), payload)
        engine.tick = 70_000 - 1  # the message's ticks are written in as many bytes
        await trio.sleep(3 / Chess.hz)
        assert engine.pace.resting
        engine.wake()
        engine.put_inputs(player.seat, tick_add(engine.tick, 2), [(42,)])
        newest = engine.board.newest[player.seat.column]
        payload = build_input(newest + 1, [42])
        assert engine.board.take_next(int.from_bytes(payload), len(payload), player.seat.column)


async def test_a_join_ends_the_rest_at_once(autojump_clock: object) -> None:
    async with running(Chess) as engine:
        await joined(engine)
        await trio.sleep(REST_S + 1.01)
        second = FakePlayer(engine)
        await trio.sleep(1.5 / Chess.hz)
        assert second.link.is_admitted


async def test_a_player_that_is_lost_leaves_when_its_grace_is_over(autojump_clock: object) -> None:
    async with running(Chess) as engine:
        await joined(engine)
        second = await joined(engine)
        await trio.sleep(REST_S + 0.5)
        second.drop()
        await trio.sleep(Chess.grace_s + 3 / Chess.hz)
        assert engine.seats_taken == 1


async def test_timers_run_on_their_tick(autojump_clock: object) -> None:
    async with running(Chess) as engine:
        await joined(engine)
        rang: list[int] = []
        await trio.sleep(1.0)
        room_of(engine).after(37, lambda: rang.append(engine.tick))
        began = engine.tick
        await trio.sleep(REST_S)
        assert rang == [began + 37]


async def test_deadlines_stay_where_they_were(autojump_clock: object) -> None:
    async with running(Chess) as engine:
        await joined(engine)
        base = engine.pace.due - engine.tick / Chess.hz
        await trio.sleep(REST_S + 1.013)
        engine.wake()
        await trio.sleep(2.5 / Chess.hz)
        assert engine.pace.due - engine.tick / Chess.hz == pytest.approx(base)


async def test_the_neutral_input_that_clients_send_all_the_time_does_not_wake_it(autojump_clock: object) -> None:
    async with running(Chess) as engine:
        player = await joined(engine)
        await trio.sleep(REST_S)
        ran = len(room_of(engine).ran)
        for ahead in range(10):
            engine.put_inputs(player.seat, engine.tick + ahead, [(0,)])
            await trio.sleep(1 / Chess.hz)
        assert len(room_of(engine).ran) - ran <= 1
        ran = len(room_of(engine).ran)
        now = engine.tick + int((trio.current_time() - engine.pace.due) * Chess.hz)
        engine.put_inputs(player.seat, now + 1, [(7,)])
        await trio.sleep(3 / Chess.hz)
        assert len(room_of(engine).ran) - ran > 1


@pytest.mark.parametrize("later_s", [0.0, 0.013, 0.31, 0.444])
async def test_rooms_at_rest_run_in_the_same_moments_whenever_they_began(
    autojump_clock: object, later_s: float
) -> None:
    await trio.sleep(later_s)
    async with running(Chess) as engine:
        await joined(engine)
        for _ in range(3):
            await trio.sleep(REST_S)
            assert engine.pace.resting
            assert engine.pace.due_next % TOGETHER_S < 1 / Chess.hz + 1e-9
