"""WebSocket clients that are not ours speak with the server: Node's ``ws`` and Python's ``websockets``.

Chromium plays in the other tests here.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import attrs
import trio
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.server.scene import Watched
from tickwire.server import Running, serve
from tickwire_shared.client_messages import Join, build_join, build_ping
from tickwire_shared.closing import CloseCode
from tickwire_shared.server_messages import Pong, Welcome, parse_server

WEB_TESTS = Path(__file__).resolve().parents[1] / "web"
SOON_S = 20.0
TEXT_REFUSED = "Text messages are not accepted; send binary ones."

JOIN = build_join(Join("join_or_create", "meadow"))
PING = build_ping(7.0)

# ws offers compression unless told otherwise, and sends fragments when asked to.
NODE_SCRIPT = """
import WebSocket from "ws";
const [url, join, ping] = process.argv.slice(1);
const told = { extensions: null, messages: [], pong: null, close: null };
const socket = new WebSocket(url);
socket.on("open", () => {
  told.extensions = socket.extensions;
  socket.send(Buffer.from(join, "hex"));
  socket.ping("still there?");
});
socket.on("pong", (data) => (told.pong = data.toString()));
socket.on("message", (data, isBinary) => {
  told.messages.push(isBinary ? data.toString("hex") : "text");
  if (told.messages.length === 2) {
    const bytes = Buffer.from(ping, "hex");
    socket.send(bytes.subarray(0, 3), { binary: true, fin: false });
    socket.send(bytes.subarray(3), { binary: true, fin: true });
    socket.send("text");
  }
});
socket.on("close", (code, reason) => {
  told.close = [code, reason.toString()];
  console.log(JSON.stringify(told));
});
"""


@attrs.frozen
class Told:
    """What a client was told."""

    messages: list[bytes]
    pong: bool
    close: tuple[int, str]

    def assert_all_is_well(self) -> None:
        kinds = [type(parse_server(message)) for message in self.messages]
        assert kinds[0] is Welcome
        assert Pong in kinds
        assert self.pong
        assert self.close == (CloseCode.BAD_MESSAGE, TEXT_REFUSED)


@asynccontextmanager
async def served() -> AsyncGenerator[str]:
    with trio.fail_after(SOON_S):
        async with trio.open_nursery() as nursery:
            running: Running = await nursery.start(partial(serve, [Watched], port=0))
            yield f"ws://{running.host}:{running.port}/ws"
            nursery.cancel_scope.cancel()


async def test_nodes_ws_joins_sends_fragments_and_hears_why_it_is_closed() -> None:
    node = shutil.which("node")
    assert node is not None, "Node is needed; make test says how to get it"
    async with served() as url:
        command = [node, "--input-type=module", "--eval", NODE_SCRIPT, url, JOIN.hex(), PING.hex()]
        done = await trio.run_process(command, cwd=WEB_TESTS, capture_stdout=True, stderr=subprocess.STDOUT)
        told = json.loads(done.stdout)
        assert told["extensions"] == "", "no compression was agreed to"
        messages = [bytes.fromhex(message) for message in told["messages"]]
        Told(messages, told["pong"] == "still there?", tuple(told["close"])).assert_all_is_well()


async def test_pythons_websockets_joins_sends_fragments_and_hears_why_it_is_closed() -> None:
    async with served() as url:
        (await trio.to_thread.run_sync(talk, url)).assert_all_is_well()


def talk(url: str) -> Told:
    """Do with ``websockets`` what the script does with ``ws``."""
    messages: list[bytes] = []
    with connect(url) as websocket:
        websocket.send(JOIN)
        messages += [_binary(websocket.recv()) for _ in range(2)]
        pong = websocket.ping("still there?").wait(SOON_S)
        websocket.send(iter([PING[:3], PING[3:]]))
        websocket.send("text")
        with suppress(ConnectionClosed):
            while True:
                messages.append(_binary(websocket.recv(SOON_S)))
        return Told(messages, pong, (websocket.close_code or 0, websocket.close_reason or ""))


def _binary(message: str | bytes) -> bytes:
    assert isinstance(message, bytes)
    return message
