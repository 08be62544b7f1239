"""Turns: all others go on until each of them waits, and nobody can hold the giver up."""

from __future__ import annotations

from itertools import count

import trio

from tickwire.turns import MOST, QUIET, Turns


async def test_turns_are_given_until_everybody_waits_in_whatever_order_tasks_run() -> None:
    for _ in range(50):  # trio shuffles the tasks that can go on
        done: list[int] = []

        async def hand_over(steps: int, send: trio.MemorySendChannel[int] | None, done: list[int] = done) -> None:
            for _ in range(steps):
                await trio.lowlevel.checkpoint()
            done.append(steps)
            if send is not None:
                send.send_nowait(steps)

        async def wait_for(receive: trio.MemoryReceiveChannel[int], done: list[int] = done) -> None:
            done.append(await receive.receive())
            await trio.sleep_forever()

        async with trio.open_nursery() as nursery:
            with Turns() as turns:
                send, receive = trio.open_memory_channel[int](1)
                nursery.start_soon(wait_for, receive)
                nursery.start_soon(hand_over, 7, None)
                nursery.start_soon(hand_over, 11, send)
                await turns.give()
            assert sorted(done) == [7, 11, 11]
            nursery.cancel_scope.cancel()


async def test_it_takes_two_turns_when_nobody_has_anything_to_do() -> None:
    with Turns() as turns:
        await turns.give()
        assert turns._woken == QUIET


async def test_who_never_waits_holds_nobody_up() -> None:
    steps = count()

    async def spin() -> None:
        for _ in steps:
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(spin)
        with Turns() as turns:
            await turns.give()
        nursery.cancel_scope.cancel()
    assert MOST <= next(steps) <= MOST + 3


async def test_nothing_is_counted_outside() -> None:
    with Turns() as turns:
        pass
    await trio.lowlevel.checkpoint()
    assert turns._woken == 0
