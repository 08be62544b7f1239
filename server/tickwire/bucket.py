"""A token bucket: how much of something is allowed over time, with room for a burst."""

from __future__ import annotations

import attrs


@attrs.define(eq=False)
class TokenBucket:
    """Fills by ``rate`` tokens a second up to ``burst``; may be overdrawn, and says for how long it is.

    Attributes:
        rate: Tokens a second; more than 0.
        burst: What it holds when full, as it is at the start.
        now: Seconds, of any clock, when ``tokens`` was right.
        tokens: What is in it; below 0 it is overdrawn.
    """

    rate: float
    burst: float
    now: float = attrs.field(init=False, default=0.0)
    tokens: float = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Begin full."""
        self.tokens = self.burst

    def spend(self, cost: float, now: float) -> float:
        """Take ``cost``, whatever is there; return the seconds until the bucket is not overdrawn any more."""
        self._fill(now)
        self.tokens -= cost
        return max(-self.tokens, 0.0) / self.rate

    def take(self, cost: float, now: float) -> bool:
        """Take ``cost`` if it is there; else take nothing and return False."""
        self._fill(now)
        if self.tokens < cost:
            return False
        self.tokens -= cost
        return True

    def is_full(self, now: float) -> bool:
        """Whether nothing was spent lately."""
        self._fill(now)
        return self.tokens >= self.burst

    def _fill(self, now: float) -> None:
        self.tokens = min(self.burst, self.tokens + (now - self.now) * self.rate)
        self.now = now
