"""The hub: one epoll hears every socket, and none can spoil another's turn."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Generator
from contextlib import ExitStack

import attrs
import pytest
import trio
import trio.testing

from tickwire.hub import READ_BYTES, TURN_S, TURNS_AT_ONCE, Hub


@attrs.define(eq=False)
class Listener:
    """Notes what it hears."""

    then: Callable[[], object] = lambda: None
    pieces: list[bytes] = attrs.field(factory=list[bytes])

    def heard(self, data: bytes, now: float) -> None:
        assert now <= trio.current_time()
        self.pieces.append(data)
        self.then()


@attrs.define(eq=False)
class Line:
    """A pair of sockets: what the hub reads, and who talks."""

    ours: socket.socket
    theirs: socket.socket
    ear: Listener = attrs.field(factory=Listener)


@pytest.fixture
def hub() -> Generator[Hub]:
    with Hub() as hub:
        yield hub


@pytest.fixture
def lines(hub: Hub) -> Generator[list[Line]]:
    with ExitStack() as stack:
        pairs = [socket.socketpair() for _ in range(3)]
        made = [Line(stack.enter_context(ours), stack.enter_context(theirs)) for ours, theirs in pairs]
        for line in made:
            line.ours.setblocking(False)
            hub.add(line.ours.fileno(), line.ear)
        yield made


async def test_every_socket_that_has_something_is_read_in_one_go(hub: Hub, lines: list[Line]) -> None:
    lines[0].theirs.send(b"one")
    lines[2].theirs.send(b"three")
    hub.drain()
    assert [line.ear.pieces for line in lines] == [[b"one"], [], [b"three"]]
    hub.drain()
    assert [len(line.ear.pieces) for line in lines] == [1, 0, 1]


@pytest.mark.parametrize("size", [1, READ_BYTES - 1, READ_BYTES])
async def test_what_arrived_together_is_heard_together(hub: Hub, lines: list[Line], size: int) -> None:
    lines[0].theirs.send(b"x" * size)
    hub.drain()
    assert lines[0].ear.pieces == [b"x" * size]


async def test_a_flood_is_heard_bit_by_bit_and_the_others_get_their_turn(hub: Hub, lines: list[Line]) -> None:
    lines[0].theirs.setblocking(False)
    sent = lines[0].theirs.send(bytes(100_000))
    lines[1].theirs.send(b"hello")
    hub.drain()
    assert lines[1].ear.pieces == [b"hello"]
    assert len(lines[0].ear.pieces) == 1
    for _ in range(sent // READ_BYTES):
        hub.drain()
    assert sum(map(len, lines[0].ear.pieces)) == sent


async def test_the_end_is_heard_as_nothing(hub: Hub, lines: list[Line]) -> None:
    lines[0].theirs.send(b"bye")
    lines[0].theirs.close()
    hub.drain()
    hub.drain()
    assert lines[0].ear.pieces == [b"bye", b""]


async def test_a_reset_is_an_end_like_any_other(hub: Hub) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        peer = socket.create_connection(server.getsockname())
        ours, _ = server.accept()
    with ours, peer:
        ours.setblocking(False)
        ear = Listener()
        hub.add(ours.fileno(), ear)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        peer.close()
        hub.drain()
        assert ear.pieces == [b""]


@pytest.mark.parametrize("size", [2, READ_BYTES])
async def test_who_is_removed_by_what_another_one_heard_hears_what_was_read_already_and_nothing_more(
    hub: Hub, lines: list[Line], size: int
) -> None:
    def remove_all() -> None:
        for line in lines:
            hub.remove(line.ours.fileno(), line.ear)

    for line in lines:
        line.ear.then = remove_all
        line.theirs.send(bytes(size))
    hub.drain()
    assert [line.ear.pieces for line in lines] == [[bytes(size)]] * 3, "no byte of a stream may get lost"
    assert len(hub) == 0
    lines[0].theirs.send(b"more")
    hub.drain()
    assert len(lines[0].ear.pieces) == 1


async def test_a_reset_and_a_false_alarm_keep_nobody_from_being_read(
    hub: Hub, lines: list[Line], monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_unless_false_alarm(fileno: int, size: int) -> bytes:
        if fileno == lines[0].ours.fileno():
            raise BlockingIOError
        return os.read(fileno, size)

    monkeypatch.setattr("tickwire.hub.read", read_unless_false_alarm)
    with socket.create_server(("127.0.0.1", 0)) as server:
        peers = [socket.create_connection(server.getsockname()) for _ in range(2)]
        ours = [server.accept()[0] for _ in peers]
    ears = [Listener() for _ in ours]
    for sock, ear in zip(ours, ears, strict=True):
        sock.setblocking(False)
        hub.add(sock.fileno(), ear)
    for line in lines:
        line.theirs.send(b"before")
    for peer in peers:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        peer.close()
    hub.drain()
    assert [line.ear.pieces for line in lines] == [[], [b"before"], [b"before"]]
    assert [ear.pieces for ear in ears] == [[b""]] * 2
    for sock in ours:
        sock.close()


async def test_only_the_one_that_listens_can_stop_listening(hub: Hub, lines: list[Line]) -> None:
    fileno = lines[0].ours.fileno()
    hub.remove(fileno, lines[1].ear)
    assert len(hub) == 3
    hub.remove(fileno, lines[0].ear)
    hub.remove(fileno, lines[0].ear)
    assert len(hub) == 2
    hub.add(fileno, lines[1].ear)
    lines[0].theirs.send(b"hi")
    hub.drain()
    assert lines[1].ear.pieces == [b"hi"]


async def test_waiting_ends_when_somebody_talks(hub: Hub, lines: list[Line]) -> None:
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(hub.wait)
            await trio.testing.wait_all_tasks_blocked()
            lines[1].theirs.send(b"hi")


async def test_a_closed_hub_lets_its_listeners_go(lines: list[Line]) -> None:
    with Hub() as other:
        other.add(lines[0].ours.fileno(), lines[0].ear)
    other.remove(lines[0].ours.fileno(), lines[0].ear)
    assert len(other) == 0


async def test_a_few_turns_are_had_at_once(hub: Hub, autojump_clock: trio.testing.MockClock) -> None:
    began = trio.current_time()
    for _ in range(TURNS_AT_ONCE):
        await hub.turn()
    assert trio.current_time() == began


async def test_many_that_want_one_take_turns_in_order_and_leave_half_of_the_time_to_others(
    hub: Hub, autojump_clock: trio.testing.MockClock
) -> None:
    order: list[int] = []

    async def want(number: int) -> None:
        await hub.turn()
        order.append(number)

    began = trio.current_time()
    async with trio.open_nursery() as nursery:
        for number in range(50):
            nursery.start_soon(want, number)
            await trio.testing.wait_all_tasks_blocked()
    assert order == list(range(50))
    assert trio.current_time() - began == pytest.approx((50 - TURNS_AT_ONCE) * TURN_S)
    await trio.sleep(1)
    began = trio.current_time()
    await hub.turn()
    assert trio.current_time() == began, "a quiet second is no debt, and no credit for more"
