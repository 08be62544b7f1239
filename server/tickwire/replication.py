r"""Replication: from a commit to bytes on every connection, encoded once and framed once.

::

    commit -> History -> diff(what the client holds, now) -> frame -> Audience.post   all that follow, in one go
                              one per version held, shared    \-----> Line.post       who stands apart, one by one

There is no queue of snapshots. A connection that is blocked is passed over; when it has drained it gets one delta
from what it holds to now. What concerns one client alone (owner-only fields, events,
news of its inputs) goes out in the same write.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs

from tickwire.audience import Audience
from tickwire.entities import EntityStore
from tickwire.framing import build_frame
from tickwire.history import History
from tickwire.inputs import RoomInputs
from tickwire.seat import Line, Seat
from tickwire_shared.delta import diff, gaps
from tickwire_shared.schema import ClassType
from tickwire_shared.server_messages import build_check, build_news, build_private, build_snapshot
from tickwire_shared.state import WorldState, checksum, private_checksum
from tickwire_shared.ticks import TICK_MODULUS, tick_distance
from tickwire_shared.wire_values import Wire

HEARTBEAT_S: Final = 1.0
"""A client that got nothing for this long gets an empty snapshot, so that it knows the tick."""

CHECK_S: Final = 1.5
"""How often clients are told what the checksum of their state should be: one that went wrong knows it within 2 s."""

NEWS_S: Final = 0.25
"""At most how often a client is told how its inputs arrive."""


@attrs.define
class ReplicationCounts:
    """What went out, for the metrics."""

    snapshots: int = 0
    full: int = 0
    merged: int = 0
    passed_over: int = 0
    bytes_out: int = 0
    resumed_by_delta: int = 0
    resumed_in_full: int = 0

    def resumed(self, *, by_delta: bool) -> None:
        """Count a player who came back, and holds what a delta can start from or doesn't."""
        self.resumed_by_delta += by_delta
        self.resumed_in_full += not by_delta


@attrs.define
class Replicator:
    """Sends one room's state to its seats; the room alone touches it.

    Attributes:
        owners: By id of an entity the seat that owns it.
        sparing: How many times as rarely as usual checksums and news go out.
    """

    store: EntityStore
    audience: Audience
    owners: Mapping[int, Seat]
    inputs: RoomInputs
    hz: float
    history_s: float = 20.0
    sparing: int = attrs.field(init=False, default=1)
    state: WorldState = attrs.field(init=False)
    version: int = attrs.field(init=False, default=0)
    history: History = attrs.field(init=False, factory=History)
    counts: ReplicationCounts = attrs.field(init=False, factory=ReplicationCounts)
    _heartbeat_ticks: int = attrs.field(init=False)
    _check_ticks: int = attrs.field(init=False)
    _checked: int = attrs.field(init=False, default=0)
    _news_ticks: int = attrs.field(init=False)
    _has_private: bool = attrs.field(init=False)
    _frames: dict[int | None, bytes] = attrs.field(init=False, factory=dict[int | None, bytes])
    _check: bytes = attrs.field(init=False, default=b"")
    _tick: int = attrs.field(init=False, default=0)

    def __attrs_post_init__(self) -> None:
        """Start with the empty state as version 0."""
        self.state = WorldState.empty(self.store.schema)
        self.history.max_ticks = max(1, round(self.hz * self.history_s))
        self.history.add(0, self.state)
        self._heartbeat_ticks = max(1, round(self.hz * HEARTBEAT_S))
        self._check_ticks = max(1, round(self.hz * CHECK_S))
        self._news_ticks = max(1, round(self.hz * NEWS_S))
        self._has_private = self.store.schema.has_private

    def commit(self, tick: int) -> None:
        """Read the entities and keep the state if it differs from the last one."""
        state = self.store.commit(self.state)
        if state is not self.state:
            self.state = state
            self.version = tick
            self.history.add(tick, state)
        if self._has_private:
            for ident in self.store.private_changes():
                owner = self.owners.get(ident)
                if owner is not None:
                    owner.stand_apart()

    def flush(self, tick: int) -> None:
        """Bring every connected seat that is not blocked up to ``tick``."""
        self._tick = tick
        self._frames.clear()
        self._check = b""
        # A room may begin at any tick: one that lies before the last check, too, is a reason for one.
        check = not 0 <= tick - self._checked < self._check_ticks * self.sparing
        if check:
            self._checked = tick
        crc = checksum(self.state) if check else None
        news = tick % (self._news_ticks * self.sparing) == 0
        if self.audience.following:
            self._flush_followers(crc, news=news)
        if self.audience.apart:
            for seat in list(self.audience.apart):
                self._flush_apart(seat, crc, news=news)

    @property
    def settled(self) -> bool:
        """Whether every connected seat holds the present state, and nothing waits for it."""
        audience, version = self.audience, self.version
        return (not audience.following or audience.version == version) and all(
            seat.version == version and not seat.own for seat in audience.apart
        )

    def _flush_followers(self, crc: int | None, *, news: bool) -> None:
        """Write to all that follow, who have nothing of their own but news."""
        audience, held = self.audience, self.audience.version
        if held != self.version and self._base(held) is None:
            audience.set_all_apart()
            return
        frames = b""
        if held != self.version or self._silent_ticks(audience.heard_tick) >= self._heartbeat_ticks:
            frames = self._frames[held] = self._build(held)
            audience.version, audience.heard_tick = self.version, self._tick
            self.counts.snapshots += len(audience.following)
        if crc is not None and not self._has_private:
            frames += self._public_check_frame(crc)
            crc = None
        more: dict[int, bytes] = {}
        if news or crc is not None:
            for place, seat in enumerate(audience.following):
                behind = self._behind(seat, crc, news=news)
                if behind:
                    more[place] = behind
        if frames or more:
            audience.post(frames, more)
            self.counts.bytes_out += len(frames) * len(audience.following) + sum(map(len, more.values()))

    def _flush_apart(self, seat: Seat, crc: int | None, *, news: bool) -> None:
        """Write to a seat that stands apart, if it is not blocked, and let it follow if it may."""
        line = seat.line
        if line is None or seat.link is None or seat.link.blocked:
            self.counts.passed_over += 1
            seat.events.passed_over()
            return
        self._check_held(seat)
        self._flush_seat(seat, line, crc, news=news)
        if not seat.own and seat.version == self.version:
            self._let_follow(seat)

    def _let_follow(self, seat: Seat) -> None:
        audience = self.audience
        if not audience.following:
            audience.version, audience.heard_tick = self.version, seat.heard_tick
        # One that was told something later than the others is told the next thing a little earlier, and never later.
        if audience.version == self.version and tick_distance(seat.heard_tick, audience.heard_tick) >= 0:
            audience.follow(seat)

    def _flush_seat(self, seat: Seat, line: Line, crc: int | None, *, news: bool) -> None:
        """Write to a seat that is not blocked all that is new for it: what everyone is sent, and what is its own."""
        before = self._private_frame(seat) if self._has_private or seat.owned_changed else b""
        frame = self._snapshot_frame(seat, with_private=bool(before))
        behind = self._behind(seat, crc, news=news)
        if before or behind or seat.own:
            frame = seat.take_queued(before + frame, behind)
        if frame and line.post(frame):
            self.counts.bytes_out += len(frame)

    def _behind(self, seat: Seat, crc: int | None, *, news: bool) -> bytes:
        """Return what goes out behind a snapshot: a CHECK, if there is a checksum, and the news of a seat's inputs."""
        check = b"" if crc is None else self._check_frame(seat, crc)
        return check + self._news_frame(seat) if news else check

    def _check_held(self, seat: Seat) -> None:
        """Let a seat that holds a forgotten version hold nothing; the full snapshot wants all private values again."""
        held = seat.version
        if held is None or held == self.version or held in self._frames or self.history.before(held) is not None:
            return
        if self.history.at(held) is None:
            seat.hold_nothing()

    def _snapshot_frame(self, seat: Seat, *, with_private: bool) -> bytes:
        """Return what brings the seat to the present state, and note that it has it.

        A PRIVATE is taken in with the snapshot of its tick, so that one follows even when nothing changed.
        """
        held = seat.version
        if held == self.version and not with_private and self._silent_ticks(seat.heard_tick) < self._heartbeat_ticks:
            return b""
        frame = self._frames.get(held)
        if frame is None:
            frame = self._frames[held] = self._build(held)
        seat.version = self.version
        seat.heard_tick = self._tick
        self.counts.snapshots += 1
        return frame

    def _silent_ticks(self, heard_tick: int) -> int:
        """For how many ticks who holds the present state, and heard of that tick last, was told nothing."""
        return min(tick_distance(self._tick, heard_tick), tick_distance(self._tick, self.version))

    def _build(self, held: int | None) -> bytes:
        base = None if held is None else self._base(held)
        if held is None or base is None:
            self.counts.full += 1
            delta = diff(WorldState.empty(self.state.schema), self.state)
            return build_frame(build_snapshot(self._tick, 0, delta))
        return build_frame(build_snapshot(self._tick, (self._tick - held) % TICK_MODULUS, diff(base, self.state)))

    def _base(self, version: int) -> WorldState | None:
        """Return the state of a version, while it is kept."""
        last = self.history.before(version)
        if last is not None:
            return last
        found = self.history.at(version)
        return None if found is None else found[1]

    def _private_frame(self, seat: Seat) -> bytes:
        """Return what the player alone sees, if there is news of it; absolute, so that nothing has to be held."""
        if not (seat.owned or seat.owned_changed):
            return b""
        rows: list[list[object]] = []
        complete = seat.private_unsure and seat.version is not None
        seat.private_unsure = False
        if self._has_private:
            values = self.store.private_rows(tuple(seat.owned))
            for ident, (item, row) in values.items():
                sent = seat.private_sent.get(ident)
                if sent != row:
                    changed = _private_row(ident, item, sent, row, complete=complete)
                    if changed:
                        rows.append(changed)
                    seat.private_sent[ident] = row
        owned = gaps(sorted(seat.owned)) if seat.owned_changed else None
        if owned is None and not rows:
            return b""
        if owned is not None:
            seat.private_sent = {ident: row for ident, row in seat.private_sent.items() if ident in seat.owned}
        seat.owned_changed = False
        return build_frame(build_private(self._tick, owned, rows))

    def _check_frame(self, seat: Seat, crc: int) -> bytes:
        if self._has_private:
            private = private_checksum(self.state, tuple(seat.owned), seat.private_sent)
            return build_frame(build_check(self._tick, crc, private))
        return self._public_check_frame(crc)

    def _public_check_frame(self, crc: int) -> bytes:
        if not self._check:
            self._check = build_frame(build_check(self._tick, crc, None))
        return self._check

    def _news_frame(self, seat: Seat) -> bytes:
        column = seat.column
        slack = self.inputs.take_slack(column) if column else None
        if slack is None:
            return b""
        news = (slack, self.inputs.late[column], self.inputs.refused[column])
        if news == seat.news_sent:
            return b""
        seat.news_sent = news
        return build_frame(build_news(self._tick, *news))


def _private_row(
    ident: int, item: ClassType, sent: tuple[Wire, ...] | None, row: tuple[Wire, ...], *, complete: bool
) -> list[object] | None:
    """Return ``[id, mask, value, ...]`` of what differs from what was sent (at first: from the defaults), or of all."""
    before = sent if sent is not None else tuple(field.default for field in item.private)
    mask = 0
    values: list[Wire] = []
    for number, (old, new) in enumerate(zip(before, row, strict=True)):
        if complete or old != new:
            mask |= 1 << number
            values.append(new)
    return [ident, mask, *values] if mask else None
