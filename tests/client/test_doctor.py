"""The doctor: each defect is found by a server that has just that one, and named with its remedy."""

from __future__ import annotations

import json
import re
import socket
import ssl
from functools import partial

import pytest
import trio
import trustme

import tickwire_client.doctor
from tests.authority import client_context, server_context
from tests.client.defects import (
    HEALTHY,
    Defect,
    answering,
    closing,
    defective,
    healthy_but,
    http,
    picky,
    said,
    silent,
    upgrading_then,
)
from tests.client.meadow import Meadow
from tickwire.server import serve
from tickwire_client.address import Address, parse_address
from tickwire_client.diagnosis import REMEDIES, Check, Diagnosis
from tickwire_client.doctor import Doctor, examine
from tickwire_client.symptoms import is_mixed_content
from tickwire_shared.client_messages import Join
from tickwire_shared.closing import CloseCode
from tickwire_shared.errors import UsageError
from tickwire_shared.reasons import Reason, closed_because

STEPS = ["name", "port", "tls", "http", "upgrade", "origin", "protocol", "join", "snapshot", "round trip"]
TLS_ALERT = b"\x15\x03\x01\x00\x02\x02\x16"


def found(diagnosis: Diagnosis) -> tuple[str | None, str]:
    """The reason, and at which step it was seen."""
    assert [check.ok for check in diagnosis.checks[:-1]] == [True] * (len(diagnosis.checks) - 1)
    return diagnosis.reason, diagnosis.checks[-1].name


async def players(port: int, *, tls: bool) -> str:
    """What the first look at a server says."""
    address = parse_address(f"http{'s' if tls else ''}://127.0.0.1:{port}")
    doctor = Doctor(address, Join("join", "meadow"), "", client_context(), lambda check: None)
    await doctor.check_port()
    if tls:
        await doctor.check_tls()
    try:
        return await doctor.check_http()
    finally:
        await doctor.aclose()


# Nothing is wrong


@pytest.mark.parametrize("secure", [False, True])
async def test_of_a_good_server_every_step_is_told_and_the_seat_is_given_back(secure: bool) -> None:
    told: list[Check] = []
    async with trio.open_nursery() as nursery:
        tls = server_context() if secure else None
        running = await nursery.start(partial(serve, [Meadow], port=0, tls=tls))
        diagnosis = await examine(running.url, room="meadow", ssl_context=client_context(), tell=told.append)
        with trio.fail_after(10):
            while "players: 0" not in await players(running.port, tls=secure):
                await trio.lowlevel.checkpoint()
        nursery.cancel_scope.cancel()
    assert diagnosis.ok
    assert diagnosis.remedy == f"All is well at {running.url}."
    assert told == list(diagnosis.checks)
    assert [check.name for check in told] == [step for step in STEPS if secure or step != "tls"]
    details = {check.name: check.detail for check in told}
    assert details["name"] == "127.0.0.1"
    assert details["http"] == "tickwire; rooms: 0, players: 0"
    assert details["join"].startswith("player 1 of meadow ")
    assert re.fullmatch(r"tick \d+, \d+ bytes", details["snapshot"])
    assert diagnosis.rtt_ms is not None
    assert diagnosis.rtt_ms > 0


def test_a_check_is_a_line_with_its_mark_and_time() -> None:
    assert str(Check("name", True, 1.51, "127.0.0.1")) == "✓ name           1.5 ms  127.0.0.1"
    assert str(Check("round trip", False, 5000.0, "?")) == "✗ round trip  5000.0 ms  ?"


def test_a_diagnosis_is_also_json() -> None:
    diagnosis = Diagnosis("ws://x", (Check("name", False, 1.5, "x has no address"),), "no such name")
    assert json.loads(diagnosis.to_json()) == {
        "ok": False,
        "url": "ws://x",
        "reason": "no such name",
        "remedy": REMEDIES["no such name"],
        "rtt_ms": None,
        "jitter_ms": None,
        "checks": [{"name": "name", "ok": False, "ms": 1.5, "detail": "x has no address"}],
    }


# One defect each

REFUSE_ALL = healthy_but(answering(http("403 Forbidden", b"no\n")))
WELCOME: dict[str, object] = {
    "room": "r", "type": "arena", "player": 1, "token": "t", "hz": 20, "snapshot_every": 1, "tick": 1, "time": 0.0,
    "schema": {"entities": [], "input": None, "events": []}, "resumed": False, "hold": 1, "hash": bytes(8),
}  # fmt: skip

DEFECTS: list[tuple[str, Defect, str, str, str]] = [
    ("another protocol", answering(b"SSH-2.0-OpenSSH_9.2\r\n"), "not tickwire", "http", "speaks no HTTP"),
    ("hangs up", answering(b""), "not tickwire", "http", "hung up"),
    ("a port for TLS", answering(TLS_ALERT), "needs tls", "http", "speaks TLS"),
    (
        "a port for TLS, by nginx",
        answering(http("400 Bad Request", b"The plain HTTP request was sent to HTTPS port")),
        "needs tls", "http", "400",
    ),
    ("moved to https", answering(http("301 Moved", b"", "Location: https://x/")), "needs tls", "http", "301"),
    ("a stuck room", answering(http("503 Unavailable", HEALTHY.replace(b"true", b"false"))), "not well", "http", "503"),
    ("another web server", answering(http("404 Not Found", b"<html>")), "not tickwire", "upgrade", "404 at /ws"),
    ("another path", healthy_but(answering(http("404 Not Found", b"Nothing.\n"))), "wrong path", "upgrade", "Nothing."),
    ("a proxy that upgrades nothing", healthy_but(answering(http("426 No"))), "upgrade lost", "upgrade", "426"),
    ("a proxy that hangs up", healthy_but(answering(b"")), "upgrade lost", "upgrade", "broke off"),
    ("full", healthy_but(answering(http("503 Unavailable", b"All in use.\n"))), "too busy", "upgrade", "All in use."),
    ("too many joins", healthy_but(answering(http("429 Too Many"))), "too busy", "upgrade", "429"),
    ("other pages only", healthy_but(picky), "origin refused", "origin", "Pages of strangers may not play here."),
    ("an old client", upgrading_then(closing(4003, "Speak 2.")), "wrong protocol", "protocol", "Speak 2."),
    ("a new server", upgrading_then(said([1, {**WELCOME, "protocol": 99}])), "wrong protocol", "protocol", "99"),
    ("rubbish", upgrading_then(said("hello")), "wrong protocol", "protocol", ""),
    ("no such room", upgrading_then(closing(4005, "There is no arena.")), "no such room", "join", "There is no arena."),
    ("not for you", upgrading_then(closing(4006, "Members only.")), "refused", "join", "Members only."),
    ("a full room", upgrading_then(closing(4041, "16 of 16.")), "room full", "join", "16 of 16."),
    ("breaks off at the join", upgrading_then(b"\x88\x00"), "lost", "protocol", "ended with 1005"),
    ("dies at the join", upgrading_then(), "no answer", "protocol", "within"),
]  # fmt: skip


@pytest.mark.parametrize(
    "defect, reason, step, words", [case[1:] for case in DEFECTS], ids=[case[0] for case in DEFECTS]
)
async def test_a_defect_is_found_where_it_is(
    defect: Defect, reason: str, step: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if reason == "no answer":
        monkeypatch.setattr(tickwire_client.doctor, "PATIENCE_S", 0.1)
    async with defective(defect) as port:
        diagnosis = await examine(f"ws://127.0.0.1:{port}")
    assert found(diagnosis) == (reason, step)
    assert words in diagnosis.checks[-1].detail
    assert diagnosis.remedy == REMEDIES[reason]


async def test_an_origin_that_is_allowed_gets_past_the_origin() -> None:
    async with defective(healthy_but(picky)) as port:
        diagnosis = await examine(f"ws://127.0.0.1:{port}", origin="https://friends.example")
    assert [check.name for check in diagnosis.checks if check.ok][-1] == "origin"


async def test_a_proxy_that_passes_the_game_alone_is_no_defect() -> None:
    async def answer(stream: trio.abc.Stream, head: bytes) -> None:
        await (answering(http("404 Not Found")) if b"/healthz" in head else picky)(stream, head)

    async with defective(answer) as port:
        diagnosis = await examine(f"ws://127.0.0.1:{port}", origin="https://friends.example")
    assert {check.name: check.detail for check in diagnosis.checks if check.ok}["http"].endswith("perhaps not tickwire")
    assert diagnosis.checks[-1].name == "protocol"


async def test_a_name_without_an_address_is_found() -> None:
    diagnosis = await examine("ws://no-such-host.invalid:8000")
    assert found(diagnosis) == ("no such name", "name")
    assert "no-such-host.invalid has no address" in diagnosis.checks[-1].detail


async def test_a_port_where_nobody_listens_is_found() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    assert found(await examine(f"ws://127.0.0.1:{port}")) == ("not there", "port")


async def test_a_server_that_never_answers_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tickwire_client.doctor, "PATIENCE_S", 0.1)
    async with defective(silent) as port:
        diagnosis = await examine(f"ws://127.0.0.1:{port}")
    assert found(diagnosis) == ("no answer", "http")


# TLS


CERTIFICATES: list[tuple[str, ssl.SSLContext, str]] = [
    ("expired", server_context(age_days=30, left_days=-1), "certificate expired"),
    ("of the future", server_context(age_days=-1), "certificate expired"),
    ("for another name", server_context("game.example"), "certificate wrong name"),
    ("for another address", server_context("192.0.2.1"), "certificate wrong name"),
    ("of an unknown authority", server_context(authority=trustme.CA()), "certificate not trusted"),
]


@pytest.mark.parametrize("context, reason", [case[1:] for case in CERTIFICATES], ids=[case[0] for case in CERTIFICATES])
async def test_a_certificate_that_browsers_refuse_is_found(context: ssl.SSLContext, reason: str) -> None:
    async with defective(REFUSE_ALL, context) as port:
        diagnosis = await examine(f"wss://127.0.0.1:{port}", ssl_context=client_context())
    assert found(diagnosis) == (reason, "tls")
    assert 'a browser says "your connection is not private"' in diagnosis.remedy


async def test_a_server_without_tls_is_found() -> None:
    async with trio.open_nursery() as nursery:
        running = await nursery.start(partial(serve, [Meadow], port=0))
        diagnosis = await examine(f"wss://127.0.0.1:{running.port}", ssl_context=client_context())
        nursery.cancel_scope.cancel()
    assert found(diagnosis) == ("no tls", "tls")


async def test_a_server_with_tls_is_found_behind_ws() -> None:
    async with trio.open_nursery() as nursery:
        running = await nursery.start(partial(serve, [Meadow], port=0, tls=server_context()))
        diagnosis = await examine(f"ws://127.0.0.1:{running.port}")
        nursery.cancel_scope.cancel()
    assert found(diagnosis) == ("needs tls", "http")


async def test_a_server_that_hangs_up_during_the_handshake_is_found() -> None:
    async def hang_up(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        await stream.aclose()

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(trio.serve_tcp, hang_up, 0)
        port = listeners[0].socket.getsockname()[1]
        diagnosis = await examine(f"wss://127.0.0.1:{port}", ssl_context=client_context())
        nursery.cancel_scope.cancel()
    assert found(diagnosis) == ("tls failed", "tls")


@pytest.mark.parametrize(
    "origin, host, secure, mixed",
    [
        ("https://page.example", "game.example", False, True),
        ("https://page.example", "game.example", True, False),
        ("http://page.example", "game.example", False, False),
        ("https://page.example", "127.0.0.1", False, False),
        ("https://page.example", "::1", False, False),
        ("https://page.example", "localhost", False, False),
    ],
)
def test_a_secure_page_opens_nothing_insecure_elsewhere(origin: str, host: str, secure: bool, mixed: bool) -> None:
    assert is_mixed_content(origin, Address("", host, 80, "/ws", secure)) is mixed


# The list


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_remedy(reason: Reason) -> None:
    assert re.fullmatch(r"[A-Z].*\.", REMEDIES[reason.value])


def test_every_remedy_is_for_a_reason_or_a_close_code() -> None:
    assert REMEDIES.keys() <= {reason.value for reason in Reason} | {closed_because(code) for code in CloseCode}


def test_a_close_code_of_nobodys_is_a_lost_connection() -> None:
    assert closed_because(1006) == Reason.LOST.value


async def test_what_is_no_url_is_misuse() -> None:
    with pytest.raises(UsageError, match="ftp"):
        await examine("ftp://x")


@pytest.mark.parametrize("origin", ["example.org", "https://example.org/", "https://", "https://[x", ""])
async def test_what_is_no_origin_is_misuse(origin: str) -> None:
    with pytest.raises(UsageError, match=r"is no origin; use one like https://example\.org"):
        await examine("ws://127.0.0.1:1", origin=origin)
