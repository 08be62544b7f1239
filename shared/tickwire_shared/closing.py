"""Close codes: why a connection ends, and whether the client may come back (PROTOCOL.md, section 9)."""

from __future__ import annotations

import enum

# RFC 6455, section 5.5: a control frame's payload is at most 125 bytes, two of which hold the code.
MAX_REASON_BYTES = 123

ABNORMAL = 1006
"""RFC 6455, section 7.1.5: what a lost connection without a close frame is reported as."""


class CloseCode(enum.IntEnum):
    """The application's WebSocket close codes."""

    LEFT = 4000
    KICKED = 4001
    BAD_MESSAGE = 4002
    WRONG_PROTOCOL = 4003
    WRONG_SCHEMA = 4004
    NO_SUCH_ROOM = 4005
    REFUSED = 4006
    ROOM_OVER = 4007
    ROOM_FAILED = 4008
    REPLACED = 4009
    RESUME_FAILED = 4010
    MOVED = 4020
    SHUTTING_DOWN = 4040
    ROOM_FULL = 4041
    SERVER_FULL = 4042
    TOO_SLOW = 4043
    TOO_MANY_MESSAGES = 4044
    TIMED_OUT = 4045


class RetryPolicy(enum.Enum):
    """What a client should do after a close."""

    NEVER = "never"
    NOW = "now"
    BACKOFF = "backoff"


def retry_policy(code: int) -> RetryPolicy:
    """Say whether a client that saw ``code`` may come back.

    Codes of WebSocket itself (1000-1015: going away, lost) ask for backoff, except a normal closure and
    the ones that mean that the two sides don't speak the same protocol.
    """
    if code in (1000, 1002, 1003, 1007, 1008, 1010) or 4000 <= code < 4020:
        return RetryPolicy.NEVER
    if 4020 <= code < 4040:
        return RetryPolicy.NOW
    return RetryPolicy.BACKOFF


def clip_reason(reason: str) -> str:
    """Shorten a close reason to what a close frame can carry, at a character boundary."""
    raw = reason.encode("utf-8", "replace")
    if len(raw) <= MAX_REASON_BYTES:
        return raw.decode()
    return raw[: MAX_REASON_BYTES - 3].decode("utf-8", "ignore") + "..."
