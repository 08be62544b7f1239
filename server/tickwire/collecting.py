"""Collecting garbage between ticks instead of in the middle of one.

What a tick makes is freed by reference counts; the collector of cycles finds next to nothing, and yet walks, when
it likes, through all that a server holds. So while a server runs, the collector's own timing is off: what exists at
the start is set aside, young objects are looked through when the pulse has time to spare, and all of them rarely.
"""

from __future__ import annotations

import gc
from time import perf_counter
from types import TracebackType
from typing import Final, Self

YOUNG_OBJECTS: Final = 2_000
"""So many new containers make a look worth its while."""

URGENT_OBJECTS: Final = 4_000
"""So many are looked through even when no time is to spare, for then there may be none for long: at up to half a
microsecond each, these take two milliseconds, and a hundred times as many stalled a full server for 200."""

FULL_EVERY_S: Final = 60.0
FULL_AT_LATEST_S: Final = 600.0

_MARGIN: Final = 1.5


class IdleCollector:
    """Takes over from the interpreter's collector; use it with ``with``, around all that runs.

    Where the program has set objects aside itself (``gc.freeze``), that is left as it is.
    """

    def __init__(self) -> None:
        """Change nothing yet."""
        self.young = 0
        self.full = 0
        self._young_s = 0.0005
        self._full_s = 0.005
        self._full_at = perf_counter()
        self._was_on = False
        self._froze = False

    def __enter__(self) -> Self:
        """Set aside what exists, and stop the interpreter's own timing."""
        self._was_on = gc.isenabled()
        gc.collect()
        self._froze = not gc.get_freeze_count()
        if self._froze:
            gc.freeze()
        gc.disable()
        self._full_at = perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the collector as it was found."""
        if self._froze:
            gc.unfreeze()
        if self._was_on:
            gc.enable()

    def spare(self, seconds: float) -> None:
        """Collect if that is due, and is likely to be done within ``seconds``."""
        count = gc.get_count()[0]
        if count < YOUNG_OBJECTS:
            return
        began = perf_counter()
        since = began - self._full_at
        if since > FULL_EVERY_S and (seconds > _MARGIN * self._full_s or since > FULL_AT_LATEST_S):
            gc.collect()
            self.full += 1
            self._full_at = perf_counter()
            self._full_s = self._full_at - began
        elif seconds > _MARGIN * self._young_s or count > URGENT_OBJECTS:
            gc.collect(1)
            self.young += 1
            self._young_s = perf_counter() - began
