from __future__ import annotations

import io
import json
from collections.abc import Generator

import pytest
import structlog

from tickwire.logs import LogLevel, configure_logs


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def restored() -> Generator[None, None, None]:
    before = structlog.get_config()
    yield
    structlog.configure(**before)


def failing(log: structlog.typing.FilteringBoundLogger) -> None:
    try:
        raise ZeroDivisionError("by nought")
    except ZeroDivisionError:
        log.exception("a hook failed", room="r1", tick=7)


def test_a_machine_gets_one_json_object_per_line() -> None:
    out = io.StringIO()
    configure_logs(stream=out)
    log = structlog.get_logger()
    log.info("room opened", room="r1", odd=object)
    failing(log)
    opened, failed = (json.loads(line) for line in out.getvalue().splitlines())
    assert (opened["event"], opened["level"], opened["room"]) == ("room opened", "info", "r1")
    assert "ZeroDivisionError: by nought" in failed["exception"]
    assert opened["timestamp"].endswith("Z")


def test_a_person_gets_words_and_the_traceback() -> None:
    out = Terminal()
    configure_logs(stream=out)
    failing(structlog.get_logger())
    assert "a hook failed" in out.getvalue()
    assert "ZeroDivisionError: by nought" in out.getvalue()
    assert "{" not in out.getvalue().splitlines()[0]


def test_what_is_below_the_level_is_not_written() -> None:
    out = io.StringIO()
    configure_logs(LogLevel.WARNING, out)
    log = structlog.get_logger()
    log.info("room opened")
    log.warning("tick late")
    assert [json.loads(line)["event"] for line in out.getvalue().splitlines()] == ["tick late"]


def test_loggers_made_at_import_time_follow_the_configuration() -> None:
    log = structlog.get_logger("early")
    out = io.StringIO()
    configure_logs(stream=out)
    log.info("room opened")
    assert "room opened" in out.getvalue()
