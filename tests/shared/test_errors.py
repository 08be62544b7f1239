"""The error tree, and that nothing else leaves the shared package."""

import inspect
import re

import pytest

from tickwire_shared import errors
from tickwire_shared.closing import CloseCode, RetryPolicy
from tickwire_shared.errors import ConnectionEnded, JoinRefused, ProtocolError, TickwireError

CLASSES = {name: cls for name, cls in vars(errors).items() if inspect.isclass(cls) and issubclass(cls, Exception)}


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn: dict[str, str] = {}
    parents: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"^(\s+(?:\|\s+)*)(?:\+-- )?([A-Z]\w+)\b", line)
        if found is None or found[2] not in CLASSES:
            continue
        depth = line.index(found[2])
        parents = [(at, name) for at, name in parents if at < depth]
        drawn[found[2]] = parents[-1][1] if parents else "Exception"
        parents.append((depth, found[2]))
    assert drawn == {name: cls.__bases__[0].__name__ for name, cls in CLASSES.items()}


@pytest.mark.parametrize("cls", CLASSES.values())
def test_every_error_has_one_root_and_a_promise(cls: type[Exception]) -> None:
    assert issubclass(cls, TickwireError)
    assert cls.__doc__


def test_a_protocol_error_tells_the_peer_with_a_close_code() -> None:
    assert ProtocolError("It is wrong.").code is CloseCode.BAD_MESSAGE
    assert ProtocolError("It is full.", CloseCode.ROOM_FULL).code is CloseCode.ROOM_FULL


def test_an_ended_connection_says_whether_to_come_back() -> None:
    ended = ConnectionEnded(4040, "The server stops.")
    assert str(ended) == "connection ended with 4040: The server stops."
    assert ended.retry is RetryPolicy.BACKOFF
    assert JoinRefused(4005, "").retry is RetryPolicy.NEVER
    assert "no reason given" in str(JoinRefused(4005, ""))
