"""Reasons: the names on the protocol page, in Python and in the browser are the same."""

import re
from pathlib import Path

import pytest

import tickwire_shared
from tickwire_shared.closing import CloseCode
from tickwire_shared.reasons import Reason, closed_because

PAGE = Path(next(iter(tickwire_shared.__path__))) / "PROTOCOL.md"


def test_the_protocol_page_lists_just_these_reasons_in_this_order() -> None:
    table = PAGE.read_text().partition("| reason | meaning |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| ([a-z ]+) \|", table, re.MULTILINE) == [reason.value for reason in Reason]


@pytest.mark.parametrize("code", CloseCode)
def test_a_close_code_is_a_reason_by_its_name(code: CloseCode) -> None:
    assert closed_because(code) == code.name.lower().replace("_", " ")


@pytest.mark.parametrize("code", [1000, 1005, 1006, 1011, 4999])
def test_any_other_code_is_a_lost_connection(code: int) -> None:
    assert closed_because(code) == Reason.LOST.value


def test_no_reason_has_the_name_of_a_close_code() -> None:
    assert {reason.value for reason in Reason}.isdisjoint(closed_because(code) for code in CloseCode)
