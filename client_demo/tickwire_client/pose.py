"""Where a predicted entity is drawn: between its two latest predicted states, so that it moves smoothly at any
frame rate, plus what is left of the last correction.

The browser's twin is ``client_demo/web/sdk/pose.js``.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, hypot, tau

from tickwire_client.forecast import Forecast
from tickwire_client.stepper import Stepper, Wires
from tickwire_client.visual_error import Place, VisualError
from tickwire_shared.errors import UsageError
from tickwire_shared.int_kinds import Angle, Quantized
from tickwire_shared.kinds import Kind
from tickwire_shared.schema import ClassType
from tickwire_shared.smoothing import SNAP_SHARE, mix
from tickwire_shared.ticks import TICK_MODULUS, tick_add, tick_distance

JUMP_TICKS = 0.5
"""The tick drawn may leave its course by this much between two frames; more was a jump of the lead, to be smoothed."""


def position_kinds(item: ClassType, positions: Sequence[str] | None) -> dict[str, Quantized]:
    """The kinds of the fields that make up the place of an entity of ``item``: all there are unless named.

    Raises:
        UsageError: One of those named is no quantized field that everyone sees.
    """
    quantized = {field.name: field.kind for field in item.public if isinstance(field.kind, Quantized)}
    if positions is None:
        return quantized
    stranger = next((name for name in positions if name not in quantized), None)
    if stranger is not None:
        known = ", ".join(quantized) or "none"
        raise UsageError(f"{item.name} has no quantized field {stranger!r} that everyone sees; it has {known}.")
    return {name: quantized[name] for name in positions}


class Pose:
    """Draws one predicted entity; told the local time in milliseconds."""

    def __init__(
        self, item: ClassType, stepper: Stepper, positions: Sequence[str] | None, snap_distance: float | None
    ) -> None:
        """Draw the public quantised and angle fields of ``item``.

        Raises:
            UsageError: A position is no such field.
        """
        smooth = {field.name for field in item.public if isinstance(field.kind, Quantized | Angle)}
        self._fields: tuple[tuple[int, str, Kind], ...] = tuple(
            (k, field.name, field.kind) for k, field in enumerate(stepper.fields) if field.name in smooth
        )
        places = position_kinds(item, positions)
        self._positions = tuple(places)
        spans = [kind.high * kind.step * SNAP_SHARE for kind in places.values()]
        self.snap_distance = snap_distance if snap_distance is not None else min(spans, default=float("inf"))
        self._error = VisualError(frozenset(name for _, name, kind in self._fields if isinstance(kind, Angle)))
        self._drawn: tuple[float, float] | None = None

    def place(self, forecast: Forecast, tick: float, peek: Wires, now_ms: float, tick_ms: float) -> Place:
        """Where the entity is now, apart from what the picture is off.

        Args:
            forecast: Its states.
            tick: The tick to draw, with fraction and not wrapped: the one that inputs are addressed to.
            peek: The input that the next tick will get if nothing changes.
            now_ms: The local time.
            tick_ms: How long a tick is.
        """
        tick -= _excess(forecast, tick)
        place = self._at(forecast, tick, peek)
        if self._drawn is not None:
            was, at_ms = self._drawn
            elapsed = (now_ms - at_ms) / tick_ms
            jump = tick - was - elapsed
            if abs(jump) > max(JUMP_TICKS, 0.1 * elapsed):
                self.glide(self._at(forecast, tick - jump, peek), place, now_ms)
        self._drawn = (tick, now_ms)
        return place

    def shown(self, place: Place, now_ms: float) -> Place:
        """Where to draw it: ``place`` and what the picture is off. Angles in [0, 2 pi)."""
        offsets = self._error.at(now_ms)
        shown = {name: value + offsets.get(name, 0.0) for name, value in place.items()}
        for name in self._error.angles:
            shown[name] %= tau
        return shown

    def glide(self, before: Place, after: Place, now_ms: float, *, snap: bool = False) -> bool:
        """The place has been corrected: go there softly, or at once if it is too far; returns whether at once."""
        jumps = snap or self._units(before, after) > self.snap_distance
        if jumps:
            self._error.clear()
        else:
            self._error.add(before, after, now_ms)
        return jumps

    def error_units(self, now_ms: float) -> float:
        """How far the picture still has to glide."""
        offsets = self._error.at(now_ms)
        return hypot(*(offsets.get(name, 0.0) for name in self._positions))

    def distance(self, a: Wires, b: Wires) -> float:
        """Units between the places of two states."""
        return self._units(self.read(a), self.read(b))

    def read(self, wires: Wires) -> Place:
        """The place in a state."""
        return {name: float(kind.from_wire(wires[k])) for k, name, kind in self._fields}  # type: ignore[arg-type]

    def _at(self, forecast: Forecast, tick: float, peek: Wires) -> Place:
        whole, share = floor(tick) % TICK_MODULUS, tick % 1.0
        if tick_distance(whole, forecast.oldest) < 0:
            return self.read(forecast.at(forecast.oldest))
        ahead = tick_distance(whole, forecast.newest)
        if ahead > 0:
            whole, share = forecast.newest, 1.0
        first = forecast.at(whole)
        second = forecast.guess(peek) if ahead >= 0 else forecast.at(tick_add(whole, 1))
        before, after = self.read(first), self.read(second)
        if self._units(before, after) > self.snap_distance:
            return before
        return {name: mix(kind, first[k], second[k], share) for k, name, kind in self._fields}

    def _units(self, a: Place, b: Place) -> float:
        return hypot(*(a[name] - b[name] for name in self._positions))


def _excess(forecast: Forecast, tick: float) -> float:
    """How far a tick is beyond the last that can be drawn: its inputs are about to be sent."""
    ahead = tick_distance(floor(tick) % TICK_MODULUS, forecast.newest)
    return max(0.0, ahead - 1 + tick % 1.0)
