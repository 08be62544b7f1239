from __future__ import annotations

from contextlib import suppress
from http import HTTPStatus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickwire.head import MAX_BODY_BYTES, MAX_HEAD_BYTES, Conversation, Request, RequestRefused


def request_of(data: bytes) -> Request | None:
    conversation = Conversation()
    conversation.feed(data)
    return conversation.next_request()


def refusal_of(data: bytes) -> RequestRefused:
    with pytest.raises(RequestRefused) as caught:
        request_of(data)
    return caught.value


def get(target: str, *headers: str) -> bytes:
    return "\r\n".join([f"GET {target} HTTP/1.1", "Host: game", *headers, "", ""]).encode("latin-1")


def post(body: bytes, *headers: str) -> bytes:
    return "\r\n".join(["POST /matchmake HTTP/1.1", "Host: game", *headers, "", ""]).encode() + body


def chunked(*chunks: bytes) -> bytes:
    body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))
    return post(body, "Transfer-Encoding: chunked")


def test_a_head_is_read_into_method_path_query_and_headers() -> None:
    request = request_of(get("/a%20b/%C3%A9?q=1%202", "X-Thing: yes"))
    assert request is not None
    assert (request.method, request.path, request.query) == ("GET", "/a b/é", "q=1%202")
    assert request.header("x-thing") == "yes"
    assert request.header("x-other") is None


def test_a_head_may_come_byte_by_byte() -> None:
    conversation = Conversation()
    data = get("/rooms")
    for byte in data[:-1]:
        conversation.feed(bytes([byte]))
        assert conversation.next_request() is None
    conversation.feed(data[-1:])
    request = conversation.next_request()
    assert request is not None
    assert request.path == "/rooms"


def test_raw_holds_the_head_and_what_follows_it() -> None:
    conversation = Conversation()
    data = get("/ws", "Connection: keep-alive, Upgrade", "Upgrade: websocket")
    conversation.feed(data[:10])
    conversation.feed(data[10:] + b"\x82\x01more")
    request = conversation.next_request()
    assert request is not None
    assert request.wants_websocket
    assert conversation.raw == data + b"\x82\x01more"


def test_raw_starts_anew_with_each_request() -> None:
    conversation = Conversation()
    first, second = get("/one"), get("/two")
    conversation.feed(first + second)
    assert conversation.next_request() is not None
    conversation.respond(HTTPStatus.OK, [("Content-Length", "0")])
    conversation.finish()
    assert conversation.next_cycle()
    request = conversation.next_request()
    assert request is not None
    assert request.path == "/two"
    assert conversation.raw == second


@pytest.mark.parametrize(
    "headers",
    [(), ("Upgrade: websocket",), ("Connection: Upgrade", "Upgrade: h2c"), ("Connection: close", "Upgrade: websocket")],
)
def test_only_an_upgrade_to_websocket_is_one(headers: tuple[str, ...]) -> None:
    request = request_of(get("/ws", *headers))
    assert request is not None
    assert not request.wants_websocket


@pytest.mark.parametrize(
    "data,status,says",
    [
        (b"nonsense\r\n\r\n", HTTPStatus.BAD_REQUEST, "not an HTTP/1.1 request"),
        (b"\x16\x03\x01\x02\x00\x01\x00", HTTPStatus.BAD_REQUEST, "not an HTTP/1.1 request"),
        (b"GET / HTTP/1.1\r\n\r\n", HTTPStatus.BAD_REQUEST, "Host"),
        (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "use HTTP/1.1"),
        (b"PATCH / HTTP/1.1\r\nHost: a\r\n\r\n", HTTPStatus.METHOD_NOT_ALLOWED, "use GET, HEAD or POST"),
        (post(b"", f"Content-Length: {MAX_BODY_BYTES + 1}"), HTTPStatus.REQUEST_ENTITY_TOO_LARGE, str(MAX_BODY_BYTES)),
        (chunked(b"x" * (MAX_BODY_BYTES + 1)), HTTPStatus.REQUEST_ENTITY_TOO_LARGE, str(MAX_BODY_BYTES)),
        (post(b"", "Content-Length: -1"), HTTPStatus.BAD_REQUEST, "not an HTTP/1.1 request"),
        (post(b"nonsense\r\n", "Transfer-Encoding: chunked"), HTTPStatus.BAD_REQUEST, "not an HTTP/1.1 request"),
        (get("*"), HTTPStatus.BAD_REQUEST, "starts with /"),
        (get("/%zz"), HTTPStatus.BAD_REQUEST, "hexadecimal"),
        (get("/%ff"), HTTPStatus.BAD_REQUEST, "UTF-8"),
        (get("/", "Content-Length: 5"), HTTPStatus.BAD_REQUEST, "no body"),
        (get("/", "Transfer-Encoding: chunked"), HTTPStatus.BAD_REQUEST, "no body"),
        (get("/" + "a" * MAX_HEAD_BYTES), HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, str(MAX_HEAD_BYTES)),
    ],
)
def test_what_can_not_be_answered_is_refused_with_a_sentence(data: bytes, status: HTTPStatus, says: str) -> None:
    refusal = refusal_of(data)
    assert refusal.status == status
    assert says in str(refusal)


def test_a_method_refused_says_which_are_not() -> None:
    assert refusal_of(b"DELETE / HTTP/1.1\r\nHost: a\r\n\r\n").headers == (("Allow", "GET, HEAD, POST"),)


@pytest.mark.parametrize("data", [post(b'{"a": 1}', "Content-Length: 8"), chunked(b'{"a": ', b"1}")])
def test_a_body_may_come_byte_by_byte(data: bytes) -> None:
    conversation = Conversation()
    for byte in data[:-1]:
        conversation.feed(bytes([byte]))
        assert conversation.next_request() is None
    conversation.feed(data[-1:])
    request = conversation.next_request()
    assert request is not None
    assert (request.method, request.path, request.body) == ("POST", "/matchmake", b'{"a": 1}')


def test_bodies_do_not_mix_with_the_next_request() -> None:
    conversation = Conversation(peer="10.0.0.1", secure=True)
    conversation.feed(post(b"one", "Content-Length: 3") + post(b"two!", "Content-Length: 4") + get("/three"))
    bodies: list[bytes] = []
    for _ in range(3):
        request = conversation.next_request()
        assert request is not None
        assert (request.peer, request.secure) == ("10.0.0.1", True)
        bodies.append(request.body)
        conversation.respond(HTTPStatus.OK, [("Content-Length", "0")])
        conversation.finish()
        assert conversation.next_cycle()
    assert bodies == [b"one", b"two!", b""]


def test_who_asks_whether_to_send_a_body_is_told_to_go_on_once() -> None:
    conversation = Conversation()
    conversation.feed(post(b"", "Content-Length: 3", "Expect: 100-continue"))
    assert conversation.next_request() is None
    assert conversation.interim().startswith(b"HTTP/1.1 100 ")
    assert conversation.interim() == b""
    conversation.feed(b"yes")
    request = conversation.next_request()
    assert request is not None
    assert request.body == b"yes"


def test_the_end_of_the_stream_between_requests_is_no_error() -> None:
    with pytest.raises(EOFError):
        request_of(b"")


def test_an_empty_body_announced_is_no_body() -> None:
    request = request_of(get("/", "Content-Length: 0"))
    assert request is not None


@given(st.lists(st.binary(max_size=200), max_size=8))
def test_random_bytes_are_refused_or_incomplete(chunks: list[bytes]) -> None:
    conversation = Conversation()
    with suppress(RequestRefused):
        for chunk in filter(None, chunks):
            conversation.feed(chunk)
            assert conversation.next_request() is None


_PIECES = st.sampled_from(
    [
        "GET",
        "HEAD",
        " ",
        "/",
        "/%2e%2e",
        "?",
        "HTTP/1.1",
        "\r\n",
        "Host: a",
        "Content-Length: ",
        "7",
        "-1",
        ":",
        "\n",
        "\0",
    ]
)


@given(st.lists(_PIECES, max_size=30).map("".join))
def test_mutated_heads_are_requests_or_refused(text: str) -> None:
    conversation = Conversation()
    conversation.feed(text.encode() + b"\r\n\r\n")
    with suppress(RequestRefused):
        request = conversation.next_request()
        assert request is None or request.path.startswith("/")
