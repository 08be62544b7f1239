"""The ``tickwire`` command in a copy of the test's own process: all of it but the start of an interpreter."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from pathlib import Path
from tempfile import TemporaryFile
from typing import NoReturn, TextIO

from tests.e2e.serving import START_TIMEOUT_S, Outcome
from tickwire.cli import main


def run_forked(*arguments: str, cwd: Path) -> Outcome:
    """Run a ``tickwire`` command that ends by itself, in a tenth of the time that ``serving.run`` takes.

    Nothing of it is left in this process. A command that doesn't end is ended by SIGALRM: its status is 128 + 14 then.
    """
    with TemporaryFile("w+") as stdout, TemporaryFile("w+") as stderr:
        child = os.fork()
        if child == 0:
            _be_the_command(arguments, cwd, stdout, stderr)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        stdout.seek(0)
        stderr.seek(0)
        return Outcome(status if status >= 0 else 128 - status, stdout.read(), stderr.read())


def _be_the_command(arguments: tuple[str, ...], cwd: Path, stdout: TextIO, stderr: TextIO) -> NoReturn:
    """What the child does: pytest must never get to see that there are two of it."""
    status = 1
    try:
        signal.alarm(round(START_TIMEOUT_S))
        os.chdir(cwd)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(stdout.fileno(), 1)
        os.dup2(stderr.fileno(), 2)
        sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115 - until the process ends
        sys.argv = ["tickwire", *arguments]
        status = _status_of_main()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(status)


def _status_of_main() -> int:
    """The exit status, as the interpreter makes it of whatever ``main`` does."""
    try:
        main()
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)  # noqa: T201
        return 1
    except BaseException:  # printed, as the interpreter would
        traceback.print_exc()
        return 1
    return 0
