"""The token bucket: a rate, a burst, and how long an overdraft lasts."""

from __future__ import annotations

import pytest

from tickwire.bucket import TokenBucket


def test_a_burst_passes_and_then_the_rate() -> None:
    bucket = TokenBucket(rate=10, burst=3)
    assert [bucket.take(1, 0.0) for _ in range(4)] == [True, True, True, False]
    assert not bucket.take(1, 0.09)
    assert bucket.take(1, 0.1)
    assert not bucket.take(1, 0.1)


def test_an_overdraft_says_how_long_it_lasts() -> None:
    bucket = TokenBucket(rate=10, burst=3)
    assert bucket.spend(3, 1.0) == 0.0
    assert bucket.spend(5, 1.0) == pytest.approx(0.5)
    assert bucket.spend(0, 1.4) == pytest.approx(0.1)
    assert bucket.spend(0, 1.5) == 0.0


def test_it_never_holds_more_than_the_burst() -> None:
    bucket = TokenBucket(rate=10, burst=3)
    assert bucket.spend(2, 0.0) == 0.0
    assert not bucket.is_full(0.1)
    assert bucket.is_full(1000.0)
    assert bucket.spend(4, 1000.0) == pytest.approx(0.1)
