"""What clients that stop reading cost the others, and the server: ``python -m tests.bench.stalls [SECONDS]``.

Ninety bots play in a room with ten more connections. In the first run those read all the time; in the second they stop
reading for the time that is measured, and then go on. Everything is real: processes, sockets, time.
"""

from __future__ import annotations

import socket
import sys
from contextlib import suppress
from itertools import pairwise

import attrs
import trio

from tests.bench.rooms import Arena
from tests.bench.served import Server, served
from tests.server.frames import Op
from tests.server.held import Held
from tests.server.raw_client import RawClient
from tickwire_client.swarm import run_swarm
from tickwire_client.swarm_report import SwarmReport
from tickwire_shared.client_messages import Join, build_ping
from tickwire_shared.server_messages import SnapshotMessage, parse_server
from tickwire_shared.ticks import tick_distance

OTHERS = 90
STALLED = 10
SECONDS = 30.0
RECEIVE_BUFFER_BYTES = 8192
"""Little: what lies in a stalled client's own buffers is no news when it goes on."""
SETTLE_S = 3.0
GO_ON_S = 4.0


@attrs.define(eq=False)
class Sleeper:
    """A client that stops reading now and then; by the letter of the protocol, so that what it gets has to fit.

    Attributes:
        ticks: Of the snapshots that it read.
    """

    client: RawClient
    held: Held
    reading: trio.Event = attrs.field(factory=trio.Event)
    ticks: list[int] = attrs.field(factory=list[int])

    @classmethod
    async def join(cls, port: int) -> Sleeper:
        """Join the room."""
        plain = trio.socket.socket()
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        await plain.connect(("127.0.0.1", port))
        client = RawClient(trio.SocketStream(plain))
        await client.open()
        await client.join(Join("join_or_create", "arena"))
        sleeper = cls(client, Held(Arena.schema))
        sleeper.reading.set()
        return sleeper

    async def read(self) -> None:
        """Read, while that is wanted, until cancelled."""
        while True:
            await self.reading.wait()
            said = await self.client.next()
            assert said.op is not Op.CLOSE, said
            if said.op is Op.BINARY:
                message = parse_server(said.payload)
                self.held.take(message)
                if isinstance(message, SnapshotMessage):
                    self.ticks.append(message.tick)

    async def ping(self) -> None:
        """Stay alive, as a page does that doesn't come to read."""
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            while True:
                await self.client.send(build_ping(0.0))
                await trio.sleep(1.0)


@attrs.frozen
class Outcome:
    """What came of a run.

    Attributes:
        others: What the bots saw.
        grown_bytes: By how much the server's memory grew meanwhile.
        snapshots_behind: For each sleeper, how many snapshots it read behind the gap until it was current.
        checks: Checksums of the server's that the sleepers compared after they had gone on; a wrong one fails.
    """

    others: SwarmReport
    grown_bytes: int
    snapshots_behind: list[int]
    checks: int


def main() -> None:
    """Measure with and without stalls, and print both."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    runs: list[Outcome] = []
    for stall in (False, True):
        with served(3 * seconds, players=OTHERS + STALLED) as server:
            runs.append(trio.run(measure, server, seconds, stall))
    calm, stalled = runs
    extra = (stalled.grown_bytes - calm.grown_bytes) / STALLED
    lines = [
        f"{OTHERS} players, {STALLED} more that read: {_intervals(calm)}",
        f"{OTHERS} players, {STALLED} more that don't: {_intervals(stalled)}",
        f"server memory per stalled client: {extra / 1024:+.1f} KB",
        f"snapshots behind the gap until a stalled client was current: {stalled.snapshots_behind}",
        f"checksums that they compared after that: {stalled.checks}, all right",
    ]
    sys.stdout.write("\n".join(lines) + "\n")


def _intervals(outcome: Outcome) -> str:
    seen = outcome.others
    return f"snapshot interval p50 {seen.interval_p50_ms:.1f} ms, p99 {seen.interval_p99_ms:.1f} ms"


async def measure(server: Server, seconds: float, stall: bool) -> Outcome:
    """Let all play for a while, and the sleepers go on for a little longer."""
    async with trio.open_nursery() as nursery:
        sleepers = [await Sleeper.join(server.port) for _ in range(STALLED)]
        for sleeper in sleepers:
            nursery.start_soon(sleeper.read)
            nursery.start_soon(sleeper.ping)
        await trio.sleep(SETTLE_S)
        before = server.resident_bytes()
        for sleeper in sleepers if stall else ():
            sleeper.reading = trio.Event()
        others = await run_swarm(f"ws://127.0.0.1:{server.port}", "arena", OTHERS, seconds)
        grown = server.resident_bytes() - before
        read, checks = [len(sleeper.ticks) for sleeper in sleepers], sum(sleeper.held.checks for sleeper in sleepers)
        for sleeper in sleepers:
            sleeper.reading.set()
        await trio.sleep(GO_ON_S)
        nursery.cancel_scope.cancel()
    behind = [_behind_the_gap(sleeper.ticks[count:]) for sleeper, count in zip(sleepers, read, strict=True)]
    return Outcome(others, grown, behind, sum(sleeper.held.checks for sleeper in sleepers) - checks)


def _behind_the_gap(ticks: list[int]) -> int:
    """Count the snapshots from the widest gap on until they come one tick after the other."""
    gaps = [tick_distance(after, before) for before, after in pairwise(ticks)]
    at = gaps.index(max(gaps))
    return 1 + next(number for number, gap in enumerate(gaps[at + 1 :]) if gap == 1)


if __name__ == "__main__":
    main()
