"""What an entity costs on its way from attributes to bytes and back, without sockets."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from statistics import median
from time import perf_counter
from typing import TypeVar

import attrs

from tests.bench.rooms import WORLD, Arena, Avatar, move
from tickwire_shared.applying import apply
from tickwire_shared.delta import diff
from tickwire_shared.reading import TableReader
from tickwire_shared.server_messages import SnapshotMessage, build_snapshot, parse_server
from tickwire_shared.state import WorldState

ResultT = TypeVar("ResultT")

SIZES = (8, 300, 5000)
# Entities handled per size, in all rounds: about a second each.
WORK = 200_000
MIN_ROUNDS = 50


@attrs.frozen
class Micro:
    """Microseconds per entity, the median of many ticks in which every entity moved and turned.

    Attributes:
        entities: How many there were.
        commit_us: Reading and quantising the attributes.
        diff_us: Comparing with the state before.
        encode_us: Packing the delta into a message.
        decode_us: Parsing the message and applying it.
        snapshot_bytes: The message's length.
    """

    entities: int
    commit_us: float
    diff_us: float
    encode_us: float
    decode_us: float
    snapshot_bytes: int

    def to_json(self) -> dict[str, object]:
        """The figures as plain data."""
        return {key: round(value, 4) for key, value in attrs.asdict(self).items()}


def micro(entities: int, work: int = WORK) -> Micro:
    """Measure ticks of ``entities`` moving entities, as many as come to ``work`` entities."""
    table = _Ticker(entities)
    table.tick()
    rounds = [table.tick() for _ in range(max(MIN_ROUNDS, work // entities))]
    commit_us, diff_us, encode_us, decode_us = (median(times) * 1e6 / entities for times in zip(*rounds, strict=True))
    return Micro(entities, commit_us, diff_us, encode_us, decode_us, table.snapshot_bytes)


class _Ticker:
    """A room's replication, by hand."""

    def __init__(self, entities: int) -> None:
        self._random = Random(entities)
        self._avatars = [self._avatar(number + 1) for number in range(entities)]
        self._ids = tuple(avatar.id for avatar in self._avatars)
        self._reader = TableReader(Arena.schema.entities[0])
        self._tick = 0
        self._state = self._held = WorldState.empty(Arena.schema)
        self.snapshot_bytes = 0

    def tick(self) -> tuple[float, float, float, float]:
        """Move everything; return the seconds of commit, diff, encode and decode."""
        for avatar in self._avatars:
            move(avatar, self._random.uniform(-1, 1))
        self._tick += 1
        state, commit_s = _timed(self._commit)
        delta, diff_s = _timed(lambda: diff(self._state, state))
        message, encode_s = _timed(lambda: build_snapshot(self._tick, 1, delta))
        held, decode_s = _timed(lambda: self._decode(message))
        assert held == state, "the decoded state is not the committed one"
        self._state, self._held, self.snapshot_bytes = state, held, len(message)
        return commit_s, diff_s, encode_s, decode_s

    def _commit(self) -> WorldState:
        table, _ = self._reader.read(self._ids, self._avatars, self._state.tables[0])
        return WorldState(Arena.schema, (table,))

    def _decode(self, message: bytes) -> WorldState:
        snapshot = parse_server(message)
        assert isinstance(snapshot, SnapshotMessage)
        return apply(self._held, snapshot.delta)

    def _avatar(self, ident: int) -> Avatar:
        x, y, heading = (self._random.random() for _ in range(3))
        avatar = Avatar(x=x * WORLD, y=y * WORLD, heading=heading)
        avatar.id = ident
        return avatar


def _timed(call: Callable[[], ResultT]) -> tuple[ResultT, float]:
    begin = perf_counter()
    value = call()
    return value, perf_counter() - begin
