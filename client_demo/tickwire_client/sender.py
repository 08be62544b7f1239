"""The sending half of a connection: what was asked for, PINGs and inputs, when they are due."""

from __future__ import annotations

import trio

from tickwire_client.clock import ROUNDING_MS
from tickwire_client.connection import Connection
from tickwire_client.game_view import GameView
from tickwire_shared.closing import ABNORMAL
from tickwire_shared.errors import ConnectionEnded

SILENCE_S = 15.0  # PINGs go out every second; a server that answers none of them for so long is gone

GRACE_TICKS = 3  # a thrifty client's timer is that late when snapshots stop; servers hold an input for longer


class Sender:
    """Sends on one connection; nobody else does, once it is running.

    Its task sleeps until something is due or it is woken. A thrifty client instead sends from the receiving
    task, whenever a snapshot has come, what will be due within a tick; the sleep is put off meanwhile.
    """

    def __init__(self, view: GameView, connection: Connection) -> None:
        """Send what ``view`` has to say on ``connection``."""
        self._view = view
        self._connection = connection
        self._woken = trio.Event()
        self._nap = trio.CancelScope()

    async def run(self) -> None:
        """Send until cancelled.

        Raises:
            ConnectionEnded: The connection was lost, or nothing was heard for too long.
        """
        while True:
            self._woken = trio.Event()
            if self._connection.needs_flush:
                await self._connection.flush()
            for data in self._view.take_outbox(now_ms()):
                await self._connection.send(data)
            if now_ms() >= self._silent_ms() - ROUNDING_MS:
                raise ConnectionEnded(ABNORMAL, f"Nothing was heard of the server for {SILENCE_S:.0f} s.")
            with trio.CancelScope(deadline=self._wake_at_s(now_ms())) as self._nap:
                await self._woken.wait()

    def wake(self) -> None:
        """Something may be due earlier than was planned."""
        self._woken.set()

    def send_early(self) -> None:
        """Send without waiting what is due within a tick; what can't be is left to the task."""
        now = now_ms()
        pending = self._view.take_outbox(now, early_ticks=1.0)
        for number, data in enumerate(pending):
            if not self._connection.send_nowait(data):
                self._view.put_back(pending[number:])
                self.wake()
                return
        if self._connection.needs_flush:
            self.wake()
        elif self._nap.deadline * 1000 < now + 2 * self._view.session.clock.tick_ms:
            self._nap.deadline = self._wake_at_s(now) + GRACE_TICKS * self._view.session.clock.tick_ms / 1000

    def _wake_at_s(self, now: float) -> float:
        return min(self._view.session.next_due_ms(now), self._silent_ms()) / 1000

    def _silent_ms(self) -> float:
        return self._view.session.heard_ms + SILENCE_S * 1000


def now_ms() -> float:
    """The local clock."""
    return trio.current_time() * 1000
