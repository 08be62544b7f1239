"""When to come back after a lost connection: exponential backoff with full jitter.

A server that restarts loses all its clients in the same moment; if they came back in the same
moment too, it would go down again. So each waits a random time below a bound that doubles.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from attrs import field, frozen, validators


@frozen(slots=True)
class Backoff:
    """How long to wait before each attempt, and when to give up.

    Attributes:
        first_s: The bound of the first wait.
        growth: Each bound is the one before times this.
        most_s: The bound never exceeds this.
        attempts: How many attempts before giving up; 0 never comes back.
    """

    first_s: float = field(default=0.25, validator=validators.gt(0))
    growth: float = field(default=2.0, validator=validators.ge(1))
    most_s: float = field(default=10.0, validator=validators.gt(0))
    attempts: int = field(default=8, validator=validators.ge(0))

    def waits_s(self, rng: random.Random, *, at_once: bool) -> Iterator[float]:
        """Yield the wait before each attempt, in seconds; exhausted means give up.

        Args:
            rng: Where the jitter comes from.
            at_once: The server asked to come back now, so the first wait is 0.
        """
        bound = self.first_s
        for attempt in range(self.attempts):
            if at_once and attempt == 0:
                yield 0.0
                continue
            yield rng.uniform(0.0, min(bound, self.most_s))
            bound = min(bound * self.growth, self.most_s)


NEVER = Backoff(attempts=0)
