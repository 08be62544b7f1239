"""Ctrl+C and ``kill``: the first asks for an orderly stop, a second one ends the process at once.

The handlers run outside of trio's loop, so that a game whose hook never returns can be stopped as well.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

import trio

SIGNALS = (signal.SIGINT, signal.SIGTERM)

# Longer than any orderly stop takes (see server.GRACE_S); only a hook that never returns gets here.
WATCHDOG_S = 8.0


@contextmanager
def cancelled_by_signals(watchdog_s: float = WATCHDOG_S) -> Generator[trio.CancelScope, None, None]:
    """Run the block until it ends or SIGINT or SIGTERM arrives, which cancels it.

    For the main thread, inside `trio.run`. Ends the process with status 128 + n at a second signal n, and
    when the block has not ended ``watchdog_s`` after the first.
    """
    token = trio.lowlevel.current_trio_token()
    watchdog: threading.Timer | None = None
    with trio.CancelScope() as scope:

        def handle(number: int, _frame: FrameType | None) -> None:
            nonlocal watchdog
            if watchdog is not None:
                os._exit(128 + number)
            watchdog = threading.Timer(watchdog_s, _give_up, (number, watchdog_s))
            watchdog.daemon = True
            watchdog.start()
            token.run_sync_soon(scope.cancel)

        before = {number: signal.signal(number, handle) for number in SIGNALS}
        try:
            yield scope
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            if watchdog is not None:
                watchdog.cancel()


def _give_up(number: int, after_s: float) -> None:
    print(f"tickwire: not stopped after {after_s:g} s (a hook that never returns?): ending", file=sys.stderr)
    os._exit(128 + number)
