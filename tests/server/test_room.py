"""The room as its author uses it: what hooks may do, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import structlog
import trio
from trio.testing import MockClock

from tests.server.kit import FakePlayer, running, ticks
from tickwire.engine import Engine
from tickwire.player import LeaveReason, Player
from tickwire.room import Room
from tickwire_shared.closing import CloseCode
from tickwire_shared.declare import Entity, Event, entity, event, integer, text
from tickwire_shared.event_messages import EventMessage

HZ = 20


@entity
class Coin(Entity):
    worth: int = integer(0, 9, default=1)


@entity(singleton=True)
class Bank(Entity):
    money: int = integer(0, 1000, default=0)


@event
class Cheer(Event):
    words: str = text(max_bytes=20)


class Market(Room[None]):
    """Does in its next tick what it is asked to."""

    hz = HZ
    entities = (Coin, Bank)
    events = (Cheer,)

    def on_create(self, options: Mapping[str, object]) -> None:
        self.bank = self.spawn(Bank())
        self.todo: list[Callable[[], object]] = []
        self.gone: list[tuple[int, LeaveReason, int]] = []

    def on_tick(self) -> None:
        todo, self.todo = self.todo, []
        for act in todo:
            act()

    def on_leave(self, player: Player[None], reason: LeaveReason) -> None:
        self.gone.append((player.id, reason, len(player.owned)))


def market_of(engine: Engine) -> Market:
    assert isinstance(engine.room, Market)
    return engine.room


async def do(engine: Engine, *acts: Callable[[], object]) -> None:
    market_of(engine).todo += acts
    await ticks(engine, 2)


def coins(player: FakePlayer) -> dict[int, dict[str, Any]]:
    player.hear()
    return {ident: dict(fields) for ident, fields in player.held.public().get("Coin", {}).items()}


async def test_what_is_spawned_changed_and_despawned_is_what_players_hold(autojump_clock: MockClock) -> None:
    async with running(Market) as engine:
        player, room = FakePlayer(engine), market_of(engine)
        await ticks(engine)
        one, other = Coin(worth=2), Coin()
        assert one.id == 0
        await do(engine, lambda: room.spawn(one), lambda: room.spawn(other))
        assert coins(player) == {one.id: {"worth": 2}, other.id: {"worth": 1}}
        await do(engine, lambda: setattr(one, "worth", 9), lambda: room.despawn(other), lambda: room.despawn(other))
        assert coins(player) == {one.id: {"worth": 9}}
        assert other.id == 0


async def test_spawn_returns_its_entity_and_the_room_finds_it(autojump_clock: MockClock) -> None:
    async with running(Market) as engine:
        FakePlayer(engine)
        await ticks(engine)
        room = market_of(engine)
        coin = room.spawn(Coin())
        assert room.all(Coin) == (coin,)
        assert room.find(Coin, coin.id) is coin
        assert room.find(Bank, coin.id) is None
        assert room.find(Coin, 99) is None
        assert room.all(Bank) == (room.bank,)


async def test_events_reach_whom_they_are_for(autojump_clock: MockClock) -> None:
    async with running(Market) as engine:
        players = [FakePlayer(engine) for _ in range(3)]
        await ticks(engine)
        one, two, _ = (player.player for player in players)
        room = market_of(engine)
        await do(
            engine,
            lambda: room.broadcast(Cheer(words="all")),
            lambda: room.broadcast(Cheer(words="two"), to=[one, two]),
            lambda: room.broadcast(Cheer(words="but one"), but=one),
            lambda: room.broadcast(Cheer(words="of both"), to=[one, two], but=two),
            lambda: room.broadcast(Cheer(words="nobody"), to=[]),
            lambda: one.send(Cheer(words="one")),
        )
        heard = [[message.values[0] for message in player.heard(EventMessage)] for player in players]
        assert heard == [
            [b"all", b"two", b"of both", b"one"],
            [b"all", b"two", b"but one"],
            [b"all", b"but one"],
        ]


async def test_timers_count_in_ticks_of_the_room(autojump_clock: MockClock) -> None:
    async with running(Market) as engine:
        FakePlayer(engine)
        await ticks(engine)
        room, called = market_of(engine), list[tuple[str, int]]()
        began = room.tick
        room.after(3, lambda: called.append(("once", room.tick - began)))
        repeated = room.every(2, lambda: called.append(("each", room.tick - began)))
        await ticks(engine, 5)
        repeated.cancel()
        await ticks(engine, 5)
        assert called == [("each", 2), ("once", 3), ("each", 4)]


async def test_players_are_those_that_joined_in_order_and_those_to_come_back(autojump_clock: MockClock) -> None:
    async with running(Market) as engine:
        one, two = FakePlayer(engine), FakePlayer(engine)
        room = market_of(engine)
        assert list(room.players) == [], "nobody is admitted yet"
        await ticks(engine)
        two.drop()
        await ticks(engine)
        assert room.players == (one.player, two.player)
        assert [player.connected for player in room.players] == [True, False]
        assert [repr(player) for player in room.players] == ["<Player 1>", "<Player 2>"]


async def test_a_room_knows_its_id_its_tick_and_its_step(autojump_clock: MockClock) -> None:
    async with running(Market) as engine:
        FakePlayer(engine)
        room = market_of(engine)
        await ticks(engine, 4)
        assert (room.id, room.tick, room.dt) == (engine.id, engine.tick, 1 / HZ)
        room.metadata["map"] = "hills"
        assert engine.metadata == {"map": "hills"}


# The end


async def test_players_leave_a_room_that_closes_and_their_entities_with_them(autojump_clock: MockClock) -> None:
    async with running(Market) as engine:
        stays, lost, went = FakePlayer(engine), FakePlayer(engine), FakePlayer(engine)
        await ticks(engine)
        room = market_of(engine)
        await do(engine, lambda: room.spawn(Coin(), owner=stays.player), lambda: room.spawn(Coin(), owner=lost.player))
        lost.drop()
        went.leave()
        await do(engine, lambda: room.close("Sold out."))
        await engine.ended.wait()
        assert stays.link.closed == (CloseCode.ROOM_OVER, "Sold out.")
        assert room.gone == [(3, LeaveReason.LEFT, 0), (1, LeaveReason.CLOSING, 1), (2, LeaveReason.CLOSING, 1)]
        assert room.all(Coin) == ()


async def test_who_was_never_admitted_does_not_leave(autojump_clock: MockClock) -> None:
    async with running(Market) as engine:
        player = FakePlayer(engine)
        engine.stop("Closed.", CloseCode.SHUTTING_DOWN)
        await engine.ended.wait()
        assert player.link.closed == (CloseCode.SHUTTING_DOWN, "Closed.")
        assert market_of(engine).gone == []


async def test_a_fault_while_all_leave_is_reported_and_the_room_is_disposed(autojump_clock: MockClock) -> None:
    class Cursed(Market):
        def on_leave(self, player: Player[None], reason: LeaveReason) -> None:
            raise RuntimeError("bad luck")

        def on_dispose(self) -> None:
            self.metadata["disposed"] = True

    with structlog.testing.capture_logs() as logs:
        async with running(Cursed) as engine:
            players = [FakePlayer(engine), FakePlayer(engine)]
            await ticks(engine)
            engine.room.close()
            await engine.ended.wait()
            assert {player.link.closed for player in players} == {(CloseCode.ROOM_OVER, "The room is over.")}
            assert engine.metadata == {"disposed": True}
    assert [entry["hook"] for entry in logs if entry["event"] == "room failed"] == ["on_leave"]


async def test_a_room_that_failed_asks_nothing_more_of_its_game_but_to_dispose(autojump_clock: MockClock) -> None:
    with structlog.testing.capture_logs() as logs:
        async with running(Market) as engine:
            FakePlayer(engine)
            await ticks(engine)
            await do(engine, lambda: 1 / 0)
            await engine.ended.wait()
            assert market_of(engine).gone == []
    assert [entry["hook"] for entry in logs] == ["on_tick"]


# What clients say of themselves


@pytest.mark.parametrize(
    "given, text_of_it",
    [
        ("Ada", "Ada"),
        ("  Ada \t", "Ada"),
        ("A\x00d\x1ba\n", "Ada"),
        ("x" * 100, "x" * 64),
        ("Zoë ☃", "Zoë ☃"),
        ("a\u202eb\ud800c", "abc"),
        ("", "nobody"),
        (" \n ", "nobody"),
        ("\ud800", "nobody"),
        (7, "nobody"),
        (None, "nobody"),
        (["Ada"], "nobody"),
    ],
)
async def test_a_text_option_is_clean_and_short_whatever_was_sent(
    autojump_clock: MockClock, given: object, text_of_it: str
) -> None:
    async with running(Market) as engine:
        player = FakePlayer(engine, {"name": given}).player
        assert player.option("name", "nobody") == text_of_it
        assert player.option("name", "no", max_length=2) in (text_of_it[:2], "no")
        assert player.option("missing") == ""


async def test_a_kick_in_a_hook_ends_the_connection_with_its_reason(autojump_clock: MockClock) -> None:
    async with running(Market) as engine:
        player, other = FakePlayer(engine), FakePlayer(engine)
        await ticks(engine)
        await do(engine, lambda: player.player.kick("No haggling."))
        assert player.link.closed == (CloseCode.KICKED, "No haggling.")
        assert other.link.closed is None
        assert market_of(engine).gone == [(1, LeaveReason.KICKED, 0)]
        await trio.sleep(1)
