"""Signed tokens: what is believed, and what is not."""

from __future__ import annotations

import hashlib
import hmac
import time
from base64 import urlsafe_b64encode
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tickwire.token_key import LEEWAY_S, check_room, load_token_key, parse_token_key
from tickwire_shared.errors import NotAllowed, UsageError

SECRET = "a secret of more than 32 bytes, for tests"
ED = ed25519.Ed25519PrivateKey.generate()
EC = ec.generate_private_key(ec.SECP256R1())
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_pem(key: PrivateKeyTypes) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def claims(**changes: object) -> dict[str, object]:
    """Good claims, changed; None leaves one out."""
    made: dict[str, object] = {"sub": "ada", "exp": time.time() + 3600, **changes}
    return {name: value for name, value in made.items() if value is not None}


def token(secret: str = SECRET, algorithm: str = "HS256", **changes: object) -> str:
    return jwt.encode(claims(**changes), secret, algorithm=algorithm)


def assert_refused(given: object, words: str, key: bytes = SECRET.encode()) -> None:
    with pytest.raises(NotAllowed, match=words):
        parse_token_key(key, "here").claims(given)


@pytest.mark.parametrize("algorithm", ["HS256", "HS384"])
def test_a_token_signed_with_the_secret_is_believed(algorithm: str) -> None:
    secret = SECRET * 2
    said = parse_token_key(secret.encode() + b"\n", "here").claims(token(secret, algorithm, room="arena", team="red"))
    assert (said["sub"], said["room"], said["team"]) == ("ada", "arena", "red")


def test_a_secret_makes_tokens_that_it_believes() -> None:
    key = parse_token_key(SECRET.encode(), "here")
    assert key.claims(key.sign(claims(room="arena")))["room"] == "arena"
    assert_refused(key.sign(claims(exp=time.time() - 2 * LEEWAY_S)), "has expired")


def test_a_public_key_makes_none() -> None:
    with pytest.raises(UsageError, match="signed with the private one"):
        parse_token_key(public_pem(ED), "here").sign(claims())


@pytest.mark.parametrize("key, algorithm", [(ED, "EdDSA"), (EC, "ES256"), (RSA, "RS256"), (RSA, "PS512")])
def test_a_token_signed_with_the_private_key_is_believed_by_the_public_one(
    key: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, algorithm: str
) -> None:
    made = jwt.encode(claims(), key, algorithm=algorithm)
    assert parse_token_key(public_pem(key), "here").claims(made)["sub"] == "ada"


@pytest.mark.parametrize(
    "given, words",
    [
        (None, "needs a token: give it as the join's option token"),
        ("", "needs a token"),
        (7, "needs a token"),
        ("x", "not valid"),
        ("a.b.c", "not valid"),
        ("\ud800.b.c", "not valid: it is not a JWT"),
        ("e" * 4000, "not valid"),
        (urlsafe_b64encode(b"[" * 2900).decode() + ".e30.", "not valid"),
        (token("another secret, also of 32 bytes or more"), "not valid: Signature verification failed"),
        (token()[:-2], "not valid"),
        (jwt.encode(claims(), "", algorithm="none"), "not valid"),
        (jwt.encode(claims(), ED, algorithm="EdDSA"), "not valid: The specified alg value is not allowed"),
        (token(exp=time.time() - LEEWAY_S - 1), "has expired: get a new one"),
        (token(exp=None), 'missing the "exp" claim'),
        (token(sub=None), 'missing the "sub" claim'),
        (token(exp="soon"), "not valid"),
        (token(nbf=time.time() + 3600), "not valid"),
    ],
)
def test_what_is_no_good_token_is_refused_with_the_reason(given: object, words: str) -> None:
    assert_refused(given, words)


def test_nobody_signs_with_the_public_key_as_if_it_were_a_secret() -> None:
    public = public_pem(ED)
    header, _, rest = jwt.encode(claims(), "x" * 64, algorithm="HS256").partition(".")
    body = rest.partition(".")[0]
    signature = hmac.new(public, f"{header}.{body}".encode(), hashlib.sha256).digest()
    assert_refused(f"{header}.{body}.{urlsafe_b64encode(signature).decode().rstrip('=')}", "alg value", public)


def test_a_clock_that_is_a_little_off_does_no_harm() -> None:
    parse_token_key(SECRET.encode(), "here").claims(token(exp=time.time() - LEEWAY_S / 2))


@pytest.mark.parametrize("room", [None, "arena", "r1"])
def test_a_token_is_for_any_room_a_type_or_just_one(room: str | None) -> None:
    check_room(claims(room=room), "arena", "r1")


@pytest.mark.parametrize("room", ["meadow", "r2", "", 7, ["arena"]])
def test_a_token_for_another_room_is_refused(room: object) -> None:
    with pytest.raises(NotAllowed, match=r"is for the room .*, not for 'r1'"):
        check_room(claims(room=room), "arena", "r1")


# The key


def test_a_key_is_read_from_a_file_or_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_text(SECRET + "\n")
    monkeypatch.setenv("TICKWIRE_KEY", SECRET)
    for place in (str(tmp_path / "key"), "env:TICKWIRE_KEY"):
        assert load_token_key(place).claims(token())["sub"] == "ada"


def test_a_key_is_never_shown() -> None:
    assert SECRET not in repr(parse_token_key(SECRET.encode(), "here"))


def test_a_key_that_is_not_safe_or_not_there_is_refused_with_the_remedy(tmp_path: Path) -> None:
    private = RSA.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    dsa_key = public_pem(dsa.generate_private_key(1024))
    for raw, words in (
        (b"", "has 0 bytes; use 32 or more: openssl rand"),
        (b"x" * 31, "has 31 bytes"),
        (private, "no public key; the private one stays"),
        (b"-----BEGIN PUBLIC KEY-----\n", "no public key"),
        (dsa_key, "use a key of Ed25519"),
    ):
        with pytest.raises(UsageError, match=words):
            parse_token_key(raw, "here")
    for place, words in ((str(tmp_path / "nothing"), "can't be read"), ("env:NO_SUCH_NAME", "no variable")):
        with pytest.raises(UsageError, match=words):
            load_token_key(place)
