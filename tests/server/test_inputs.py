"""The inputs of one player: held, folded, refused, repeated."""

from collections.abc import Iterable
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from tests.shared.strategies import ticks
from tickwire.board import MAX_AHEAD, MAX_BEHIND, InputBoard, Values
from tickwire.input_reader import InputReader
from tickwire.inputs import HOLD_TICKS, InputCounts, RoomInputs
from tickwire.player import Player, PlayerHost
from tickwire_shared.declare import Input, flag, inputs, integer, trigger
from tickwire_shared.ticks import TICK_MODULUS, tick_add


@inputs
class Steer(Input):
    turn: int = integer(-1, 1, default=0)
    thrust: bool = flag(default=False)
    fire: bool = trigger(default=False)


NEUTRAL = (0, 0, 0)
AHEAD = (1, 1, 0)
SHOT = (1, 1, 1)


def same(values: Values) -> Values:
    return values


def new_player(ident: int = 1) -> Player[Values]:
    return Player(cast("PlayerHost", None), ident, {}, NEUTRAL)


def new_room(board: InputBoard | None = None) -> RoomInputs:
    def put(column: int, tick: int, values: Values) -> None:
        raise AssertionError("nobody puts something on the board but by the room's inputs")

    return RoomInputs(board or InputBoard(), InputReader(Steer.wire_type), put)


class Column:
    """One player's column of the board; its input are the wire values."""

    def __init__(self, room: RoomInputs, ident: int = 1) -> None:
        self.room = room
        self.player = new_player(ident)
        self.number = room.join(self.player)

    @property
    def force(self) -> Values:
        return self.player.input

    @property
    def late(self) -> int:
        return self.room.late[self.number]

    @property
    def refused(self) -> int:
        return self.room.refused[self.number]

    def put(self, tick: int, values: Values, now: int) -> None:
        self.room.put(self.number, tick, values, now)

    def take(self, tick: int) -> bool:
        """Go on to a tick; return whether an input for it had come."""
        came: list[Player[Values]] = []
        self.room.take(tick, same, lambda player, values: came.append(player))
        return self.player in came

    def take_slack(self) -> int | None:
        return self.room.take_slack(self.number)


def column() -> Column:
    return Column(new_room())


def played(inputs_: Column, ticks_: Iterable[int]) -> list[tuple[int, ...]]:
    """What was in force at each tick."""
    force: list[tuple[int, ...]] = []
    for tick in ticks_:
        inputs_.take(tick)
        force.append(inputs_.force)
    return force


def test_an_input_is_in_force_at_its_own_tick() -> None:
    inputs_ = column()
    inputs_.put(12, AHEAD, now=10)
    assert not inputs_.take(11)
    assert inputs_.force == NEUTRAL
    assert inputs_.take(12)
    assert inputs_.force == AHEAD


def test_inputs_may_come_in_any_order() -> None:
    inputs_ = column()
    for tick in (3, 1, 2):
        inputs_.put(tick, (0, tick % 2, 0), now=0)
    assert played(inputs_, (1, 2, 3)) == [(0, 1, 0), (0, 0, 0), (0, 1, 0)]


def test_the_first_of_two_inputs_for_a_tick_counts() -> None:
    inputs_ = column()
    inputs_.put(1, AHEAD, now=0)
    inputs_.put(1, NEUTRAL, now=0)
    assert played(inputs_, (1,)) == [AHEAD]
    assert (inputs_.late, inputs_.refused) == (0, 0)
    assert inputs_.room.counts.repeated == 1


def test_the_counts_of_all_players_add_up() -> None:
    room = new_room()
    for one in (Column(room, 1), Column(room, 2)):
        one.put(5, AHEAD, now=5)
        one.put(500, AHEAD, now=5)
        one.put(6, AHEAD, now=5)
        one.put(6, AHEAD, now=5)
        assert (one.late, one.refused) == (1, 1)
    assert room.counts == InputCounts(late=2, refused=2, repeated=2)


def test_a_missing_input_is_replaced_by_the_last_one_for_a_while_and_then_by_the_neutral_one() -> None:
    inputs_ = column()
    inputs_.put(1, AHEAD, now=0)
    assert played(inputs_, range(1, HOLD_TICKS + 4)) == [AHEAD] * (1 + HOLD_TICKS) + [NEUTRAL] * 2


def test_a_trigger_is_never_repeated() -> None:
    inputs_ = column()
    inputs_.put(1, SHOT, now=0)
    assert played(inputs_, (1, 2, 3)) == [SHOT, AHEAD, AHEAD]


def test_a_late_trigger_is_folded_into_the_next_tick_and_the_rest_is_held() -> None:
    inputs_ = column()
    inputs_.take(5)
    inputs_.put(5, SHOT, now=5)
    assert played(inputs_, (6, 7)) == [SHOT, AHEAD]
    assert inputs_.late == 1


def test_a_late_input_is_held_only_if_it_is_the_newest_known() -> None:
    inputs_ = column()
    inputs_.put(5, AHEAD, now=4)
    inputs_.take(5)
    inputs_.take(6)
    inputs_.put(4, (-1, 0, 0), now=6)
    assert played(inputs_, (7,)) == [AHEAD]
    inputs_.put(6, (-1, 0, 0), now=7)
    assert played(inputs_, (8,)) == [(-1, 0, 0)]


def test_inputs_that_all_come_late_are_obeyed_and_let_go_after_the_hold() -> None:
    inputs_ = column()
    for tick in range(1, 20):
        inputs_.put(tick, AHEAD, now=tick + 1)
        assert played(inputs_, (tick + 2,)) == [AHEAD]
    assert played(inputs_, range(22, 29)) == [AHEAD] * (HOLD_TICKS - 2) + [NEUTRAL] * 3
    assert inputs_.late == 19


def test_an_input_of_long_ago_is_counted_and_does_nothing() -> None:
    inputs_ = column()
    for tick in (100 - MAX_BEHIND, 0, TICK_MODULUS - 50_000):
        inputs_.put(tick, SHOT, now=100)
    assert played(inputs_, (101, 102)) == [NEUTRAL, NEUTRAL]
    assert inputs_.late == 3
    inputs_.put(102 - MAX_BEHIND + 1, SHOT, now=102)
    assert inputs_.take(103) is False
    assert inputs_.force[2] == 1


def test_a_late_trigger_joins_the_input_of_the_next_tick() -> None:
    inputs_ = column()
    inputs_.put(6, AHEAD, now=5)
    inputs_.put(4, SHOT, now=5)
    assert played(inputs_, (6, 7)) == [SHOT, AHEAD]


def test_the_same_late_input_sent_twice_fires_once() -> None:
    inputs_ = column()
    inputs_.put(5, SHOT, now=5)
    inputs_.put(5, SHOT, now=5)
    assert played(inputs_, (6, 7)) == [SHOT, AHEAD]


def test_an_input_that_was_in_force_already_and_is_sent_again_fires_no_second_time() -> None:
    inputs_ = column()
    inputs_.put(5, SHOT, now=4)
    assert played(inputs_, (5,)) == [SHOT]
    inputs_.put(5, SHOT, now=5)
    assert played(inputs_, (6, 7)) == [AHEAD, AHEAD]
    assert inputs_.late == 0


def test_a_late_press_that_is_sent_again_later_fires_no_second_time() -> None:
    inputs_ = column()
    inputs_.put(5, SHOT, now=5)
    assert played(inputs_, (6,)) == [SHOT]
    inputs_.put(5, SHOT, now=6)
    assert played(inputs_, (7,)) == [AHEAD]


def test_an_input_that_was_refused_may_be_sent_again() -> None:
    inputs_ = column()
    inputs_.put(40, AHEAD, now=0)
    inputs_.put(40, AHEAD, now=20)
    assert played(inputs_, (40,)) == [AHEAD]


def test_an_input_too_far_ahead_is_refused_and_counted() -> None:
    inputs_ = column()
    inputs_.put(10 + MAX_AHEAD, AHEAD, now=10)
    inputs_.put(11 + MAX_AHEAD, AHEAD, now=10)
    assert (inputs_.late, inputs_.refused) == (0, 1)
    assert played(inputs_, range(11, 12 + MAX_AHEAD)) == [NEUTRAL] * (MAX_AHEAD - 1) + [AHEAD, AHEAD]


def test_slack_is_how_far_ahead_the_newest_input_was_at_worst() -> None:
    inputs_ = column()
    assert inputs_.take_slack() is None
    inputs_.take(1)
    assert inputs_.take_slack() is None
    inputs_.put(5, AHEAD, now=1)
    inputs_.take(2)
    inputs_.take(3)
    assert inputs_.take_slack() == 2
    assert inputs_.take_slack() is None
    inputs_.take(7)
    assert inputs_.take_slack() == -2


def test_a_late_input_shows_in_the_slack() -> None:
    inputs_ = column()
    inputs_.put(3, AHEAD, now=5)
    inputs_.take(6)
    assert inputs_.take_slack() == -3


def test_slack_is_measured_anew_on_another_connection() -> None:
    inputs_ = column()
    inputs_.put(5, AHEAD, now=1)
    inputs_.take(2)
    inputs_.room.reconnect(inputs_.number)
    inputs_.take(200)
    assert inputs_.take_slack() is None
    inputs_.put(203, AHEAD, now=200)
    inputs_.take(201)
    assert inputs_.take_slack() == 2


def test_ticks_wrap() -> None:
    inputs_ = column()
    last = TICK_MODULUS - 1
    inputs_.put(1, AHEAD, now=last)
    inputs_.put(last, SHOT, now=last)
    assert played(inputs_, (0, 1)) == [SHOT, AHEAD]
    assert (inputs_.late, inputs_.refused) == (1, 0)


def test_slack_falls_while_nothing_comes_also_when_ticks_have_wrapped() -> None:
    asked, seldom = column(), column()
    slacks: list[int | None] = []
    for one in (asked, seldom):
        one.put(TICK_MODULUS - 1, AHEAD, now=TICK_MODULUS - 5)
    for tick in (TICK_MODULUS - 2, TICK_MODULUS - 1, 0, 1, 70, 500):
        asked.take(tick)
        seldom.take(tick)
        slacks.append(asked.take_slack())
    assert slacks == [1, 0, -1, -2, -71, -501]
    assert seldom.take_slack() == -501


sent = st.lists(st.tuples(st.integers(-40, 80), st.tuples(st.integers(-1, 1), st.integers(0, 1), st.integers(0, 1))))


@given(ticks, sent, st.integers(1, 30))
def test_whatever_comes_every_press_fires_once_at_most(
    start: int, messages: list[tuple[int, tuple[int, int, int]]], every: int
) -> None:
    inputs_ = column()
    now = start
    shots = presses = 0
    for count, (offset, values) in enumerate(messages):
        presses += values[2]
        for _ in range(2):
            inputs_.put(tick_add(start, offset), values, now)
        if count % every == 0:
            now = tick_add(now, 1)
            inputs_.take(now)
            shots += inputs_.force[2]
    for _ in range(MAX_AHEAD + 1):
        now = tick_add(now, 1)
        inputs_.take(now)
        shots += inputs_.force[2]
    assert shots <= presses
    assert inputs_.late <= len(messages)


# Several players, in several rooms


def test_players_of_all_rooms_share_a_board_and_nobody_gets_what_another_one_sent() -> None:
    board = InputBoard()
    rooms = [new_room(board) for _ in range(3)]
    columns = [Column(room, ident) for ident in range(1, 41) for room in rooms]
    assert len({one.number for one in columns}) == len(columns)
    for number, one in enumerate(columns):
        one.put(9 + number % 3, (number % 3 - 1, number % 2, 0), now=8)
    for tick in (9, 10, 11):
        for room in rooms:
            room.take(tick, same)
        for number, one in enumerate(columns):
            came = tick >= 9 + number % 3
            assert one.force == ((number % 3 - 1, number % 2, 0) if came else NEUTRAL)


def test_rooms_are_told_of_inputs_in_the_order_in_which_their_players_joined() -> None:
    room = new_room()
    columns = [Column(room, ident) for ident in (5, 1, 3)]
    for one in columns:
        one.put(1, AHEAD, now=0)
    told: list[int] = []
    room.take(1, same, lambda player, values: told.append(player.id))
    assert told == [1, 3, 5]


def test_an_input_object_is_made_when_the_values_are_others_and_only_then() -> None:
    room = new_room()
    one, other = Column(room, 1), Column(room, 2)
    made: list[Values] = []

    def make(values: Values) -> Values:
        made.append(values)
        return values

    for tick in (1, 2, 3):
        one.put(tick, AHEAD, now=0)
    other.put(2, SHOT, now=0)
    for tick in (1, 2, 3):
        room.take(tick, make)
    assert made == [AHEAD, SHOT, AHEAD]
    assert (one.force, other.force) == (AHEAD, AHEAD)


def test_who_leaves_is_given_nothing_more_and_the_next_one_begins_anew() -> None:
    board = InputBoard()
    room = new_room(board)
    stays, leaves = Column(room, 1), Column(room, 2)
    for one in (stays, leaves):
        one.put(5, SHOT, now=5)  # late: its button is to be folded into the next tick
        one.put(500, SHOT, now=5)
        one.put(8, AHEAD, now=5)
    room.leave(leaves.number)
    comes = Column(new_room(board), 1)
    assert comes.number == leaves.number
    assert played(stays, (6, 7, 8)) == [SHOT, AHEAD, AHEAD]
    assert played(comes, (6, 7, 8)) == [NEUTRAL] * 3
    assert (comes.late, comes.refused, comes.take_slack()) == (0, 0, None)
    assert (leaves.force, leaves.late) == (NEUTRAL, 0)
    assert room.counts == InputCounts(late=2, refused=2)


def test_a_room_that_is_over_gives_all_columns_back() -> None:
    board = InputBoard()
    room = new_room(board)
    numbers = {Column(room, ident).number for ident in range(1, 6)}
    room.close()
    room.close()
    other = new_room(board)
    assert {Column(other, ident).number for ident in range(1, 6)} == numbers


def test_inputs_that_wait_are_forgotten_and_those_in_force_are_not() -> None:
    room = new_room()
    columns = [Column(room, ident) for ident in (1, 2)]
    for one in columns:
        for tick in (3, 4, 5 + MAX_AHEAD - 3):
            one.put(tick, AHEAD, now=2)
    room.take(3, same)
    assert room.busy(3)
    room.forget_ahead(3)
    for one in columns:
        assert played(one, range(4, 4 + HOLD_TICKS)) == [AHEAD] * HOLD_TICKS
    assert played(columns[0], range(4 + HOLD_TICKS, 50)) == [NEUTRAL] * (46 - HOLD_TICKS)
    assert not room.busy(50)


def test_a_room_is_busy_while_an_input_waits_that_changes_nothing() -> None:
    one = column()
    one.take(1)
    assert not one.room.busy(1)
    one.put(1 + MAX_AHEAD, NEUTRAL, now=1)
    assert one.room.busy(1)
    one.put(2 + MAX_AHEAD, NEUTRAL, now=1)
    assert (one.refused, one.room.busy(1)) == (1, True)


def test_a_room_without_inputs_has_no_place_on_the_board() -> None:
    board = InputBoard()
    without = RoomInputs(board, None, lambda column, tick, values: None)
    assert not without.taken
    without.take(5, same)
    without.sleep()
    without.wake(9)
    without.close()
    assert not without.busy(9)
    one = Column(new_room(board))
    one.put(10, AHEAD, now=9)
    assert played(one, (10,)) == [AHEAD]
