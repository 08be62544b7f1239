"""What every test gets: examples and an order of tasks that are the same in each run.

``TICKWIRE_EXAMPLES=1000`` looks harder, at new examples each time; ``TICKWIRE_SCHEDULE=7`` lets the tasks take turns in
another order, for tests that pass by luck.
"""

from __future__ import annotations

import gc
import os
from importlib import import_module
from random import Random

import pytest
from hypothesis import HealthCheck, settings

EXAMPLES = int(os.environ.get("TICKWIRE_EXAMPLES", "0"))
SCHEDULE = os.environ.get("TICKWIRE_SCHEDULE", "0")

# No deadlines: the machine may be busy with something else. Repeatable unless asked: a red run means a change.
settings.register_profile(
    "tickwire",
    deadline=None,
    max_examples=EXAMPLES or 40,
    derandomize=not EXAMPLES,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("tickwire")

# Trio shuffles the tasks that can run at the same time with this; Hypothesis seeds it for its own tests alone.
_trio_random: Random = import_module("trio._core._run")._r


def pytest_collection_finish() -> None:
    """Set aside what the imports made: each server that starts and stops in a test would look through all of it."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _same_order_of_tasks(request: pytest.FixtureRequest) -> None:  # pyright: ignore[reportUnusedFunction]
    """A test that passes or fails does so again, alone or among others."""
    _trio_random.seed(f"{SCHEDULE} {request.node.name}")
