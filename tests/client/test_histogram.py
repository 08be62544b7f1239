from __future__ import annotations

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickwire_client.histogram import Histogram

samples = st.lists(
    st.floats(0, 1e6, allow_subnormal=False).map(lambda value: value if value > 1e-6 else 0.0), min_size=1
)


def filled(values: list[float]) -> Histogram:
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    return histogram


@given(samples, st.floats(0, 100))
def test_a_percentile_is_right_to_about_one_percent(values: list[float], percent: float) -> None:
    exact = sorted(values)[max(1, ceil(len(values) * percent / 100)) - 1]
    assert filled(values).percentile(percent) == pytest.approx(exact, rel=0.0101)


@given(samples, samples)
def test_merging_is_the_same_as_counting_all(left: list[float], right: list[float]) -> None:
    merged = filled(left)
    merged.merge(filled(right))
    assert merged == filled(left + right)


def test_nothing_has_percentile_zero() -> None:
    assert Histogram().percentile(99) == 0.0


def test_a_percentile_beyond_100_is_refused() -> None:
    with pytest.raises(ValueError, match="percent is 101"):
        Histogram().percentile(101)
