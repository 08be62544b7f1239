"""Replication: who gets what and when, read by a client that follows PROTOCOL.md to the letter."""

from collections.abc import Callable, Mapping
from functools import partial

import pytest
import trio
from trio.testing import MockClock

from tests.server.kit import FakePlayer, LinkOutbox, assert_up_to_date, joined, outbox_of, running, ticks, unframe
from tickwire.connection import Session
from tickwire.engine import Engine
from tickwire.history import History
from tickwire.player import Player
from tickwire.room import Room
from tickwire.transport import Transport
from tickwire_shared.client_messages import Join, build_join
from tickwire_shared.closing import CloseCode
from tickwire_shared.declare import Entity, Event, Input, entity, event, inputs, integer, text
from tickwire_shared.event_messages import EventMessage
from tickwire_shared.server_messages import Check, News, Private, SnapshotMessage, Welcome, parse_server

HZ = 20


@entity
class Ship(Entity):
    x: int = integer(0, 1000, default=0)
    ammo: int = integer(0, 9, default=3, to="owner")
    note: str = text(max_bytes=9, default="", to="owner")


@entity
class Rock(Entity):
    size: int = integer(0, 9, default=1)


@event
class Said(Event):
    what: str = text(max_bytes=200)


@inputs
class Steer(Input):
    turn: int = integer(-1, 1, default=0)


class Space(Room[Steer]):
    """Does at each tick what the test says."""

    hz = HZ
    entities = (Ship, Rock)
    events = (Said,)
    grace_s = 5.0

    def on_create(self, options: Mapping[str, object]) -> None:
        self.todo: list[Callable[[], object]] = []
        self.ships: dict[int, Ship] = {}

    def on_join(self, player: Player[Steer]) -> None:
        self.ships[player.id] = self.spawn(Ship(x=10 * player.id), owner=player)

    def on_tick(self) -> None:
        todo, self.todo = self.todo, []
        for act in todo:
            act()


def space(engine: Engine) -> Space:
    assert isinstance(engine.room, Space)
    return engine.room


def change(engine: Engine, **values: object) -> None:
    """Change attributes of the first player's ship at the next tick."""
    for name, value in values.items():
        space(engine).todo.append(partial(setattr, space(engine).ships[1], name, value))


async def test_a_new_player_gets_its_welcome_and_a_full_snapshot_in_one_write(autojump_clock: MockClock) -> None:
    async with running(Space) as engine:
        player = FakePlayer(engine)
        await ticks(engine)
        assert len(player.link.written) == 1
        kinds = [type(message) for message in player.hear()]
        assert kinds == [Welcome, Private, SnapshotMessage]
        assert player.heard(SnapshotMessage)[0].age == 0
        assert_up_to_date(engine, player)
        assert player.held.secrets() == {1: {"ammo": 3, "note": b""}}


async def test_an_idle_tick_sends_nothing_to_anyone(autojump_clock: MockClock) -> None:
    async with running(Space) as engine:
        players = await joined(engine, 3)
        await ticks(engine, HZ - 2)
        assert [player.link.written for player in players] == [[], [], []]


async def test_a_heartbeat_says_once_a_second_which_tick_it_is(autojump_clock: MockClock) -> None:
    async with running(Space) as engine:
        (player,) = await joined(engine)
        await ticks(engine, 10 * HZ)
        beats = player.heard(SnapshotMessage)
        assert len(beats) == 10
        assert not any(beat.delta for beat in beats)
        assert beats[-1].tick > engine.tick - HZ
        assert max(len(payload) for payload in unframe(b"\x82\x05\x93\x02\xcd\x01\x00")) <= 10


async def test_players_who_hold_the_same_get_the_very_same_bytes(autojump_clock: MockClock) -> None:
    async with running(Space) as engine:
        players = await joined(engine, 3)
        space(engine).todo.append(lambda: space(engine).spawn(Rock()))
        await ticks(engine)
        first, *others = [player.link.written for player in players]
        assert len(first) == 1
        assert all(other[0] is first[0] for other in others)


async def test_who_is_lost_is_sent_nothing_and_not_waited_for(autojump_clock: MockClock) -> None:
    async with running(Space) as engine:
        _, lost, _ = await joined(engine, 3)
        lost.drop()
        change(engine, x=1)
        await ticks(engine, 3)
        assert lost.link.written == []
        assert engine.replicator.counts.passed_over == 0


class Tap(Transport):
    """Takes whatever is posted; follows if it has an outbox."""

    def __init__(self, outbox: LinkOutbox | None) -> None:
        self.posted: list[bytes] = []
        self.outbox = outbox
        self.follows = False

    @property
    def last_heard(self) -> float:
        return trio.current_time()

    def close_lane(self) -> None:
        pass

    @property
    def blocked(self) -> bool:
        return False

    def post(self, frames: bytes) -> bool:
        self.posted.append(frames)
        return True

    def follow(self, stand_apart: Callable[[], None]) -> int:
        self.follows = self.outbox is not None
        return -1 if self.outbox is None else self.outbox.number_of(self)

    def unfollow(self) -> None:
        self.follows = False


@pytest.mark.parametrize("follows", [True, False])
async def test_a_connection_that_is_about_to_close_is_sent_no_more_snapshots(
    autojump_clock: MockClock, follows: bool
) -> None:
    async with running(Space) as engine:
        tap = Tap(outbox_of(engine) if follows else None)
        session = Session(tap, lambda message: engine)
        session.on_message(build_join(Join("join", Space.name)))
        await ticks(engine, 2)
        change(engine, x=1)
        await ticks(engine)
        assert len(tap.posted) == 2, "WELCOME, and a snapshot that others are sent as well"
        assert tap.follows == follows
        session.close(CloseCode.KICKED, "Go.")
        change(engine, x=2)
        await ticks(engine, 2)
        assert len(tap.posted) == 2


async def test_a_stalled_client_gets_one_delta_from_what_it_holds(autojump_clock: MockClock) -> None:
    async with running(Space) as engine:
        slow, quick = await joined(engine, 2)
        slow.link.blocked = True
        for step in range(20):
            change(engine, x=step)
            space(engine).todo.append(lambda: space(engine).spawn(Rock()))
            await ticks(engine)
        assert slow.link.written == []
        assert len(quick.heard(SnapshotMessage)) == 20
        slow.link.blocked = False
        await ticks(engine)
        slow.hear()
        assert [message.age for message in slow.heard(SnapshotMessage)] == [21]
        assert_up_to_date(engine, slow, quick)


async def test_clients_that_stalled_alike_share_their_delta(autojump_clock: MockClock) -> None:
    async with running(Space) as engine:
        players = await joined(engine, 3)
        for player in players[:2]:
            player.link.blocked = True
        space(engine).todo.append(lambda: space(engine).spawn(Rock()))
        await ticks(engine, 3)
        for player in players[:2]:
            player.link.blocked = False
        await ticks(engine)
        assert players[0].link.written[0] is players[1].link.written[0]
        assert_up_to_date(engine, *players)


async def test_a_client_that_stalled_longer_than_the_history_gets_a_full_snapshot_with_its_private_values(
    autojump_clock: MockClock,
) -> None:
    async with running(Space) as engine:
        engine.replicator.history = History(max_bytes=3000)
        slow, quick = await joined(engine, 2)
        change(engine, ammo=7)
        await ticks(engine)
        slow.hear()
        slow.link.blocked = True
        for step in range(50):
            change(engine, x=step)
            await ticks(engine)
        slow.link.blocked = False
        await ticks(engine)
        slow.log.clear()
        slow.hear()
        assert [message.age for message in slow.heard(SnapshotMessage)] == [0]
        assert slow.held.secrets() == {1: {"ammo": 7, "note": b""}}
        assert_up_to_date(engine, slow, quick)


async def test_owner_only_values_go_to_the_owner_alone(autojump_clock: MockClock) -> None:
    async with running(Space) as engine:
        owner, other = await joined(engine, 2)
        change(engine, ammo=8)
        await ticks(engine)
        assert other.link.written == []
        (private,) = owner.heard(Private)
        assert (private.owned, private.rows) == (None, [[1, 1, 8]])
        assert_up_to_date(engine, owner, other)


async def test_private_news_in_a_time_without_change_still_comes_with_a_snapshot_of_its_tick(
    autojump_clock: MockClock,
) -> None:
    async with running(Space) as engine:
        (owner,) = await joined(engine)
        for ammo in (8, 7, 6):
            change(engine, ammo=ammo)
            await ticks(engine, 3)
        kinds = [type(message) for message in owner.hear() if not isinstance(message, News)]
        assert kinds == [Private, SnapshotMessage] * 3
        assert_up_to_date(engine, owner)


async def test_private_values_that_are_back_at_their_defaults_are_told(autojump_clock: MockClock) -> None:
    async with running(Space) as engine:
        (owner,) = await joined(engine)
        for ammo in (8, 3):
            change(engine, ammo=ammo)
            await ticks(engine)
            assert_up_to_date(engine, owner)
        assert owner.held.secrets()[1]["ammo"] == 3


async def test_what_a_player_owns_follows_spawns_and_despawns(autojump_clock: MockClock) -> None:
    async with running(Space) as engine:
        owner, other = await joined(engine, 2)
        room = space(engine)
        extra = Ship(x=5, ammo=9)
        room.todo.append(lambda: room.spawn(extra, owner=owner.player))
        await ticks(engine)
        assert_up_to_date(engine, owner, other)
        assert owner.held.owned == {1, 3}
        room.todo.append(lambda: room.despawn(room.ships[1]))
        await ticks(engine)
        assert_up_to_date(engine, owner, other)
        assert owner.held.owned == {3}
        assert other.held.owned == {2}


async def test_checksums_come_every_second_and_a_half_and_are_right(autojump_clock: MockClock) -> None:
    async with running(Space) as engine:
        players = await joined(engine, 2)
        change(engine, ammo=1)
        await ticks(engine, 6 * HZ)
        for player in players:
            assert len(player.heard(Check)) == 4
            assert player.held.checks == 4


async def test_a_resync_brings_a_full_snapshot_with_all_private_values(autojump_clock: MockClock) -> None:
    async with running(Space) as engine:
        player, other = await joined(engine, 2)
        change(engine, note="hi")
        await ticks(engine)
        player.hear()
        player.log.clear()
        engine.resync(player.seat)
        await ticks(engine)
        (snapshot,) = player.heard(SnapshotMessage)
        assert snapshot.age == 0
        assert_up_to_date(engine, player, other)
        assert player.held.secrets() == {1: {"ammo": 3, "note": b"hi"}}
        assert other.heard(SnapshotMessage) == []


async def test_events_come_behind_the_snapshot_of_their_tick(autojump_clock: MockClock) -> None:
    async with running(Space) as engine:
        (player,) = await joined(engine)
        room = space(engine)
        room.todo += [lambda: room.broadcast(Said(what="boo")), lambda: room.spawn(Rock())]
        await ticks(engine)
        assert [type(message) for message in player.hear()] == [SnapshotMessage, EventMessage]


async def test_events_wait_in_order_for_a_stalled_client(autojump_clock: MockClock) -> None:
    async with running(Space) as engine:
        slow, quick = await joined(engine, 2)
        room = space(engine)
        slow.link.blocked = True
        for word in ("a", "b", "c"):
            room.todo.append(partial(room.broadcast, Said(what=word)))
            await ticks(engine)
        slow.link.blocked = False
        await ticks(engine)
        for player in (slow, quick):
            assert [message.values for message in player.heard(EventMessage)] == [(b"a",), (b"b",), (b"c",)]


async def test_a_client_whose_events_pile_up_is_closed_as_too_slow_and_nobody_else(autojump_clock: MockClock) -> None:
    async with running(Space) as engine:
        slow, quick = await joined(engine, 2)
        room = space(engine)
        slow.link.blocked = True

        def shout() -> None:
            for _ in range(100):
                room.broadcast(Said(what="x" * 200))

        for _ in range(4):
            room.todo.append(shout)
            await ticks(engine)
        await ticks(engine)
        assert slow.link.closed is not None
        assert slow.link.closed[0] == 4043
        assert quick.link.closed is None
        assert len(quick.heard(EventMessage)) == 400
        assert [player.id for player in room.players] == [quick.player.id]


async def test_events_reach_all_or_some_or_all_but_one(autojump_clock: MockClock) -> None:
    async with running(Space) as engine:
        players = await joined(engine, 3)
        room = space(engine)
        one, two, three = (player.player for player in players)
        room.todo += [
            lambda: room.broadcast(Said(what="all")),
            lambda: room.broadcast(Said(what="some"), to=[one, two]),
            lambda: room.broadcast(Said(what="but"), but=one),
            lambda: room.broadcast(Said(what="some but"), to=[one, two], but=one),
            lambda: three.send(Said(what="three")),
        ]
        await ticks(engine)
        said = [[message.values[0] for message in player.heard(EventMessage)] for player in players]
        assert said == [[b"all", b"some"], [b"all", b"some", b"but", b"some but"], [b"all", b"but", b"three"]]


async def test_a_room_may_send_a_snapshot_every_few_ticks(autojump_clock: MockClock) -> None:
    class Slowly(Space):
        snapshot_every = 3

    async with running(Slowly) as engine:
        player = FakePlayer(engine)
        await ticks(engine, 30)
        for step in range(30):
            change(engine, x=step + 500)
            await ticks(engine)
        snapshots = player.heard(SnapshotMessage)
        assert {snapshot.tick % 3 for snapshot in snapshots} == {0}
        assert 9 <= len([snapshot for snapshot in snapshots if snapshot.delta]) <= 11
        await ticks(engine, 3)
        assert_up_to_date(engine, player)


async def test_news_of_inputs_come_when_there_is_news(autojump_clock: MockClock) -> None:
    async with running(Space) as engine:
        player, idle = await joined(engine, 2)
        for _ in range(20):
            player.send_input(engine.tick + 3, (1,))
            await ticks(engine)
        news = player.heard(News)
        assert [(item.slack, item.late, item.refused) for item in news] == [(2, 0, 0)]
        player.send_input(1, (1,))
        player.send_input(engine.tick + 100, (1,))
        await ticks(engine, 10)
        assert (player.heard(News)[-1].late, player.heard(News)[-1].refused) == (1, 1)
        assert idle.heard(News) == []


async def test_the_bytes_of_a_full_snapshot_are_counted(autojump_clock: MockClock) -> None:
    async with running(Space) as engine:
        player = FakePlayer(engine)
        await ticks(engine)
        assert engine.replicator.counts.full == 1
        assert engine.replicator.counts.bytes_out == sum(map(len, player.link.written))


async def test_a_resumed_player_hears_of_private_values_that_fell_back_meanwhile(autojump_clock: MockClock) -> None:
    async with running(Space) as engine:
        (player,) = await joined(engine)
        change(engine, ammo=8)
        await ticks(engine)
        assert_up_to_date(engine, player)
        player.drop()
        change(engine, ammo=3)
        await ticks(engine)
        player.resume()
        await ticks(engine)
        assert_up_to_date(engine, player)
        assert player.held.secrets()[1]["ammo"] == 3


@pytest.mark.parametrize("lost", [1, 30])
async def test_a_resumed_player_gets_one_delta_from_the_tick_it_held(autojump_clock: MockClock, lost: int) -> None:
    async with running(Space) as engine:
        player, other = await joined(engine, 2)
        player.drop()
        for step in range(lost):
            change(engine, x=step + 700)
            await ticks(engine)
        player.resume()
        await ticks(engine)
        player.hear()
        assert player.welcome is not None
        assert player.welcome.resumed
        (snapshot,) = player.heard(SnapshotMessage)
        assert snapshot.age > 0
        assert_up_to_date(engine, player, other)


async def test_a_player_that_resumes_from_a_forgotten_tick_gets_a_full_snapshot(autojump_clock: MockClock) -> None:
    async with running(Space) as engine:
        engine.replicator.history = History(max_bytes=3000)
        (player,) = await joined(engine)
        player.drop()
        for step in range(50):
            change(engine, x=step)
            await ticks(engine)
        player.resume()
        await ticks(engine)
        assert [snapshot.age for snapshot in player.heard(SnapshotMessage)] == [0]
        assert_up_to_date(engine, player)


async def test_a_player_that_resumes_from_nothing_or_from_the_future_gets_a_full_snapshot(
    autojump_clock: MockClock,
) -> None:
    async with running(Space) as engine:
        (player,) = await joined(engine)
        for tick in (None, engine.tick + 1000):
            player.drop()
            await ticks(engine)
            player.held.tick = tick
            player.resume()
            player.log.clear()
            await ticks(engine)
            assert [snapshot.age for snapshot in player.heard(SnapshotMessage)] == [0]
            assert_up_to_date(engine, player)


async def test_a_snapshot_is_the_same_whether_one_or_many_get_it(autojump_clock: MockClock) -> None:
    async with running(Space) as engine:
        players = await joined(engine, 8)
        before = engine.replicator.counts
        change(engine, x=999)
        await ticks(engine)
        assert {bytes(player.link.written[0]) for player in players} == {players[0].link.written[0]}
        (payload,) = unframe(players[0].link.written[0])
        assert isinstance(parse_server(payload), SnapshotMessage)
        assert before.snapshots >= 16
