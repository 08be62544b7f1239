"""How far in the past this player sees the world, as it is told to the server (PROTOCOL.md, VIEW).

The server goes by it when it asks what the player saw: for shots, for instance. It is told again only when it changed,
before the input that it is for.
"""

from __future__ import annotations

from math import floor

from attrs import define, field

from tickwire_shared.client_messages import MAX_VIEW_DELAY, VIEW_STEPS, View, build_view

LEAST_CHANGE_STEPS = 2  # an eighth of a tick: less than anybody aims
_HALF = 1 << 31


@define
class ViewDelay:
    """Remembers what the server was told on this connection."""

    _told: int | None = field(default=None, init=False)

    @property
    def told(self) -> bool:
        """Whether the server was told a delay."""
        return self._told is not None

    def answer(self, t3: float, delay_ticks: float | None) -> bytes:
        """The answer to a PONG; with a delay, if that is known."""
        return build_view(View(t3, None if delay_ticks is None else self._tell(delay_ticks)))

    def update(self, delay_ticks: float) -> bytes | None:
        """The message before an input; None when the server knows the delay already, or nearly."""
        if self._told is not None and abs(_steps(delay_ticks) - self._told) < LEAST_CHANGE_STEPS:
            return None
        return build_view(View(None, self._tell(delay_ticks)))

    def restart(self) -> None:
        """Begin anew on a new connection."""
        self._told = None

    def _tell(self, delay_ticks: float) -> int:
        self._told = _steps(delay_ticks)
        return self._told


def ticks_between(shown: float, commanded: float) -> float:
    """How far a tick is behind another, the short way round; both may have fractions."""
    return (commanded - shown + _HALF) % (2 * _HALF) - _HALF


def _steps(delay_ticks: float) -> int:
    return min(max(floor(delay_ticks * VIEW_STEPS + 0.5), 0), MAX_VIEW_DELAY)
