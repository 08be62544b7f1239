"""The outbox: what was posted goes out in one go, and what a socket didn't take is that connection's own affair."""

from __future__ import annotations

import socket
from array import array
from collections.abc import AsyncGenerator, Generator
from contextlib import ExitStack, asynccontextmanager

import attrs
import pytest
import trio
import trio.testing

from tests.server.ends import PONG, SNAPSHOT, SOON_S, Ends, between, sockets
from tests.server.frames import Op
from tickwire.framing import build_frame
from tickwire.hub import Hub
from tickwire.outbox import FOR_A_RING, Outbox
from tickwire.ring import DATA_BYTES


@attrs.define(eq=False)
class Pair:
    """A pair of sockets, and what is told of the one that is written to."""

    ours: socket.socket
    theirs: socket.socket
    cut: list[tuple[bytes, int]] = attrs.field(factory=list[tuple[bytes, int]])
    broken: bool = False

    def cut_off(self, frames: bytes, taken: int) -> None:
        self.cut.append((frames, taken))

    def broke(self) -> None:
        self.broken = True

    def fill(self) -> None:
        """Write until the socket takes no more."""
        try:
            while True:
                self.ours.send(bytes(1000))
        except BlockingIOError:
            pass


@pytest.fixture(params=["in a ring", "singly"])
def outbox(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Generator[Outbox]:
    """An outbox that sends one way or the other, however little there is."""
    made = Outbox()
    if request.param == "in a ring":
        monkeypatch.setattr("tickwire.outbox.FOR_A_RING", 1)
        made.begin()
        if not made.has_ring:
            pytest.skip("this system has no io_uring of Linux 6.0 or later, or doesn't allow it")
    yield made
    made.end()


@pytest.fixture
def pairs(outbox: Outbox) -> Generator[list[Pair]]:
    with ExitStack() as stack:
        made = [
            Pair(stack.enter_context(one), stack.enter_context(two))
            for one, two in (socket.socketpair() for _ in range(4))
        ]
        for pair in made:
            pair.ours.setblocking(False)
            pair.theirs.settimeout(SOON_S)
            pair.ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            outbox.open(pair.ours.fileno(), pair)
        yield made


def post(outbox: Outbox, pair: Pair, frames: bytes) -> None:
    outbox.filenos.append(pair.ours.fileno())
    outbox.frames.append(frames)


def test_each_gets_what_was_posted_for_it_and_is_told_nothing(outbox: Outbox, pairs: list[Pair]) -> None:
    for number, pair in enumerate(pairs):
        post(outbox, pair, b"for %d" % number)
    outbox.send()
    assert [pair.theirs.recv(100) for pair in pairs] == [b"for 0", b"for 1", b"for 2", b"for 3"]
    assert not any(pair.cut or pair.broken for pair in pairs)
    assert (outbox.writes_out, outbox.bytes_out) == (4, 20)


def test_what_went_out_does_not_go_out_again(outbox: Outbox, pairs: list[Pair]) -> None:
    post(outbox, pairs[0], b"once")
    outbox.send()
    outbox.send()
    assert pairs[0].theirs.recv(100) == b"once"
    assert (outbox.round, outbox.writes_out) == (1, 1), "nothing to send is no round"


def test_one_that_is_full_and_one_that_is_gone_keep_nobody_from_being_written_to(
    outbox: Outbox, pairs: list[Pair]
) -> None:
    full, gone, half, good = pairs
    full.fill()
    gone.theirs.close()
    long = bytes(1_000_000)
    for pair, frames in ((full, b"full"), (gone, b"gone"), (half, long), (good, b"good")):
        post(outbox, pair, frames)
    outbox.send()
    assert good.theirs.recv(100) == b"good"
    assert good.cut == gone.cut == []
    assert full.cut == [(b"full", 0)]
    assert [pair.broken for pair in (full, gone, half, good)] == [False, True, False, False]
    ((frames, taken),) = half.cut
    assert frames is long
    assert 0 < taken < len(long)
    assert (outbox.writes_out, outbox.bytes_out) == (3, 8 + len(long)), "what is cut off is finished, what broke is not"


def test_what_a_ring_does_not_take_is_written_singly(outbox: Outbox, pairs: list[Pair]) -> None:
    frames = [b"one", bytes(DATA_BYTES + 1), b"three", b"four"]
    for pair, sent in zip(pairs, frames, strict=True):
        post(outbox, pair, sent)
    outbox.send()
    assert [pair.theirs.recv(100) for pair in (pairs[0], *pairs[2:])] == [b"one", b"three", b"four"]
    ((sent, taken),) = pairs[1].cut
    assert sent is frames[1]
    assert taken > 0
    assert not any(pair.broken or (pair.cut and pair is not pairs[1]) for pair in pairs)


async def test_a_hub_that_is_in_use_sends_in_a_ring_where_there_is_one_and_few_frames_singly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[int] = []

    class Ring:
        def send(self, filenos: array[int], frames: list[bytes]) -> list[int]:
            sent.append(len(frames))
            return [len(frame) for frame in frames]

        def close(self) -> None:
            sent.append(-1)

    monkeypatch.setattr("tickwire.outbox.open_ring", Ring)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        hub = Hub()

        def send_many_and_few() -> None:
            for count in (FOR_A_RING, FOR_A_RING - 1):
                hub.outbox.filenos.extend([ours.fileno()] * count)
                hub.outbox.frames += [b"x"] * count
                hub.outbox.send()

        send_many_and_few()
        with hub:
            send_many_and_few()
        send_many_and_few()
    assert sent == [FOR_A_RING, -1]
    assert hub.outbox.writes_out == 3 * (2 * FOR_A_RING - 1)


def test_who_closes_gets_what_was_posted_before_its_number_is_another_ones(outbox: Outbox, pairs: list[Pair]) -> None:
    post(outbox, pairs[0], b"last")
    outbox.close(pairs[0].ours.fileno())
    assert pairs[0].theirs.recv(100) == b"last"
    assert not outbox.frames


def test_who_closes_without_anything_posted_sends_nobody_else_s(outbox: Outbox, pairs: list[Pair]) -> None:
    post(outbox, pairs[0], b"later")
    outbox.close(pairs[1].ours.fileno())
    assert outbox.frames == [b"later"]


# With a transport


@asynccontextmanager
async def over_a_hub(hub: Hub) -> AsyncGenerator[Ends]:
    async with between(*sockets(), hub=hub) as ends:
        with ends.transport.listening():
            yield ends


async def test_what_is_posted_goes_out_when_the_outbox_sends_and_nothing_before_it() -> None:
    with Hub() as hub:
        async with over_a_hub(hub) as one, over_a_hub(hub) as other:
            assert one.transport.post(build_frame(b"tick"))
            assert other.transport.post(build_frame(b"tock"))
            assert hub.outbox.bytes_out == 0
            assert not one.transport.post(SNAPSHOT)
            assert not one.transport.write_nowait(SNAPSHOT), "it would overtake what was posted"
            hub.outbox.send()
            assert not one.transport.blocked
            assert one.transport.write_nowait(build_frame(b"pong"))
            await one.read(12)
            await other.read(6)
            assert [said.payload for said in one.said()] == [b"tick", b"pong"]
            assert [said.payload for said in other.said()] == [b"tock"]
            assert (hub.outbox.bytes_out, one.transport.bytes_out, other.transport.bytes_out) == (12, 6, 0)


async def test_a_control_frame_goes_behind_what_was_posted() -> None:
    with Hub() as hub:
        async with over_a_hub(hub) as ends:
            assert ends.transport.post(SNAPSHOT)
            await ends.transport.send_all(PONG)
            await ends.read(len(SNAPSHOT) + len(PONG))
            assert [one.op for one in ends.said()] == [Op.BINARY, Op.PONG]


async def test_what_is_posted_and_does_not_fit_is_finished_first() -> None:
    with Hub() as hub:
        async with over_a_hub(hub) as ends:
            count = 0
            while ends.transport.post(SNAPSHOT):
                hub.outbox.send()
                count += 1
            assert ends.transport.blocked
            async with trio.open_nursery() as nursery:
                nursery.start_soon(ends.transport.send_all, PONG)
                await ends.read(count * len(SNAPSHOT) + len(PONG))
            assert [one.op for one in ends.said()] == [Op.BINARY] * count + [Op.PONG]
            assert ends.transport.post(SNAPSHOT)


async def test_a_peer_that_is_gone_is_posted_nothing_more() -> None:
    with Hub() as hub:
        async with over_a_hub(hub) as ends:
            await ends.peer.aclose()
            assert ends.transport.post(SNAPSHOT), "nobody knows yet"
            hub.outbox.send()
            assert not ends.transport.post(SNAPSHOT)
            assert hub.outbox.writes_out == 0


async def test_what_a_connection_that_closes_did_not_take_is_not_finished() -> None:
    with Hub() as hub:
        async with over_a_hub(hub) as ends:
            ends.fill()
            with trio.move_on_after(0):
                await ends.transport.aclose()
            assert not ends.transport.post(SNAPSHOT)
            before = ends.transport.waiting_bytes
            ends.transport.cut_off(SNAPSHOT, 10)
            assert ends.transport.waiting_bytes == before


# With a transport that follows


@attrs.define
class Seatmate:
    """Follows through a transport, and notes when it is told to stand apart."""

    ends: Ends
    outbox: Outbox
    fileno: int = attrs.field(init=False)
    told: list[str] = attrs.field(init=False, factory=list[str])

    def __attrs_post_init__(self) -> None:
        self.fileno = self.ends.transport.follow(self.stand_apart)

    def stand_apart(self) -> None:
        self.told.append("stand apart")
        self.ends.transport.unfollow()

    @property
    def follows(self) -> bool:
        return not self.told

    def post(self, frames: bytes) -> None:
        self.outbox.filenos.append(self.fileno)
        self.outbox.frames.append(frames)


async def test_who_follows_is_blocked_while_something_is_posted_for_it() -> None:
    with Hub() as hub:
        async with over_a_hub(hub) as ends:
            mate = Seatmate(ends, hub.outbox)
            assert mate.fileno >= 0
            before = ends.transport.blocked
            mate.post(build_frame(b"tick"))
            assert (before, ends.transport.blocked) == (False, True)
            await ends.transport.send_all(PONG)
            await ends.read(6 + len(PONG))
            assert [one.payload for one in ends.said()] == [b"tick", b"pong"], "in this order"
            assert not mate.follows, "a frame that isn't the room's was under way"
            assert Seatmate(ends, hub.outbox).fileno == mate.fileno, "it may follow again"


async def test_who_can_take_no_more_stands_apart_until_it_has_drained() -> None:
    with Hub() as hub:
        async with over_a_hub(hub) as ends:
            mate = Seatmate(ends, hub.outbox)
            count = 0
            while mate.follows:
                mate.post(SNAPSHOT)
                hub.outbox.send()
                count += 1
            assert ends.transport.blocked
            assert Seatmate(ends, hub.outbox).fileno == -1
            await ends.read(count * len(SNAPSHOT))
            await trio.testing.wait_all_tasks_blocked()
            assert Seatmate(ends, hub.outbox).fileno == mate.fileno


async def test_a_peer_that_is_gone_does_not_follow() -> None:
    with Hub() as hub:
        async with over_a_hub(hub) as ends:
            mate = Seatmate(ends, hub.outbox)
            await ends.peer.aclose()
            mate.post(SNAPSHOT)
            hub.outbox.send()
            assert not mate.follows
            assert Seatmate(ends, hub.outbox).fileno == -1


async def test_a_connection_that_closes_does_not_follow() -> None:
    with Hub() as hub:
        async with over_a_hub(hub) as ends:
            mate = Seatmate(ends, hub.outbox)
            with trio.move_on_after(0):
                await ends.transport.aclose()
            assert not mate.follows


async def test_nobody_follows_by_a_number_that_may_soon_be_another_ones() -> None:
    with Hub() as hub:
        async with over_a_hub(hub) as ends:
            mate = Seatmate(ends, hub.outbox)
            mate.post(build_frame(b"last"))
        assert not mate.follows
        assert hub.outbox.writes_out == 1, "what was posted before went out"


async def test_a_stream_without_an_outbox_does_not_follow() -> None:
    async with between(*sockets()) as ends:
        assert ends.transport.follow(lambda: None) == -1
