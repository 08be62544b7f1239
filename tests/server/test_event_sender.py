"""Events on their way out: topics, policies and last wills, in a room."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from trio.testing import MockClock

from tests.server.kit import FakePlayer, running, ticks
from tickwire.engine import Engine
from tickwire.player import MAX_TOPICS, LeaveReason, Player
from tickwire.room import Room
from tickwire_shared.closing import CloseCode
from tickwire_shared.declare import Event, event, integer, text
from tickwire_shared.errors import DeclarationError, UsageError, ValueRefused
from tickwire_shared.event_messages import EventMessage


@event
class Said(Event):
    words: str = text(max_bytes=400, overflow="refuse")


@event(policy="latest")
class Score(Event):
    points: int = integer(0, 1000)


@event(policy="drop")
class Spark(Event):
    x: int = integer(0, 1000)


@event
class Unlisted(Event):
    x: int = integer(0, 1)


class Hall(Room[None]):
    """Does in its next tick what it is asked to."""

    events = (Said, Score, Spark)
    auto_dispose = False

    def on_create(self, options: object) -> None:
        self.todo: list[Callable[[], object]] = []
        self.log: list[str] = []

    def on_tick(self) -> None:
        todo, self.todo = self.todo, []
        for act in todo:
            act()

    def on_drop(self, player: Player[None]) -> None:
        self.log.append(f"drop {player.id}")

    def on_leave(self, player: Player[None], reason: LeaveReason) -> None:
        self.log.append(f"leave {player.id}")


def hall(engine: Engine) -> Hall:
    assert isinstance(engine.room, Hall)
    return engine.room


async def joined(engine: Engine, count: int) -> list[FakePlayer]:
    players = [FakePlayer(engine) for _ in range(count)]
    await ticks(engine)
    for player in players:
        player.hear()
    return players


async def do(engine: Engine, *acts: Callable[[], object]) -> None:
    hall(engine).todo += acts
    await ticks(engine, 2)


def told(player: FakePlayer) -> list[tuple[Any, ...]]:
    """The events that a player heard: class and values."""
    names = [item.name for item in player.engine.room_type.schema.events]
    return [(names[message.index], *message.values) for message in player.heard(EventMessage)]


# Topics


async def test_what_is_broadcast_on_a_topic_reaches_its_subscribers_alone(autojump_clock: MockClock) -> None:
    async with running(Hall) as engine:
        ada, bob, eve = await joined(engine, 3)
        ada.player.subscribe("red")
        bob.player.subscribe("red")
        bob.player.subscribe("red")
        eve.player.subscribe("blue")
        room = hall(engine)
        await do(
            engine,
            lambda: room.broadcast(Score(points=1), topic="red"),
            lambda: room.broadcast(Score(points=2), topic="blue"),
            lambda: room.broadcast(Said(words="red, but Ada"), topic="red", but=ada.player),
            lambda: room.broadcast(Said(words="to Ada and Eve on red"), topic="red", to=[ada.player, eve.player]),
            lambda: room.broadcast(Said(words="nobody"), topic="green"),
        )
        assert told(ada) == [("Said", b"to Ada and Eve on red"), ("Score", 1)]
        assert told(bob) == [("Said", b"red, but Ada"), ("Score", 1)]
        assert told(eve) == [("Score", 2)]


async def test_a_subscription_outlives_a_lost_connection_and_ends_when_it_is_ended(autojump_clock: MockClock) -> None:
    async with running(Hall) as engine:
        (ada,) = await joined(engine, 1)
        ada.player.subscribe("red")
        ada.drop()
        await ticks(engine)
        ada.resume()
        await do(engine, lambda: hall(engine).broadcast(Score(points=1), topic="red"))
        ada.player.unsubscribe("red")
        ada.player.unsubscribe("red")
        await do(engine, lambda: hall(engine).broadcast(Score(points=2), topic="red"))
        assert told(ada) == [("Score", 1)]


async def test_a_topic_has_a_bound_on_its_name_and_a_player_on_its_topics(autojump_clock: MockClock) -> None:
    async with running(Hall) as engine:
        (ada,) = await joined(engine, 1)
        for name in ("", "x" * 65):
            with pytest.raises(UsageError, match="needs 1 to 64 characters"):
                ada.player.subscribe(name)
        for number in range(MAX_TOPICS):
            ada.player.subscribe(str(number))
        ada.player.subscribe("0")
        with pytest.raises(UsageError, match=r"<Player 1> has 64 topics already; unsubscribe from one before 'more'"):
            ada.player.subscribe("more")
        assert len(ada.player.topics) == MAX_TOPICS


# Policies


async def test_a_player_who_keeps_up_is_sent_all_but_what_is_superseded_in_the_tick(autojump_clock: MockClock) -> None:
    async with running(Hall) as engine:
        (ada,) = await joined(engine, 1)
        for tick in range(3):
            await do(
                engine,
                partial(hall(engine).broadcast, Spark(x=tick)),
                partial(ada.player.send, Score(points=tick)),
                partial(ada.player.send, Said(words=str(tick))),
            )
        expected = [(("Said", str(tick).encode()), ("Score", tick), ("Spark", tick)) for tick in range(3)]
        assert told(ada) == [one for group in expected for one in group]


async def test_a_blocked_player_is_sent_in_the_end_what_must_arrive_and_the_newest_of_the_rest(
    autojump_clock: MockClock,
) -> None:
    async with running(Hall) as engine:
        (ada,) = await joined(engine, 1)
        room = hall(engine)
        ada.link.blocked = True
        for tick in range(10):
            await do(
                engine,
                partial(room.broadcast, Score(points=tick)),
                partial(room.broadcast, Spark(x=tick)),
                partial(room.broadcast, Said(words=str(tick))),
                partial(room.broadcast, Said(words=f"latest {tick}"), policy="latest"),
                partial(ada.player.send, Score(points=100 + tick), policy="must"),
            )
        ada.link.blocked = False
        await ticks(engine)
        must = [message for tick in range(10) for message in (("Said", str(tick).encode()), ("Score", 100 + tick))]
        assert told(ada) == [*must, ("Score", 9), ("Said", b"latest 9")]


async def test_a_droppable_event_is_gone_when_its_own_tick_found_the_connection_blocked(
    autojump_clock: MockClock,
) -> None:
    async with running(Hall) as engine:
        (ada,) = await joined(engine, 1)
        room = hall(engine)

        def send_then_block() -> None:
            room.broadcast(Spark(x=1))
            ada.link.blocked = True

        await do(engine, send_then_block)
        ada.link.blocked = False
        await ticks(engine, 2)
        assert told(ada) == []


async def test_too_much_that_must_arrive_ends_a_blocked_connection_and_nothing_else(autojump_clock: MockClock) -> None:
    async with running(Hall) as engine:
        ada, bob = await joined(engine, 2)
        ada.link.blocked = True
        for _ in range(170):
            await do(engine, lambda: hall(engine).broadcast(Said(words="x" * 400)))
        assert ada.link.closed == (CloseCode.TOO_SLOW, "The connection is too slow for this room.")
        assert bob.link.closed is None
        assert len(told(bob)) == 170
        assert hall(engine).log == ["leave 1"]


async def test_a_policy_that_does_not_exist_is_named_with_those_that_do(autojump_clock: MockClock) -> None:
    with pytest.raises(DeclarationError, match=r'policy is .perhaps.; use "must", "latest" or "drop"'):
        event(policy="perhaps")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    async with running(Hall) as engine:
        with pytest.raises(UsageError, match=r'policy is .perhaps.; use "must", "latest" or "drop"'):
            hall(engine).broadcast(Said(words="x"), policy="perhaps")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


# Last wills


async def test_the_others_are_sent_the_will_of_a_player_that_drops_once_for_each_drop(
    autojump_clock: MockClock,
) -> None:
    async with running(Hall) as engine:
        ada, bob, eve = await joined(engine, 3)
        will = Said(words="Ada is gone")
        ada.player.set_will(will)
        bob.player.set_will(Said(words="Bob is gone"), topic="friends of Bob")
        eve.player.subscribe("friends of Bob")
        ada.drop()
        await ticks(engine)
        ada.resume()
        await ticks(engine)
        will.words = "gone again"
        ada.drop()
        bob.drop()
        await ticks(engine, 20 * 20)  # beyond the grace
        assert told(eve) == [("Said", b"Ada is gone"), ("Said", b"gone again"), ("Said", b"Bob is gone")]
        assert hall(engine).log == ["drop 1", "drop 1", "drop 2", "leave 1", "leave 2"]


@pytest.mark.parametrize("reason", [LeaveReason.BAD_MESSAGE, LeaveReason.TOO_SLOW])
async def test_the_will_of_a_player_that_is_thrown_out_is_sent_too(
    autojump_clock: MockClock, reason: LeaveReason
) -> None:
    async with running(Hall) as engine:
        ada, bob = await joined(engine, 2)
        ada.player.set_will(Said(words="Ada is gone"))
        engine.lost(ada.seat, ada.generation, reason)
        await ticks(engine, 2)
        assert told(bob) == [("Said", b"Ada is gone")]


async def test_no_will_is_sent_for_a_player_that_leaves_is_kicked_or_took_it_back(autojump_clock: MockClock) -> None:
    async with running(Hall) as engine:
        ada, bob, eve, sam = await joined(engine, 4)
        for player in (ada, bob, eve):
            player.player.set_will(Said(words="gone"))
        eve.player.set_will(None)
        ada.leave()
        await do(engine, lambda: bob.player.kick("out"))
        eve.drop()
        await ticks(engine, 2)
        assert told(sam) == []


async def test_a_will_that_can_not_be_sent_is_an_error_where_it_is_left(autojump_clock: MockClock) -> None:
    async with running(Hall) as engine:
        (ada,) = await joined(engine, 1)
        with pytest.raises(UsageError, match="Unlisted is not among the room's events"):
            ada.player.set_will(Unlisted(x=1))
        with pytest.raises(ValueRefused, match=r"Said\.words"):
            ada.player.set_will(Said(words="x" * 401))
        assert ada.player.last_will is None
