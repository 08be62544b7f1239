"""How late the ticks of a room are while somebody floods its server: ``python -m tests.bench.floods [SECONDS]``.

Eight bots play in the room. Each kind of flood comes from ``OFFENDERS`` connections at once, which come back as soon as
they are thrown out. They send through a proxy that says they all have one address, as an attack by one machine has; the
last flood says that each connection has an address of its own. Lateness is measured in the server's process.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress

import attrs
import trio

from tests.bench.served import Server, served
from tests.server.frames import Op, frame
from tests.server.raw_client import UPGRADE
from tickwire_client.swarm import run_swarm
from tickwire_shared.client_messages import Join, build_input, build_join, build_ping
from tickwire_shared.packing import pack

OFFENDERS = 20
PLAYERS = 8
SECONDS = 6.0
SETTLE_S = 1.5

JOIN = frame(Op.BINARY, build_join(Join("join_or_create", "arena")))
NESTED = frame(Op.BINARY, b"\x91" * 4000)
GIANT = frame(Op.BINARY, b"\xdd\xff\xff\xff\xff" + bytes(4000))


@attrs.frozen
class Flood:
    """What an offender sends again and again, behind ``first``; nothing at all when ``again`` is empty."""

    first: bytes
    again: bytes
    upgrades: bool = True


FLOODS: Mapping[str, Flood] = {
    "nobody": Flood(b"", b""),
    "messages": Flood(JOIN, frame(Op.BINARY, build_ping(1.0)) * 200),
    "inputs": Flood(JOIN, frame(Op.BINARY, build_input(1, [8, 0])) * 200),
    "WebSocket pings": Flood(JOIN, frame(Op.PING) * 500),
    "fragments": Flood(JOIN + frame(Op.BINARY, final=False), frame(Op.CONTINUATION, final=False) * 500),
    "large messages": Flood(JOIN, frame(Op.PONG, bytes(125)) * 100),
    "giant and nested msgpack": Flood(GIANT, NESTED),
    "compressed frames": Flood(JOIN, frame(Op.BINARY, pack([5, 1.0]), reserved=4) * 100),
    "joins, each address its own": Flood(JOIN, b""),
    "joins of one address": Flood(JOIN, b""),
    "slow headers": Flood(b"GET /ws HTTP/1.1\r\n", b"X: y\r\n", upgrades=False),
}


def main() -> None:
    """Measure, and print a table."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    _say(f"{'flood':30}{'p50 ms':>8}{'p99 ms':>8}{'max ms':>8}  tries, and how they ended")
    for name, flood in FLOODS.items():
        with served(seconds, players=64) as server:
            late, ends = trio.run(measure, server, flood, name.startswith("joins,"), seconds)
        told = ", ".join(f"{count} {end}" for end, count in ends.most_common(5))
        _say(f"{name:30}{late['p50']:8.2f}{late['p99']:8.2f}{late['max']:8.1f}  {told}")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def measure(
    server: Server, flood: Flood, own_addresses: bool, seconds: float
) -> tuple[Mapping[str, float], Counter[str]]:
    """Flood a server for a while; return how late its ticks were, in ms, and how the connections ended."""
    ends: Counter[str] = Counter()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(run_swarm, f"ws://127.0.0.1:{server.port}", "arena", PLAYERS, float("inf"))
        await trio.sleep(SETTLE_S)
        server.tell("reset")
        for number in range(OFFENDERS if flood.first else 0):
            addresses = _addresses(number) if own_addresses else lambda: "203.0.113.9"
            nursery.start_soon(_offend, server.port, flood, addresses, ends)
        await trio.sleep(seconds)
        server.tell("report")
        report = json.loads(await trio.to_thread.run_sync(server.output.readline))
        nursery.cancel_scope.cancel()
    return report["tick_lateness_ms"], ends


def _addresses(number: int) -> Callable[[], str]:
    count = 0

    def next_one() -> str:
        nonlocal count
        count += 1
        return f"10.{number}.{count >> 8 & 255}.{count & 255}"

    return next_one


async def _offend(port: int, flood: Flood, address: Callable[[], str], ends: Counter[str]) -> None:
    while True:
        ends[await _try_once(port, flood, address())] += 1


async def _try_once(port: int, flood: Flood, address: str) -> str:
    try:
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
            if not flood.upgrades:
                return await _pour(stream, flood)
            await stream.send_all(UPGRADE[:-2] + f"X-Forwarded-For: {address}\r\n\r\n".encode())
            head = bytes(await stream.receive_some())
            status = head.split(b" ")[1].decode() if head else "nothing"
            return await _pour(stream, flood) if status == "101" else f"x HTTP {status}"
    except OSError:
        return "x reset"


async def _pour(stream: trio.SocketStream, flood: Flood) -> str:
    """Send until the server has closed; say how it did."""
    said = bytearray()

    async def send() -> None:
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            await stream.send_all(flood.first)
            while flood.again:
                await stream.send_all(flood.again)
                if not flood.upgrades:
                    await trio.sleep(0.5)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(send)
        with suppress(trio.BrokenResourceError):
            while data := await stream.receive_some():
                said[:] = (said + data)[-256:]
                if not flood.again and flood.upgrades:  # it has joined, and goes
                    break
        nursery.cancel_scope.cancel()
    at = said.rfind(b"\x88")
    code = int.from_bytes(said[at + 2 : at + 4], "big") if at >= 0 else 0
    return f"x close {code}" if 1000 <= code < 5000 else "x joined" if not flood.again else "x cut off"


if __name__ == "__main__":
    main()
