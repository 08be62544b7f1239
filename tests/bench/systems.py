"""The servers that are compared, and how each is started for a scenario."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import attrs

from tests.bench import build
from tests.bench.process import BenchError
from tests.bench.results import FLOOR
from tests.bench.scenarios import HZ, Scenario

TICKWIRE = "tickwire"


@attrs.frozen
class System:
    """A server under test.

    Attributes:
        name: As in tables and JSON.
        protocol: What the load generator speaks with it.
        version: What exactly was measured.
        command: The command line that serves a scenario.
        cwd: Where it is started.
        env: What is added to its environment.
    """

    name: str
    protocol: str
    version: str
    command: Callable[[Scenario], Sequence[str]]
    cwd: Path
    env: Mapping[str, str] = attrs.field(factory=dict[str, str])


def tickwire_system() -> System:
    """This project's server, as it is in this environment."""
    roots = [str(build.CHECKOUT)]
    path = os.environ.get("PYTHONPATH")
    return System(
        name=TICKWIRE,
        protocol="tickwire",
        version=f"Python {sys.version.split()[0]}",
        command=_tickwire_command,
        cwd=build.CHECKOUT,
        env={"PYTHONPATH": os.pathsep.join([*roots, path] if path else roots)},
    )


def _tickwire_command(scenario: Scenario) -> list[str]:
    mode = "play" if scenario.moving else "idle"
    sizes = [str(scenario.players), str(scenario.entities)]
    return [sys.executable, "-m", "tests.bench.serve", *sizes, mode]


def colyseus_systems(node: str) -> list[System]:
    """Colyseus with plain floats and with quantised fields."""
    folder = build.colyseus_folder(node)
    runtime = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    version = f"{build.colyseus_versions(folder)}, Node {runtime}"
    return [_colyseus(node, variant, folder, version) for variant in ("float32", "quantized")]


def _colyseus(node: str, variant: str, folder: Path, version: str) -> System:
    def command(scenario: Scenario) -> list[str]:
        mode = "play" if scenario.moving else "idle"
        sizes = [str(HZ), str(scenario.players), str(scenario.entities)]
        return [node, build.COLYSEUS_SERVER.name, variant, *sizes, mode]

    return System(f"colyseus-{variant}", "colyseus", version, command, folder, {"NODE_ENV": "production"})


def floor_system() -> System:
    """The least that any server can do."""
    program = build.compile_c("floor", [build.HERE / "peers" / "floor.c"])

    def command(scenario: Scenario) -> list[str]:
        return [str(program), str(HZ), str(scenario.floor_bytes if scenario.moving else 0)]

    return System(FLOOR, FLOOR, "C, epoll, no WebSocket, no game", command, build.SCRATCH)


def systems(peers: Sequence[str], node: str) -> list[System]:
    """Tickwire and the peers of these names.

    Raises:
        BenchError: A peer has another name, or can't be built here.
    """
    makers: dict[str, Callable[[], list[System]]] = {
        "colyseus": lambda: colyseus_systems(node),
        FLOOR: lambda: [floor_system()],
        TICKWIRE: list,
    }
    chosen = [tickwire_system()]
    for peer in peers:
        if peer not in makers:
            raise BenchError(f"no peer {peer!r}: choose from colyseus, floor")
        chosen += makers[peer]()
    return chosen
