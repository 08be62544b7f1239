"""The results as tables for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from tests.bench.micro import Micro
from tests.bench.results import Ratio, Result


def result_table(results: Sequence[Result]) -> Table:
    """All figures of all results, scenario by scenario."""
    table = Table(title="server CPU, traffic, memory and punctuality", title_justify="left")
    table.add_column("")
    table.add_column("system", no_wrap=True)
    for heading in ("us CPU per\nclient-tick", "% of\na core", "bytes per\nclient-tick", "KB per\nclient"):
        table.add_column(heading, justify="right")
    table.add_column("ticks late, ms\np50 / p99 / max", justify="right", no_wrap=True)
    table.add_column("arrivals, ms\np50 / p99", justify="right")
    table.add_column("ticks\nkept", justify="right")
    table.add_column("over-\nruns", justify="right")
    table.add_column("noise\ncores", justify="right")
    previous = ""
    for result in results:
        if previous and result.scenario != previous:
            table.add_section()
        table.add_row(result.scenario if result.scenario != previous else "", *_cells(result))
        previous = result.scenario
    return table


def _cells(result: Result) -> list[str]:
    late, arrival = result.tick_lateness_ms, result.arrival_interval_ms
    return [
        result.system,
        f"{result.cpu_us_per_client_tick:.2f}",
        f"{result.cpu_share * 100:.1f}",
        f"{result.payload_bytes_per_client_tick:,.1f}",
        f"{result.rss_kb_per_client:,.1f}",
        f"{late['p50']:.1f} / {late['p99']:.1f} / {late['max']:.1f}",
        f"{arrival['p50']:.0f} / {arrival['p99']:.0f}",
        "" if result.ticks_share is None else f"{result.ticks_share:.3f}",
        "" if result.overruns is None else f"{result.overruns:g}",
        f"{result.others_cpu_share:.2f}",
    ]


def ratio_table(ratios: Sequence[Ratio]) -> Table:
    """Tickwire's cost over each peer's."""
    table = Table(title="tickwire / peer (below 1: tickwire costs less)", title_justify="left")
    table.add_column("scenario")
    table.add_column("peer")
    for heading in ("CPU", "payload", "memory"):
        table.add_column(heading, justify="right")
    for ratio in ratios:
        table.add_row(ratio.scenario, ratio.peer, *(_ratio(value) for value in (ratio.cpu, ratio.payload, ratio.rss)))
    return table


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def micro_table(micros: Sequence[Micro]) -> Table:
    """Microseconds per entity and step of the path from attributes to bytes and back."""
    table = Table(title="micro: microseconds per entity, every entity moves", title_justify="left")
    table.add_column("entities", justify="right")
    for heading in ("commit", "diff", "encode", "decode", "bytes"):
        table.add_column(heading, justify="right")
    for micro in micros:
        steps = (micro.commit_us, micro.diff_us, micro.encode_us, micro.decode_us)
        table.add_row(f"{micro.entities:,}", *(f"{step:.3f}" for step in steps), f"{micro.snapshot_bytes:,}")
    return table
