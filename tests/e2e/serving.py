"""The installed ``tickwire`` command as a subprocess, on a port of its own."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import attrs

TICKWIRE = Path(sys.executable).parent / "tickwire"

# Generous: the machine may be busy. A healthy run never waits this long.
START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 15.0


@attrs.frozen
class Outcome:
    """What a finished command left."""

    status: int
    stdout: str
    stderr: str


@attrs.frozen
class Server:
    """A running ``tickwire serve``.

    Attributes:
        url: The page's address, ending in ``/``.
        process: For signals.
    """

    url: str
    process: subprocess.Popen[str]

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.url.rstrip("/").rpartition(":")[2])

    @property
    def websocket_url(self) -> str:
        """Where clients connect."""
        return f"ws://127.0.0.1:{self.port}"

    def get(self, path: str) -> str:
        """The text at a path."""
        with urlopen(self.url + path.lstrip("/"), timeout=START_TIMEOUT_S) as answer:
            content: bytes = answer.read()
        return content.decode()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> Outcome:
        """Send a signal, and wait for the end."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> Outcome:
        """Wait for the end."""
        stdout, stderr = self.process.communicate(timeout=STOP_TIMEOUT_S)
        return Outcome(self.process.returncode, stdout, stderr)


@contextmanager
def serving(*arguments: str, cwd: Path, command: Path = TICKWIRE) -> Generator[Server, None, None]:
    """Run ``tickwire serve`` on a free port until the block ends, and see to it that it ends."""
    process = subprocess.Popen(
        [command, "serve", "--port", "0", *arguments],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield Server(_announced_url(process), process)
        finally:
            if process.poll() is None:
                process.kill()


def run(*arguments: str, cwd: Path, command: Path = TICKWIRE, timeout_s: float = START_TIMEOUT_S) -> Outcome:
    """Run a ``tickwire`` command that ends by itself."""
    done = subprocess.run(
        [command, *arguments],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def _announced_url(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    watchdog = threading.Timer(START_TIMEOUT_S, process.kill)
    watchdog.start()
    try:
        line = process.stdout.readline()
    finally:
        watchdog.cancel()
    match = re.search(r"https?://\S+", line)
    if match is None:
        process.kill()
        raise AssertionError(f"no address in {line!r}; it said: {process.communicate()[1]}")
    return match[0]
