"""What the doctor says: a line for each check, and one sentence at the end with the remedy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from attrs import asdict, frozen

from tickwire_shared.reasons import Reason

_NAME_WIDTH: Final = 10
_MS_WIDTH: Final = 7

_UNKNOWN: Final = "The server gave that as its reason; what it logs may say more."
_NOT_PRIVATE: Final = 'a browser says "your connection is not private"'

REMEDIES: Final[Mapping[str, str]] = {
    "offline": "Connect this machine to a network.",
    "no such name": "Check the spelling of the server's name, or its DNS record.",
    "not there": "Start the server, check port and firewall; for other machines it has to listen on --host 0.0.0.0.",
    "no answer": "Restart the server, or check what stands between: the port is open, but nobody answers there.",
    "needs tls": "Use wss:// instead of ws:// (https:// for the page): this port speaks TLS.",
    "no tls": "Use ws:// instead of wss://, or start the server with --tls-cert and --tls-key.",
    "tls failed": "Check that both sides speak TLS 1.2 or later, what stands between, and whether the server is full.",
    "not private": "Open the server's page in a tab: the browser says there what it has against the certificate.",
    "certificate expired": f"Renew the certificate and restart the server, or set the clock right; {_NOT_PRIVATE}.",
    "certificate wrong name": f"Use a name that the certificate is for, or get one for this name; {_NOT_PRIVATE}.",
    "certificate not trusted": (
        "Get a certificate from an authority that browsers know (as certbot does) and give its whole chain to "
        f"--tls-cert, or trust this authority with --tls-ca; {_NOT_PRIVATE}."
    ),
    "mixed content": "Use wss://, and give the server TLS: a page that came by https may not open ws://.",
    "not tickwire": "Check the address: what answers there is not a tickwire server.",
    "not well": "Look into the server's log: a room is stuck, or the server is stopping.",
    "wrong path": "Check the path: it is /ws unless a proxy has another one for it.",
    "upgrade lost": "Let the proxy pass WebSocket upgrades on: HTTP/1.1, with the headers Upgrade and Connection.",
    "origin refused": "Let the server allow the page's origin: tickwire serve --origin ORIGIN.",
    "too busy": "Try again later, or raise the server's limits.",
    "lost": "Look into the server's log, and at what stands between: the connection broke off.",
    "wrong protocol": "Update the older side: client and server speak different versions.",
    "bad message": "Update the older side: one sent what the other can't read.",
    "no such room": "Name a room that the server has, with --room.",
    "refused": "Give the room what it asks for: it decides who may join.",
    "room full": "Wait for a seat, or let the room have more (max_players).",
    "server full": "Try again later, or raise the server's limits.",
    "timed out": "Look into the server's log: it accepted the connection and then fell silent.",
}


class Failed(Exception):
    """A check went wrong.

    Attributes:
        reason: Its name, of `Reason` or of a close code.
    """

    def __init__(self, reason: Reason | str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason.value if isinstance(reason, Reason) else reason


@frozen
class Check:
    """One thing that was looked at.

    Attributes:
        name: What.
        ok: Whether it is as it should be.
        ms: How long it took.
        detail: What was seen.
    """

    name: str
    ok: bool
    ms: float
    detail: str

    def __str__(self) -> str:
        """The line for a person."""
        return f"{'✓' if self.ok else '✗'} {self.name:<{_NAME_WIDTH}} {self.ms:{_MS_WIDTH}.1f} ms  {self.detail}"


@frozen
class Diagnosis:
    """What the doctor found.

    Attributes:
        url: What was looked at.
        checks: In order, up to the first that failed.
        reason: Why there is no connection, by name; None when there is one.
        rtt_ms: The median round trip, when one was measured.
        jitter_ms: By how much one round trip differs from the next, on average.
    """

    url: str
    checks: tuple[Check, ...] = ()
    reason: str | None = None
    rtt_ms: float | None = None
    jitter_ms: float | None = None

    @property
    def ok(self) -> bool:
        """Whether a player could play."""
        return self.reason is None

    @property
    def remedy(self) -> str:
        """The last sentence: what to do."""
        return f"All is well at {self.url}." if self.reason is None else REMEDIES.get(self.reason, _UNKNOWN)

    def to_json(self) -> str:
        """Everything, on one line."""
        return json.dumps({"ok": self.ok, **asdict(self), "remedy": self.remedy}, ensure_ascii=False)
