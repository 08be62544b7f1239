"""The watchdog: names a hook that never returns, while it doesn't.

All rooms share one thread, so a hook that blocks (a request to a database, an endless loop) holds up everything: no
tick, no ping, no answer to ``/healthz``. Nobody in that thread can say so; hence a thread of its own, which looks a
few times a second at whose hook runs. That costs the rooms one attribute per tick.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

import attrs
import structlog

STUCK_S: Final = 1.0
"""A hook that runs for so long has missed ticks at any rate, and players have noticed."""

LOOK_S: Final = 0.25
"""Between two looks: what is reported is known to within this."""

_log = structlog.get_logger("tickwire.watchdog")


@attrs.frozen
class Sight:
    """What runs just now.

    Attributes:
        room: The room's id.
        type: Its type.
        hook: The author's hook, or the part of the tick.
        tick: In which tick.
    """

    room: str
    type: str
    hook: str
    tick: int


@attrs.define
class Watchdog:
    """Reports what stays in sight for too long: after ``stuck_s`` seconds, then each time that has doubled.

    Args:
        look: Says what runs just now; called by another thread than runs it.
        where: Says in which line of code that is.
    """

    _look: Callable[[], Sight | None]
    _where: Callable[[], str]
    _stuck_s: float = STUCK_S
    _seen: Sight | None = attrs.field(init=False, default=None)
    _since: float = attrs.field(init=False, default=0.0)
    _report_after_s: float = attrs.field(init=False, default=STUCK_S)
    _reported: bool = attrs.field(init=False, default=False)

    def check(self, now: float) -> None:
        """Look once, at ``now`` seconds."""
        sight = self._look()
        if sight is None or sight != self._seen:
            if self._seen is not None and self._reported:
                _log.warning("the hook went on", **attrs.asdict(self._seen), seconds=round(now - self._since, 1))
            self._seen, self._since = sight, now
            self._report_after_s, self._reported = self._stuck_s, False
        elif now - self._since >= self._report_after_s:
            seconds = round(now - self._since, 1)
            _log.error("a hook is stuck", **attrs.asdict(sight), seconds=seconds, at=self._where())
            self._report_after_s *= 2
            self._reported = True


@contextmanager
def watching(look: Callable[[], Sight | None], stuck_s: float = STUCK_S, look_s: float = LOOK_S) -> Generator[None]:
    """Watch the thread that enters the block, from another thread, until the block is left."""
    dog = Watchdog(look, _place_of(threading.get_ident()), stuck_s)
    over = threading.Event()

    def watch() -> None:
        while not over.wait(look_s):
            dog.check(time.monotonic())

    thread = threading.Thread(target=watch, name="tickwire watchdog", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _place_of(thread: int) -> Callable[[], str]:
    def place() -> str:
        frame = sys._current_frames().get(thread)  # pyright: ignore[reportPrivateUsage] - documented under this name
        return "" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_name}"

    return place
