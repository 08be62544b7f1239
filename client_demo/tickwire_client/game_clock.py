"""What the time is, here, at the server and in the picture: `game.clock`."""

from __future__ import annotations

from collections.abc import Callable

from tickwire_client.client_session import ClientSession
from tickwire_shared.ticks import TICK_MODULUS


class GameClock:
    """One player's clocks. Times are in milliseconds, ticks have a fraction and wrap at 2^32.

    They run steadily while playing: a corrected estimate makes them run up to 5 % faster or slower for a while. Only
    when the server dropped ticks, so that its own schedule moved, do the ticks follow at once.
    """

    def __init__(self, session: ClientSession, now_ms: Callable[[], float]) -> None:
        """Tell the time of ``session``; ``now_ms`` is the local clock."""
        self._session = session
        self._now_ms = now_ms

    @property
    def now(self) -> float:
        """The time here."""
        return self._now_ms()

    @property
    def server_now(self) -> float:
        """The server's time; its zero means nothing."""
        return self._session.clock.time_at(self._now_ms())

    @property
    def render_now(self) -> float:
        """The server's time that was drawn in the last frame; ``server_now`` before the first."""
        shown = self._session.shown_tick
        return self.server_now if shown is None else self._session.clock.due_ms(shown)

    @property
    def server_tick(self) -> float:
        """The tick that the server is at; 0 before the join."""
        return self._session.clock.tick_at(self._now_ms()) % TICK_MODULUS

    @property
    def render_tick(self) -> float:
        """The tick that was drawn in the last frame; ``server_tick`` before the first."""
        shown = self._session.shown_tick
        return self.server_tick if shown is None else shown % TICK_MODULUS

    @property
    def offset_ms(self) -> float:
        """The server's time minus the time here."""
        return self._session.clock.offset_ms(self._now_ms())

    @property
    def rtt_ms(self) -> float:
        """The round trip, smoothed; 0 before the first was measured."""
        return self._session.clock.rtt_ms

    @property
    def jitter_ms(self) -> float:
        """How irregularly snapshots come."""
        interpolation = self._session.interpolation
        return 0.0 if interpolation is None else interpolation.lateness.jitter_ticks * self._session.clock.tick_ms

    @property
    def lead_ticks(self) -> float:
        """How many ticks ahead of the server inputs are addressed; 0 while none are sent."""
        return 0.0 if self._session.pacer is None else self._session.pacer.lead.lead_ticks

    @property
    def delay_ticks(self) -> float:
        """How far in the past the others were drawn in the last frame; 0 before the first."""
        return 0.0 if self._session.interpolation is None else self._session.interpolation.delay_ticks
