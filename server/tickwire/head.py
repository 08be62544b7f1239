"""The HTTP/1.1 side of one connection, without I/O: bytes in, requests out; responses in, bytes out.

h11 does the parsing. What this adds: the limits, sentences for a person instead of codes, and the raw bytes
of the request under way, so that a WebSocket upgrade can be replayed to another parser.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from urllib.parse import unquote_to_bytes

import attrs
import h11

# Browsers send 1 to 2 KiB with a few cookies; 8 KiB is what most HTTP servers allow.
MAX_HEAD_BYTES = 8 * 1024  # unless the server is told otherwise

# A matchmaking request with options that fill a JOIN, twice over.
MAX_BODY_BYTES = 8 * 1024

_METHODS = ("GET", "HEAD", "POST")
_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


class RequestRefused(Exception):
    """A request that gets a 4xx or 5xx and the end of its connection.

    Attributes:
        status: The HTTP status.
        headers: Further headers of the answer.
    """

    def __init__(self, status: HTTPStatus, sentence: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(sentence)
        self.status = status
        self.headers = headers


@attrs.frozen
class Request:
    """A request.

    Attributes:
        method: ``"GET"``, ``"HEAD"`` or ``"POST"``.
        path: The target's path, percent-decoded; starts with ``/``.
        query: What follows the ``?``, as it came; may be empty.
        headers: Name (lower case) and value pairs, in order.
        body: What came with a POST.
        peer: The address that it came from; empty when that isn't known.
        secure: Whether it came over TLS.
    """

    method: str
    path: str
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    peer: str = ""
    secure: bool = False

    def header(self, name: str) -> str | None:
        """The value of the first header of this lower-case name."""
        return next((value for key, value in self.headers if key == name), None)

    @property
    def wants_websocket(self) -> bool:
        """Whether this asks, by GET, to become a WebSocket; the handshake itself is checked by who replays it."""
        upgrades = "websocket" in self._tokens("upgrade") and "upgrade" in self._tokens("connection")
        return upgrades and self.method == "GET"

    def _tokens(self, name: str) -> set[str]:
        values = (value for key, value in self.headers if key == name)
        return {token.strip().lower() for value in values for token in value.split(",")}


class Conversation:
    """The requests and responses of one connection, one after the other.

    Attributes:
        wants_body: Whether an answer to the last request may have a body, be it a refusal.
    """

    def __init__(self, max_head_bytes: int = MAX_HEAD_BYTES, *, peer: str = "", secure: bool = False) -> None:
        self.wants_body = True
        self._max_head_bytes = max_head_bytes
        self._peer = peer
        self._secure = secure
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=max_head_bytes)
        self._raw = bytearray()
        self._post: Request | None = None  # one whose body is not complete
        self._body = bytearray()

    @property
    def raw(self) -> bytes:
        """All bytes from the first of the current request on, whatever followed its head included."""
        return bytes(self._raw)

    @property
    def begun(self) -> bool:
        """Whether part of a request is here."""
        return bool(self._raw)

    def feed(self, data: bytes) -> None:
        """Take bytes that arrived; ``b""`` is the end of the stream."""
        self._raw += data
        self._http.receive_data(data)

    def next_request(self) -> Request | None:
        """The next request, or None while it is incomplete.

        Raises:
            RequestRefused: It is malformed, too large, or not one that this server answers.
            EOFError: The peer ended the stream between requests.
        """
        if self._post is None:
            request = self._next_head()
            if request is None or request.method != "POST":
                return request
            self._post = request
        return self._with_body(self._post)

    def interim(self) -> bytes:
        """What a peer that asks whether to go on (RFC 9110, section 10.1.1) has to be told before its body comes."""
        if self._post is None or not self._http.they_are_waiting_for_100_continue:
            return b""
        return self._http.send(h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue")) or b""

    def _next_event(self) -> object:
        try:
            return self._http.next_event()
        except h11.RemoteProtocolError as error:
            raise self._refusal(error) from error

    def _with_body(self, post: Request) -> Request | None:
        """Read what has come of a body; the request when it is complete."""
        while isinstance(event := self._next_event(), h11.Data):
            self._body += event.data
            if len(self._body) > MAX_BODY_BYTES:
                raise _too_large()
        if not isinstance(event, h11.EndOfMessage):
            return None
        request = attrs.evolve(post, body=bytes(self._body))
        self._post = None
        self._body.clear()
        return request

    def _next_head(self) -> Request | None:
        event = self._next_event()
        if event is h11.NEED_DATA:
            return None
        if isinstance(event, h11.ConnectionClosed):
            raise EOFError
        if not isinstance(event, h11.Request):
            raise RequestRefused(HTTPStatus.BAD_REQUEST, f"Expected a request, got {type(event).__name__}.")
        self.wants_body = event.method != b"HEAD"
        if len(self._raw) - len(self._http.trailing_data[0]) > self._max_head_bytes:
            raise self._too_long()
        return attrs.evolve(_checked(event), peer=self._peer, secure=self._secure)

    def respond(self, status: HTTPStatus, headers: list[tuple[str, str]]) -> bytes:
        """The bytes of a response's head. Its body follows through `body`, then `finish`."""
        response = h11.Response(status_code=status, reason=status.phrase.encode(), headers=headers)
        return self._http.send(response) or b""

    def body(self, data: bytes) -> bytes:
        """The bytes of a piece of a response's body."""
        return self._http.send(h11.Data(data=data)) or b""

    def finish(self) -> bytes:
        """The bytes that end a response."""
        return self._http.send(h11.EndOfMessage()) or b""

    def next_cycle(self) -> bool:
        """Get ready for another request; False when the connection has to end instead."""
        while self._http.their_state is h11.SEND_BODY:
            self._http.next_event()
        if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            return False
        self._http.start_next_cycle()
        self.wants_body = True
        self._raw = bytearray(self._http.trailing_data[0])
        return True

    def _refusal(self, error: h11.RemoteProtocolError) -> RequestRefused:
        status = HTTPStatus(error.error_status_hint)
        if status == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE:
            return self._too_long()
        return RequestRefused(status, f"This is not an HTTP/1.1 request: {error}.")

    def _too_long(self) -> RequestRefused:
        sentence = f"The request's head is longer than {self._max_head_bytes} bytes."
        return RequestRefused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, sentence)


def _too_large() -> RequestRefused:
    sentence = f"The request's body is longer than {MAX_BODY_BYTES} bytes."
    return RequestRefused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, sentence)


def _checked(event: h11.Request) -> Request:
    if event.http_version not in (b"1.1", b"1.0"):
        sentence = f"HTTP/{event.http_version.decode()} is not spoken here; use HTTP/1.1."
        raise RequestRefused(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, sentence)
    method = event.method.decode("ascii")
    if method not in _METHODS:
        sentence = f"{method[:20]} is not answered here; use GET, HEAD or POST."
        raise RequestRefused(HTTPStatus.METHOD_NOT_ALLOWED, sentence, (("Allow", ", ".join(_METHODS)),))
    path, query = _target(event.target)
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in event.headers)
    request = Request(method, path, query, headers)
    if not (request.header("host") or "").isascii():
        raise RequestRefused(HTTPStatus.BAD_REQUEST, "The request's Host has to be ASCII.")
    length = request.header("content-length")
    if method == "POST":
        if length is not None and int(length) > MAX_BODY_BYTES:
            raise _too_large()
    elif length not in (None, "0") or request.header("transfer-encoding") is not None:
        raise RequestRefused(HTTPStatus.BAD_REQUEST, f"A {method} request carries no body here.")
    return request


def _target(raw: bytes) -> tuple[str, str]:
    path, _, query = raw.decode("latin-1").partition("?")
    if not path.startswith("/"):
        raise RequestRefused(HTTPStatus.BAD_REQUEST, "The request's target has to be a path that starts with /.")
    if _ESCAPE.search(path):
        raise RequestRefused(HTTPStatus.BAD_REQUEST, "The request's path has a % without two hexadecimal digits.")
    try:
        return unquote_to_bytes(path.encode("latin-1")).decode("utf-8"), query
    except UnicodeDecodeError as error:
        raise RequestRefused(HTTPStatus.BAD_REQUEST, "The request's path is not UTF-8.") from error
