"""Why a connection can't be made: one list for the doctor, the browser SDK and the page (PROTOCOL.md, section 9).

Once the server has accepted a connection, it says itself why it ends it: the reason is then the close code's name.
"""

from __future__ import annotations

import enum

from tickwire_shared.closing import CloseCode


class Reason(enum.Enum):
    """Why there is no connection; the value is the name that programs and pages use."""

    OFFLINE = "offline"
    NO_SUCH_NAME = "no such name"
    NOT_THERE = "not there"
    NO_ANSWER = "no answer"
    NEEDS_TLS = "needs tls"
    NO_TLS = "no tls"
    TLS_FAILED = "tls failed"
    NOT_PRIVATE = "not private"
    CERTIFICATE_EXPIRED = "certificate expired"
    CERTIFICATE_WRONG_NAME = "certificate wrong name"
    CERTIFICATE_NOT_TRUSTED = "certificate not trusted"
    MIXED_CONTENT = "mixed content"
    NOT_TICKWIRE = "not tickwire"
    NOT_WELL = "not well"
    WRONG_PATH = "wrong path"
    UPGRADE_LOST = "upgrade lost"
    ORIGIN_REFUSED = "origin refused"
    TOO_BUSY = "too busy"
    LOST = "lost"


def closed_because(code: int) -> str:
    """The reason that a close code stands for; that of a lost connection for any that is not tickwire's."""
    try:
        return CloseCode(code).name.lower().replace("_", " ")
    except ValueError:
        return Reason.LOST.value
