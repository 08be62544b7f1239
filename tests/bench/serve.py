"""The tickwire server of the benchmark: ``python -m tests.bench.serve PLAYERS ENTITIES play|idle [PROXIES]``.

Prints "ready PORT"; then answers "reset" and "report" on standard input, and ends with it.
"""

from __future__ import annotations

import json
import os
import sys

import trio

from tests.bench.rooms import Arena, Idle
from tickwire import Limits, serve
from tickwire.logs import LogLevel, configure_logs
from tickwire.server import Running


def main() -> None:
    """Serve the room that the command line describes."""
    configure_logs(LogLevel.WARNING)
    players, entities, mode, *proxies = sys.argv[1:]
    room = Arena if mode == "play" else Idle
    room.max_players = int(players)
    room.extra_entities = int(entities)
    trio.run(_serve, room, Limits(trusted_proxies=int(proxies[0])) if proxies else Limits(joins_per_second=1000))


async def _serve(room: type[Arena], limits: Limits) -> None:
    async with trio.open_nursery() as nursery:
        running: Running = await nursery.start(_listen, room, limits)
        _answer(f"ready {running.port}")
        await _obey(room)
        nursery.cancel_scope.cancel()


async def _listen(room: type[Arena], limits: Limits, task_status: trio.TaskStatus[Running]) -> None:
    await serve([room], port=0, limits=limits, task_status=task_status)


async def _obey(room: type[Arena]) -> None:
    """Read commands until they end."""
    async with trio.lowlevel.FdStream(os.dup(0)) as commands:
        async for chunk in commands:
            for line in chunk.decode().splitlines():
                if line == "report":
                    _answer(json.dumps(room.punctuality.report()))
                room.punctuality.reset()


def _answer(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
