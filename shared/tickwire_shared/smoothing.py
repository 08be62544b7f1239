"""Between two states: what a field shows at a tick with a fraction, given the states around it.

Clients draw by this rule, and the server goes by it when it asks what a player saw. The twin is
``client_demo/web/sdk/interpolation.js``. Quantised floats go straight, angles the short way round, everything else
stays as it was until the later state. What moved too far was put there, and is drawn at the one place or at the other.
"""

from __future__ import annotations

from typing import Final

from tickwire_shared.int_kinds import Angle, Quantized
from tickwire_shared.kinds import Kind
from tickwire_shared.schema import ClassType
from tickwire_shared.wire_values import Wire

SNAP_SHARE: Final = 1 / 8
"""A quantised field that moves by more than this share of its range between two snapshots was put there."""


def is_smooth(kind: Kind) -> bool:
    """Whether fields of this kind are drawn in between two states."""
    return isinstance(kind, Quantized | Angle)


def jump_limits(item: ClassType) -> tuple[tuple[int, float], ...]:
    """Return, for each public field whose motion can be a jump, its number and how many steps are one."""
    return tuple(
        (number, field.kind.high * SNAP_SHARE)
        for number, field in enumerate(item.public)
        if isinstance(field.kind, Quantized)
    )


def mix(kind: Kind, before: Wire, after: Wire, share: float) -> float:
    """Return the author's value at ``share`` of the way between two wire values; 0 is the first, 1 the second."""
    match kind, before, after:
        case Angle(), int(), int():
            half = kind.modulus >> 1
            turned = ((after - before + half) % kind.modulus) - half
            return (before + turned * share) % kind.modulus * kind.step
        case Quantized(), int(), int():
            return kind.min + (before + (after - before) * share) * kind.step
        case _:
            raise AssertionError(kind)
