"""Signed tokens: a login service says who may join, and the server believes it because of the signature.

A token is a JWT (RFC 7519), in the join's option ``token``, with the claims ``sub`` (who), ``exp`` (until when) and
perhaps ``room`` (the room type or the room id that it is for; without it, any). PyJWT does the cryptography: it is the
library that most Python services make their tokens with, typed, and without dependencies for the HMAC family.

The kind of key decides which algorithms are accepted, never the token: a secret HS256 to HS512, a public key that of
its own family. So nobody can sign with the public key as if it were a secret (RFC 8725, section 3.1).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs
import jwt

from tickwire_shared.errors import NotAllowed, UsageError

if TYPE_CHECKING:
    from jwt.algorithms import AllowedPublicKeys

LEAST_SECRET_BYTES: Final = 32
"""RFC 7518, section 3.2: a key as long as the hash of HS256."""

LEEWAY_S: Final = 10
"""By how much the clocks of two servers may differ."""

_ENV: Final = "env:"
_HMAC: Final = ("HS256", "HS384", "HS512")
_PEM: Final = b"-----BEGIN "
_RSA: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_ELLIPTIC: Final = ("ES256", "ES384", "ES512")
_EDWARDS: Final = ("EdDSA",)


@attrs.frozen
class TokenKey:
    """What tokens are checked with.

    Attributes:
        algorithms: Those that are accepted.
    """

    _key: bytes | AllowedPublicKeys = attrs.field(repr=False)
    algorithms: tuple[str, ...]

    def claims(self, token: object) -> Mapping[str, object]:
        """Return what a token says, if it is a good one.

        Raises:
            NotAllowed: There is none, it is not signed with our key, it has expired, or it lacks ``sub`` or ``exp``.
        """
        if not isinstance(token, str) or not token:
            raise NotAllowed("This server needs a token: give it as the join's option token.")
        try:
            required = ["exp", "sub"]
            claims: Mapping[str, object] = jwt.decode(
                token,
                self._key,
                algorithms=self.algorithms,
                leeway=LEEWAY_S,
                options={"require": required, "verify_aud": False},
            )
        except jwt.ExpiredSignatureError as error:
            raise NotAllowed("The token has expired: get a new one.") from error
        except jwt.InvalidTokenError as error:
            raise NotAllowed(f"The token is not valid: {error}.") from error
        except UnicodeError as error:
            raise NotAllowed("The token is not valid: it is not a JWT.") from error
        return claims

    def sign(self, claims: Mapping[str, object]) -> str:
        """Make a token; it is good for whoever has it until its ``exp``.

        Raises:
            UsageError: The key is a public one, which only checks.
        """
        if not isinstance(self._key, bytes):
            raise UsageError("a public key checks tokens; they are signed with the private one, where that is kept")
        return jwt.encode(dict(claims), self._key, algorithm=_HMAC[0])


def check_room(claims: Mapping[str, object], room_type: str, target: str) -> None:
    """Check that a token is for the room type, or for just the room id, that is asked for.

    Raises:
        NotAllowed: It is for another one.
    """
    room = claims.get("room")
    if room is not None and room not in (room_type, target):
        raise NotAllowed(f"The token is for the room {str(room)[:64]!r}, not for {target!r}.")


def load_token_key(place: str) -> TokenKey:
    """Read a key from a file, or with ``env:NAME`` from a variable of the environment.

    Raises:
        UsageError: It can't be read, or is no key that tokens could safely be checked with.
    """
    return parse_token_key(_read(place), place)


def parse_token_key(raw: bytes, place: str) -> TokenKey:
    """Make a key of a secret, or of a public key as PEM; ``place`` is where it comes from, for messages.

    Raises:
        UsageError: See `load_token_key`.
    """
    raw = raw.strip()
    if raw.startswith(_PEM):
        return _public_key(raw, place)
    if len(raw) < LEAST_SECRET_BYTES:
        raise UsageError(
            f"the token key in {place} has {len(raw)} bytes; use {LEAST_SECRET_BYTES} or more: openssl rand -hex 32"
        )
    return TokenKey(raw, _HMAC)


def _read(place: str) -> bytes:
    if place.startswith(_ENV):
        name = place.removeprefix(_ENV)
        value = os.environ.get(name)
        if value is None:
            raise UsageError(f"there is no variable {name!r} in the environment, where the token key should be")
        return value.encode()
    try:
        return Path(place).read_bytes()
    except OSError as error:
        raise UsageError(
            f"the token key {place!r} can't be read: {error.strerror}; name a file, or a variable as env:NAME"
        ) from error


def _public_key(raw: bytes, place: str) -> TokenKey:
    try:
        from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
        from cryptography.hazmat.primitives.serialization import load_pem_public_key
    except ImportError as error:
        raise UsageError(f"{place} is a public key, which needs the package cryptography: install it") from error
    try:
        key = load_pem_public_key(raw)
    except ValueError as error:
        raise UsageError(f"{place} is no public key; the private one stays with who makes the tokens") from error
    if isinstance(key, rsa.RSAPublicKey):
        return TokenKey(key, _RSA)
    if isinstance(key, ec.EllipticCurvePublicKey):
        return TokenKey(key, _ELLIPTIC)
    if isinstance(key, ed25519.Ed25519PublicKey):
        return TokenKey(key, _EDWARDS)
    raise UsageError(f"{place} is a {type(key).__name__}; use a key of Ed25519, an elliptic curve or RSA")
