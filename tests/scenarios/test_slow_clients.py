"""Clients that stop reading, or can't keep up: nobody else notices, nothing piles up, and they are current at once."""

from __future__ import annotations

from contextlib import suppress

import attrs
import trio
from trio.testing import MockClock

from tests.server.frames import Op
from tests.server.held import Held
from tests.server.kit import FakeLink
from tests.server.raw_client import Closed, RawClient
from tickwire.connection import Session
from tickwire.engine import Engine
from tickwire.event_queue import MAX_QUEUE_BYTES
from tickwire.room import Room
from tickwire.seat import Seat
from tickwire.testing import Link, World
from tickwire_client.client import Game
from tickwire_shared.client_messages import Join, build_ping
from tickwire_shared.closing import CloseCode
from tickwire_shared.declare import Entity, Event, entity, event, integer, text
from tickwire_shared.server_messages import SnapshotMessage, Welcome, parse_server
from tickwire_shared.state import checksum

HZ = 20
OTHERS = 90
STALLED = 10
STALL_S = 30.0
HELD_BYTES = 64 << 10
"""What a stalled client may cost the server."""


@entity
class Rock(Entity):
    x: int = integer(0, 1 << 20, default=0)


@event
class Said(Event):
    words: str = text(max_bytes=200)


@event(policy="latest")
class Score(Event):
    points: int = integer(0, 1 << 30)


@event(policy="drop")
class Spark(Event):
    x: int = integer(0, 1 << 20)


class Quarry(Room[None]):
    """Rocks that move in every tick, and much to say about it."""

    hz = HZ
    max_players = OTHERS + STALLED
    grace_s = STALL_S  # the history reaches beyond that, so that the stalled are sent a delta
    entities = (Rock,)
    events = (Said, Score, Spark)

    def on_create(self, options: object) -> None:
        self.rocks = [self.spawn(Rock()) for _ in range(40)]

    def on_tick(self) -> None:
        for number, rock in enumerate(self.rocks):
            rock.x += number
        self.broadcast(Score(points=self.tick))
        self.broadcast(Spark(x=self.tick))
        if self.tick % HZ == 0:
            self.broadcast(Said(words="x" * 200))


@attrs.define(eq=False)
class Watch(FakeLink):
    """A player who keeps up, and notes when something came."""

    times: list[float] = attrs.field(factory=list[float])

    def post(self, frames: bytes) -> bool:
        self.times.append(trio.current_time())
        return True

    @property
    def intervals(self) -> set[float]:
        return {round(later - time, 6) for time, later in zip(self.times, self.times[1:], strict=False)}


@attrs.define(eq=False)
class Sleeper:
    """A player who stops reading, and whose pings go on. It takes in what it reads by the letter of the protocol."""

    client: RawClient
    held: Held
    welcome: Welcome
    reading: trio.Event = attrs.field(factory=trio.Event)
    snapshots: int = 0
    full: int = 0
    ended: Closed | None = None

    @classmethod
    async def join(cls, world: World, nursery: trio.Nursery) -> Sleeper:
        client = RawClient(world.open_narrow_stream())
        await client.open()
        welcome = await client.join(Join("join_or_create", "quarry"))
        sleeper = cls(client, Held(world.rooms[0].schema), welcome)
        sleeper.reading.set()
        nursery.start_soon(sleeper._ping)
        nursery.start_soon(sleeper._read)
        return sleeper

    def seat(self, engine: Engine) -> Seat:
        return engine._seats[self.welcome.player]  # pyright: ignore[reportPrivateUsage]

    async def _ping(self) -> None:
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            while True:
                await self.client.send(build_ping(0.0))
                await trio.sleep(1.0)

    async def _read(self) -> None:
        while True:
            await self.reading.wait()
            said = await self.client.next()
            if said.op is Op.CLOSE:
                self.ended = Closed(said.close_code, said.close_reason)
                return
            message = parse_server(said.payload)
            self.held.take(message)
            if isinstance(message, SnapshotMessage):
                self.snapshots += 1
                self.full += message.age == 0


def held_bytes(seat: Seat) -> int:
    """What waits for a player anywhere in the server."""
    link = seat.link
    assert isinstance(link, Session)
    return link.waiting_bytes + seat.events.size_bytes + sum(map(len, seat.control.values()))


async def test_ten_of_a_hundred_players_stop_reading_and_the_others_do_not_notice(autojump_clock: MockClock) -> None:
    async with World(Quarry) as world, trio.open_nursery() as nursery:
        sleepers = [await Sleeper.join(world, nursery) for _ in range(STALLED)]
        (engine,) = world.lobby.rooms
        others = [Watch() for _ in range(OTHERS)]
        for link in others:
            engine.reserve({}, link)
        await trio.sleep(5.0)
        snapshots = engine.replicator.counts.snapshots
        for sleeper in sleepers:
            sleeper.reading = trio.Event()
        most = 0
        for _ in range(round(STALL_S)):
            await trio.sleep(1.0)
            most = max([most, *(held_bytes(sleeper.seat(engine)) for sleeper in sleepers)])
        assert 0 < most <= HELD_BYTES
        stalled_at = [sleeper.held.tick or 0 for sleeper in sleepers]
        assert engine.tick - min(stalled_at) >= (STALL_S - 1) * HZ
        # All that the sleepers were sent in this time is what their lines held.
        assert engine.replicator.counts.snapshots - snapshots <= OTHERS * (STALL_S * HZ + 1) + 3 * STALLED

        before = [sleeper.snapshots for sleeper in sleepers]
        for sleeper in sleepers:
            sleeper.reading.set()
        await world.ticks(2)
        truth = checksum(engine.replicator.state)
        for sleeper, told in zip(sleepers, before, strict=True):
            assert sleeper.held.tick == engine.tick
            assert checksum(sleeper.held.state) == truth
            # What was under way, one delta over all that was missed, and one for each of two ticks.
            assert sleeper.snapshots - told <= 4
            assert (sleeper.full, sleeper.ended) == (1, None)
        assert {interval for link in others for interval in link.intervals} == {1 / HZ}
        nursery.cancel_scope.cancel()


async def age_of_what_is_shown(game: Game, engine: Engine, seconds: float) -> list[float]:
    """Look often, and return how old in seconds the newest state was each time."""
    ages: list[float] = []
    for _ in range(round(seconds * 50)):
        await trio.sleep(0.02)
        ages.append((engine.tick - game.tick) / engine.room_type.hz)
    return ages


@entity
class Leaf(Entity):
    x: int = integer(0, 1 << 20, default=0)


class River(Room[None]):
    """A stream of some 20 kB/s, in steps that are small."""

    hz = 60
    entities = (Leaf,)

    def on_create(self, options: object) -> None:
        self.leaves = [self.spawn(Leaf()) for _ in range(310)]

    def on_tick(self) -> None:
        for leaf in self.leaves:
            leaf.x += 1 + self.random.randrange(20)


async def test_a_line_of_a_tenth_of_the_stream_shows_the_newest_state_less_than_a_second_old(
    autojump_clock: MockClock,
) -> None:
    async with World(River) as world:
        wide = await world.join("river")
        narrow = await world.join("river", link=Link(bytes_per_second=2000))
        (engine,) = world.lobby.rooms
        await trio.sleep(3.0)
        received = wide.stats.bytes_received
        ages = await age_of_what_is_shown(narrow, engine, 10.0)
        stream = (wide.stats.bytes_received - received) / 10
        assert 18_000 < stream < 25_000, stream
        assert max(ages) < 1.0
        assert (narrow.stats.disconnects, narrow.stats.full_snapshots) == (0, 1)
        assert narrow.stats.snapshots < wide.stats.snapshots / 10


async def test_who_must_be_told_more_than_fits_is_too_slow_and_nobody_else_is(autojump_clock: MockClock) -> None:
    class Chatty(Quarry):
        name = "quarry"

        def on_tick(self) -> None:
            super().on_tick()
            for _ in range(5):
                self.broadcast(Said(words="x" * 200))

    async with World(Chatty) as world, trio.open_nursery() as nursery:
        ada = await world.join("quarry")
        sleeper = await Sleeper.join(world, nursery)
        await trio.sleep(1.0)
        (engine,) = world.lobby.rooms
        sleeper.reading = trio.Event()
        fits_s = MAX_QUEUE_BYTES / (5 * HZ * 210)
        await trio.sleep(fits_s / 2)
        assert engine.seats_taken == 2
        await trio.sleep(fits_s)
        assert engine.seats_taken == 1
        assert ada.tick == engine.tick
        sleeper.reading.set()
        await trio.sleep(1.0)
        assert sleeper.ended == Closed(CloseCode.TOO_SLOW, "The connection is too slow for this room.")
        nursery.cancel_scope.cancel()
