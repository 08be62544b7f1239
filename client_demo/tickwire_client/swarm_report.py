"""What a swarm of bots found out about a server: as numbers, as JSON and as a table."""

from __future__ import annotations

import json
from collections.abc import Mapping

import attrs
from attrs import field, frozen
from rich.markup import escape
from rich.table import Table


@frozen(slots=True)
class SwarmReport:
    """The outcome of one swarm.

    A bot counts as failed if it could not join, if its connection was lost for good before its
    time was over, or if its state differed from the server's even once.

    Attributes:
        url: The server.
        room: The room type or id that was asked for.
        count: How many bots were to play.
        duration_s: How long all of them were to play together, after the last had joined.
        joined: How many got into a room.
        failed: How many failed.
        disconnects: Connections lost, including those that were resumed.
        snapshots_per_s: Per bot, while it was in a room.
        bytes_per_s: Message payload received per bot, while it was in a room.
        rtt_p50_ms: Median round trip of PINGs, once all bots had joined.
        rtt_p99_ms: The same, 99th percentile.
        interval_p50_ms: Median time between snapshots at one bot, once all had joined.
        interval_p99_ms: The same, 99th percentile.
        state_checks: How many checksums of the server were compared with a bot's state.
        state_mismatches: How many of them differed, and deltas that didn't fit the state.
        late_inputs: Inputs that the server got after their tick.
        errors: What went wrong, each sentence with the number of bots.
    """

    url: str
    room: str
    count: int
    duration_s: float
    joined: int
    failed: int
    disconnects: int
    snapshots_per_s: float
    bytes_per_s: float
    rtt_p50_ms: float
    rtt_p99_ms: float
    interval_p50_ms: float
    interval_p99_ms: float
    state_checks: int
    state_mismatches: int
    late_inputs: int
    errors: Mapping[str, int] = field(factory=dict[str, int])

    @property
    def ok(self) -> bool:
        """Whether every bot joined, stayed and saw the server's state."""
        return self.failed == 0

    def to_json(self) -> str:
        """One JSON object on one line; the attributes and ``ok``."""
        values: dict[str, object] = attrs.asdict(self)
        rounded = {name: _rounded(value) for name, value in values.items()}
        return json.dumps({"ok": self.ok, **rounded})

    def to_table(self) -> Table:
        """A table for people."""
        table = Table(title=escape(f"{self.count} bots in {self.room} at {self.url}"), show_header=False)
        table.add_column("what", style="bold")
        table.add_column("value", justify="right")
        for name, value in self._rows():
            table.add_row(name, value)
        for sentence, bots in self.errors.items():
            table.add_row(f"[red]{bots} x[/red]", escape(sentence))
        return table

    def _rows(self) -> list[tuple[str, str]]:
        return [
            ("joined", f"{self.joined} of {self.count}"),
            ("failed", _alarm(self.failed)),
            ("disconnects", _alarm(self.disconnects)),
            ("state mismatches", f"{_alarm(self.state_mismatches)} of {self.state_checks} checks"),
            ("snapshots per bot", f"{self.snapshots_per_s:.1f} /s"),
            ("bytes per bot", f"{self.bytes_per_s:,.0f} /s"),
            ("round trip p50 / p99", f"{self.rtt_p50_ms:.1f} / {self.rtt_p99_ms:.1f} ms"),
            ("snapshot interval p50 / p99", f"{self.interval_p50_ms:.1f} / {self.interval_p99_ms:.1f} ms"),
            ("late inputs", str(self.late_inputs)),
        ]


def _alarm(count: int) -> str:
    return f"[red]{count}[/red]" if count else "0"


def _rounded(value: object) -> object:
    return round(value, 3) if isinstance(value, float) else value
