"""``/metrics`` for Prometheus: counts are read from the rooms and connections when somebody asks, and never before.

The registry is our own, so that a program that has metrics of its own keeps them apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from tickwire_shared.closing import CloseCode

if TYPE_CHECKING:
    from tickwire.lobby import Lobby
    from tickwire.tally import Tally

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

QUANTILES: Final = (0.5, 0.99, 1.0)

_COUNTS: Final = (
    ("rooms_created", "rooms", "Rooms made."),
    ("seats_given", "players", "Seats given to players."),
    ("tick_overruns", "overruns", "Ticks that took longer than the time between two."),
    ("ticks_dropped", "dropped_ticks", "Ticks never simulated because the room was late."),
    ("ladder_climbs", "climbs", "Steps that rooms took up the ladder of overload."),
    ("snapshots_sent", "snapshots", "Snapshots sent to players."),
    ("snapshots_full", "full_snapshots", "Full snapshots encoded; players may share one."),
    ("snapshots_passed_over", "passed_over", "Snapshots not sent to blocked connections: the next delta holds them."),
    ("state_bytes_sent", "state_bytes", "Bytes of snapshots and of what went out with them."),
    ("inputs_late", "late_inputs", "Inputs that came after their tick."),
    ("inputs_refused", "refused_inputs", "Inputs too far ahead of their tick."),
    ("inputs_repeated", "repeated_inputs", "Inputs for a tick that had one already."),
    ("views_refused", "views_refused", "Claims about what a player sees that can't be true."),
    ("resyncs", "resyncs", "Full snapshots given because a client's state failed its check."),
    ("mismatches_reported", "mismatches", "Reports of clients that their state failed its check."),
)
"""Name, attribute of `Tally`, help; all by room type."""


class Metrics(Collector):
    """The metrics of one server."""

    def __init__(self, lobby: Lobby) -> None:
        """Read ``lobby`` whenever the metrics are asked for."""
        self._lobby = lobby
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(namespace="tickwire", registry=self._registry)

    def render(self) -> bytes:
        """The metrics in Prometheus' text format."""
        return generate_latest(self._registry)

    def describe(self) -> list[Metric]:
        """Nothing: the registry would read everything just to learn the names."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Read everything once."""
        tallies = self._lobby.tallies()
        yield from _counters(tallies)
        yield from _resumes(tallies)
        yield _tick_times(tallies)
        yield from _present(self._lobby)
        yield _lateness(tallies)
        yield from _connections(self._lobby)


def _counters(tallies: dict[str, Tally]) -> Iterator[Metric]:
    for name, attribute, text in _COUNTS:
        family = CounterMetricFamily(f"tickwire_{name}", text, labels=["type"])
        for room_type, tally in tallies.items():
            family.add_metric([room_type], getattr(tally, attribute))
        yield family


def _resumes(tallies: dict[str, Tally]) -> Iterator[Metric]:
    family = CounterMetricFamily(
        "tickwire_resumes", "Players who came back, by what they were sent.", labels=["type", "by"]
    )
    for room_type, tally in tallies.items():
        family.add_metric([room_type, "delta"], tally.resumed_by_delta)
        family.add_metric([room_type, "full"], tally.resumed_in_full)
    yield family


def _tick_times(tallies: dict[str, Tally]) -> Metric:
    family = HistogramMetricFamily("tickwire_tick_seconds", "How long ticks took.", labels=["type"])
    for room_type, tally in tallies.items():
        family.add_metric([room_type], tally.tick_times.cumulative(), tally.tick_times.total_s)
    return family


def _present(lobby: Lobby) -> Iterator[Metric]:
    """What is so just now, by room type."""
    rooms = GaugeMetricFamily("tickwire_rooms", "Rooms that run.", labels=["type"])
    players = GaugeMetricFamily("tickwire_players", "Players in rooms, those to come back included.", labels=["type"])
    kept = GaugeMetricFamily("tickwire_seats_reserved", "Seats kept for reservations.", labels=["type"])
    queued = GaugeMetricFamily("tickwire_event_queue_bytes", "Events waiting for blocked players.", labels=["type"])
    rung = GaugeMetricFamily("tickwire_load_rung", "The highest rung of the ladder that a room is on.", labels=["type"])
    load = GaugeMetricFamily("tickwire_load", "Share of its time that the busiest room spends.", labels=["type"])
    for name, engines in lobby.rooms_by_type().items():
        rooms.add_metric([name], len(engines))
        players.add_metric([name], sum(len(engine.players) for engine in engines))
        kept.add_metric([name], sum(engine.seating.kept for engine in engines))
        queued.add_metric([name], sum(engine.seating.queue_bytes for engine in engines))
        rung.add_metric([name], max((engine.ladder.rung for engine in engines), default=0))
        load.add_metric([name], max((engine.ladder.load for engine in engines), default=0.0))
    yield from (rooms, players, kept, queued, rung, load)


def _lateness(tallies: dict[str, Tally]) -> Metric:
    family = GaugeMetricFamily(
        "tickwire_tick_lateness_seconds", "How late the last ticks of all rooms began.", labels=["type", "quantile"]
    )
    for room_type, tally in tallies.items():
        ordered = sorted(tally.tick_times.late_s)
        if ordered:
            for share in QUANTILES:
                late_s = ordered[round(share * (len(ordered) - 1))]
                family.add_metric([room_type, f"{share:g}"], max(0.0, late_s))
    return family


def _connections(lobby: Lobby) -> Iterator[Metric]:
    wires = lobby.wires
    yield GaugeMetricFamily("tickwire_connections", "Open WebSockets.", value=lobby.connections)
    yield GaugeMetricFamily(
        "tickwire_process_load", "Share of its time that the process spends in ticks.", lobby.ladder.load
    )
    yield CounterMetricFamily("tickwire_bytes_received", "Bytes received on WebSockets.", value=wires.bytes_in)
    yield CounterMetricFamily("tickwire_bytes_sent", "Bytes sent on WebSockets.", value=wires.bytes_out)
    yield CounterMetricFamily("tickwire_frames_received", "Frames received on WebSockets.", value=wires.frames_in)
    yield CounterMetricFamily("tickwire_writes", "Writes of one or more frames to WebSockets.", value=wires.writes_out)
    closes = CounterMetricFamily(
        "tickwire_closes",
        "WebSockets that ended, by close code, and whether their player had been admitted.",
        labels=["code", "reason", "joined"],
    )
    for (code, joined), count in sorted(wires.closes.items()):
        closes.add_metric([str(code), close_name(code), "yes" if joined else "no"], count)
    yield closes


def close_name(code: int) -> str:
    """The name of a close code in PROTOCOL.md, or ``"other"`` for those of WebSocket itself and made-up ones."""
    try:
        return CloseCode(code).name.lower().replace("_", " ")
    except ValueError:
        return "other"
