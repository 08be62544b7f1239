"""One measurement: a server on one core, the load generator on another, a window of time."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import cast

import attrs

from tests.bench.process import BenchError, Process, machine_cpu_s, started
from tests.bench.results import Result, Spread
from tests.bench.scenarios import HZ, Scenario
from tests.bench.systems import System

# An interpreter frees and takes memory for a moment after start-up.
SETTLE_S = 0.5


@attrs.frozen
class Settings:
    """How to measure.

    Attributes:
        seconds: The measured window.
        warm_up_s: Full load before it, in which compilers, caches and buffers find their level.
        server_core: The core of the server.
        load_core: The core of the load generator.
        load: The compiled load generator.
        logs: Where the processes' standard errors go.
        ahead: Whether both processes run before all others.
    """

    seconds: float
    warm_up_s: float
    server_core: int
    load_core: int
    load: Path
    logs: Path
    ahead: bool


@attrs.frozen
class Sample:
    """What was used of the machine until one moment: by the server, by the load generator, by all."""

    time_s: float
    cpu_s: float
    load_s: float
    all_s: float

    @classmethod
    def of(cls, server: Process, load: Process) -> Sample:
        """Take one now."""
        return cls(time.perf_counter(), server.cpu_s(), load.cpu_s(), machine_cpu_s())


def measure(system: System, scenario: Scenario, settings: Settings) -> Result:
    """Serve the scenario, load it, and measure.

    Raises:
        BenchError: The server or the load generator failed.
    """
    with ExitStack() as stack:
        server = stack.enter_context(
            started(
                system.name,
                system.command(scenario),
                core=settings.server_core,
                ahead=settings.ahead,
                log=settings.logs / f"{system.name}.log",
                cwd=system.cwd,
                env=system.env,
            )
        )
        port = server.hear().removeprefix("ready ")
        time.sleep(SETTLE_S)
        empty_kb = server.rss_kb()
        load = stack.enter_context(_load(system, scenario, port, settings))
        load.hear()  # "joined"
        time.sleep(settings.warm_up_s)
        begin = Sample.of(server, load)
        server.tell("reset")
        load.tell("start")
        time.sleep(settings.seconds)
        load.tell("stop")
        end = Sample.of(server, load)
        server.tell("report")
        used_kb = server.rss_kb() - empty_kb
        return _result(system, scenario, begin, end, used_kb, load.hear_json(), server.hear_json())


def _load(system: System, scenario: Scenario, port: str, settings: Settings) -> AbstractContextManager[Process]:
    mode = "play" if scenario.moving else "idle"
    command = [str(settings.load), system.protocol, port, "arena"]
    command += [str(scenario.rooms), str(scenario.players), str(HZ), mode]
    log = settings.logs / f"load-{system.name}.log"
    name = f"the load generator for {system.name}"
    return started(name, command, core=settings.load_core, ahead=settings.ahead, log=log, cwd=settings.logs)


def _result(
    system: System,
    scenario: Scenario,
    begin: Sample,
    end: Sample,
    used_kb: int,
    seen: Mapping[str, object],
    served: Mapping[str, object],
) -> Result:
    """Put together what the kernel, the load generator (``seen``) and the server (``served``) say.

    A client-tick is one input in and one snapshot out, so the mean of both counts; where nothing moves,
    it is a player for the time of a tick. A system that falls behind its tick rate sends
    fewer snapshots, and ``ticks_share`` tells.
    """
    seconds = end.time_s - begin.time_s
    nominal = scenario.clients * HZ * seconds
    cpu_s = end.cpu_s - begin.cpu_s
    others_s = end.all_s - begin.all_s - cpu_s - (end.load_s - begin.load_s)
    snapshots, inputs = cast("int", seen["snapshots"]), cast("int", seen["inputs"])
    if scenario.moving and not snapshots:
        raise BenchError(f"{system.name} sent no snapshot in {seconds:.1f} s of {scenario.name}")
    return Result(
        scenario=scenario.name,
        system=system.name,
        version=system.version,
        clients=scenario.clients,
        cpu_us_per_client_tick=cpu_s * 1e6 / ((inputs + snapshots) / 2 if scenario.moving else nominal),
        cpu_share=cpu_s / seconds,
        payload_bytes_per_client_tick=cast("int", seen["payload_bytes"]) / (snapshots if scenario.moving else nominal),
        rss_kb_per_client=used_kb / scenario.clients,
        tick_lateness_ms=cast("Spread", served["tick_lateness_ms"]),
        arrival_interval_ms=cast("Spread", seen["arrival_interval_ms"]),
        ticks_share=snapshots / nominal if scenario.moving else None,
        late_inputs_share=cast("int", seen["late_inputs"]) / max(1, inputs),
        others_cpu_share=max(0.0, others_s / seconds),
        overruns=cast("int | None", served.get("overruns")),
    )
