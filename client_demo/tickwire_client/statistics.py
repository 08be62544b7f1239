"""What a client counts and measures about its connection."""

from __future__ import annotations

from attrs import define, field

from tickwire_client.histogram import Histogram


@define
class GameStats:
    """Counts since the join, over all connections, and distributions in milliseconds.

    Attributes:
        messages: Messages received.
        bytes_received: Their payload.
        snapshots: State changes received.
        full_snapshots: How many of them were full.
        checks: Checksums of the server that were compared.
        state_mismatches: How many of them differed, and deltas that didn't fit the state.
        resyncs: How often a full snapshot was asked for.
        late_inputs: Inputs that came to the server after their tick.
        refused_inputs: Inputs addressed too far ahead.
        disconnects: Connections lost, for good or to be resumed.
        resumes: Connections lost and resumed.
        load: How busy the server is, from 0 (not at all) to 3 (it admits nobody else); busy ones send fewer snapshots.
        events_dropped: Events that nobody took in time.
        frames: Frames drawn (``game.frame``).
        underruns: Those drawn without the snapshot that they should have been drawn by; it came later.
        rtt: Round trips of PINGs.
        intervals: Times between one snapshot and the next on the same connection.
    """

    messages: int = 0
    bytes_received: int = 0
    snapshots: int = 0
    full_snapshots: int = 0
    checks: int = 0
    state_mismatches: int = 0
    resyncs: int = 0
    late_inputs: int = 0
    refused_inputs: int = 0
    disconnects: int = 0
    resumes: int = 0
    load: int = 0
    events_dropped: int = 0
    frames: int = 0
    underruns: int = 0
    rtt: Histogram = field(factory=Histogram)
    intervals: Histogram = field(factory=Histogram)
    _last_snapshot_ms: float | None = field(default=None, init=False)

    def count_message(self, size_bytes: int) -> None:
        """Count a message that came."""
        self.messages += 1
        self.bytes_received += size_bytes

    def count_snapshot(self, now_ms: float, *, full: bool) -> None:
        """Count a snapshot that was applied."""
        self.snapshots += 1
        self.full_snapshots += full
        if self._last_snapshot_ms is not None:
            self.intervals.add(now_ms - self._last_snapshot_ms)
        self._last_snapshot_ms = now_ms

    def restart_distributions(self) -> None:
        """Measure round trips and intervals anew from now on."""
        self.rtt = Histogram()
        self.intervals = Histogram()

    def count_disconnect(self) -> None:
        """Count a lost connection; the next snapshot starts a new series of intervals."""
        self.disconnects += 1
        self._last_snapshot_ms = None
