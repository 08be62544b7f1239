"""Close codes and reasons."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tickwire_shared
from tickwire_shared.closing import MAX_REASON_BYTES, CloseCode, RetryPolicy, clip_reason, retry_policy

PAGE = Path(next(iter(tickwire_shared.__path__))) / "PROTOCOL.md"


@given(st.text(max_size=300))
def test_a_reason_always_fits_a_close_frame(reason: str) -> None:
    clipped = clip_reason(reason)
    assert len(clipped.encode()) <= MAX_REASON_BYTES
    assert clipped == reason or clipped.endswith("...")


@given(st.text(st.characters(codec=None), max_size=50))
def test_a_reason_with_lone_surrogates_can_still_be_sent(reason: str) -> None:
    clip_reason(reason).encode()


def test_a_short_reason_stays_as_it_is() -> None:
    assert clip_reason("The room is full.") == "The room is full."


@pytest.mark.parametrize("code", CloseCode)
def test_the_range_of_a_code_says_whether_to_come_back(code: CloseCode) -> None:
    if code < 4020:
        assert retry_policy(code) is RetryPolicy.NEVER
    elif code < 4040:
        assert retry_policy(code) is RetryPolicy.NOW
    else:
        assert retry_policy(code) is RetryPolicy.BACKOFF


@pytest.mark.parametrize(
    "code, policy",
    [
        (1000, RetryPolicy.NEVER),
        (1001, RetryPolicy.BACKOFF),
        (1002, RetryPolicy.NEVER),
        (1006, RetryPolicy.BACKOFF),
        (1011, RetryPolicy.BACKOFF),
        (1012, RetryPolicy.BACKOFF),
        (3000, RetryPolicy.BACKOFF),
    ],
)
def test_a_lost_connection_may_come_back_and_a_misunderstanding_may_not(code: int, policy: RetryPolicy) -> None:
    assert retry_policy(code) is policy


def test_the_protocol_page_lists_just_these_codes() -> None:
    rows = re.findall(r"^\| (4\d{3}) \| ([^|]+) \|", PAGE.read_text(), re.MULTILINE)
    assert {int(code): name for code, name in rows} == {
        int(code): code.name.lower().replace("_", " ") for code in CloseCode
    }
