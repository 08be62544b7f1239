"""How a swarm is doing, live on a terminal."""

from __future__ import annotations

from math import isinf
from typing import TYPE_CHECKING

import trio
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from tickwire_client.swarm import Swarm

REFRESH_S = 0.25


async def show_progress(swarm: Swarm, console: Console | None = None) -> None:
    """Show a bar and numbers until cancelled. Does nothing if standard error is no terminal."""
    console = console or Console(stderr=True)
    if not console.is_terminal:
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    # rich would refresh from a thread of its own; one task owns the terminal here.
    with Progress(*columns, console=console, auto_refresh=False, transient=True) as progress:
        order = swarm.order
        bar = progress.add_task("joining", total=order.count)
        started_s: float | None = None
        while True:
            now_s = trio.current_time()
            if swarm.settled == order.count and started_s is None:
                started_s = now_s
            if started_s is None:
                progress.update(bar, completed=swarm.settled, description=_describe(swarm, now_s))
            else:
                total = None if isinf(order.duration_s) else order.duration_s
                progress.update(bar, completed=now_s - started_s, total=total, description=_describe(swarm, now_s))
            progress.refresh()
            await trio.sleep(REFRESH_S)


def _describe(swarm: Swarm, now_s: float) -> str:
    report = swarm.report(now_s)
    failed = f", [red]{report.failed} failed[/red]" if report.failed else ""
    return (
        f"{report.joined} of {report.count} bots in {escape(report.room)}{failed}  "
        f"{report.snapshots_per_s:.1f} snapshots/s  {report.bytes_per_s / 1000:.1f} kB/s  {report.rtt_p50_ms:.1f} ms"
    )
