"""The transport: bytes from the socket become messages in order, and frames go out whole."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from functools import partial

import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st
from trio_websocket import ConnectionClosed, WebSocketConnection, wrap_server_stream

from tests.server.ends import HEAD, PONG, SNAPSHOT, Ends, between, in_memory, over_sockets, sockets
from tests.server.frames import Op, Said, frame
from tickwire.board import InputBoard
from tickwire.framing import build_frame
from tickwire.hub import Hub
from tickwire.transport import CROWD, MAX_PENDING_BYTES, Transport

# In


async def test_fast_messages_are_delivered_and_the_rest_is_returned() -> None:
    async with in_memory() as ends:
        ping = frame(Op.PING, b"?")
        await ends.peer.send_all(frame(Op.BINARY, b"one") + frame(Op.BINARY, b"two") + ping + frame(Op.BINARY, b"3"))
        assert await ends.transport.receive_some() == ping
        assert ends.delivered == [b"one", b"two"]
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ends.transport.receive_some)
            await trio.testing.wait_all_tasks_blocked()
            assert ends.delivered == [b"one", b"two", b"3"]
            nursery.cancel_scope.cancel()


async def test_a_frame_behind_a_slow_message_waits_until_that_is_processed() -> None:
    async with in_memory() as ends:
        text = frame(Op.TEXT, b"slow")
        await ends.peer.send_all(text + frame(Op.BINARY, b"fast"))
        assert await ends.transport.receive_some() == text
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ends.transport.receive_some)
            await trio.testing.wait_all_tasks_blocked()
            assert ends.delivered == []
            ends.transport.message_done()
            await trio.testing.wait_all_tasks_blocked()
            assert ends.delivered == [b"fast"]
            nursery.cancel_scope.cancel()


async def test_what_a_client_says_right_behind_its_request_waits_for_the_start() -> None:
    async with in_memory(early=frame(Op.BINARY, b"early")[:4], start=False) as ends, trio.open_nursery() as nursery:
        nursery.start_soon(ends.transport.receive_some)
        await ends.peer.send_all(frame(Op.BINARY, b"early")[4:] + frame(Op.BINARY, b"later"))
        await trio.testing.wait_all_tasks_blocked()
        assert ends.delivered == []
        ends.transport.start(ends.delivered.append)
        await trio.testing.wait_all_tasks_blocked()
        assert ends.delivered == [b"early", b"later"]
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("opened", [over_sockets, in_memory])
async def test_the_end_of_the_stream_comes_after_all_that_was_sent(
    opened: Callable[[], AbstractAsyncContextManager[Ends]],
) -> None:
    async with opened() as ends:
        await ends.peer.send_all(frame(Op.BINARY, b"last") + frame(Op.BINARY, b"cut off")[:5])
        await ends.peer.aclose()
        assert await ends.transport.receive_some() == b""
        assert ends.delivered == [b"last"]


async def test_it_counts_bytes_and_notes_when_it_last_heard(autojump_clock: trio.testing.MockClock) -> None:
    async with in_memory() as ends:
        before = ends.transport.bytes_in
        assert before == len(HEAD)
        await trio.sleep(3)
        await ends.peer.send_all(frame(Op.BINARY, b"a") + frame(Op.PING))
        await ends.transport.receive_some()
        assert ends.transport.bytes_in == before + 13
        assert ends.transport.last_heard == trio.current_time()
        await trio.sleep(3)
        assert ends.transport.last_heard == trio.current_time() - 3


async def test_the_answer_to_a_ping_of_ours_counts_and_is_no_work_for_anybody() -> None:
    async with in_memory() as ends:
        returned: list[bytes] = []

        async def receive() -> None:
            returned.append(await ends.transport.receive_some())

        async with trio.open_nursery() as nursery:
            nursery.start_soon(receive)
            before = ends.transport.frames_in
            for piece in (frame(Op.PONG), frame(Op.PONG, b"of its own accord")):
                await ends.peer.send_all(piece)
                await trio.testing.wait_all_tasks_blocked()
        assert returned == [frame(Op.PONG, b"of its own accord")]
        assert ends.transport.frames_in == before + 2
        assert ends.delivered == []


# In, with the real trio-websocket behind the slow lane


messages = st.one_of(
    st.builds(partial(Said, Op.BINARY), st.binary(max_size=125) | st.just(b"x" * 126) | st.just(b"y" * 4096)),
    st.builds(partial(Said, Op.TEXT), st.text(max_size=60).map(str.encode)),
)


@st.composite
def conversation(draw: st.DrawFn) -> tuple[list[Said], list[bytes]]:
    """Messages, whole or in fragments and with pings and pongs about, and the stream of them in chunks."""
    said = draw(st.lists(messages, max_size=12))
    stream = b""
    for one in said:
        places = draw(st.lists(st.integers(0, len(one.payload)), max_size=3)) if one.op is Op.BINARY else []
        ends = [0, *sorted(places), len(one.payload)]
        for at, (start, end) in enumerate(itertools.pairwise(ends)):
            op = Op.CONTINUATION if at else one.op
            stream += frame(op, one.payload[start:end], final=at == len(ends) - 2)
            stream += b"".join(draw(st.lists(st.sampled_from([frame(Op.PING, b"?"), frame(Op.PONG)]), max_size=1)))
    places = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    ends = [0, *places, len(stream)]
    return said, [stream[start:end] for start, end in itertools.pairwise(ends)]


class LogBoard(InputBoard):
    """A board on which everything is put, and noted by the test."""

    def __init__(self, note: Callable[[Said], None]) -> None:
        super().__init__()
        self.column = self.add(0)
        self.count = 0
        self._note = note

    def take_next(self, payload: int, size: int, column: int) -> bool:
        assert column == self.column
        self.count += 1
        self._note(Said(Op.BINARY, payload.to_bytes(size)))
        return True


@pytest.mark.parametrize("on_board", [False, True])
@pytest.mark.parametrize("way", ["its own reader", "the hub"])
@given(conversation(), st.booleans())
async def test_through_trio_websocket_every_message_arrives_once_and_in_order(
    way: str, on_board: bool, spoken: tuple[list[Said], list[bytes]], at_once: bool
) -> None:
    said, chunks = spoken
    heard: list[Said] = []
    board = LogBoard(heard.append)
    ours, theirs = trio.testing.memory_stream_pair() if way == "its own reader" else sockets()
    early, later = (b"".join(chunks), [b""]) if at_once else (b"", chunks)

    async def listen(websocket: WebSocketConnection, transport: Transport) -> None:
        while True:
            message = await websocket.get_message()
            heard.append(Said(Op.TEXT, message.encode()) if isinstance(message, str) else Said(Op.BINARY, message))
            transport.message_done()

    async def serve(hub: Hub) -> None:
        async with theirs, trio.open_nursery() as inner:
            inner.start_soon(keep_draining, hub)
            transport = Transport(theirs, HEAD + early, inner, hub)
            with transport.listening(), suppress(ConnectionClosed):
                websocket = await (await wrap_server_stream(inner, transport, message_queue_size=0)).accept()
                transport.start(lambda payload: heard.append(Said(Op.BINARY, payload)))
                if on_board:
                    transport.open_lane(board, board.column)
                await listen(websocket, transport)
            inner.cancel_scope.cancel()
        assert len(hub) == 0

    with Hub() as hub:
        hub.board = board
        async with ours, trio.open_nursery() as nursery:
            nursery.start_soon(serve, hub)
            for chunk in later:
                if chunk:
                    await ours.send_all(chunk)
                    await trio.testing.wait_all_tasks_blocked()
            await ours.send_all(frame(Op.CLOSE, b"\x03\xe8"))
    assert heard == said


async def keep_draining(hub: Hub) -> None:
    """What the pulse does between ticks."""
    while True:
        await hub.wait()
        hub.drain()


async def test_the_hub_puts_on_the_board_what_a_connection_says_when_nothing_is_before_it() -> None:
    heard: list[Said] = []
    board = LogBoard(heard.append)
    ours, theirs = sockets()
    with Hub() as hub:
        hub.board = board
        async with ours, between(theirs, ours, hub=hub) as ends, trio.open_nursery() as nursery:
            with ends.transport.listening():
                nursery.start_soon(ends.transport.receive_some)

                async def say(data: bytes) -> tuple[int, int, int]:
                    before = hub.frames_in, ends.transport.frames_in, len(ends.delivered)
                    await ours.send_all(data)
                    hub.drain()
                    after = hub.frames_in, ends.transport.frames_in, len(ends.delivered)
                    return after[0] - before[0], after[1] - before[1], after[2] - before[2]

                first = frame(Op.BINARY, b"1")
                assert await say(first) == (0, 1, 1), "it has no lane yet"
                ends.transport.open_lane(board, board.column)
                assert await say(first) == (1, 0, 0)
                assert await say(first[:3]) == (0, 0, 0)
                assert await say(first[3:]) == (0, 1, 0), "the transport puts it there, which had its beginning"
                assert await say(first) == (1, 0, 0)
                assert await say(frame(Op.TEXT, b"slow") + first) == (0, 2, 0)
                assert await say(first) == (0, 1, 0), "a text is before it"
                assert board.count == 3
                await trio.testing.wait_all_tasks_blocked()
                ends.transport.message_done()
                assert board.count == 5
                assert await say(first) == (1, 0, 0)
                ends.transport.pause()
                assert await say(first) == (0, 0, 0)
                ends.transport.unpause()
                assert await say(b"") == (1, 0, 0)
                ends.transport.close_lane()
                assert await say(first) == (0, 1, 1)
                nursery.cancel_scope.cancel()


@pytest.mark.parametrize("way", ["its own reader", "the hub"])
async def test_who_was_put_on_the_board_was_heard(autojump_clock: trio.testing.MockClock, way: str) -> None:
    board = LogBoard(lambda said: None)
    ours, theirs = trio.testing.memory_stream_pair() if way == "its own reader" else sockets()
    with Hub() as hub:
        hub.board = board
        async with ours, between(theirs, ours, hub=hub) as ends, trio.open_nursery() as nursery:
            with ends.transport.listening():
                nursery.start_soon(ends.transport.receive_some)
                ends.transport.open_lane(board, board.column)
                await trio.sleep(5)
                await ours.send_all(frame(Op.BINARY, b"1"))
                hub.drain()
                await trio.testing.wait_all_tasks_blocked()
                await trio.sleep(5)
                assert board.count == 1
                assert ends.transport.last_heard == trio.current_time() - 5
                ends.transport.close_lane()
                board.heard_at[board.column] = trio.current_time()  # another player's by now
                assert ends.transport.last_heard == trio.current_time() - 5
                nursery.cancel_scope.cancel()


async def test_a_client_that_floods_the_slow_lane_is_not_read_any_further_until_that_is_processed() -> None:
    ours, theirs = sockets()
    with Hub() as hub:
        async with ours, between(theirs, ours, hub=hub) as ends, trio.open_nursery() as nursery:
            with ends.transport.listening():
                nursery.start_soon(keep_draining, hub)
                nursery.start_soon(ours.send_all, frame(Op.TEXT, bytes(100)) * 1000)
                await trio.testing.wait_all_tasks_blocked(0.01)
                assert len(hub) == 0
                assert ends.transport.bytes_in < 2 * MAX_PENDING_BYTES
                ends.transport.release()
                taken = 0
                while taken < 106_000:
                    taken += len(await ends.transport.receive_some())
                assert len(hub) == 1
                nursery.cancel_scope.cancel()


# Out


async def test_a_frame_that_the_socket_takes_is_there_at_once() -> None:
    async with over_sockets() as ends:
        assert ends.transport.write_nowait(build_frame(b"hello"))
        assert not ends.transport.blocked
        await ends.read(7)
        assert ends.said() == [Said(Op.BINARY, b"hello")]
        assert ends.transport.bytes_out == 7


async def test_what_the_socket_did_not_take_is_finished_before_anything_else_control_frames_included() -> None:
    async with over_sockets() as ends:
        taken = ends.fill()
        assert taken > 0
        assert ends.transport.blocked
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ends.transport.send_all, PONG)
            await trio.testing.wait_all_tasks_blocked()
            assert not ends.transport.write_nowait(SNAPSHOT), "it would come into the middle of a frame"
            await ends.read(taken * len(SNAPSHOT) + len(PONG))
        assert [one.op for one in ends.said()] == [Op.BINARY] * taken + [Op.PONG]
        assert ends.transport.bytes_out == len(ends.received)
        assert ends.transport.write_nowait(SNAPSHOT)


async def test_without_a_hub_what_is_posted_goes_out_at_once() -> None:
    async with over_sockets() as ends:
        assert ends.transport.post(build_frame(b"tick"))
        await ends.read(6)
        assert not ends.transport.blocked


async def test_a_snapshot_does_not_come_into_the_middle_of_a_control_frame() -> None:
    async with over_sockets() as ends:
        long = frame(Op.TEXT, bytes(200_000), key=None)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ends.transport.send_all, long)
            await trio.testing.wait_all_tasks_blocked()
            assert ends.transport.blocked
            assert not ends.transport.write_nowait(SNAPSHOT)
            await ends.read(len(long))
        assert ends.transport.write_nowait(SNAPSHOT)
        await ends.read(len(SNAPSHOT))
        assert [one.op for one in ends.said()] == [Op.TEXT, Op.BINARY]


async def test_several_control_frames_wait_their_turn() -> None:
    async with over_sockets() as ends:
        taken = ends.fill()
        async with trio.open_nursery() as nursery:
            for _ in range(5):
                nursery.start_soon(ends.transport.send_all, PONG)
            await ends.read(taken * len(SNAPSHOT) + 5 * len(PONG))
        assert [one.op for one in ends.said()] == [Op.BINARY] * taken + [Op.PONG] * 5


async def test_a_client_that_stops_reading_in_the_middle_of_a_frame_blocks_only_itself() -> None:
    async with over_sockets() as ends, over_sockets() as other:
        taken = ends.fill()
        await ends.read(len(SNAPSHOT) // 2)
        refused = [ends.transport.write_nowait(SNAPSHOT) for _ in range(1000)]
        assert not any(refused)
        assert ends.transport.bytes_out == taken * len(SNAPSHOT), "nothing is queued"
        for _ in range(100):
            assert other.transport.write_nowait(build_frame(b"tick"))
            await other.read(6)
        await ends.read(taken * len(SNAPSHOT) - len(SNAPSHOT) // 2)
        await trio.testing.wait_all_tasks_blocked()
        assert ends.transport.write_nowait(SNAPSHOT)
        await ends.read(len(SNAPSHOT))
        assert len(ends.said()) == taken + 1


async def test_a_peer_that_goes_in_the_middle_of_a_frame_is_never_written_to_again() -> None:
    async with over_sockets() as ends:
        ends.fill()
        await ends.peer.aclose()
        await trio.testing.wait_all_tasks_blocked()
        assert ends.transport.blocked
        assert not ends.transport.write_nowait(SNAPSHOT)
        with pytest.raises(trio.BrokenResourceError):
            await ends.transport.send_all(PONG)


async def test_writing_to_a_peer_that_has_gone_is_refused_and_raises_nothing() -> None:
    async with over_sockets() as ends:
        await ends.peer.aclose()
        assert not ends.transport.write_nowait(SNAPSHOT)
        assert ends.transport.blocked


async def test_a_closed_transport_takes_nothing() -> None:
    async with over_sockets() as ends:
        await ends.transport.aclose()
        assert not ends.transport.write_nowait(SNAPSHOT)


async def test_a_cancelled_send_ends_the_writing_for_a_part_of_a_frame_may_be_out() -> None:
    async with over_sockets() as ends:
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(ends.transport.send_all, frame(Op.TEXT, bytes(200_000), key=None))
                await trio.testing.wait_all_tasks_blocked()
                scope.cancel()
        assert not ends.transport.write_nowait(SNAPSHOT)


async def test_a_stream_that_is_no_socket_gets_the_same_frames() -> None:
    async with in_memory() as ends:
        assert ends.transport.write_nowait(build_frame(b"one"))
        assert not ends.transport.write_nowait(build_frame(b"two"))
        await ends.transport.send_all(PONG)
        assert ends.transport.write_nowait(build_frame(b"three"))
        await ends.read(5 + 6 + 7)
        assert ends.said() == [Said(Op.BINARY, b"one"), Said(Op.PONG, b"pong"), Said(Op.BINARY, b"three")]


async def test_waiting_for_room_waits_for_what_is_being_written() -> None:
    async with over_sockets() as ends:
        taken = ends.fill()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ends.transport.wait_send_all_might_not_block)
            await trio.testing.wait_all_tasks_blocked()
            assert nursery.child_tasks
            await ends.read(taken * len(SNAPSHOT))


async def test_a_crowd_of_messages_is_delivered_in_slices_and_all_of_it(autojump_clock: trio.testing.MockClock) -> None:
    sizes: list[int] = []
    messages = [bytes([number]) for number in range(200)]
    async with between(*reversed(trio.testing.memory_stream_pair())) as ends, trio.open_nursery() as nursery:
        nursery.start_soon(ends.transport.receive_some)
        await trio.testing.wait_all_tasks_blocked()
        await ends.peer.send_all(b"".join(frame(Op.BINARY, message) for message in messages))
        while len(ends.delivered) < len(messages):
            sizes.append(len(ends.delivered))
            await trio.lowlevel.checkpoint()
        nursery.cancel_scope.cancel()
    assert ends.delivered == messages
    assert max(later - earlier for earlier, later in itertools.pairwise(sizes)) <= 2 * CROWD
