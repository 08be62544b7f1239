"""The board: the usual input takes a short way there, and that leaves things as the long one does."""

from __future__ import annotations

import socket
from collections.abc import Generator
from contextlib import ExitStack
from typing import cast

import attrs
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from tests.server.frames import Op, frame
from tickwire.board import FIRST_COLUMNS, MAX_AHEAD, InputBoard, Values
from tickwire.hub import Hub
from tickwire.input_reader import InputReader
from tickwire.inputs import RoomInputs
from tickwire.player import Player, PlayerHost
from tickwire_shared.client_messages import build_input
from tickwire_shared.declare import Input, flag, inputs, integer
from tickwire_shared.packing import unpack_array
from tickwire_shared.ticks import TICK_MODULUS, tick_add

NOW = 1000


@inputs
class Steer(Input):
    turn: int = integer(-1, 1000, default=0)
    thrust: bool = flag(default=False)


def message(tick: int, *rows: tuple[int, int]) -> bytes:
    return build_input(tick, [value for row in rows for value in row])


def reader_of(*payloads: bytes) -> InputReader:
    """A reader that remembers these messages."""
    reader = InputReader(Steer.wire_type)
    for payload in payloads:
        reader.read(unpack_array(payload), payload)
    return reader


@attrs.define
class Play:
    """A room with one player, and what of its inputs took the long way."""

    reader: InputReader
    board: InputBoard = attrs.field(factory=InputBoard)
    now: int = NOW
    long: list[tuple[int, Values]] = attrs.field(factory=list[tuple[int, Values]])
    room: RoomInputs = attrs.field(init=False)
    player: Player[Values] = attrs.field(init=False)
    column: int = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.room = RoomInputs(self.board, self.reader, self.put)
        self.player = Player(cast("PlayerHost", None), 1, {}, self.reader.neutral)
        self.column = self.room.join(self.player)
        self.room.wake(self.now)

    def put(self, column: int, tick: int, values: Values) -> None:
        assert column == self.column
        self.long.append((tick, values))
        self.room.put(column, tick, values, self.now)

    def next(self, payload: bytes) -> bool:
        return self.board.take_next(int.from_bytes(payload), len(payload), self.column)

    def known(self, payload: bytes) -> bool:
        return self.board.take_known(int.from_bytes(payload), len(payload), self.column)

    def tick(self) -> Values:
        self.now = tick_add(self.now, 1)
        self.room.take(self.now, lambda values: values)
        return self.player.input


@given(st.lists(st.tuples(st.integers(-3, MAX_AHEAD + 3), st.integers(0, 2)), max_size=40), st.integers(0, 3))
def test_the_short_way_leaves_things_as_the_long_one_does(moves: list[tuple[int, int]], start: int) -> None:
    """Whatever ticks the inputs are for, and however the room goes on in between; also where the ticks wrap."""
    begin = (NOW, 70_000, TICK_MODULUS - 10, 120)[start]
    reader = reader_of(*(message(tick_add(begin, at), (turn, 0)) for turn in range(3) for at in range(-3, 60)))
    short, long = Play(reader, now=begin), Play(reader, now=begin)
    for number, (ahead, turn) in enumerate(moves):
        tick = tick_add(short.now, ahead)
        payload = message(tick, (turn, 0))
        assert short.next(payload) or short.known(payload)
        long.put(long.column, tick, (turn, 0))
        if number % 3 == 0:
            assert short.tick() == long.tick()
    assert short.room.counts == long.room.counts
    assert short.room.take_slack(short.column) == long.room.take_slack(long.column)
    assert [short.tick() for _ in range(40)] == [long.tick() for _ in range(40)]


def test_an_input_for_the_tick_behind_the_newest_one_takes_the_short_way() -> None:
    play = Play(reader_of(message(NOW, (1, 1))))
    play.put(play.column, NOW + 1, (1, 1))
    play.long.clear()
    for ahead in range(2, 20):
        assert play.next(message(NOW + ahead, (1, 1)))
        assert play.tick() == (1, 1)
    assert play.long == []


@pytest.mark.parametrize(
    "ahead, rows", [(1, [(1, 1)]), (3, [(1, 1)]), (2, [(2, 1)]), (2, [(1, 1), (1, 1)]), (-5, [(1, 1)])]
)
def test_what_may_need_more_than_to_be_put_there_does_not(ahead: int, rows: list[tuple[int, int]]) -> None:
    play = Play(reader_of(message(NOW, (1, 1)), message(NOW, (1, 1), (1, 1))))
    play.put(play.column, NOW + 1, (1, 1))
    assert not play.next(message(NOW + ahead, *rows))
    assert play.long == [(NOW + 1, (1, 1))], "nothing was done"


def test_nobody_gets_further_ahead_on_the_short_way_than_a_room_allows() -> None:
    play = Play(reader_of(message(NOW, (1, 1))))
    play.put(play.column, NOW + 1, (1, 1))
    taken = [play.next(message(NOW + ahead, (1, 1))) for ahead in range(2, 50)]
    assert taken == [True] * (MAX_AHEAD - 1) + [False] * (49 - MAX_AHEAD)


def test_no_input_takes_the_short_way_to_a_room_at_rest_or_on_a_new_connection() -> None:
    play = Play(reader_of(message(NOW, (1, 1))))
    play.put(play.column, NOW + 1, (1, 1))
    play.room.sleep()
    assert not play.next(message(NOW + 2, (1, 1)))
    play.room.wake(NOW)
    assert play.next(message(NOW + 2, (1, 1)))
    play.room.reconnect(play.column)
    assert not play.next(message(NOW + 3, (1, 1)))


def test_what_is_known_is_taken_whatever_tick_it_is_for() -> None:
    play = Play(reader_of(message(NOW, (1, 1), (2, 0))))
    assert play.known(message(NOW + 5, (1, 1), (2, 0)))
    assert not play.known(message(NOW + 5, (1, 1), (3, 0)))
    assert play.long == [(NOW + 5, (1, 1)), (NOW + 6, (2, 0))]


def test_the_board_grows_and_keeps_what_is_on_it() -> None:
    board = InputBoard()
    plays = [Play(reader_of(), board) for _ in range(3 * FIRST_COLUMNS)]
    for number, play in enumerate(plays):
        play.put(play.column, NOW + 1, (number, 0))
    more = [Play(reader_of(), board) for _ in range(3 * FIRST_COLUMNS)]
    assert len({play.column for play in plays + more}) == 6 * FIRST_COLUMNS
    assert [play.tick() for play in plays] == [(number, 0) for number in range(len(plays))]
    assert {play.tick() for play in more} == {reader_of().neutral}


# From the sockets


@attrs.define(eq=False)
class Peer:
    """A socket that the hub reads, whose inputs have a column."""

    play: Play
    ours: socket.socket
    theirs: socket.socket
    heard_pieces: list[bytes] = attrs.field(factory=list[bytes])

    def heard(self, data: bytes, now: float) -> None:
        self.heard_pieces.append(data)

    def send(self, ahead: int, turn: int = 1) -> bytes:
        data = frame(Op.BINARY, message(NOW + ahead, (turn, 1)))
        self.theirs.send(data)
        return data


@pytest.fixture
def hub() -> Generator[Hub]:
    with Hub() as hub:
        yield hub


@pytest.fixture
def peers(hub: Hub) -> Generator[list[Peer]]:
    with ExitStack() as stack:
        made: list[Peer] = []
        for _ in range(3):
            ours, theirs = map(stack.enter_context, socket.socketpair())
            ours.setblocking(False)
            peer = Peer(Play(reader_of(message(NOW, (1, 1))), hub.board), ours, theirs)
            peer.play.put(peer.play.column, NOW + 1, (1, 1))
            peer.play.long.clear()
            hub.add(ours.fileno(), peer)
            hub.set_lane(ours.fileno(), peer.play.column)
            made.append(peer)
        yield made


async def test_usual_inputs_are_put_on_the_board_and_nobody_hears_them(
    hub: Hub, peers: list[Peer], autojump_clock: MockClock
) -> None:
    await trio.sleep(5)
    sizes = [len(peer.send(2)) for peer in peers]
    assert hub.drain()
    assert [peer.heard_pieces for peer in peers] == [[]] * 3
    for peer in peers:
        assert (peer.play.tick(), peer.play.tick()) == ((1, 1), (1, 1))
        assert hub.board.heard_at[peer.play.column] == trio.current_time()
    assert (hub.frames_in, hub.bytes_in) == (3, sum(sizes))


async def test_all_else_is_heard_and_counted_by_who_hears_it(hub: Hub, peers: list[Peer]) -> None:
    usual, unknown, twice = peers
    usual.send(2)
    sent = [unknown.send(2, turn=77), twice.send(2) + twice.send(3)]
    hub.drain()
    assert [peer.heard_pieces for peer in peers] == [[], [sent[0]], [sent[1]]]
    assert hub.frames_in == 1


async def test_without_a_lane_it_is_heard(hub: Hub, peers: list[Peer]) -> None:
    hub.set_lane(peers[0].ours.fileno(), 0)
    data = peers[0].send(2)
    hub.drain()
    assert peers[0].heard_pieces == [data]
    hub.set_lane(peers[0].ours.fileno(), peers[0].play.column)
    peers[0].play.put(peers[0].play.column, NOW + 2, (1, 1))
    peers[0].send(3)
    hub.drain()
    assert peers[0].heard_pieces == [data]


async def test_a_number_that_is_another_sockets_has_no_lane(hub: Hub, peers: list[Peer]) -> None:
    fileno = peers[0].ours.fileno()
    hub.remove(fileno, peers[0])
    hub.add(fileno, peers[0])
    data = peers[0].send(2)
    hub.drain()
    assert peers[0].heard_pieces == [data]


async def test_an_input_with_the_end_behind_it_is_heard_and_so_is_the_end(hub: Hub, peers: list[Peer]) -> None:
    data = peers[0].send(2)
    peers[0].theirs.close()
    hub.drain()
    hub.drain()
    assert peers[0].heard_pieces == [data, b""]
