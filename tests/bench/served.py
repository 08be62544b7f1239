"""The benchmark's server as a process of its own, for measurements that bring their own clients."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import attrs

START_S = 30.0


@attrs.frozen
class Server:
    """A server process; see ``tests.bench.serve``."""

    port: int
    pid: int
    input: IO[str]
    output: IO[str]

    def tell(self, line: str) -> None:
        """Write a line to its standard input."""
        self.input.write(line + "\n")
        self.input.flush()

    def resident_bytes(self) -> int:
        """Memory that it holds now."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return 1024 * next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))


@contextmanager
def served(seconds: float, players: int) -> Generator[Server]:
    """Run a server, behind a proxy, with a room for so many players until the block ends, or long after ``seconds``."""
    command = [sys.executable, "-m", "tests.bench.serve", str(players), "16", "play", "1"]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    watchdog = threading.Timer(START_S + seconds, child.kill)
    watchdog.start()
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        yield Server(int(child.stdout.readline().split()[1]), child.pid, child.stdin, child.stdout)
    finally:
        watchdog.cancel()
        child.stdin.close()
        child.wait()
        child.stdout.close()
