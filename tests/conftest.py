"""How hard Hypothesis looks: the same examples in each run, or more and new ones with ``TICKWIRE_EXAMPLES=1000``."""

import os

from hypothesis import HealthCheck, settings

EXAMPLES = int(os.environ.get("TICKWIRE_EXAMPLES", "0"))

# No deadlines: the machine may be busy with something else. Repeatable unless asked: a red run means a change.
settings.register_profile(
    "tickwire",
    deadline=None,
    max_examples=EXAMPLES or 40,
    derandomize=not EXAMPLES,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("tickwire")
