"""The benchmark's command line: ``python -m tests.bench``."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from tests.bench import build
from tests.bench.chart import write_chart
from tests.bench.measure import Settings, measure
from tests.bench.micro import SIZES, Micro, micro
from tests.bench.process import BenchError
from tests.bench.results import Result, medians, ratios
from tests.bench.scenarios import MICRO, Scenario, scenarios
from tests.bench.systems import TICKWIRE, systems
from tests.bench.table import micro_table, ratio_table, result_table

DEFAULT_CHART = build.SCRATCH / "bench.svg"

console = Console(soft_wrap=False, width=None if sys.stdout.isatty() else 132)


def main() -> int:
    """Measure what the command line asks for; the exit status is 1 when that failed, 2 for a malformed command line."""
    arguments = _arguments()
    try:
        return _bench(arguments)
    except BenchError as error:
        console.print(f"[red]bench:[/] {error}", highlight=False)
        return 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--scenarios", default=f"S1 S2 S3 S4 {MICRO}", help="names, separated by spaces (%(default)s)")
    parser.add_argument("--peers", default="colyseus floor", help="names, separated by spaces (%(default)s)")
    parser.add_argument("--only", default="", help="measure these systems alone, such as 'floor'")
    parser.add_argument("--json", type=Path, help="write the results here")
    parser.add_argument("--chart", type=Path, default=DEFAULT_CHART, help="the SVG (%(default)s)")
    parser.add_argument(
        "--repeat", type=_positive, default=1, help="runs of everything; the median counts (%(default)s)"
    )
    parser.add_argument("--seconds", type=float, default=10.0, help="the measured window (%(default)s)")
    parser.add_argument("--warm-up", type=float, default=4.0, help="seconds of load before it (%(default)s)")
    parser.add_argument("--entities", type=_positive, default=500, help="moving entities in S3 (%(default)s)")
    parser.add_argument("--ahead", action="store_true", help="run before all else on a busy machine (chrt; needs root)")
    parser.add_argument("--node", default="node", help="the Node that runs Colyseus (%(default)s)")
    return parser.parse_args()


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is not a positive number")
    return value


def _bench(arguments: argparse.Namespace) -> int:
    known = scenarios(arguments.entities)
    names: list[str] = arguments.scenarios.split()
    unknown = [name for name in names if name not in known and name != MICRO]
    if unknown:
        raise BenchError(f"no scenario {unknown[0]!r}: choose from {', '.join([*known, MICRO])}")
    for path in (arguments.json, arguments.chart):
        if path not in (None, DEFAULT_CHART) and not path.absolute().parent.is_dir():
            raise BenchError(f"{str(path)!r} can't be written: there is no folder {str(path.absolute().parent)!r}")
    titles = {name: scenario.title for name, scenario in known.items()}
    report: list[dict[str, object]] = []
    chosen = [known[name] for name in names if name != MICRO]
    if chosen:
        results = _measure_all(arguments, chosen)
        report += [result.to_json() for result in results]
        _show(results, titles, arguments.chart)
    if MICRO in names:
        report.append(_micro())
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(report, indent=2) + "\n")
        console.print(f"results: {arguments.json}")
    return 0


def _measure_all(arguments: argparse.Namespace, chosen: Sequence[Scenario]) -> list[Result]:
    """Run every scenario on every system in turn, as often as asked, so that all meet the machine's moods alike."""
    settings = _settings(arguments)
    with console.status("preparing the peers"):
        measured = systems(arguments.peers.split(), arguments.node)
    only = arguments.only.split()
    measured = [system for system in measured if not only or system.name in only]
    if not measured:
        raise BenchError(f"none of the chosen systems is named {arguments.only!r}")
    total = arguments.repeat * len(chosen) * len(measured)
    results: list[Result] = []
    for _ in range(arguments.repeat):
        for scenario in chosen:
            for system in measured:
                with console.status(f"[{len(results) + 1}/{total}] {scenario.name} on {system.name}"):
                    result = measure(system, scenario, settings)
                results.append(result)
                _progress(result, len(results), total)
    return medians(results)


def _settings(arguments: argparse.Namespace) -> Settings:
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise BenchError("this needs two cores: one for the server, one for the load generator")
    build.SCRATCH.mkdir(parents=True, exist_ok=True)
    return Settings(
        seconds=arguments.seconds,
        warm_up_s=arguments.warm_up,
        server_core=cores[0],
        load_core=cores[1],
        load=build.load_generator(),
        logs=build.SCRATCH,
        ahead=arguments.ahead,
    )


def _progress(result: Result, number: int, total: int) -> None:
    console.print(
        f"[{number}/{total}] {result.scenario} {result.system}: "
        f"{result.cpu_us_per_client_tick:.2f} us per client-tick, "
        f"{result.payload_bytes_per_client_tick:,.1f} bytes, tick lateness p99 {result.tick_lateness_ms['p99']:.2f} ms",
        highlight=False,
        markup=False,
    )


def _show(results: Sequence[Result], titles: dict[str, str], chart: Path) -> None:
    console.print(f"\n{_machine()}", highlight=False)
    for name, version in {result.system: result.version for result in results}.items():
        console.print(f"  {name}: {version}", highlight=False, markup=False)
    for name in dict.fromkeys(result.scenario for result in results):
        console.print(f"  {name}: {titles[name]}", highlight=False, markup=False)
    console.print(result_table(results))
    compared = ratios(results, TICKWIRE)
    if compared:
        console.print(ratio_table(compared))
    write_chart(results, titles, chart)
    console.print(f"chart: {chart}", highlight=False)


def _machine() -> str:
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    model = models[0].partition(":")[2].strip() if models else platform.machine()
    return (
        f"{model}, {os.cpu_count()} cores, Linux {platform.release().partition('-')[0]}; server and load on a core each"
    )


def _micro() -> dict[str, object]:
    micros: list[Micro] = []
    for entities in SIZES:
        with console.status(f"micro: {entities} entities"):
            micros.append(micro(entities))
    console.print(micro_table(micros))
    return {"scenario": MICRO, "system": TICKWIRE, "sizes": [item.to_json() for item in micros]}


if __name__ == "__main__":
    sys.exit(main())
