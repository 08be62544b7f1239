"""Random bytes and mutated messages: only the project's own error comes out, and a live room goes on.

``TICKWIRE_FUZZ=1000000`` runs longer than the checks: they try 100,000 of each kind, on decoders and through a room.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from random import Random
from typing import cast

import pytest
import structlog
from trio.testing import MockClock

from tests.vectors.make import make_vectors
from tickwire import Entity, Event, Input, Player, Room, entity, event, inputs, integer, quantized, text
from tickwire.board import InputBoard
from tickwire.connection import Session, Surroundings
from tickwire.logs import LogLevel, configure_logs
from tickwire.testing import World
from tickwire.transport import Transport
from tickwire_shared.applying import apply
from tickwire_shared.client_messages import (
    Join,
    Resume,
    View,
    build_input,
    build_join,
    build_leave,
    build_ping,
    build_resume,
    build_resync,
    build_view,
    parse_client,
)
from tickwire_shared.closing import CloseCode
from tickwire_shared.errors import ProtocolError
from tickwire_shared.event_messages import build_event
from tickwire_shared.packing import unpack
from tickwire_shared.schema import Schema
from tickwire_shared.server_messages import SnapshotMessage, parse_server
from tickwire_shared.state import WorldState

COUNT = int(os.environ.get("TICKWIRE_FUZZ", "100000"))
SEED = 5
LIVES_FOR = 50
"""After so many messages at most a session ends, though none of them was bad."""


@entity
class Ship(Entity):
    x: float = quantized(0, 100, step=1 / 64)


@inputs
class Steer(Input):
    turn: int = integer(-1, 1, default=0)


@event(client=True)
class Chat(Event):
    text: str = text(max_bytes=40)


class Sea(Room[Steer]):
    max_players = 1000
    entities = (Ship,)
    events = (Chat,)

    def on_join(self, player: Player[Steer]) -> None:
        self.spawn(Ship(x=1.0), owner=player)

    def on_tick(self) -> None:
        for ship in self.all(Ship):
            ship.x = (ship.x + 0.5) % 100


class Deaf(Transport):
    """A transport that takes nothing: what is tested is what the session makes of what it is sent."""

    def __init__(self) -> None:
        """Have nothing of a transport."""

    @property
    def last_heard(self) -> float:
        return 0.0

    @property
    def blocked(self) -> bool:
        return True

    def open_lane(self, board: InputBoard, column: int) -> None:
        pass

    def close_lane(self) -> None:
        pass

    def write_nowait(self, frames: bytes) -> bool:
        return False


CLIENT_MESSAGES = (
    build_join(Join("join_or_create", "sea", None, {"name": "Ada", "list": [1, 2.5, None]})),
    build_resume(Resume("abc", "token", 7)),
    build_input(5, [1, 0, -1]),
    build_event(0, [b"hello"]),
    build_ping(12.5),
    build_leave(),
    build_resync(9),
    build_view(View(1.5, 130)),
)


JOIN = build_join(Join("join", "sea"))
SURROUNDINGS = Surroundings()


def random_bytes(random: Random, count: int) -> Iterator[bytes]:
    for _ in range(count):
        yield random.randbytes(random.randrange(40))


def mutations(random: Random, messages: tuple[bytes, ...], count: int) -> Iterator[bytes]:
    """Valid messages with bytes changed, cut out, doubled or put in."""
    for _ in range(count):
        raw = bytearray(random.choice(messages))
        for _ in range(random.randint(1, 3)):
            at = random.randrange(len(raw) + 1)
            match random.randrange(4):
                case 0:
                    raw[at : at + 1] = random.randbytes(1)
                case 1:
                    del raw[at : at + random.randrange(4)]
                case 2:
                    raw[at:at] = raw[at : at + random.randrange(8)]
                case _:
                    raw[at:at] = random.randbytes(random.randrange(3))
        yield bytes(raw)


def test_the_decoder_of_client_messages_raises_only_protocol_errors() -> None:
    random = Random(SEED)
    refused = 0
    for data in (*random_bytes(random, COUNT), *mutations(random, CLIENT_MESSAGES, COUNT)):
        try:
            parse_client(data)
        except ProtocolError:
            refused += 1
    assert COUNT < refused < 2 * COUNT, "most are refused, and some mutations are still messages"


def test_the_decoder_of_server_messages_raises_only_protocol_errors() -> None:
    random = Random(SEED)
    vector = make_vectors(SEED, 1)[0]
    schema = Schema.parse(unpack(bytes.fromhex(str(vector["schema"])), max_bytes=1 << 20))
    steps = cast("list[dict[str, str]]", vector["steps"])
    messages = tuple(sorted((bytes.fromhex(step["message"]) for step in steps), key=len)[: len(steps) * 3 // 4])
    state, applied, refused = WorldState.empty(schema), 0, 0
    for data in (*random_bytes(random, COUNT), *mutations(random, messages, COUNT)):
        try:
            message = parse_server(data)
            if isinstance(message, SnapshotMessage):
                apply(state, message.delta)
                applied += 1
        except ProtocolError:
            refused += 1
    assert refused > COUNT
    assert applied > 0, "some mutations still apply"


@pytest.fixture
def quiet() -> Iterator[None]:
    """A line for each bad message is for people, not for 100,000 of them."""
    configure_logs(LogLevel.ERROR)
    yield
    structlog.reset_defaults()


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("kind", ["random", "mutated"])
async def test_a_live_room_outlives_whatever_its_clients_send(kind: str, autojump_clock: MockClock) -> None:
    random = Random(SEED)
    count = COUNT
    data = random_bytes(random, count) if kind == "random" else mutations(random, CLIENT_MESSAGES, count)
    closed, codes = 0, frozenset(CloseCode)
    # Most random bytes are no message at all: a player's connection has little more to try on them than a stranger's.
    strangers = {0} if kind == "mutated" else {0, 1, 2}
    async with World(Sea) as world:
        witness = await world.join("sea")
        session = connected(world, joined=True)
        for number, payload in enumerate(data):
            session.on_message(payload)
            if session.closing is not None:
                assert session.closing[0] in codes
                closed += 1
            if session.closing is not None or number % LIVES_FOR == 0:
                session.ended(1000)
                session = connected(world, joined=number % 4 not in strangers)
            if number % 200 == 0:
                await world.ticks(1)
        session.ended(1000)
        before = witness.tick
        await world.ticks(5)
        assert witness.tick >= before + 5
        assert len(witness.all("Ship")) == 1, "nobody else is left"
        assert witness.stats.state_mismatches == witness.stats.disconnects == 0
    assert closed > count // 2


def connected(world: World, *, joined: bool) -> Session:
    """A session that has joined the room, or one that has said nothing yet."""
    session = Session(Deaf(), world.lobby.find, SURROUNDINGS)
    if joined:
        session.on_message(JOIN)
        session.admitted()
        assert session.closing is None
    return session
