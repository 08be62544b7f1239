"""Some hundred connections come and go in every way: nothing is left of them. `churn` does it with thousands."""

from __future__ import annotations

from tests.scenarios.churn import churn

CONNECTIONS = 200


async def test_nothing_is_left_of_connections_that_come_and_go() -> None:
    before, after = await churn(CONNECTIONS, seconds=1.0)
    assert after.is_no_more_than(before), f"before {before}, after {after}"
