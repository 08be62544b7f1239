"""Connections opened and dropped at random, in every state and every way, and what is left of them: nothing.

``python -m tests.scenarios.churn`` (with ``server``, ``shared`` and ``client_demo`` on the path) drops 5,000 in 60 s.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import socket
import struct
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

import attrs
import trio

from tests.server.raw_client import UPGRADE, RawClient
from tickwire.connection import Session
from tickwire.engine import Engine
from tickwire.logs import LogLevel, configure_logs
from tickwire.room import Room
from tickwire.seat import Seat
from tickwire.server import Running, serve
from tickwire.transport import Transport
from tickwire_shared.client_messages import Join, build_join, build_leave
from tickwire_shared.declare import Entity, entity, integer

GRACE_S = 0.2
SETTLE_S = 20.0
AT_ONCE = 64
MOST_GROWTH = 1.05
"""Of memory from the first round's end to the last one's: what Python keeps for the next round is not to grow."""
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
KINDS = (Transport, Session, Seat, Engine)


@entity
class Ghost(Entity):
    x: int = integer(0, 1 << 20, default=0)


class House(Room[None]):
    """Is soon empty, and then gone."""

    hz = 20
    max_players = 8
    grace_s = GRACE_S
    entities = (Ghost,)

    def on_join(self, player: object) -> None:
        self.spawn(Ghost())

    def on_tick(self) -> None:
        for ghost in self.all(Ghost):
            ghost.x += 1


@attrs.frozen
class Footprint:
    """What the process holds.

    Attributes:
        descriptors: Open files and sockets.
        tasks: Tasks of trio.
        objects: Connections, sessions, seats and rooms that are still there.
        resident_bytes: Memory.
    """

    descriptors: int
    tasks: int
    objects: dict[str, int]
    resident_bytes: int

    def is_no_more_than(self, before: Footprint) -> bool:
        """Whether nothing is left of what came after ``before``; memory aside, which Python keeps for the next."""
        return self.descriptors <= before.descriptors and self.tasks <= before.tasks and not self.objects

    @classmethod
    def now(cls) -> Footprint:
        gc.collect()
        kinds = Counter(type(item).__name__ for item in gc.get_objects() if isinstance(item, KINDS))
        with open("/proc/self/statm") as statm:
            pages = int(statm.read().split()[1])
        tasks = trio.lowlevel.current_statistics().tasks_living
        return cls(len(os.listdir("/proc/self/fd")), tasks, dict(kinds), pages * PAGE_BYTES)


async def vanish(stream: trio.SocketStream, rng: random.Random) -> None:
    """Close orderly, or with a reset."""
    if rng.random() < 0.5:
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    await trio.aclose_forcefully(stream)


async def say_nothing(stream: trio.SocketStream, rng: random.Random) -> None:
    await trio.sleep(rng.random() * 0.1)


async def break_off_the_request(stream: trio.SocketStream, rng: random.Random) -> None:
    await stream.send_all(UPGRADE[: rng.randrange(len(UPGRADE))])


async def open_only(stream: trio.SocketStream, rng: random.Random) -> None:
    await RawClient(stream).open()


async def join_unheard(stream: trio.SocketStream, rng: random.Random) -> None:
    client = RawClient(stream)
    await client.open()
    await client.send(build_join(Join("join_or_create", "house")))


async def play_a_little(stream: trio.SocketStream, rng: random.Random) -> None:
    client = RawClient(stream)
    await client.open()
    await client.join(Join("join_or_create", "house"))
    for _ in range(rng.randrange(5)):
        await client.next()


async def break_off_a_frame(stream: trio.SocketStream, rng: random.Random) -> None:
    await play_a_little(stream, rng)
    await stream.send_all(b"\x82\x8a\x01\x02\x03"[: rng.randrange(1, 6)])


async def leave(stream: trio.SocketStream, rng: random.Random) -> None:
    await play_a_little(stream, rng)
    await RawClient(stream).send(build_leave())


FATES: tuple[Callable[[trio.SocketStream, random.Random], Awaitable[None]], ...] = (
    say_nothing,
    break_off_the_request,
    open_only,
    join_unheard,
    play_a_little,
    break_off_a_frame,
    leave,
)


async def visit(running: Running, rng: random.Random, slots: trio.CapacityLimiter) -> None:
    """Come, and go in some way."""
    async with slots:
        stream = await trio.open_tcp_stream(running.host, running.port)
        with suppress(trio.BrokenResourceError):
            await rng.choice(FATES)(stream, rng)
        await vanish(stream, rng)


async def count_rooms(running: Running) -> int:
    """How many rooms the server says that it has."""
    async with await trio.open_tcp_stream(running.host, running.port) as stream:
        await stream.send_all(b"GET /rooms HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = b"".join([bytes(data) async for data in stream])
    return len(json.loads(answer.partition(b"\r\n\r\n")[2])["rooms"])


async def churn(connections: int, seconds: float, seed: int = 0, rounds: int = 1) -> list[Footprint]:
    """Let so many come and go in so much time; return what the server held before, and what after each round."""
    rng = random.Random(seed)
    slots = trio.CapacityLimiter(AT_ONCE)
    async with trio.open_nursery() as nursery:
        running: Running = await nursery.start(partial(serve, [House], port=0))
        await count_rooms(running)
        await trio.sleep(0.05)  # its own connection is to be gone
        held = [Footprint.now()]
        for _ in range(rounds):
            async with trio.open_nursery() as visitors:
                for _ in range(connections):
                    visitors.start_soon(visit, running, random.Random(rng.random()), slots)
                    await trio.sleep(rng.random() * 2 * seconds / connections)
            with trio.move_on_after(SETTLE_S):
                while await count_rooms(running):  # noqa: ASYNC110 - what a server says
                    await trio.sleep(0.05)
                while trio.lowlevel.current_statistics().tasks_living > held[0].tasks:  # noqa: ASYNC110 - sockets close by themselves
                    await trio.sleep(0.05)
            held.append(Footprint.now())
        nursery.cancel_scope.cancel()
    return held


def main() -> int:
    """Churn as the command line says; the exit status is 1 when something is left."""
    parser = argparse.ArgumentParser(prog="python -m tests.scenarios.churn", description=__doc__)
    parser.add_argument("--connections", type=int, default=5000)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rounds", type=int, default=1, help="what the second leaves behind, the first one left")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    configure_logs(LogLevel.WARNING)
    held = trio.run(churn, arguments.connections, arguments.seconds, arguments.seed, arguments.rounds)
    for number, footprint in enumerate(held):
        sys.stdout.write(f"{f'after round {number}' if number else 'before'}: {footprint}\n")
    memory_stays = held[-1].resident_bytes < MOST_GROWTH * held[1].resident_bytes
    return int(not (memory_stays and all(after.is_no_more_than(held[0]) for after in held[1:])))


if __name__ == "__main__":
    sys.exit(main())
