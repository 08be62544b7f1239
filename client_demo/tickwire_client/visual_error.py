"""The way from where an entity was drawn to where it ought to be.

A corrected prediction is right at once; only the picture takes its time: what it was off by becomes an offset
that decays exponentially (Fiedler, "State Synchronization", 2015: smooth the error, never the state).
The browser's twin is ``client_demo/web/sdk/visual_error.js``.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import exp

from attrs import define, field

from tickwire_client.geometry import turn_between

DECAY_MS = 100.0
"""After this long a 1/e of the error is left: gone in about a third of a second, too soft to see as a jump."""
NEGLIGIBLE = 1e-4
"""What is left of an error that nobody can see any more."""

Place = Mapping[str, float]


@define
class VisualError:
    """Offsets by field; decays with the local time in milliseconds that each call is told.

    Attributes:
        angles: The fields that are angles in radians: they differ the short way round.
    """

    angles: frozenset[str]
    _offsets: dict[str, float] = field(factory=dict[str, float], init=False)
    _at_ms: float = field(default=0.0, init=False)

    def add(self, before: Place, after: Place, now_ms: float) -> None:
        """The picture was at ``before`` and ought to be at ``after``: keep it where it was, for now."""
        offsets = self.at(now_ms)
        for name in before:
            offset = offsets.get(name, 0.0) + before[name] - after[name]
            self._offsets[name] = turn_between(0.0, offset) if name in self.angles else offset
        self._at_ms = now_ms

    def at(self, now_ms: float) -> Place:
        """What to add to each field of the pose; none that isn't off."""
        if not self._offsets:
            return self._offsets
        rest = exp(-max(0.0, now_ms - self._at_ms) / DECAY_MS)
        if rest < NEGLIGIBLE:
            self._offsets.clear()
        return {name: offset * rest for name, offset in self._offsets.items()}

    def clear(self) -> None:
        """Nothing to smooth any more."""
        self._offsets.clear()
