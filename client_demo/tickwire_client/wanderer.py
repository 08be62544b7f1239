"""A bot for rooms it knows nothing about: plausible commands from the input class alone."""

from __future__ import annotations

import random
from collections.abc import Mapping
from math import tau
from typing import assert_never

from tickwire_shared.byte_kinds import Blob, Packed, Text
from tickwire_shared.errors import UsageError
from tickwire_shared.int_kinds import Angle, Choice, Flag, Integer, Quantized, Ref, Trigger
from tickwire_shared.kinds import Kind

CHANGE_CHANCE = 0.25  # of a held field, in each decision: hands rest on the controls for a while
TRIGGER_CHANCE = 0.1


def wander(kinds: Mapping[str, Kind], rng: random.Random) -> dict[str, object]:
    """Choose new values for some fields of an input; what isn't mentioned stays as it is."""
    chosen: dict[str, object] = {}
    for name, kind in kinds.items():
        chance = TRIGGER_CHANCE if isinstance(kind, Trigger) else CHANGE_CHANCE
        if rng.random() < chance:
            chosen[name] = _any_value(kind, rng)
    return chosen


def _any_value(kind: Kind, rng: random.Random) -> object:
    match kind:
        case Quantized(min=low, max=high):
            return rng.uniform(low, high)
        case Angle():
            return rng.uniform(0.0, tau)
        case Integer(min=low, max=high):
            return rng.randint(low, high)
        case Trigger():
            return True
        case Flag():
            return rng.random() < 0.5
        case Choice():
            return rng.choice(kind.members or kind.names)
        case Ref():
            return None
        case Text() | Blob() | Packed():
            raise UsageError(f"{kind!r} is in an input; inputs have numbers, flags and choices only.")
        case _:
            assert_never(kind)
