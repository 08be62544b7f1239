"""What may happen to an event on its way to a player whose connection is slow."""

from __future__ import annotations

import enum
from typing import Literal

from tickwire_shared.errors import UsageError
from tickwire_shared.quoting import quote

PolicyName = Literal["must", "latest", "drop"]


class Policy(enum.Enum):
    """How much an event matters; what matters most goes first and is left out last.

    MUST: in order and none left out, as long as the connection lasts; when too much of it waits, that ends as too slow.
    LATEST: of those of a class and topic that wait, only the newest is sent.
    DROP: sent in the tick it is of, or never.
    """

    MUST = "must"
    LATEST = "latest"
    DROP = "drop"


def parse_policy(name: str) -> Policy:
    """Return the policy called ``name``.

    Raises:
        UsageError: There is none.
    """
    try:
        return Policy(name)
    except ValueError:
        raise UsageError(f'policy is {quote(name)}; use "must", "latest" or "drop".') from None
