"""Percentiles of any number of samples in a bounded amount of memory.

Samples are counted in buckets whose width grows with the value, so a percentile is right to
about 1 %, for microseconds and minutes alike, and two histograms add up exactly.
"""

from __future__ import annotations

from math import ceil, exp, log

from attrs import define, field

BUCKET_RATIO = 1.02  # neighbouring buckets differ by 2 %: half of that is the error
_SCALE = 1 / log(BUCKET_RATIO)
_SMALLEST = 1e-6  # everything below counts as 0


@define
class Histogram:
    """Counts of non-negative samples in logarithmic buckets."""

    count: int = field(default=0, init=False)
    _zeros: int = field(default=0, init=False)
    _buckets: dict[int, int] = field(factory=dict[int, int], init=False)

    def add(self, value: float) -> None:
        """Count one sample; anything below a millionth counts as 0."""
        self.count += 1
        if value < _SMALLEST:
            self._zeros += 1
            return
        bucket = int(log(value / _SMALLEST) * _SCALE)
        self._buckets[bucket] = self._buckets.get(bucket, 0) + 1

    def merge(self, other: Histogram) -> None:
        """Count all samples of ``other`` here too."""
        self.count += other.count
        self._zeros += other._zeros
        for bucket, count in other._buckets.items():
            self._buckets[bucket] = self._buckets.get(bucket, 0) + count

    def percentile(self, percent: float) -> float:
        """The value that ``percent`` % of the samples don't exceed, to about 1 %; 0 without samples."""
        if not 0 <= percent <= 100:
            raise ValueError(f"percent is {percent}; it must be from 0 to 100")
        rank = max(1, ceil(self.count * percent / 100))
        seen = self._zeros
        if seen >= rank or not self._buckets:
            return 0.0
        for bucket in sorted(self._buckets):
            seen += self._buckets[bucket]
            if seen >= rank:
                return _middle(bucket)
        return _middle(max(self._buckets))


def _middle(bucket: int) -> float:
    return _SMALLEST * exp((bucket + 0.5) / _SCALE)
