"""The front door: origins, the client's address, and how fast it lets in."""

from __future__ import annotations

from http import HTTPStatus

import attrs
import pytest
import trio
from trio.testing import MockClock

from tickwire import door as door_module
from tickwire.door import ANSWER_BURST, ANSWERS_PER_S, BURST_S, TURN_BURST, Door, Visitor, address_group, check_origins
from tickwire.head import Request, RequestRefused
from tickwire.limits import Limits
from tickwire_shared.errors import UsageError


def request(**headers: str) -> Request:
    """An upgrade request with these headers; an underscore stands for a hyphen."""
    return Request("GET", "/ws", headers=tuple((name.replace("_", "-"), value) for name, value in headers.items()))


def refusal(door: Door, asked: Request, peer: str = "198.51.100.7") -> RequestRefused:
    with pytest.raises(RequestRefused) as caught:
        door.visitor(asked, peer)
    return caught.value


# Origins


@pytest.mark.parametrize(
    "allowed, host, origin",
    [
        ((), "game.example", "http://game.example"),
        ((), "game.example", "https://game.example"),
        ((), "Game.Example", "https://game.example"),
        ((), "127.0.0.1:8000", "http://127.0.0.1:8000"),
        ((), "[::1]:8000", "http://[::1]:8000"),
        ((), "game.example", None),
        (("https://page.example",), "game.example", "https://page.example"),
        (("https://Page.example",), "game.example", "https://page.example"),
        (("https://page.example",), "game.example", None),
        (("https://a.example", "https://b.example"), "game.example", "https://b.example"),
        (("*",), "game.example", "https://anybody.example"),
        (("null",), "game.example", "null"),
    ],
)
async def test_a_page_that_may_play_is_let_in(
    autojump_clock: MockClock, allowed: tuple[str, ...], host: str, origin: str | None
) -> None:
    headers = {"host": host} if origin is None else {"host": host, "origin": origin}
    assert Door(origins=allowed).visitor(request(**headers), "198.51.100.7") == Visitor("198.51.100.7", origin)


@pytest.mark.parametrize(
    "allowed, host, origin",
    [
        ((), "game.example", "https://evil.example"),
        ((), "game.example", "https://game.example.evil.example"),
        ((), "game.example", "https://game.example:8443"),
        ((), "127.0.0.1:8000", "http://127.0.0.1:9000"),
        ((), "127.0.0.1:8000", "http://localhost:8000"),
        ((), "game.example", "null"),
        ((), "game.example", ""),
        ((), "game.example", "https://user@evil.example"),
        (("https://page.example",), "game.example", "https://game.example"),
        (("https://page.example",), "game.example", "http://page.example"),
        (("https://page.example",), "game.example", "https://page.example.evil.example"),
    ],
)
async def test_another_page_is_told_what_would_let_it_in(
    autojump_clock: MockClock, allowed: tuple[str, ...], host: str, origin: str
) -> None:
    refused = refusal(Door(origins=allowed), request(host=host, origin=origin))
    assert refused.status == HTTPStatus.FORBIDDEN
    assert f"--origin {origin}" in str(refused)


@pytest.mark.parametrize("origin", ["https://game.example", "null", "", "https://[game.example"])
async def test_a_request_without_a_host_is_of_no_page_of_ours(autojump_clock: MockClock, origin: str) -> None:
    assert refusal(Door(), request(origin=origin)).status == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize(
    "origin", ["game.example", "https://", "https://game.example/", "ws://game.example", "https://a.example/b", ""]
)
def test_what_is_no_origin_is_named(origin: str) -> None:
    with pytest.raises(UsageError, match="is no origin; write for example"):
        check_origins([origin])


# Addresses


@pytest.mark.parametrize(
    "address, group",
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("127.0.0.1", None),
        ("127.8.8.8", None),
        ("::1", None),
        ("::ffff:127.0.0.1", None),
        ("", None),
    ],
)
def test_one_client_is_an_address_or_a_network_of_ipv6(address: str, group: str | None) -> None:
    assert address_group(address) == group


@pytest.mark.parametrize(
    "proxies, heard, address",
    [
        (0, "203.0.113.9", "198.51.100.7"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "1.2.3.4, 203.0.113.9", "203.0.113.9"),  # what stands before was made up by the client
        (2, "1.2.3.4, 203.0.113.9, 198.51.100.1", "203.0.113.9"),
        (2, "203.0.113.9", "198.51.100.7"),  # it did not come through both
        (1, "nonsense", "198.51.100.7"),
        (1, None, "198.51.100.7"),
        (1, "2001:db8::9", "2001:db8::9"),
    ],
)
async def test_a_clients_address_is_what_the_outermost_trusted_proxy_saw(
    autojump_clock: MockClock, proxies: int, heard: str | None, address: str
) -> None:
    door = Door(Limits(trusted_proxies=proxies))
    asked = request() if heard is None else request(x_forwarded_for=heard)
    assert door.visitor(asked, "198.51.100.7").address == address


async def test_headers_that_came_apart_count_as_one_list(autojump_clock: MockClock) -> None:
    asked = Request("GET", "/ws", headers=(("x-forwarded-for", "203.0.113.9"), ("x-forwarded-for", "198.51.100.1")))
    assert Door(Limits(trusted_proxies=2)).visitor(asked, "198.51.100.7").address == "203.0.113.9"


# How many, how fast


async def test_an_address_has_so_many_connections_and_another_its_own(autojump_clock: MockClock) -> None:
    door = Door(Limits(connections_per_address=2))
    with door.connected("203.0.113.9"):
        with door.connected("203.0.113.9"):
            with pytest.raises(RequestRefused) as caught, door.connected("203.0.113.9"):
                pass
            assert caught.value.status == HTTPStatus.TOO_MANY_REQUESTS
            with door.connected("203.0.113.10"):
                pass
        with door.connected("203.0.113.9"):
            pass


async def test_behind_a_proxy_the_clients_are_counted_and_not_the_proxy(autojump_clock: MockClock) -> None:
    door = Door(Limits(connections_per_address=1, trusted_proxies=1))
    ada, bo = Visitor("203.0.113.9"), Visitor("203.0.113.10")
    with door.connected("198.51.100.7"), door.connected("198.51.100.7"), door.visiting(ada), door.visiting(bo):
        again = door.visiting(ada)
        with pytest.raises(RequestRefused):
            again.__enter__()


async def test_this_machine_is_not_counted(autojump_clock: MockClock) -> None:
    door = Door(Limits(connections_per_address=1, joins_per_address=1))
    with door.connected("127.0.0.1"), door.connected("127.0.0.1"):
        for _ in range(100):
            assert door.visitor(request(), "127.0.0.1").address == "127.0.0.1"


async def test_an_address_joins_in_a_burst_and_then_at_its_rate(autojump_clock: MockClock) -> None:
    door = Door(Limits(joins_per_address=2))
    for _ in range(int(2 * BURST_S)):
        door.visitor(request(), "203.0.113.9")
    refused = refusal(door, request(), "203.0.113.9")
    assert (refused.status, refused.headers) == (HTTPStatus.TOO_MANY_REQUESTS, (("Retry-After", "1"),))
    door.visitor(request(), "203.0.113.10")
    await trio.sleep(0.5)
    door.visitor(request(), "203.0.113.9")
    refusal(door, request(), "203.0.113.9")


async def test_an_address_asks_in_a_burst_and_then_at_its_rate(autojump_clock: MockClock) -> None:
    door = Door(Limits(requests_per_address=2))
    asked = Request("GET", "/rooms", peer="203.0.113.9")
    for _ in range(int(2 * BURST_S)):
        door.admit_request(asked)
    with pytest.raises(RequestRefused, match="More than 2 requests a second from one address") as caught:
        door.admit_request(asked)
    assert (caught.value.status, caught.value.headers) == (HTTPStatus.TOO_MANY_REQUESTS, (("Retry-After", "1"),))
    door.admit_request(attrs.evolve(asked, peer="203.0.113.10"))
    for _ in range(100):
        door.admit_request(attrs.evolve(asked, peer="127.0.0.1"))
    await trio.sleep(0.5)
    door.admit_request(asked)


async def test_behind_a_proxy_requests_count_for_whom_they_are_from(autojump_clock: MockClock) -> None:
    door = Door(Limits(requests_per_address=1, trusted_proxies=1))

    def ask(client: str) -> None:
        door.admit_request(Request("GET", "/", headers=(("x-forwarded-for", client),), peer="198.51.100.7"))

    for _ in range(int(BURST_S)):
        ask("203.0.113.9")
    with pytest.raises(RequestRefused):
        ask("203.0.113.9")
    ask("203.0.113.10")


async def test_an_address_that_connects_too_fast_is_not_heard_at_all(autojump_clock: MockClock) -> None:
    door = Door(Limits(joins_per_address=1))
    assert [door.knock("203.0.113.9") for _ in range(26)] == [True] * 25 + [False]
    assert door.knock("203.0.113.10")
    assert door.knock("127.0.0.1")


async def test_a_page_is_answered_at_once_and_a_crowd_in_turns(autojump_clock: MockClock) -> None:
    door = Door()
    for _ in range(ANSWER_BURST):
        await door.answer_turn()
    assert trio.current_time() == 0.0
    for _ in range(100):
        await door.answer_turn()
    assert trio.current_time() == pytest.approx(100 / ANSWERS_PER_S)


async def test_a_crowd_at_the_door_takes_turns(autojump_clock: MockClock) -> None:
    door = Door(Limits(joins_per_second=100))
    times: list[float] = []

    async def enter() -> None:
        await door.turn()
        times.append(trio.current_time())

    async with trio.open_nursery() as nursery:
        for _ in range(TURN_BURST + 100):
            nursery.start_soon(enter)
    assert times[:TURN_BURST] == [0.0] * TURN_BURST
    assert times[TURN_BURST:] == pytest.approx([0.01 * number for number in range(1, 101)])


async def test_who_would_wait_too_long_is_sent_away_and_keeps_nobody_waiting(autojump_clock: MockClock) -> None:
    door = Door(Limits(joins_per_second=1, handshake_timeout_s=2))
    outcomes: list[float] = []

    async def enter() -> None:
        try:
            await door.turn()
        except RequestRefused as refused:
            outcomes.append(-1 if refused.status == HTTPStatus.SERVICE_UNAVAILABLE else -2)
        else:
            outcomes.append(trio.current_time())

    async with trio.open_nursery() as nursery:
        for _ in range(TURN_BURST + 50):
            nursery.start_soon(enter)
    assert sorted(outcomes) == [-1] * 48 + [0.0] * TURN_BURST + [1.0, 2.0]
    await trio.sleep(1)
    await door.turn()
    assert trio.current_time() == 3.0


async def test_addresses_are_forgotten_before_they_fill_the_memory(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door_module, "MAX_ADDRESSES", 8)
    door = Door(Limits(joins_per_address=1))
    for number in range(100):
        assert door.knock(f"203.0.113.{number}")
        assert len(door._knocks) <= 8  # pyright: ignore[reportPrivateUsage]
