"""What the server answers to a plain HTTP request: pages from folders, and routes that make their answers."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qs, quote

import attrs
import trio

from tickwire.head import Request
from tickwire.static import Folder, StaticFile

WEBSOCKET_PATH = "/ws"

Headers = tuple[tuple[str, str], ...]

TEXT = "text/plain; charset=utf-8"
JSON = "application/json"

# Says the same to a page of any origin, so a game's page may live on another server than its rooms.
_ANY_ORIGIN: Headers = (("Access-Control-Allow-Origin", "*"),)

# For our own page only: what a user's game loads is the user's business.
_OWN_PAGE: Headers = (
    (
        "Content-Security-Policy",
        "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data: blob:; "
        "style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'self'",
    ),
)


@attrs.frozen
class Response:
    """An answer; a file's content is read while it is sent."""

    status: HTTPStatus
    content_type: str = TEXT
    body: bytes | StaticFile = b""
    headers: Headers = ()


@attrs.frozen
class Mount:
    """A folder and the paths it serves: those that start with ``prefix``, which ends in ``/``."""

    prefix: str
    folder: Folder
    headers: Headers = ()


def _admit_any(request: Request) -> None:
    pass


Route = Callable[[Request], Response]
PostRoute = Callable[[Request], Awaitable[Response]]


@attrs.frozen
class Site:
    """Answers requests from a table of routes and, after it, of mounts; the first that fits has it.

    Attributes:
        routes: Exact paths and what makes their answers.
        mounts: The folders served.
        posts: Exact paths that are posted to, and what makes their answers.
        admit: Is shown each request first, and may refuse it.
    """

    routes: Mapping[str, Route]
    mounts: Sequence[Mount]
    posts: Mapping[str, PostRoute] = attrs.field(factory=dict[str, PostRoute])
    admit: Callable[[Request], None] = _admit_any

    async def answer(self, request: Request) -> Response:
        """Answer a request; an unknown path is a 404 with a sentence, a method that doesn't fit it a 405.

        Raises:
            RequestRefused: ``admit`` did.
        """
        self.admit(request)
        post = self.posts.get(request.path)
        if (request.method == "POST") is not (post is not None):
            return _wrong_method(request, "GET, HEAD" if post is None else "POST")
        if post is not None:
            return await post(request)
        route = self.routes.get(request.path)
        if route is not None:
            return route(request)
        for mount in self.mounts:
            if request.path.startswith(mount.prefix):
                return await trio.to_thread.run_sync(_from_folder, mount, request)
            if request.path + "/" == mount.prefix:
                return _redirect(mount.prefix, request.query)
        return not_found(request)


def page_site(
    sdk: Path,
    page: Path | None,
    demo: Path,
    *,
    rooms: Callable[[], Sequence[Mapping[str, object]]],
    health: Callable[[], tuple[bool, Mapping[str, object]]],
    allows_page: Callable[[str, str | None], bool] = lambda origin, host: True,
    admit: Callable[[Request], None] = _admit_any,
    routes: Mapping[str, Route] | None = None,
    posts: Mapping[str, PostRoute] | None = None,
) -> Site:
    """The site of a game server.

    Args:
        sdk: The folder of the browser SDK, at ``/sdk/``.
        page: The folder of a user's own game, at ``/``; None for the demo.
        demo: The folder of the demo game, at ``/game/``, where ``/`` leads; used without ``page``.
        rooms: Lists the rooms, for ``/rooms``.
        health: Whether all is well, and figures, for ``/healthz``.
        allows_page: Whether pages of an origin may play, given our Host: what ``/ws?origin=...`` answers.
        admit: Is shown each request first, and may refuse it (``RequestRefused``).
        routes: Further routes.
        posts: What is posted to.

    Raises:
        OSError: One of the folders is not there.
    """
    all_routes: dict[str, Route] = {
        "/rooms": lambda _: json_response(HTTPStatus.OK, {"rooms": list(rooms())}),
        "/healthz": lambda _: verdict(*health()),
        WEBSOCKET_PATH: lambda request: _no_websocket(request, allows_page),
        **(routes or {}),
    }
    mounts = [Mount("/sdk/", Folder(sdk), _ANY_ORIGIN)]
    if page is None:
        mounts.append(Mount("/game/", Folder(demo), _OWN_PAGE))
        all_routes["/"] = lambda request: _redirect("/game/", request.query)
    else:
        mounts.append(Mount("/", Folder(page)))
    return Site(all_routes, tuple(mounts), posts or {}, admit)


def json_response(status: HTTPStatus, value: object) -> Response:
    """A value as JSON, readable from pages of any origin."""
    return Response(status, JSON, json.dumps(value, default=str).encode() + b"\n", _ANY_ORIGIN)


def not_found(request: Request) -> Response:
    """The answer when nothing is at the path of a request."""
    if request.path == "/favicon.ico":  # browsers ask for one unbidden, and report a 404 as an error of the page
        return Response(HTTPStatus.NO_CONTENT)
    return sentence(HTTPStatus.NOT_FOUND, f"There is nothing at {request.path[:200]}")


def sentence(status: HTTPStatus, text: str, headers: Headers = ()) -> Response:
    """A status with a sentence for a person."""
    return Response(status, TEXT, f"{text}\n".encode(errors="replace"), headers)


def _from_folder(mount: Mount, request: Request) -> Response:
    relative = request.path.removeprefix(mount.prefix)
    try:
        file = mount.folder.find(relative)
        if file is None and mount.folder.is_folder(relative):
            return _redirect(quote(request.path.rpartition("/")[2]) + "/", request.query)
    except PermissionError:
        return sentence(HTTPStatus.FORBIDDEN, f"The server may not read {request.path[:200]}")
    if file is None:
        return not_found(request)
    headers = (("ETag", file.etag), *mount.headers)
    if _matches(request.header("if-none-match"), file.etag):
        return Response(HTTPStatus.NOT_MODIFIED, file.content_type, b"", headers)
    return Response(HTTPStatus.OK, file.content_type, file, headers)


def _matches(condition: str | None, etag: str) -> bool:
    """If-None-Match by weak comparison (RFC 9110, section 13.1.2)."""
    if condition is None:
        return False
    tags = {tag.strip().removeprefix("W/") for tag in condition.split(",")}
    return "*" in tags or etag in tags


def _redirect(place: str, query: str) -> Response:
    location = f"{place}?{query}" if query else place
    return sentence(HTTPStatus.FOUND, f"See {location}", (("Location", location),))


def _no_websocket(request: Request, allows_page: Callable[[str, str | None], bool]) -> Response:
    """What a page gets to know that asks why its WebSocket failed, and a person who opens the address.

    A browser tells a page nothing about a failed WebSocket, and sends no Origin when a page asks its own server; hence
    ``?origin=``.
    """
    for origin in parse_qs(request.query).get("origin", ()):
        if not allows_page(origin, request.header("host")):
            return sentence(HTTPStatus.FORBIDDEN, f"Pages of {origin[:100]} may not play here.", _ANY_ORIGIN)
    text = "This is where the game's WebSocket is; open the page instead."
    upgrade = (("Upgrade", "websocket"), ("Connection", "Upgrade"), *_ANY_ORIGIN)
    return sentence(HTTPStatus.UPGRADE_REQUIRED, text, upgrade)


def _wrong_method(request: Request, allowed: str) -> Response:
    text = f"{request.path[:200]} does not answer {request.method}; use {allowed.replace(', ', ' or ')}."
    return sentence(HTTPStatus.METHOD_NOT_ALLOWED, text, (("Allow", allowed),))


def verdict(good: bool, figures: Mapping[str, object]) -> Response:
    """200 if something is good and 503 if not, with figures that say more, as JSON."""
    status = HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE
    return json_response(status, {"ok": good, **figures})
