"""Mutated requests, plain ones and handshakes, at the reader of heads and at a live server.

``TICKWIRE_FUZZ=1000000`` tries longer.
"""

from __future__ import annotations

from collections import Counter
from random import Random

import trio
from structlog.testing import capture_logs
from trio.testing import MockClock, memory_stream_pair

from tests.fuzz.test_bytes import COUNT, SEED, mutations, random_bytes
from tests.server.raw_client import UPGRADE
from tests.server.scene import scene
from tickwire.head import Conversation, RequestRefused
from tickwire.http import serve_http
from tickwire.site import Site

REQUESTS = (
    UPGRADE,
    b"GET / HTTP/1.1\r\nHost: world\r\n\r\n",
    b'HEAD /sdk/tickwire.js?a=%20b HTTP/1.1\r\nHost: world\r\nIf-None-Match: "x"\r\n\r\n',
    b'POST /matchmake HTTP/1.1\r\nHost: world\r\nContent-Length: 16\r\nExpect: 100-continue\r\n\r\n{"room": "arena"}',
    b"POST /matchmake HTTP/1.1\r\nHost: world\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{} {\r\n0\r\n\r\n",
)
LIVE = max(1, COUNT // 50)
HEADS = max(1, COUNT // 10)


def test_the_reader_of_heads_raises_only_refusals() -> None:
    random = Random(SEED)
    outcomes: Counter[str] = Counter()
    for data in (*mutations(random, REQUESTS, HEADS), *random_bytes(random, HEADS)):
        conversation = Conversation()
        at = random.randrange(len(data) + 1)
        try:
            for piece in (data[:at], data[at:]):
                if piece:
                    conversation.feed(piece)
                    outcomes["a request" if conversation.next_request() is not None else "more is wanted"] += 1
                    conversation.interim()
        except RequestRefused:
            outcomes["refused"] += 1
    assert min(outcomes.values()) > HEADS // 100
    assert len(outcomes) == 3


async def test_a_live_server_outlives_whatever_comes_instead_of_a_request(autojump_clock: MockClock) -> None:
    random = Random(SEED)
    answers: Counter[bytes] = Counter()
    with capture_logs() as lines:
        async with scene() as played:
            lobby = played.world.lobby
            async with trio.open_nursery() as nursery:
                for data in (*mutations(random, REQUESTS, LIVE), *random_bytes(random, LIVE // 10)):
                    ours, theirs = memory_stream_pair()
                    nursery.start_soon(serve_http, theirs, Site({}, ()), lobby.handle_upgrade, lobby.door.limits)
                    await ours.send_all(data)
                    with trio.move_on_after(0.1):
                        answers[bytes(await ours.receive_some())[9:12]] += 1
                    await trio.aclose_forcefully(ours)
            await played.assert_unharmed()
    assert [line for line in lines if line["log_level"] == "error"] == []
    assert answers[b"101"] > 0
    assert answers[b"400"] > 0
    assert answers[b"404"] > 0
    assert b"500" not in answers
