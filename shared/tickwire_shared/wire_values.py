"""Wire values: what a field holds on the wire, and what to do with an author's value that it can't hold."""

from __future__ import annotations

from typing import Literal

from tickwire_shared.errors import DeclarationError
from tickwire_shared.quoting import quote

Wire = int | bytes
"""An int for the int kinds, a byte string for the byte kinds (PROTOCOL.md, section 2)."""

Overflow = Literal["clamp", "refuse"]


def check_overflow(value: object) -> Overflow:
    """Return ``value`` if it is a way to deal with what does not fit, else raise DeclarationError."""
    if value == "clamp":
        return "clamp"
    if value == "refuse":
        return "refuse"
    raise DeclarationError(f'overflow is {quote(value)}; use "clamp" or "refuse".')
