"""Structured logs on stderr: coloured lines for a person at a terminal, JSON for a machine."""

from __future__ import annotations

import enum
import logging
import sys
from typing import TextIO

import structlog
from structlog.typing import Processor


class LogLevel(enum.Enum):
    """What is worth a line; each level holds those after it."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def configure_logs(level: LogLevel = LogLevel.INFO, stream: TextIO | None = None) -> None:
    """Send the logs of this process to ``stream`` (stderr), from ``level`` on.

    For programs: importing tickwire configures nothing, so a program with logs of its own keeps them.
    """
    out = sys.stderr if stream is None else stream
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if out.isatty() else "iso", utc=not out.isatty()),
    ]
    structlog.configure(
        processors=[*shared, *(_for_a_person() if out.isatty() else _for_a_machine())],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.name]),
        logger_factory=structlog.WriteLoggerFactory(file=out),
        cache_logger_on_first_use=False,
    )


def _for_a_person() -> list[Processor]:
    return [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]


def _for_a_machine() -> list[Processor]:
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]
