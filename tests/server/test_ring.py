"""The ring sends as many single calls would, in one."""

from __future__ import annotations

import errno
import os
import socket
import sys
from array import array
from collections.abc import Generator
from contextlib import ExitStack

import pytest

from tests.server.ends import SOON_S
from tickwire import ring as ring_module
from tickwire.ring import DATA_BYTES, ENTRIES, Ring, open_ring

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def ring() -> Generator[Ring]:
    opened = open_ring()
    if opened is None:
        pytest.skip("this system has no io_uring of Linux 6.0 or later, or doesn't allow it: frames are written singly")
    yield opened
    opened.close()


@pytest.fixture
def pairs() -> Generator[list[Pair]]:
    with ExitStack() as stack:
        made: list[Pair] = []
        for _ in range(20):
            ours, theirs = map(stack.enter_context, socket.socketpair())
            ours.setblocking(False)
            theirs.settimeout(SOON_S)
            made.append((ours, theirs))
        yield made


def numbers(pairs: list[Pair]) -> array[int]:
    return array("i", [ours.fileno() for ours, _ in pairs])


def test_each_socket_gets_its_frame(ring: Ring, pairs: list[Pair]) -> None:
    frames = [b"same", b"same", *(b"own %d" % number for number in range(18))]
    assert ring.send(numbers(pairs), frames) == [len(frame) for frame in frames]
    assert [theirs.recv(100) for _, theirs in pairs] == frames


@pytest.mark.parametrize("count", [1, 7, ENTRIES - 1, ENTRIES, ENTRIES + 1, 3 * ENTRIES + 5])
def test_any_number_can_be_sent_again_and_again(ring: Ring, pairs: list[Pair], count: int) -> None:
    """Wherever in the rings a call begins and ends."""
    filenos = array("i", [number for number in numbers(pairs) for _ in range(count // len(pairs) + 1)][:count])
    for call in range(5):
        frames = [b"%0*d" % (call + 6, count * call + number) for number in range(count)]
        assert ring.send(filenos, frames) == [call + 6] * count
        got = b"".join(read_all(theirs) for _, theirs in pairs)
        assert got == b"".join(frames), "in order for each socket, and here from socket to socket"


def read_all(theirs: socket.socket) -> bytes:
    theirs.setblocking(False)
    pieces: list[bytes] = []
    try:
        while True:
            pieces.append(theirs.recv(1 << 16))
    except BlockingIOError:
        return b"".join(pieces)


def test_what_a_socket_does_not_take_is_told_and_stops_nobody(ring: Ring, pairs: list[Pair]) -> None:
    full, gone, half, *others = pairs
    full[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    half[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    while ring.send(array("i", [full[0].fileno()]), [bytes(1000)]) == [1000]:
        pass
    gone[1].close()
    long = bytes(DATA_BYTES // 2)
    frames = [b"full", b"gone", long, *[b"good"] * len(others)]
    taken = ring.send(numbers(pairs), frames)
    assert taken[:2] == [-errno.EAGAIN, -errno.EPIPE]
    assert taken[2] == -errno.EAGAIN or 0 < taken[2] < len(long)
    assert taken[3:] == [4] * len(others)
    assert [theirs.recv(100) for _, theirs in others] == [b"good"] * len(others)


@pytest.mark.parametrize("at", [0, 9, 19])
def test_a_number_that_is_no_socket_s_fails_alone(ring: Ring, pairs: list[Pair], at: int) -> None:
    filenos = numbers(pairs)
    closed = os.dup(filenos[at])
    os.close(closed)
    filenos[at] = closed
    expected = [4] * len(pairs)
    expected[at] = -errno.EBADF
    assert ring.send(filenos, [b"good"] * len(pairs)) == expected


def test_results_are_in_order_where_failures_are_told_of_first(ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ring, "_syscall", lambda *arguments: 3)
    monkeypatch.setattr(ring, "_marks", memoryview(array("Q", [1, 0, 2])))
    monkeypatch.setattr(ring, "_results", memoryview(array("i", [-errno.EBADF, 4, 5])))
    assert ring.send(array("i", [-1, -1, -1]), [b"four", b"gone", b"fiive"]) == [4, -errno.EBADF, 5]


def test_frames_that_do_not_fit_together_are_sent_one_after_the_other(ring: Ring, pairs: list[Pair]) -> None:
    frames = [bytes([number]) * (DATA_BYTES // 20) for number in range(1, 21)]
    frames = [frame + frame for frame in frames]
    for ours, _ in pairs:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    assert ring.send(numbers(pairs), frames) == [len(frame) for frame in frames]
    assert [read_all(theirs) for _, theirs in pairs] == frames


def test_one_that_never_fits_is_left_and_so_is_what_is_behind_it(ring: Ring, pairs: list[Pair]) -> None:
    frames = [b"one", b"two", bytes(DATA_BYTES + 1), *[b"four"] * 17]
    assert ring.send(numbers(pairs), frames) == [3, 3]
    assert ring.send(numbers(pairs)[3:], frames[3:]) == [4] * 17
    assert pairs[2][0].send(b"still here") == 10
    assert [theirs.recv(100) for _, theirs in pairs] == [b"one", b"two", b"still here", *[b"four"] * 17]


def test_what_the_system_did_not_begin_is_left(ring: Ring, pairs: list[Pair], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ring, "_syscall", lambda *arguments: -1)
    assert ring.send(numbers(pairs), [b"x"] * 20) == []
    monkeypatch.undo()
    assert ring.send(numbers(pairs), [b"y"] * 20) == [1] * 20
    assert [theirs.recv(100) for _, theirs in pairs] == [b"y"] * 20, "and not begun later"


def test_a_ring_that_is_closed_leaves_nothing_open() -> None:
    before = len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0
    for _ in range(5):
        opened = open_ring()
        if opened is None:
            pytest.skip("no io_uring here")
        opened.close()
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("name, value", [("_SETUP", 100_000), ("_LINKED_FILE", 1 << 31)])
def test_there_is_none_where_the_system_has_none_or_an_old_one(
    monkeypatch: pytest.MonkeyPatch, name: str, value: int
) -> None:
    before = len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0
    monkeypatch.setattr(ring_module, name, value)
    assert open_ring() is None
    assert sys.platform != "linux" or len(os.listdir("/proc/self/fd")) == before


def test_there_is_none_on_other_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tickwire.ring.sys", type("sys", (), {"platform": "darwin"}))
    assert open_ring() is None
