"""Signals: the first one cancels, and what can't be cancelled is ended all the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
import trio

from tickwire.signals import SIGNALS, cancelled_by_signals

STUCK = """
import os, signal, trio
from tickwire.signals import cancelled_by_signals

async def main():
    with cancelled_by_signals(watchdog_s=0.05):
        os.kill(os.getpid(), signal.{name})
        while True:
            pass

trio.run(main)
"""


@pytest.mark.parametrize("number", SIGNALS)
async def test_a_signal_cancels_the_block_and_the_handlers_are_as_before(number: signal.Signals) -> None:
    before = [signal.getsignal(each) for each in SIGNALS]
    with trio.fail_after(10), cancelled_by_signals() as scope:
        os.kill(os.getpid(), number)
        await trio.sleep(100)
    assert scope.cancelled_caught
    assert [signal.getsignal(each) for each in SIGNALS] == before


async def test_a_block_that_ends_by_itself_is_not_cancelled() -> None:
    before = [signal.getsignal(each) for each in SIGNALS]
    with cancelled_by_signals() as scope:
        await trio.lowlevel.checkpoint()
    assert not scope.cancel_called
    assert [signal.getsignal(each) for each in SIGNALS] == before


async def test_the_handlers_are_put_back_after_an_error_too() -> None:
    before = [signal.getsignal(each) for each in SIGNALS]
    with pytest.raises(KeyError), cancelled_by_signals():
        raise KeyError
    assert [signal.getsignal(each) for each in SIGNALS] == before


def test_a_block_that_never_ends_is_ended_by_the_watchdog_with_a_line_that_says_so() -> None:
    done = subprocess.run(
        [sys.executable, "-c", STUCK.format(name="SIGTERM")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 128 + signal.SIGTERM
    assert done.stderr == "tickwire: not stopped after 0.05 s (a hook that never returns?): ending\n"
