"""The queue of events: what matters most goes first, and is left out last."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tickwire.event_queue import EventQueue, Key
from tickwire_shared.policies import Policy


class Chat:
    """An event class, for its identity."""


class Score:
    """Another."""


CHAT: Key = (Chat, None)
SCORE: Key = (Score, None)


def put(queue: EventQueue, frame: bytes, policy: Policy, key: Key = CHAT, *, blocked: bool = False) -> bool:
    return queue.put(frame, policy, key, blocked=blocked)


def test_what_matters_most_goes_first_and_each_in_its_order() -> None:
    queue = EventQueue()
    for frame, policy in ((b"d1", Policy.DROP), (b"l", Policy.LATEST), (b"m1", Policy.MUST), (b"m2", Policy.MUST)):
        assert put(queue, frame, policy)
    put(queue, b"d2", Policy.DROP)
    assert len(queue) == 5
    assert queue.take() == [b"m1", b"m2", b"l", b"d1", b"d2"]
    assert (queue.take(), len(queue), queue.size_bytes, queue.left_out) == ([], 0, 0, 0)


def test_of_the_latest_only_the_newest_of_a_class_and_topic_is_kept() -> None:
    queue = EventQueue()
    put(queue, b"old", Policy.LATEST, SCORE)
    put(queue, b"other class", Policy.LATEST, CHAT)
    put(queue, b"other topic", Policy.LATEST, (Score, "team"))
    put(queue, b"new", Policy.LATEST, SCORE)
    assert queue.size_bytes == len(b"other classother topicnew")
    assert queue.take() == [b"other class", b"other topic", b"new"]
    assert queue.left_out == 1


def test_what_may_be_dropped_is_not_queued_for_a_blocked_connection_and_does_not_wait_for_one() -> None:
    queue = EventQueue()
    assert put(queue, b"never", Policy.DROP, blocked=True)
    put(queue, b"this tick", Policy.DROP)
    put(queue, b"kept", Policy.MUST)
    queue.passed_over()
    assert (queue.size_bytes, queue.left_out) == (4, 2)
    assert queue.take() == [b"kept"]


def test_what_must_arrive_pushes_out_first_the_droppable_then_the_latest_that_waited_longest() -> None:
    queue = EventQueue(max_bytes=10)
    put(queue, b"dd", Policy.DROP)
    put(queue, b"s1", Policy.LATEST, SCORE)
    put(queue, b"c1", Policy.LATEST, CHAT)
    assert put(queue, b"mmmmmm", Policy.MUST)
    assert queue.left_out == 1
    assert put(queue, b"mm", Policy.MUST)
    assert queue.left_out == 2
    assert queue.take() == [b"mmmmmm", b"mm", b"c1"]


def test_more_than_fits_of_what_must_arrive_is_too_much() -> None:
    queue = EventQueue(max_bytes=10)
    put(queue, b"l", Policy.LATEST)
    assert put(queue, b"m" * 10, Policy.MUST)
    assert not put(queue, b"m", Policy.MUST)


def test_a_latest_event_larger_than_the_queue_is_left_out_itself() -> None:
    queue = EventQueue(max_bytes=10)
    put(queue, b"mm", Policy.MUST)
    assert put(queue, b"l" * 11, Policy.LATEST)
    assert queue.take() == [b"mm"]


ACTS = st.lists(st.tuples(st.sampled_from(Policy), st.integers(0, 6), st.integers(0, 2), st.booleans()), max_size=40)


@given(ACTS)
def test_the_size_is_that_of_what_waits_and_beyond_the_cap_only_for_what_must_arrive(
    acts: list[tuple[Policy, int, int, bool]],
) -> None:
    queue = EventQueue(max_bytes=20)
    must: list[bytes] = []
    for number, (policy, size, topic, blocked) in enumerate(acts):
        frame = bytes([number]) * size
        must += [frame] if policy is Policy.MUST else []
        fits = put(queue, frame, policy, (Chat, str(topic)), blocked=blocked)
        assert fits == (sum(map(len, must)) <= 20)
        assert queue.size_bytes <= max(20, sum(map(len, must)))
        assert len(queue) + queue.left_out == number + 1
    size = queue.size_bytes
    taken = queue.take()
    assert sum(map(len, taken)) == size
    assert taken[: len(must)] == must
