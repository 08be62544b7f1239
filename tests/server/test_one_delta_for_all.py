"""Rooms without private values take a shorter way: one delta for all from the first seat on."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from trio.testing import MockClock

from tests.server.kit import assert_up_to_date, joined, running, ticks
from tickwire.engine import Engine
from tickwire.framing import build_frame
from tickwire.player import Player
from tickwire.room import Room
from tickwire_shared.declare import Entity, entity, integer
from tickwire_shared.delta import Delta, diff
from tickwire_shared.server_messages import Check, Private, SnapshotMessage, build_load
from tickwire_shared.state import WorldState

HZ = 20


@entity
class Buoy(Entity):
    x: int = integer(0, 1000, default=0)


class Harbour(Room[None]):
    hz = HZ
    entities = (Buoy,)

    def on_create(self, options: Mapping[str, object]) -> None:
        self.wind = 0

    def on_join(self, player: Player[None]) -> None:
        self.buoy = self.spawn(Buoy(), owner=player)

    def on_tick(self) -> None:
        self.buoy.x += self.wind
        self.wind = 0


class Diffs:
    """Counts the deltas that are made."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        monkeypatch.setattr("tickwire.replication.diff", self.diff)

    def diff(self, base: WorldState, new: WorldState) -> Delta:
        self.count += 1
        return diff(base, new)


def sail(engine: Engine) -> None:
    """Move the last player's buoy at the next tick."""
    assert isinstance(engine.room, Harbour)
    engine.room.wind = 1


async def test_one_delta_is_made_for_all_and_none_for_nobody(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(Harbour) as engine:
        players = await joined(engine, 3)
        diffs = Diffs(monkeypatch)
        for step in range(1, 11):
            sail(engine)
            players[0].seat.say("load", build_frame(build_load(0, 1)))  # something for this player alone
            await ticks(engine)
            assert diffs.count == step
        await ticks(engine, HZ)
        assert diffs.count <= 11, "but for the heartbeat nothing is to be said"
        for player in players:
            player.link.blocked = True
        for _ in range(10):
            sail(engine)
            await ticks(engine)
        assert diffs.count <= 12, "the first of these ticks can't know it"
        for player in players:
            player.link.blocked = False
        await ticks(engine)
        assert_up_to_date(engine, *players)


async def test_all_are_told_the_checksum(autojump_clock: MockClock) -> None:
    async with running(Harbour) as engine:
        players = await joined(engine, 2)
        for _ in range(4 * HZ):
            sail(engine)
            await ticks(engine)
        assert_up_to_date(engine, *players)
        for player in players:
            assert len(player.heard(Check)) in (2, 3)
            assert len(player.heard(SnapshotMessage)) == 4 * HZ


async def test_who_holds_a_version_that_is_forgotten_at_once_is_told_all_and_what_it_owns(
    autojump_clock: MockClock,
) -> None:
    async with running(Harbour) as engine:
        players = await joined(engine, 2)
        for _ in range(2):
            sail(engine)
            await ticks(engine)
        engine.replicator.history.max_bytes = 0
        for _ in range(5):
            sail(engine)
            await ticks(engine)
            assert_up_to_date(engine, *players)
        for player in players:
            assert [message.age for message in player.heard(SnapshotMessage)] == [1, 1, 0, 0, 0, 0, 0]
            assert len(player.heard(Private)) == 5


async def test_a_room_that_sends_every_third_tick_makes_one_delta_for_all(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(Harbour) as engine:
        players = await joined(engine, 3)
        engine.every = 3
        diffs = Diffs(monkeypatch)
        for _ in range(30):
            sail(engine)
            await ticks(engine)
        assert diffs.count == 10
        engine.every = 1
        await ticks(engine, 2)
        assert_up_to_date(engine, *players)
