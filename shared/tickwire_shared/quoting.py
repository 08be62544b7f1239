"""Quoting values in error messages: short, and harmless whatever the value is."""

from __future__ import annotations

import reprlib
from typing import Final

MAX_CHARACTERS: Final = 60

# Limits depth and length before anything is written out: a message of a peer may be a thousand arrays deep,
# and the plain repr of that is a RecursionError.
_writer = reprlib.Repr()
_writer.maxlevel = 3
_writer.maxstring = _writer.maxother = _writer.maxlong = MAX_CHARACTERS


def quote(value: object) -> str:
    """Return the ``repr`` of ``value``, cut to some sixty characters; never raises."""
    try:
        text = _writer.repr(value)
    except Exception as error:  # an author's own __repr__, or an int of more digits than Python writes
        return f"<{type(value).__name__}: {type(error).__name__}>"
    return text if len(text) <= MAX_CHARACTERS else text[: MAX_CHARACTERS - 3] + "..."
