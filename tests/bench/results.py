"""What a run measured, medians of several, and how systems compare."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import cast

import attrs

FLOOR = "floor"
"""The system that any other is compared with for its CPU alone."""

Spread = Mapping[str, float]
"""Percentiles by name: p50, p99, max."""


@attrs.frozen
class Result:
    """One scenario on one system.

    Attributes:
        scenario: The scenario's name.
        system: The system's name.
        version: What exactly was measured.
        clients: Players that were connected.
        cpu_us_per_client_tick: Server CPU, user and system, in microseconds, per player and tick.
        cpu_share: Server CPU as a share of one core.
        payload_bytes_per_client_tick: WebSocket payload that a player got per tick.
        rss_kb_per_client: Resident memory per player, without what the empty server takes.
        tick_lateness_ms: How late ticks began.
        arrival_interval_ms: Time between two snapshots at a player.
        ticks_share: Snapshots that came, of those that the tick rate promises; None when nothing moves.
        late_inputs_share: Inputs that the load generator sent more than a millisecond late.
        others_cpu_share: What other processes and interrupts used meanwhile, in cores: noise.
        overruns: Ticks that took longer than they may, or were left out; None where the system doesn't say.
        runs: How many runs this is the median of.
    """

    scenario: str
    system: str
    version: str
    clients: int
    cpu_us_per_client_tick: float
    cpu_share: float
    payload_bytes_per_client_tick: float
    rss_kb_per_client: float
    tick_lateness_ms: Spread
    arrival_interval_ms: Spread
    ticks_share: float | None
    late_inputs_share: float
    others_cpu_share: float
    overruns: float | None = None
    runs: int = 1

    def to_json(self) -> dict[str, object]:
        """The result as plain data."""
        return {key: _rounded(value) for key, value in attrs.asdict(self).items()}


def _rounded(value: object) -> object:
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, Mapping):
        return {key: _rounded(item) for key, item in cast("Mapping[str, object]", value).items()}
    return value


def medians(results: Iterable[Result]) -> list[Result]:
    """One result per scenario and system, each figure the median of its runs; in the order of first runs."""
    grouped: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        grouped.setdefault((result.scenario, result.system), []).append(result)
    return [_median(runs) for runs in grouped.values()]


def _median(runs: Sequence[Result]) -> Result:
    def of(name: str) -> float:
        return median(cast("float", getattr(run, name)) for run in runs)

    def spread(name: str) -> Spread:
        spreads = [cast("Spread", getattr(run, name)) for run in runs]
        return {key: median(item[key] for item in spreads) for key in spreads[0]}

    return attrs.evolve(
        runs[0],
        cpu_us_per_client_tick=of("cpu_us_per_client_tick"),
        cpu_share=of("cpu_share"),
        payload_bytes_per_client_tick=of("payload_bytes_per_client_tick"),
        rss_kb_per_client=of("rss_kb_per_client"),
        tick_lateness_ms=spread("tick_lateness_ms"),
        arrival_interval_ms=spread("arrival_interval_ms"),
        ticks_share=None if runs[0].ticks_share is None else of("ticks_share"),
        late_inputs_share=of("late_inputs_share"),
        others_cpu_share=of("others_cpu_share"),
        overruns=None if runs[0].overruns is None else of("overruns"),
        runs=len(runs),
    )


@attrs.frozen
class Ratio:
    """A system's cost as a share of a peer's; below 1 it is the cheaper one. None where it says nothing."""

    scenario: str
    peer: str
    cpu: float | None
    payload: float | None
    rss: float | None


def ratios(results: Sequence[Result], system: str) -> list[Ratio]:
    """Compare ``system`` with each of the others, scenario by scenario."""
    ours = {result.scenario: result for result in results if result.system == system}
    return [_ratio(ours[peer.scenario], peer) for peer in results if peer.system != system and peer.scenario in ours]


def _ratio(result: Result, peer: Result) -> Ratio:
    def share(name: str) -> float | None:
        whole = cast("float", getattr(peer, name))
        return cast("float", getattr(result, name)) / whole if whole > 0 else None

    # The floor keeps no state and is told how much to send: only its CPU is a measure.
    is_floor = peer.system == FLOOR
    return Ratio(
        scenario=peer.scenario,
        peer=peer.system,
        cpu=share("cpu_us_per_client_tick"),
        payload=None if is_floor else share("payload_bytes_per_client_tick"),
        rss=None if is_floor else share("rss_kb_per_client"),
    )
