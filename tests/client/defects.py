"""Little servers, each with just one defect, for the doctor to find."""

from __future__ import annotations

import ssl
from base64 import b64encode
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from hashlib import sha1

import trio

from tests.server.frames import Op, frame
from tickwire_shared.packing import pack

Defect = Callable[[trio.abc.Stream, bytes], Awaitable[None]]
"""Answers one request, of which it gets the head."""

HEALTHY = b'{"ok": true, "rooms": 1, "players": 0, "connections": 0}\n'


def http(status: str, body: bytes = b"", *headers: str) -> bytes:
    """An HTTP answer."""
    head = "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}"))
    return head.encode() + b"\r\n" + body


def asks_for(head: bytes, path: str) -> bool:
    """Whether a request is for a path."""
    return head.startswith(f"GET {path} ".encode())


def header(head: bytes, name: str) -> str | None:
    """A header's value."""
    lines = head.decode().split("\r\n")
    found = [line.partition(":")[2].strip() for line in lines if line.lower().startswith(f"{name}:")]
    return found[0] if found else None


def upgrade(head: bytes) -> bytes:
    """The answer that makes a WebSocket of a connection (RFC 6455, section 4.2.2)."""
    key = (header(head, "sec-websocket-key") or "") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    accept = b64encode(sha1(key.encode()).digest()).decode()
    lines = ["HTTP/1.1 101 Hi", "Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Accept: {accept}", "", ""]
    return "\r\n".join(lines).encode()


def healthy_but(then: Defect) -> Defect:
    """A server that is well by its own account."""

    async def answer(stream: trio.abc.Stream, head: bytes) -> None:
        if asks_for(head, "/healthz"):
            await stream.send_all(http("200 OK", HEALTHY))
        else:
            await then(stream, head)

    return answer


def answering(data: bytes) -> Defect:
    """A server that says the same to everything."""

    async def answer(stream: trio.abc.Stream, head: bytes) -> None:
        await stream.send_all(data)

    return answer


def upgrading_then(*frames: bytes) -> Defect:
    """A server that accepts every WebSocket, and answers its first message with these frames."""

    async def answer(stream: trio.abc.Stream, head: bytes) -> None:
        await stream.send_all(upgrade(head))
        if await stream.receive_some():
            await stream.send_all(b"".join(frames))
            await stream.receive_some()

    return healthy_but(answer)


async def silent(stream: trio.abc.Stream, head: bytes) -> None:
    """Say nothing, for ever."""
    await trio.sleep_forever()


async def picky(stream: trio.abc.Stream, head: bytes) -> None:
    """Accept no page but those of one origin."""
    if header(head, "origin") in (None, "https://friends.example"):
        await stream.send_all(upgrade(head))
        await stream.receive_some()
    else:
        await stream.send_all(http("403 Forbidden", b"Pages of strangers may not play here.\n"))


def said(value: object) -> bytes:
    """A message in its frame."""
    return frame(Op.BINARY, pack(value), key=None)


def closing(code: int, reason: str) -> bytes:
    """A close frame."""
    return frame(Op.CLOSE, code.to_bytes(2, "big") + reason.encode(), key=None)


@asynccontextmanager
async def defective(defect: Defect, context: ssl.SSLContext | None = None) -> AsyncGenerator[int]:
    """Run a server with a defect, and give its port."""

    async def serve(stream: trio.SocketStream) -> None:
        way: trio.abc.Stream = stream
        if context is not None:
            way = trio.SSLStream(stream, context, server_side=True, https_compatible=True)
        try:
            head = b""
            while b"\r\n\r\n" not in head:
                received = bytes(await way.receive_some())
                if not received:
                    return
                head += received
            await defect(way, head)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # the doctor has seen enough
        finally:
            await trio.aclose_forcefully(way)

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(trio.serve_tcp, serve, 0)
        yield listeners[0].socket.getsockname()[1]
        nursery.cancel_scope.cancel()
