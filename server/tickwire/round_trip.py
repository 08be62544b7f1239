"""How long a connection's round trip takes, as the server measures it: the peer's word is not asked for.

::

    server --PONG (t3 = now)--> client --VIEW (t3), at once--> server: now - t3

Only stamps that were really given out count, each once. A client can still answer late on purpose and look
slower than it is; nobody can tell that from a slow line, which is why whoever uses this has a bound of its own.
"""

from __future__ import annotations

from typing import Final

import attrs

# RFC 6298, section 2: the weights of a new sample in the mean and in the mean deviation, and how many
# deviations above the mean a round trip may well be.
MEAN_GAIN: Final = 1 / 8
DEVIATION_GAIN: Final = 1 / 4
DEVIATIONS: Final = 4

MAX_OPEN: Final = 8
"""Stamps under way at once: clients ask four times a second at most, so a round trip of two seconds still counts."""


@attrs.define
class RoundTrip:
    """The round trip of one connection, in seconds.

    Attributes:
        mean_s: Smoothed; 0 before the first answer.
        deviation_s: Its mean deviation.
    """

    mean_s: float = 0.0
    deviation_s: float = 0.0
    _open_ms: list[float] = attrs.field(init=False, factory=list[float])

    @property
    def most_s(self) -> float:
        """What the round trip may well be, with its variation."""
        return self.mean_s + DEVIATIONS * self.deviation_s

    def asked(self, stamp_ms: float) -> None:
        """Give out ``stamp_ms``, the time now, for the peer to send back."""
        self._open_ms.append(stamp_ms)
        del self._open_ms[:-MAX_OPEN]

    def answered(self, stamp_ms: float, now_ms: float) -> bool:
        """Take the answer with a stamp.

        Returns:
            False when no such stamp is awaited: it was never given out, came back already, or one given out
            later came back before it. Nothing changes then.
        """
        if stamp_ms not in self._open_ms:
            return False
        del self._open_ms[: self._open_ms.index(stamp_ms) + 1]
        sample_s = max(0.0, now_ms - stamp_ms) / 1000.0
        if self.mean_s == 0.0:
            self.mean_s, self.deviation_s = sample_s, sample_s / 4
        else:
            self.deviation_s += (abs(sample_s - self.mean_s) - self.deviation_s) * DEVIATION_GAIN
            self.mean_s += (sample_s - self.mean_s) * MEAN_GAIN
        return True
