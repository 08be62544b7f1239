"""The benchmark's own arithmetic and drawing; what it measures is no test."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from xml.etree import ElementTree

import attrs
import pytest
from rich.console import Console

from tests.bench.chart import write_chart
from tests.bench.micro import micro
from tests.bench.process import BenchError, started
from tests.bench.results import Result, medians, ratios
from tests.bench.scenarios import scenarios
from tests.bench.systems import systems
from tests.bench.table import micro_table, ratio_table, result_table

TITLES = {name: scenario.title for name, scenario in scenarios().items()}
SPREAD = {"p50": 0.1, "p99": 2.0, "max": 4.0}

OURS = Result(
    scenario="S1",
    system="tickwire",
    version="1",
    clients=800,
    cpu_us_per_client_tick=10.0,
    cpu_share=0.16,
    payload_bytes_per_client_tick=40.0,
    rss_kb_per_client=30.0,
    tick_lateness_ms=SPREAD,
    arrival_interval_ms=SPREAD,
    ticks_share=1.0,
    late_inputs_share=0.0,
    others_cpu_share=0.0,
    overruns=0,
)
PEER = attrs.evolve(OURS, system="colyseus-float32", cpu_us_per_client_tick=20.0, payload_bytes_per_client_tick=160.0)
FLOOR = attrs.evolve(OURS, system="floor", cpu_us_per_client_tick=8.0, rss_kb_per_client=0.0)


def test_a_median_takes_the_middle_run_of_each_figure() -> None:
    runs = [attrs.evolve(OURS, cpu_us_per_client_tick=cost) for cost in (30.0, 10.0, 11.0)]
    slow = attrs.evolve(OURS, tick_lateness_ms={"p50": 9.0, "p99": 9.0, "max": 9.0})
    (result,) = medians([*runs, slow, OURS])
    assert result.cpu_us_per_client_tick == 10.0
    assert result.tick_lateness_ms == SPREAD
    assert result.runs == 5


def test_medians_keep_scenarios_and_systems_apart() -> None:
    other = attrs.evolve(OURS, scenario="S2")
    assert medians([OURS, PEER, other, OURS]) == [attrs.evolve(OURS, runs=2), PEER, other]


def test_a_ratio_below_one_means_that_tickwire_costs_less() -> None:
    against_peer, against_floor = ratios([OURS, PEER, FLOOR], "tickwire")
    assert (against_peer.cpu, against_peer.payload, against_peer.rss) == (0.5, 0.25, 1.0)
    assert (against_floor.cpu, against_floor.payload, against_floor.rss) == (1.25, None, None)


def test_json_has_the_figures_that_scripts_look_for() -> None:
    assert {
        "scenario",
        "system",
        "cpu_us_per_client_tick",
        "payload_bytes_per_client_tick",
        "rss_kb_per_client",
        "tick_lateness_ms",
        "arrival_interval_ms",
    } <= OURS.to_json().keys()


def test_the_chart_is_well_formed_and_has_a_bar_for_each_figure_that_means_something(tmp_path: Path) -> None:
    write_chart([OURS, PEER, FLOOR], TITLES, tmp_path / "chart.svg")
    root = ElementTree.parse(tmp_path / "chart.svg").getroot()
    assert len(root.findall("{http://www.w3.org/2000/svg}rect")) == 3 + 2 + 2


def test_tables_say_what_was_measured() -> None:
    console = Console(width=140, record=True, file=StringIO())
    console.print(result_table([OURS, PEER, FLOOR]), ratio_table(ratios([OURS, PEER], "tickwire")))
    text = console.export_text()
    assert "colyseus-float32" in text
    assert "0.25" in text


def test_micro_moves_every_entity_and_decodes_what_it_encoded() -> None:
    small = micro(8, work=1)
    assert 0 < small.snapshot_bytes <= 48
    assert small.to_json()["entities"] == 8
    assert micro_table([small]).row_count == 1


def test_an_unknown_peer_is_named() -> None:
    with pytest.raises(BenchError, match="no peer 'nosuch'"):
        systems(["nosuch"], node="node")


def test_a_process_that_fails_is_reported_with_what_it_wrote(tmp_path: Path) -> None:
    command = ["sh", "-c", "echo out of luck >&2; exit 3"]
    with (
        started("the server", command, core=0, ahead=False, log=tmp_path / "log", cwd=tmp_path) as process,
        pytest.raises(BenchError, match=r"the server ended with status 3:\nout of luck"),
    ):
        process.hear()
