"""The pulse: what is due is called when it is due, and sockets are heard before."""

from __future__ import annotations

import itertools
import math
import select
import socket
import weakref
from collections.abc import Callable, Generator
from contextlib import suppress
from functools import partial
from types import SimpleNamespace

import attrs
import pytest
import trio
import trio.testing

from tickwire.hub import Hub
from tickwire.pace import Pace
from tickwire.phases import SPREAD_S, STEP_S
from tickwire.pulse import BUSY, BUSY_COALESCE_S, COALESCE_S, HOLD_S, LEAST_HOLD_S, MOST_READING_S, Beat, Pulse


def call_at(pulse: Pulse, due: float, call: Callable[[], None]) -> Beat:
    beat = Beat(call)
    pulse.arm(beat, due)
    return beat


class Listener:
    def __init__(self, log: list[object]) -> None:
        self.log = log

    def heard(self, data: bytes, now: float) -> None:
        self.log.append(data)


@pytest.fixture
async def pulse(nursery: trio.Nursery) -> Pulse:
    pulse = Pulse()
    nursery.start_soon(pulse.run)
    return pulse


async def test_calls_come_in_order_at_their_times(autojump_clock: object, pulse: Pulse) -> None:
    came: dict[str, float] = {}
    began = trio.current_time()

    def call(name: str) -> None:
        came[name] = trio.current_time() - began

    for name, after in (("b", 0.5), ("a", 0.25), ("c", 7.0)):
        call_at(pulse, began + after, partial(call, name))
    await trio.sleep(10)
    assert list(came) == ["a", "b", "c"]
    assert came == pytest.approx({"a": 0.25, "b": 0.5, "c": 7.0})


async def test_a_call_that_is_due_sooner_than_all_others_wakes_it(autojump_clock: object, pulse: Pulse) -> None:
    came: list[float] = []
    call_at(pulse, trio.current_time() + 100, lambda: came.append(-1.0))
    await trio.sleep(1)
    due = trio.current_time() + 0.01
    call_at(pulse, due, lambda: came.append(trio.current_time()))
    await trio.sleep(1)
    assert came == [pytest.approx(due)]


@attrs.define(eq=False)
class Mailbox:
    """Posts a byte for a socket, and notes how many of them had come at its other end before."""

    pulse: Pulse
    ours: socket.socket
    theirs: socket.socket
    came: dict[str, int] = attrs.field(factory=dict[str, int])

    def post(self, name: str, count: int = 1) -> None:
        self.came[name] = self.arrived()
        outbox = self.pulse.hub.outbox
        outbox.filenos.extend([self.ours.fileno()] * count)
        outbox.frames += [b"x"] * count

    def arrived(self) -> int:
        with suppress(BlockingIOError):
            return len(self.theirs.recv(1000, socket.MSG_PEEK))
        return 0


@pytest.fixture
def box(pulse: Pulse) -> Generator[Mailbox]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.setblocking(False)
        yield Mailbox(pulse, ours, theirs)


async def test_what_is_posted_goes_out_behind_all_that_is_due(
    autojump_clock: object, pulse: Pulse, box: Mailbox
) -> None:
    for name in ("a", "b"):
        call_at(pulse, trio.current_time() + 1, partial(box.post, name))
    await trio.sleep(2)
    assert box.came == {"a": 0, "b": 0}
    assert box.arrived() == 2


async def test_it_does_not_wait_for_too_many(
    autojump_clock: object, pulse: Pulse, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tickwire.pulse.AT_ONCE", 100)  # a socket of this kind takes some 270 messages
    call_at(pulse, trio.current_time() + 1, partial(box.post, "a", 100))
    call_at(pulse, trio.current_time() + 1, partial(box.post, "b"))
    await trio.sleep(2)
    assert box.came == {"a": 0, "b": 100}
    assert box.arrived() == 101


async def test_a_beat_is_called_when_it_was_armed_for_last(autojump_clock: object, pulse: Pulse) -> None:
    came: list[float] = []
    began = trio.current_time()
    beat = Beat(lambda: came.append(trio.current_time() - began))
    for after in (1.0, 3.0, 2.0):
        pulse.arm(beat, began + after)
    await trio.sleep(5)
    assert came == [pytest.approx(2.0)]


class Caller:
    def call(self) -> None:
        pass


async def test_what_is_cancelled_keeps_nothing_alive(autojump_clock: object, pulse: Pulse) -> None:
    caller = Caller()
    kept = weakref.ref(caller)
    beat = call_at(pulse, trio.current_time() + 100, caller.call)
    del caller
    assert kept() is not None
    beat.cancel()
    assert kept() is None


@pytest.mark.parametrize("due_s", [0.5, 100.0])
async def test_it_can_be_stopped_while_it_sleeps(
    autojump_clock: object, monkeypatch: pytest.MonkeyPatch, due_s: float
) -> None:
    monkeypatch.delattr(select, "epoll", raising=False)  # no socket wakes it
    pulse, calls = Pulse(), list[int]()
    call_at(pulse, trio.current_time() + due_s, lambda: calls.append(1))
    with trio.move_on_after(10) as scope:
        await pulse.run()
    assert scope.cancelled_caught
    assert calls == [1] * (due_s < 10)


async def test_what_is_cancelled_is_not_called(autojump_clock: object, pulse: Pulse) -> None:
    came: list[int] = []
    call_at(pulse, trio.current_time() + 1, lambda: came.append(1)).cancel()
    await trio.sleep(2)
    assert came == []


async def test_what_becomes_due_meanwhile_lets_other_tasks_run_before(autojump_clock: object, pulse: Pulse) -> None:
    came: list[str] = []

    def again() -> None:
        came.append("call")
        if len(came) < 6:
            call_at(pulse, trio.current_time(), again)

    async def other() -> None:
        while len(came) < 6:
            came.append("task")
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        call_at(pulse, trio.current_time(), again)
        nursery.start_soon(other)
    assert "task" in came
    assert came.count("call") > 1
    assert "call call call" not in " ".join(came)


async def test_sockets_are_heard_right_before_what_is_due(pulse: Pulse) -> None:
    if not pulse.hub.listens:
        pytest.fail("this system has no epoll: the hub needs Linux")
    log: list[object] = []
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        listener = Listener(log)
        pulse.hub.add(ours.fileno(), listener)
        done = trio.Event()

        def due() -> None:
            log.append("due")
            done.set()

        theirs.send(b"input")
        call_at(pulse, trio.current_time(), due)
        await done.wait()
        pulse.hub.remove(ours.fileno(), listener)
    assert log == [b"input", "due"]


class Chatter(Hub):
    """A hub with news at any time."""

    def __init__(self, act: Callable[[], object] = lambda: None) -> None:
        super().__init__()
        self.act = act
        self.heard_at: list[float] = []

    def drain(self) -> bool:
        self.heard_at.append(trio.current_time())
        self.act()
        return True


@pytest.mark.parametrize(
    "load, pause_s", [(0.0, COALESCE_S), (BUSY, COALESCE_S), (0.11, 0.0055), (0.19, 0.0095), (0.9, BUSY_COALESCE_S)]
)
async def test_the_busier_it_is_the_more_rarely_it_listens(autojump_clock: object, load: float, pause_s: float) -> None:
    pulse, hub = Pulse(), Chatter()
    pulse.hub, pulse.ladder.load = hub, load
    with trio.move_on_after(1):
        await pulse.run()
    steps = [later - sooner for sooner, later in itertools.pairwise(hub.heard_at)]
    assert steps == pytest.approx([pause_s] * (math.ceil(1 / pause_s) - 1), abs=1e-6)


@pytest.mark.parametrize("apart_s", [0.0101, 0.0003])
async def test_busy_or_not_calls_come_at_their_times_by_a_clock_that_stands_still(
    autojump_clock: object, apart_s: float
) -> None:
    pulse, hub = Pulse(), Chatter()
    pulse.hub, pulse.ladder.load = hub, 1.0
    began = trio.current_time()
    dues = [began + apart_s * number for number in range(1, 50)]
    came: list[float] = []
    for due in dues:
        call_at(pulse, due, lambda: came.append(trio.current_time()))
    with trio.move_on_after(0.9):
        await pulse.run()
    assert came == pytest.approx(dues, abs=1e-6)
    assert len(hub.heard_at) < 500


async def test_a_busy_one_reads_before_rooms_are_due_and_waits_for_them(
    autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    naps: list[float] = []
    monkeypatch.setattr("tickwire.pulse.time", SimpleNamespace(sleep=naps.append))
    pulse, hub = Pulse(), Chatter(lambda: autojump_clock.jump(0.002))
    pulse.hub = hub
    monkeypatch.setattr(pulse, "_real_s_until", lambda due: 0.0)
    for _ in range(50):  # rooms are due when it has read
        pulse._listen()
    assert naps == []
    assert pulse._reading_s == pytest.approx(0.002, rel=0.01)
    assert len(hub.heard_at) == 50
    for rest_s in (0.0024, 0.0026, 0.5, -0.001):
        monkeypatch.setattr(pulse, "_real_s_until", lambda due, rest_s=rest_s: rest_s)
        pulse._listen()
    assert naps == [0.0024], "so long before it began, in case reading takes as long as usual"
    assert len(hub.heard_at) == 50 + 5, "once more behind the wait: what comes in the last moment counts"
    hub.act = lambda: autojump_clock.jump(0.1)
    for _ in range(50):
        pulse._listen()
    assert pulse._reading_s == MOST_READING_S


async def test_a_busy_one_naps_until_the_next_rooms_are_due_and_lets_other_tasks_run_behind_each_nap(
    autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    log: list[str] = []

    def nap(seconds: float) -> None:
        assert 0.0 < seconds < BUSY_COALESCE_S + 0.0001
        log.append("nap")
        autojump_clock.jump(seconds)

    async def other() -> None:
        while True:
            log.append("other")
            await trio.lowlevel.checkpoint()

    def note(due: float) -> None:
        late.append(trio.current_time() - due)

    def left(clock: trio.testing.MockClock, deadline: float) -> float:
        return deadline - clock.current_time()

    monkeypatch.setattr("tickwire.pulse.time", SimpleNamespace(sleep=nap))
    monkeypatch.setattr(trio.testing.MockClock, "deadline_to_sleep_time", left)  # as if it were a real clock
    pulse, late = Pulse(), list[float]()
    pulse.hub, pulse.ladder.load = Chatter(), 1.0
    began = trio.current_time()
    for number in range(1, 26):
        due = began + 0.012 * number
        call_at(pulse, due, partial(note, due))
    with trio.move_on_after(0.31):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(other)
            nursery.start_soon(pulse.run)
    assert len(late) == 25
    assert all(0.0 <= seconds < 0.0001 for seconds in late)
    assert 2 * 25 < log.count("nap") < 5 * 25
    assert log.count("other") > 10 * log.count("nap"), "as many turns as it wants, but for the pulse's own time"
    assert "nap nap nap" not in " ".join(log), "at most the wait for rooms that are due is behind one"


@pytest.fixture
def holds(autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A virtual clock that goes on by itself while the process is held; for how long it was."""
    holds: list[float] = []

    def sleep(seconds: float) -> None:
        holds.append(seconds)
        autojump_clock.jump(seconds)

    monkeypatch.setattr("tickwire.pulse.time", SimpleNamespace(sleep=sleep))
    return holds


def real_pulse() -> Pulse:
    """A pulse that is not run, by a clock that goes on by itself."""
    pulse = Pulse()
    pulse._real_s_until = lambda due: due - trio.current_time()
    return pulse


async def test_rooms_of_a_slot_are_run_in_one_go_each_when_it_is_due(
    autojump_clock: trio.testing.MockClock, holds: list[float]
) -> None:
    pulse, late, sent = real_pulse(), list[float](), list[int]()
    pulse.hub.outbox.send = lambda: sent.append(len(late))  # type: ignore[method-assign]
    began = trio.current_time()
    took_s = iter([0.00001] * 50 + [0.00008] * 50)

    def run(due: float) -> None:
        late.append(trio.current_time() - due)
        autojump_clock.jump(next(took_s))
        pulse.look()

    for place in range(100):
        due = began + place * STEP_S
        call_at(pulse, due, partial(run, due))
    assert pulse._run_due()
    assert len(late) == 100
    assert sent == [100], "in one go"
    assert all(0.0 <= seconds < LEAST_HOLD_S for seconds in late[:50]), "none early, and hardly late"
    assert len(holds) == pytest.approx(50 * STEP_S / (LEAST_HOLD_S + STEP_S), abs=3), "a hold serves some of them"
    assert late[-1] == pytest.approx(50 * (0.00008 - STEP_S) + late[50], abs=0.0001), "who is slower is late"
    assert pulse.ladder._spent_s == pytest.approx(50 * 0.00001 + 50 * 0.00008, abs=1e-6), "holds are no work"


async def test_what_is_due_later_than_that_is_waited_for_elsewhere(
    autojump_clock: trio.testing.MockClock, holds: list[float]
) -> None:
    pulse, came = real_pulse(), list[str]()
    began = trio.current_time()
    offsets = {"a": 0.0, "b": HOLD_S, "c": 2.1 * HOLD_S, "d": 3.2 * HOLD_S, "e": SPREAD_S + 0.001}
    for name, offset in offsets.items():
        call_at(pulse, began + offset, partial(came.append, name))
    pulse._run_due()
    assert came == ["a", "b"]
    assert holds == pytest.approx([HOLD_S])
    assert pulse._next_due() == began + offsets["c"], "nothing is lost"
    autojump_clock.jump(began + 1.0 - trio.current_time())
    pulse._run_due()
    assert came == list(offsets)


async def test_before_anything_is_due_nothing_runs(holds: list[float]) -> None:
    pulse, came = real_pulse(), list[int]()
    call_at(pulse, trio.current_time() + 0.0001, lambda: came.append(1))
    assert not pulse._run_due()
    assert (came, holds) == ([], [])


async def test_a_busy_one_calls_nothing_early() -> None:
    pulse, all_came = Pulse(), trio.Event()
    pulse.hub, pulse.ladder.load = Chatter(), 1.0
    came: list[tuple[float, float]] = []

    def note(due: float) -> None:
        came.append((due, trio.current_time()))
        if len(came) == 25:
            all_came.set()

    began = trio.current_time()
    for number in range(1, 26):
        due = began + 0.01 * number
        call_at(pulse, due, partial(note, due))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(pulse.run)
        await all_came.wait()
        nursery.cancel_scope.cancel()
    assert all(due <= at for due, at in came)


async def test_a_pace_keeps_its_deadlines_whatever_a_tick_takes(
    autojump_clock: trio.testing.MockClock, pulse: Pulse
) -> None:
    began: list[float] = []

    def tick() -> None:
        pace.begin(trio.current_time(), most=5)
        began.append(pace.due)
        autojump_clock.jump(0.03)  # a tick that takes 60 % of its time
        pace.go_on(rest=0)

    pace = Pace(pulse, hz=20, call=tick)
    pace.start()
    await trio.sleep(2)
    pace.stop()
    steps = [later - sooner for sooner, later in itertools.pairwise(began)]
    assert len(began) > 30
    assert steps == pytest.approx([0.05] * len(steps))
    assert pace.dropped_ticks == 0


async def test_a_pace_drops_what_it_can_not_catch_up(autojump_clock: trio.testing.MockClock, pulse: Pulse) -> None:
    calls: list[int] = []

    def tick() -> None:
        calls.append(pace.begin(trio.current_time(), most=5))
        if len(calls) == 3:
            autojump_clock.jump(1.02)
        pace.go_on(rest=0)

    pace = Pace(pulse, hz=20, call=tick)
    pace.start()
    await trio.sleep(2)
    pace.stop()
    # The next one is 19 ticks late, and due itself: five are run, the others never.
    assert pace.dropped_ticks == sum(calls) == max(calls) == 19 + 1 - 5
    assert calls.count(0) == len(calls) - 1
