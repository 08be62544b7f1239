from __future__ import annotations

import pytest

from tickwire_client.address import parse_address
from tickwire_shared.errors import UsageError


def test_the_path_is_the_protocols_unless_one_is_given() -> None:
    assert parse_address("ws://127.0.0.1:8000").path == "/ws"
    assert parse_address("ws://127.0.0.1:8000/").path == "/ws"
    assert parse_address("ws://127.0.0.1:8000/play?x=1").path == "/play?x=1"


def test_the_address_of_the_page_will_do() -> None:
    address = parse_address("https://example.org/arena.html")
    assert (address.host, address.port, address.path, address.secure) == ("example.org", 443, "/ws", True)


@pytest.mark.parametrize(
    "url, header",
    [
        ("ws://example.org", "example.org"),
        ("wss://example.org", "example.org"),
        ("wss://example.org:80", "example.org:80"),
        ("ws://[::1]:8000", "[::1]:8000"),
    ],
)
def test_the_host_header_leaves_out_the_usual_port(url: str, header: str) -> None:
    assert parse_address(url).host_header == header


@pytest.mark.parametrize("url", ["", "127.0.0.1:8000", "ftp://x", "ws://", "ws://x:99999", "ws://[x"])
def test_anything_else_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(UsageError, match=r"is not a server's address.*ws://127\.0\.0\.1:8000"):
        parse_address(url)
