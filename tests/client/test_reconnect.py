from __future__ import annotations

import random
from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from tickwire_client.reconnect import NEVER, Backoff


@given(st.integers(), st.integers(0, 20))
def test_waits_stay_below_a_bound_that_doubles_up_to_the_most(seed: int, attempts: int) -> None:
    backoff = Backoff(first_s=0.5, growth=2.0, most_s=6.0, attempts=attempts)
    waits = list(backoff.waits_s(random.Random(seed), at_once=False))
    assert len(waits) == attempts
    for attempt, wait in enumerate(waits):
        assert 0.0 <= wait <= min(6.0, 0.5 * 2**attempt)


def test_a_server_that_asks_for_it_is_tried_at_once() -> None:
    waits = list(Backoff(attempts=3).waits_s(random.Random(1), at_once=True))
    assert waits[0] == 0.0
    assert waits[1] > 0.0


def test_clients_that_were_lost_together_do_not_come_back_together() -> None:
    backoff = Backoff()
    firsts = {round(next(backoff.waits_s(random.Random(seed), at_once=False)), 6) for seed in range(100)}
    assert len(firsts) > 95


def test_never_never_comes_back() -> None:
    assert list(islice(NEVER.waits_s(random.Random(1), at_once=True), 1)) == []
