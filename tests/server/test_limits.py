"""The limits: each has a safe default, a range, and a line in the help of the command line."""

from __future__ import annotations

import math

import attrs
import pytest

from tickwire.cli import app
from tickwire.limits import Limits
from tickwire_shared.errors import UsageError

NAMES = [field.name for field in attrs.fields(Limits)]


def test_each_is_a_flag_with_its_default_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    app(["serve", "--help"], exit_on_error=False, result_action="return_value")
    text = " ".join(capsys.readouterr().out.replace("│", " ").split())
    for name in NAMES:
        flag = f"--{name.replace('_', '-')} "
        assert flag in text
        assert f"[default: {getattr(Limits(), name)}]" in text.partition(flag)[2]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [-1, math.nan, math.inf])
def test_a_value_that_makes_no_sense_is_named_with_its_range(name: str, value: float) -> None:
    with pytest.raises(UsageError, match=rf"the limit {name} is .*; use .* to "):
        Limits(**{name: value})  # type: ignore[arg-type]


def test_all_but_the_number_of_proxies_are_on_by_default() -> None:
    off = [name for name in NAMES if not getattr(Limits(), name)]
    assert off == ["trusted_proxies"]


def test_they_do_not_change_under_a_server() -> None:
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        Limits().connections = 1  # type: ignore[misc]
