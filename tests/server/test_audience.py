"""The audience: who follows is sent the very same without being looked at, and stands apart when it needs more."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import cast

import pytest
from trio.testing import MockClock

from tests.server.kit import FakeLink, FakePlayer, LinkOutbox, assert_up_to_date, joined, running, ticks
from tickwire.audience import Audience
from tickwire.engine import Engine
from tickwire.player import Player
from tickwire.room import Room
from tickwire.seat import Seat
from tickwire_shared.declare import Entity, Event, entity, event, integer
from tickwire_shared.server_messages import Check, Private, SnapshotMessage
from tickwire_shared.session import SeatEvent

HZ = 20


@pytest.fixture
def audience() -> Audience:
    return Audience(LinkOutbox())


def listeners(audience: Audience, count: int) -> list[tuple[Seat, FakeLink]]:
    """Seats that follow, and their connections."""
    assert isinstance(audience.outbox, LinkOutbox)
    made: list[tuple[Seat, FakeLink]] = []
    for _ in range(count):
        link = FakeLink(audience.outbox)
        seat = Seat(cast("Player[None]", None), audience, None)
        seat.attach(link)
        audience.follow(seat)
        made.append((seat, link))
    return made


def heard(made: list[tuple[Seat, FakeLink]]) -> list[bytes]:
    return [b"".join(link.written) for _, link in made]


def test_all_who_follow_are_sent_the_same_and_some_more(audience: Audience) -> None:
    made = listeners(audience, 3)
    audience.post(b"tick", {})
    audience.outbox.send()
    assert heard(made) == [b"tick"] * 3
    assert made[0][1].written[0] is made[2][1].written[0]
    audience.post(b"tock", {1: b"!"})
    audience.post(b"", {2: b"?"})
    audience.outbox.send()
    assert heard(made) == [b"ticktock", b"ticktock!", b"ticktock?"]


@pytest.mark.parametrize("at", range(4))
def test_one_that_stands_apart_or_leaves_is_sent_nothing_and_the_others_are(audience: Audience, at: int) -> None:
    made = listeners(audience, 4)
    audience.version, audience.heard_tick = 7, 8
    seat = made[at][0]
    seat.stand_apart()
    assert (seat.version, seat.heard_tick) == (7, 8), "what it was told until then"
    seat.stand_apart()
    assert list(audience.apart) == [seat]
    assert len(audience) == 4
    audience.post(b"tick", {audience.following.index(made[at - 1][0]): b"!"})
    audience.outbox.send()
    expected = [b"tick"] * 4
    expected[at], expected[at - 1] = b"", b"tick!"
    assert heard(made) == expected
    for place in (at - 1, at):
        made[place][0].detach()
    assert len(audience) == 2
    audience.post(b"tock", {})
    audience.outbox.send()
    expected = [b"ticktock"] * 4
    expected[at], expected[at - 1] = b"", b"tick!"
    assert heard(made) == expected


def test_one_that_holds_nothing_does_not_hold_what_the_others_do(audience: Audience) -> None:
    ((seat, link),) = listeners(audience, 1)
    seat.hold_nothing()
    assert not link.follows
    assert (seat.version, seat.own) == (None, True)


def test_a_new_connection_does_not_follow_because_the_old_one_did(audience: Audience) -> None:
    ((seat, old),) = listeners(audience, 1)
    seat.advance(SeatEvent.DROP)
    seat.attach(FakeLink(None))
    assert not old.follows
    assert list(audience.apart) == [seat]
    audience.follow(seat)
    assert not audience.following, "its connection can't"


# In a room


@entity
class Ship(Entity):
    x: int = integer(0, 1000, default=0)
    ammo: int = integer(0, 99, default=3, to="owner")


@event
class Said(Event):
    number: int = integer(0, 99)


class Space(Room[None]):
    hz = HZ
    entities = (Ship,)
    events = (Said,)

    def on_create(self, options: Mapping[str, object]) -> None:
        self.ships: dict[int, Ship] = {}

    def on_join(self, player: Player[None]) -> None:
        self.ships[player.id] = self.spawn(Ship(), owner=player)


def ships(engine: Engine) -> list[Ship]:
    assert isinstance(engine.room, Space)
    return list(engine.room.ships.values())


def following(players: list[FakePlayer]) -> list[bool]:
    return [player.link.follows for player in players]


async def test_who_was_told_all_follows_and_stands_apart_for_what_is_its_own(autojump_clock: MockClock) -> None:
    async with running(Space) as engine:
        players = await joined(engine, 3)
        assert following(players) == [True] * 3
        ships(engine)[1].ammo = 9
        ships(engine)[1].x = 5
        before = engine.replicator.counts.snapshots
        await ticks(engine)
        assert_up_to_date(engine, *players)
        assert [len(player.heard(Private)) for player in players] == [0, 1, 0]
        assert engine.replicator.counts.snapshots == before + 3
        assert following(players) == [True] * 3
        players[2].player.send(Said(number=7))
        assert following(players) == [True, True, False]
        await ticks(engine)
        assert following(players) == [True] * 3


async def test_private_values_of_an_entity_that_is_gone_or_nobody_s_concern_nobody(autojump_clock: MockClock) -> None:
    async with running(Space) as engine:
        players = await joined(engine, 2)
        stray = Ship()
        engine.spawn(stray, None)
        await ticks(engine)
        stray.ammo = 50
        ships(engine)[0].ammo = 51
        engine.despawn(ships(engine)[1])
        await ticks(engine)
        assert_up_to_date(engine, *players)
        assert following(players) == [True] * 2


async def test_who_follows_is_told_the_checksum_of_what_it_alone_holds(autojump_clock: MockClock) -> None:
    async with running(Space) as engine:
        players = await joined(engine, 2)
        for step in range(4 * HZ):
            ships(engine)[0].x = step
            await ticks(engine)
        assert_up_to_date(engine, *players)
        for player in players:
            assert len(player.heard(Check)) in (2, 3)
        first, second = (player.heard(Check)[-1].private for player in players)
        assert first is not None
        assert first != second, "they own ships with different ids"


@pytest.mark.parametrize("who", [0, 1])
async def test_a_heartbeat_is_late_for_nobody_who_was_told_another_thing_last(
    autojump_clock: MockClock, who: int
) -> None:
    async with running(Space) as engine:
        players = await joined(engine, 2)
        began = engine.tick
        for player in players:
            player.link.blocked = True
        await ticks(engine, HZ // 2)
        players[who].seat.hold_nothing()  # told the state anew half a second after the other one
        players[who].link.blocked = False
        await ticks(engine, 2)
        assert following(players) == [who == 0, who == 1]
        players[1 - who].link.blocked = False
        await ticks(engine)
        assert following(players) == [who == 0, who == 1], "the other one's heartbeat is due before"
        await ticks(engine, 5 * HZ)
        assert following(players) == [True] * 2
        for player in players:
            told = [began, *(message.tick for message in player.heard(SnapshotMessage))]
            assert all(later - sooner <= HZ for sooner, later in itertools.pairwise(told))


async def test_a_room_is_not_settled_before_those_who_follow_are_told(autojump_clock: MockClock) -> None:
    async with running(Space) as engine:
        players = await joined(engine, 2)
        assert engine.replicator.settled
        engine.every = 5
        for step in range(20):
            ships(engine)[0].x = 1 + step
            await ticks(engine)
            assert engine.replicator.settled == (engine.tick % 5 == 0)
        assert following(players) == [True] * 2
