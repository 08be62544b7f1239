"""Every error that tickwire raises on purpose, and whose fault each one is.

::

    TickwireError
    +-- UsageError               the game's author misused tickwire
    |   +-- DeclarationError       an @entity, @event, @inputs or Room class is wrong
    |   +-- ValueRefused           a field holds a value that its wire kind can't carry
    |   +-- SchemaMismatch         two states of different schemas were mixed
    +-- PeerError                the other side of a connection is at fault
    |   +-- ProtocolError          it sent something that breaks PROTOCOL.md
    |   +-- StaleBaseline          a delta from a state that is not held: ask for a full one
    |   +-- NotAllowed             it may not join
    +-- ConnectionEnded          the connection is over; has a close code and a sentence
        +-- JoinRefused            it ended before the join was answered

Messages are sentences that name the value and the remedy. Nothing else leaves ``tickwire_shared``.
"""

from __future__ import annotations

from tickwire_shared.closing import CloseCode, RetryPolicy, retry_policy


class TickwireError(Exception):
    """The root of all errors that tickwire raises on purpose."""


class UsageError(TickwireError):
    """The game's author misused tickwire; the message says how to mend it."""


class DeclarationError(UsageError):
    """A class declaration can't be turned into a schema."""


class ValueRefused(UsageError):
    """A field holds a value that its wire kind can't carry."""


class SchemaMismatch(UsageError):
    """Two states or deltas of different schemas were mixed."""


class PeerError(TickwireError):
    """The other side of a connection is at fault."""


class ProtocolError(PeerError):
    """The peer sent something that breaks PROTOCOL.md.

    Attributes:
        code: The close code that tells the peer.
    """

    def __init__(self, message: str, code: CloseCode = CloseCode.BAD_MESSAGE) -> None:
        super().__init__(message)
        self.code = code


class StaleBaseline(PeerError):
    """A delta starts from a state that the receiver does not hold; it has to ask for a full one."""


class NotAllowed(PeerError):
    """A player may not join; raised by a token's check and by ``Room.on_auth``, with the sentence it is told."""


class ConnectionEnded(TickwireError):
    """A connection is over.

    Attributes:
        code: The WebSocket close code (PROTOCOL.md, section 9), or 1006 when there was none.
        reason: The sentence that came with it.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"connection ended with {code}: {reason or 'no reason given'}")
        self.code = code
        self.reason = reason

    @property
    def retry(self) -> RetryPolicy:
        """Whether coming back makes sense, and how fast."""
        return retry_policy(self.code)


class JoinRefused(ConnectionEnded):
    """The connection ended before the server had answered the join."""
