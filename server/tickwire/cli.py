"""The ``tickwire`` command: serve rooms, send bots to a server, or find out why it can't be reached."""

from __future__ import annotations

import ssl
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import structlog
import trio
from cyclopts import App, CycloptsError, Parameter
from cyclopts.validators import Number

from tickwire.limits import Limits
from tickwire.loading import RoomType, load_room
from tickwire.logs import LogLevel, configure_logs
from tickwire.server import Running, serve
from tickwire.signals import cancelled_by_signals
from tickwire.token_key import load_token_key
from tickwire_shared.errors import UsageError

DEMO = "tickwire.demo.arena:Arena"

OK = 0
BOTS_FAILED = 1
UNWELL = 1
MISUSED = 2
INTERRUPTED = 130  # what a shell reports for a command ended by Ctrl+C

# Lines of at most 78 characters, so that an ordinary terminal leaves them whole.
_SERVE_EXAMPLES = """\
Examples:

  tickwire serve                            the demo: http://127.0.0.1:8000/
  tickwire serve --bots 6                   with somebody to play against
  tickwire serve game:Arena --web page      class Arena in game.py, with the
                                            page page/index.html
  tickwire serve a:Lobby b:Race --port 9000
  tickwire serve --host 0.0.0.0             for all who reach this machine
  tickwire serve --tls-dev                  https and wss, with a certificate
                                            made here for this machine
  tickwire serve --tls-cert fullchain.pem --tls-key privkey.pem --port 443"""

_BOTS_EXAMPLES = """\
Examples:

  tickwire bots ws://127.0.0.1:8000 --room arena --count 50 --duration 10
  tickwire bots ws://127.0.0.1:8000 --count 100 --json > report.json
  tickwire bots ws://127.0.0.1:8000 --rtt 150 --jitter 40"""

_DOCTOR_EXAMPLES = """\
Examples:

  tickwire doctor http://127.0.0.1:8000
  tickwire doctor wss://game.example --origin https://example.org --room race"""

_TOKEN_EXAMPLES = """\
Examples:

  tickwire token --key secret.key --sub ada
  tickwire token --key env:TOKEN_KEY --sub ada --room race --minutes 5"""

_EPILOGUE = f"""\
{_SERVE_EXAMPLES}
{_BOTS_EXAMPLES.partition(chr(10))[2].removeprefix(chr(10))}
{_DOCTOR_EXAMPLES.partition(chr(10))[2].removeprefix(chr(10))}
{_TOKEN_EXAMPLES.partition(chr(10))[2].removeprefix(chr(10))}

A game is a class in a Python file:

  from tickwire import Entity, Input, Room, entity, inputs, quantized

  @entity
  class Ship(Entity):
      x: float = quantized(0, 100, step=1 / 16)

  class Arena(Room[None]):
      entities = (Ship,)

      def on_join(self, player):
          self.spawn(Ship(x=50), owner=player)

Exit status: 0 all is well, 1 a bot failed or the doctor
found something, 2 the command can't be carried out."""


app = App(
    name="tickwire",
    help="Serve multiplayer game rooms to browsers, send bots to play in them, find out why one can't connect.",
    help_epilogue=_EPILOGUE,
    help_format="plaintext",
    version=lambda: version("tickwire"),
)
_LIMITS = Limits()
_log = structlog.get_logger(__name__)


def main() -> None:
    """Run the command line; ends the process with its exit status."""
    try:
        app(sys.argv[1:], exit_on_error=False, print_error=False)
    except CycloptsError as error:
        print(f"tickwire: {' '.join(str(error).split())} (tickwire --help shows how)", file=sys.stderr)
        sys.exit(MISUSED)
    except UsageError as error:  # a limit that makes no sense
        print(f"tickwire: {error} (tickwire --help shows how)", file=sys.stderr)
        sys.exit(MISUSED)


@app.command(name="serve", help_epilogue=_SERVE_EXAMPLES)
def serve_command(
    *rooms: str,
    host: str = "127.0.0.1",
    port: Annotated[int, Parameter(validator=Number(gte=0, lte=65535))] = 8000,
    bots: Annotated[int, Parameter(validator=Number(gte=0, lte=1000))] = 0,
    web: Path | None = None,
    tls_cert: Path | None = None,
    tls_key: Path | None = None,
    tls_dev: Annotated[bool, Parameter(negative=())] = False,
    origin: Annotated[tuple[str, ...], Parameter(negative=())] = (),
    token_key: str | None = None,
    limits: Annotated[Limits, Parameter(name="*", group="Limits")] = _LIMITS,
    log_level: LogLevel = LogLevel.INFO,
) -> int:
    """Serve rooms, their page, /rooms and /healthz on one port, until Ctrl+C.

    Players are told when the server stops. Logs go to stderr: for people on a terminal, as JSON elsewhere.

    Args:
        rooms: The rooms, as module:Class; modules in the working directory are found. None: the demo arena.
        host: The address to listen on; 0.0.0.0 for all networks of this machine.
        port: The port; 0 picks a free one and prints it.
        bots: How many bots join the first room and play.
        web: The folder with your game's page (index.html), served at /. The browser SDK stays at /sdk/tickwire.js.
        tls_cert: A certificate in PEM form, with those that lead to its authority: serve https and wss on the port.
        tls_key: Its private key; not needed if the certificate's file holds it.
        tls_dev: Serve https and wss with a certificate made here; says which authority a browser has to trust for it.
        origin: Pages that may play here, like https://game.example, or * for any; repeatable. None: our own host's.
        token_key: Who joins needs a token signed with the key in this file, or in env:NAME: a secret, or a public key.
        limits: What the outside world may ask.
        log_level: What is worth a line.
    """
    configure_logs(log_level)
    status = OK
    try:
        if bots and token_key is not None:
            raise UsageError("the bots have no tokens: use --bots without --token-key")
        types = [load_room(name) for name in rooms or (DEMO,)]
        tls = _tls(tls_cert, tls_key, host if tls_dev else None)
        key = None if token_key is None else load_token_key(token_key)
        server = partial(
            serve, types, host=host, port=port, web=web, tls=tls, limits=limits, origins=origin, token_key=key
        )
        trio.run(_serve, server, types, bots)
    except* UsageError as group:
        status = _misused(group)
    return status


@app.command(name="bots", help_epilogue=_BOTS_EXAMPLES)
def bots_command(
    url: str,
    /,
    *,
    room: str = "arena",
    count: Annotated[int, Parameter(validator=Number(gte=1, lte=10_000))] = 10,
    duration: Annotated[float, Parameter(validator=Number(gt=0))] = 10.0,
    rtt: Annotated[float, Parameter(validator=Number(gte=0, lte=60_000))] = 0.0,
    jitter: Annotated[float, Parameter(validator=Number(gte=0, lte=60_000))] = 0.0,
    tls_ca: Path | None = None,
    json: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Let bots join a room, play for a while, and report what they saw.

    Each bot compares a checksum of its state with the server's. Exit status 1 if any bot failed.

    Args:
        url: The server, for example ws://127.0.0.1:8000
        room: The room type to join or create.
        count: How many bots.
        duration: How many seconds they play once all have joined.
        rtt: A bad network: how many milliseconds a round trip takes longer.
        jitter: By how many milliseconds it varies, more or less.
        tls_ca: The certificate of an authority to trust besides the system's, as --tls-dev makes one.
        json: Print the report as one line of JSON, and no progress.
    """
    configure_logs(LogLevel.WARNING)
    status = OK
    try:
        order = partial(_send_bots, url, room, count, duration, rtt=rtt, jitter=jitter, tls_ca=tls_ca, as_json=json)
        status = trio.run(order)
    except* UsageError as group:
        status = _misused(group)
    return status


@app.command(name="doctor", help_epilogue=_DOCTOR_EXAMPLES)
def doctor_command(
    url: str,
    /,
    *,
    room: str = "arena",
    origin: str | None = None,
    token: str | None = None,
    tls_ca: Path | None = None,
    json: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Find out why a browser can't connect to a server, step by step, and what to do about it.

    Joins the room for about a second. Exit status 0 if a player could play, else 1.

    Args:
        url: The server or its page, for example wss://game.example or http://127.0.0.1:8000
        room: The room type to join.
        origin: Where the page comes from, as https://game.example; the server's own page unless given.
        token: A signed token, for a server with --token-key.
        tls_ca: The certificate of an authority to trust besides the system's, as --tls-dev makes one.
        json: Print the diagnosis as one line of JSON.
    """
    configure_logs(LogLevel.WARNING)
    status = OK
    try:
        options = {} if token is None else {"token": token}
        status = trio.run(partial(_examine, url, room, origin, options, tls_ca=tls_ca, as_json=json))
    except* UsageError as group:
        status = _misused(group)
    return status


@app.command(name="token", help_epilogue=_TOKEN_EXAMPLES)
def token_command(
    *,
    key: str,
    sub: str,
    room: str | None = None,
    minutes: Annotated[float, Parameter(validator=Number(gt=0))] = 60.0,
) -> int:
    """Make a signed token for a server with --token-key, for a test or a guest; a login service makes its own.

    Whoever has the token can join with it: as the option token of connect, or with tickwire doctor --token.

    Args:
        key: The secret that the server has, in a file or as env:NAME.
        sub: Who it is for.
        room: The room type, or the room's id, that it is good for; any room unless given.
        minutes: How long it is good for.
    """
    from tickwire.token_key import load_token_key

    claims: dict[str, object] = {"sub": sub, "exp": int(time.time() + 60 * minutes)}
    try:
        print(load_token_key(key).sign(claims if room is None else {**claims, "room": room}))
    except UsageError as error:
        print(f"tickwire: {error}", file=sys.stderr)
        return MISUSED
    return OK


async def _examine(
    url: str, room: str, origin: str | None, options: Mapping[str, str], *, tls_ca: Path | None, as_json: bool
) -> int:
    from tickwire_client.connection import trusting
    from tickwire_client.doctor import examine

    status = INTERRUPTED
    trust = None if tls_ca is None else trusting(tls_ca)
    with cancelled_by_signals():
        tell: Callable[[object], None] = (lambda check: None) if as_json else partial(print, flush=True)
        diagnosis = await examine(url, room=room, origin=origin, options=options, ssl_context=trust, tell=tell)
        print(diagnosis.to_json() if as_json else diagnosis.remedy)
        status = OK if diagnosis.ok else UNWELL
    return status  # noqa: RET504 - a signal leaves the block above early


def _tls(cert: Path | None, key: Path | None, dev_host: str | None) -> ssl.SSLContext | None:
    """What the options on TLS ask for; None for plain HTTP."""
    if cert is None and key is None and dev_host is None:
        return None
    from tickwire.certificates import load_certificate, make_certificate  # what makes one takes 0.1 s to import

    if dev_host is not None:
        if cert is not None or key is not None:
            raise UsageError("--tls-dev makes a certificate; give either it or --tls-cert and --tls-key")
        made = make_certificate(dev_host)
        print(f"Browsers trust this server once they trust the authority {made.authority}", file=sys.stderr)
        return made.context
    if cert is None:
        raise UsageError("--tls-key is half of a pair: name the certificate with --tls-cert")
    return load_certificate(cert, key)


async def _serve(server: Callable[..., Awaitable[None]], types: list[RoomType], bots: int) -> None:
    with cancelled_by_signals():
        async with trio.open_nursery() as nursery:
            running: Running = await nursery.start(server)
            names = ", ".join(room.name for room in types)
            print(f"tickwire serves {names} at {running.url}  (Ctrl+C stops)", flush=True)
            if bots:
                nursery.start_soon(_play_along, running.url, types[0].name, bots)


async def _play_along(url: str, room: str, count: int) -> None:
    from tickwire_client.swarm import run_swarm  # a server without bots needs no client

    trust = ssl.create_default_context()
    trust.check_hostname = False  # they talk to the server that they are a part of
    trust.verify_mode = ssl.CERT_NONE
    try:
        await run_swarm(url.replace("http", "ws", 1), room, count, float("inf"), ssl_context=trust)
    except Exception:  # bots are guests: the game goes on without them
        _log.exception("the bots gave up", room=room)


async def _send_bots(
    url: str,
    room: str,
    count: int,
    duration_s: float,
    *,
    rtt: float,
    jitter: float,
    tls_ca: Path | None,
    as_json: bool,
) -> int:
    from rich.console import Console

    from tickwire_client.conditioner import Link
    from tickwire_client.connection import trusting
    from tickwire_client.swarm import run_swarm

    status = INTERRUPTED
    link = Link.of_round_trip(rtt, jitter) if rtt or jitter else None
    with cancelled_by_signals():
        trust = None if tls_ca is None else trusting(tls_ca)
        report = await run_swarm(url, room, count, duration_s, progress=not as_json, link=link, ssl_context=trust)
        if as_json:
            print(report.to_json())
        else:
            Console().print(report.to_table())
        status = OK if report.ok else BOTS_FAILED
    return status  # noqa: RET504 - a signal leaves the block above early


def _misused(group: BaseExceptionGroup[UsageError]) -> int:
    """Print the first error as one line."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    print(f"tickwire: {' '.join(str(error).split())}", file=sys.stderr)
    return MISUSED
