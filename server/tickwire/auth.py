"""Who may join: the token, then the game's own ``Room.on_auth``, both before a seat is taken or a room made."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import attrs
import structlog
import trio

from tickwire.door import Visitor
from tickwire.token_key import TokenKey, check_room
from tickwire_shared.client_messages import Join, Mode
from tickwire_shared.closing import CloseCode
from tickwire_shared.errors import NotAllowed, ProtocolError

if TYPE_CHECKING:
    from tickwire.player import Player
    from tickwire.room import Room

TOKEN_OPTION: Final = "token"

_log = structlog.get_logger("tickwire.auth")


@attrs.frozen
class JoinRequest:
    """A join that ``Room.on_auth`` is asked about.

    Attributes:
        target: The room type or room id asked for.
        mode: How: ``"join_or_create"``, ``"create"``, ``"join"`` or ``"id"``.
        options: What the client sent with its join: untrusted. A token that was checked is not in there.
        claims: What its signed token says: trusted. Empty for a server without ``--token-key``.
        address: Where it comes from; empty for a client in memory.
        origin: Of which page, if it is a browser.
    """

    target: str
    mode: Mode
    options: Mapping[str, object]
    claims: Mapping[str, object] = attrs.field(factory=dict[str, object])
    address: str = ""
    origin: str | None = None


@attrs.frozen
class Pass:
    """A join that may go on.

    Attributes:
        options: Of the join, for the room.
        claims: Of its token.
        user: What ``Room.on_auth`` returned.
    """

    options: Mapping[str, object]
    claims: Mapping[str, object] = attrs.field(factory=dict[str, object])
    user: object = None

    def introduce(self, player: Player[Any], name_length: int) -> None:
        """Let the player that it is for be known by what was found out about it."""
        player.user, player.claims, player.name_length = self.user, self.claims, name_length


def check_token(join: Join, room_type: type[Room[Any]], key: TokenKey | None) -> Pass:
    """Check a join's token, if the server has a key to check it with.

    Raises:
        ProtocolError: It is not good for this room.
    """
    if key is None:
        return Pass(join.options)
    options = dict(join.options)
    try:
        claims = key.claims(options.pop(TOKEN_OPTION, None))
        check_room(claims, room_type.name, join.target)
    except NotAllowed as error:
        raise ProtocolError(str(error), CloseCode.REFUSED) from error
    return Pass(options, claims)


def has_on_auth(room_type: type[Room[Any]]) -> bool:
    """Whether the game has a word in who may join."""
    from tickwire.room import Room

    return getattr(room_type.on_auth, "__func__", room_type.on_auth) is not getattr(Room.on_auth, "__func__", None)


async def ask_game(join: Join, room_type: type[Room[Any]], visitor: Visitor, pass_: Pass, timeout_s: float) -> Pass:
    """Ask ``Room.on_auth``.

    Raises:
        ProtocolError: It said no, raised, or took longer than ``timeout_s``. That ends this join and nothing else.
    """
    request = JoinRequest(join.target, join.mode, pass_.options, pass_.claims, visitor.address, visitor.origin)
    try:
        with trio.fail_after(timeout_s):
            answer = room_type.on_auth(request)
            if inspect.isawaitable(answer):
                answer = await answer
    except NotAllowed as error:
        raise ProtocolError(str(error) or "You may not join.", CloseCode.REFUSED) from error
    except trio.TooSlowError as error:
        _log.error("auth took too long", type=room_type.name, hook="on_auth", seconds=timeout_s)
        raise ProtocolError(f"It took more than {timeout_s:g} s to check who you are.", CloseCode.TIMED_OUT) from error
    except Exception as error:  # the author's hook: it ends this join and nothing else
        _log.error("auth failed", type=room_type.name, hook="on_auth", exc_info=error)
        raise ProtocolError("The game failed in on_auth.", CloseCode.ROOM_FAILED) from error
    if answer is False:
        raise ProtocolError("You may not join.", CloseCode.REFUSED)
    return attrs.evolve(pass_, user=answer)
