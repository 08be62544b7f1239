"""Server and load processes: pinned to a core, spoken to in lines, and gone when the block ends."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import cast

import attrs

# Starting Node or seating 2,000 players takes seconds; more than this is a hang.
ANSWER_S = 120.0
# From the end of its standard input to the end of the process.
STOP_S = 10.0

_CLOCK_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


class BenchError(Exception):
    """The benchmark can't go on; the message says why and what to do."""


@attrs.define
class Process:
    """A child process that answers lines with lines."""

    name: str
    child: subprocess.Popen[str]
    output: Path

    def tell(self, line: str) -> None:
        """Write a line to its standard input."""
        assert self.child.stdin is not None
        try:
            self.child.stdin.write(line + "\n")
            self.child.stdin.flush()
        except BrokenPipeError as error:
            raise BenchError(self._ended()) from error

    def hear(self) -> str:
        """Return the next line of its standard output."""
        assert self.child.stdout is not None
        watchdog = threading.Timer(ANSWER_S, self.child.kill)
        watchdog.start()
        try:
            line = self.child.stdout.readline()
        finally:
            watchdog.cancel()
        if not line:
            raise BenchError(self._ended())
        return line.strip()

    def hear_json(self) -> Mapping[str, object]:
        """Return the next line, which is a JSON object."""
        return cast("Mapping[str, object]", json.loads(self.hear()))

    def cpu_s(self) -> float:
        """User and system time of all its threads so far."""
        fields = Path(f"/proc/{self.child.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * _CLOCK_TICK_S

    def rss_kb(self) -> int:
        """Memory that is resident now."""
        status = Path(f"/proc/{self.child.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))

    def _ended(self) -> str:
        status = self.child.wait(STOP_S)
        tail = "\n".join(self.output.read_text(errors="replace").splitlines()[-12:])
        return f"{self.name} ended with status {status}:\n{tail or '(it wrote nothing)'}"


def machine_cpu_s() -> float:
    """Time that all processes and interrupts have used on all cores so far."""
    user, nice, system, _idle, _wait, irq, soft_irq = map(int, Path("/proc/stat").read_text().split()[1:8])
    return (user + nice + system + irq + soft_irq) * _CLOCK_TICK_S


@contextmanager
def started(
    name: str,
    command: Sequence[str],
    *,
    core: int,
    ahead: bool,
    log: Path,
    cwd: Path,
    env: Mapping[str, str] | None = None,
) -> Generator[Process, None, None]:
    """Run ``command`` on one core until the block ends; its standard error goes to the file ``log``."""
    priority = ["chrt", "--rr", "1"] if ahead else []
    with log.open("w") as errors:
        child = subprocess.Popen(
            [*priority, "taskset", "--cpu-list", str(core), *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=cwd,
            env={**os.environ, **(env or {})},
        )
    try:
        yield Process(name, child, log)
    finally:
        _stop(child)


def _stop(child: subprocess.Popen[str]) -> None:
    """End the process as it likes best (its standard input ends), or else by force."""
    assert child.stdin is not None
    with suppress(BrokenPipeError):  # it is gone already
        child.stdin.close()
    try:
        child.wait(STOP_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    assert child.stdout is not None
    child.stdout.close()
