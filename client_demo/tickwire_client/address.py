"""Where a server is: a URL, checked and taken apart."""

from __future__ import annotations

from urllib.parse import urlsplit

from attrs import frozen

from tickwire_shared.errors import UsageError

DEFAULT_PATH = "/ws"  # PROTOCOL.md, section 9
_SECURE = {"ws": False, "http": False, "wss": True, "https": True}


@frozen(slots=True)
class Address:
    """A server's WebSocket endpoint.

    Attributes:
        url: The URL as a person gave it.
        path: With the query, if there is one.
    """

    url: str
    host: str
    port: int
    path: str
    secure: bool

    @property
    def host_header(self) -> str:
        """What goes into the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"


def parse_address(url: str) -> Address:
    """Take a URL apart; the address of the server's page will do as well, its path then is the default.

    Raises:
        UsageError: It isn't a ws, wss, http or https URL with a host.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UsageError(f"{url!r} is not a server's address: {error}; use one like ws://127.0.0.1:8000.") from None
    if parts.scheme not in _SECURE or not parts.hostname:
        raise UsageError(f"{url!r} is not a server's address; use one like ws://127.0.0.1:8000.")
    secure = _SECURE[parts.scheme]
    path = DEFAULT_PATH if parts.path in ("", "/") or parts.scheme.startswith("http") else parts.path
    return Address(
        url=url,
        host=parts.hostname,
        port=port or (443 if secure else 80),
        path=f"{path}?{parts.query}" if parts.query else path,
        secure=secure,
    )
