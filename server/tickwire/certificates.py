"""Where TLS gets its certificate from: files, or an authority of this machine's own for development.

::

    --tls-cert, --tls-key     load_certificate     what a browser trusts anywhere
    --tls-dev                 make_certificate     one for this machine, signed by an authority kept in a folder

The authority outlives the server, so that a browser that was told once to trust it goes on doing so.
"""

from __future__ import annotations

import os
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import attrs
import trustme

from tickwire_shared.errors import UsageError

AUTHORITY_FILE: Final = "authority.pem"
_KEY_FILE: Final = "authority.key"
_LOCAL_NAMES: Final = ("localhost", "127.0.0.1", "::1")
_WILDCARDS: Final = frozenset(("0.0.0.0", "::"))
# Browsers refuse one that is valid for longer than 398 days (CA/Browser Forum, Baseline Requirements, section 6.3.2).
# Each start makes a new one.
_VALID_DAYS: Final = 90
# What the certificate was made for may have a clock that is behind.
_CLOCK_SLACK: Final = timedelta(days=1)


@attrs.frozen
class DevCertificate:
    """A certificate for development.

    Attributes:
        context: For the server.
        authority: The file with the authority's certificate, to be trusted by browsers and clients.
    """

    context: ssl.SSLContext
    authority: Path


def load_certificate(cert: str | os.PathLike[str], key: str | os.PathLike[str] | None = None) -> ssl.SSLContext:
    """Make a server's TLS context from PEM files.

    Args:
        cert: The certificate, followed by those that lead to the authority, as certbot's ``fullchain.pem``.
        key: The private key, without a passphrase; None when it is in ``cert`` too.

    Raises:
        UsageError: A file can't be read or isn't what it should be; the message names it and the remedy.
    """
    for file, what in ((cert, "certificate"), (key, "key")):
        if file is not None:
            _check_readable(Path(file), what)
    context = _server_context()
    try:
        context.load_cert_chain(cert, key, password=_refuse_passphrase)
    except ssl.SSLError as error:
        raise UsageError(_why_not(error, Path(cert), None if key is None else Path(key))) from error
    return context


def make_certificate(host: str, folder: Path | None = None) -> DevCertificate:
    """Make a certificate for this machine's own names and ``host``, signed by the authority in ``folder``.

    The authority is made when there is none. Its key is readable by its owner alone: whoever has it can pass for any
    server towards a browser that trusts it.

    Args:
        host: The address that is listened on; ``"0.0.0.0"`` adds no name.
        folder: Where the authority is kept; None for tickwire's own folder below the user's data.

    Raises:
        UsageError: The folder can't be used.
    """
    folder = authority_folder() if folder is None else folder
    authority = _authority(folder)
    names = (*_LOCAL_NAMES, *({host} - _WILDCARDS - set(_LOCAL_NAMES)))
    now = datetime.now(UTC)
    leaf = authority.issue_cert(*names, not_before=now - _CLOCK_SLACK, not_after=now + timedelta(days=_VALID_DAYS))
    context = _server_context()
    with leaf.private_key_and_cert_chain_pem.tempfile() as file:
        context.load_cert_chain(file)
    return DevCertificate(context, folder / AUTHORITY_FILE)


def authority_folder() -> Path:
    """Where the development authority is kept unless told otherwise (XDG Base Directory Specification)."""
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "tickwire"


def _server_context() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # A WebSocket's upgrade is HTTP/1.1 (RFC 6455, section 4.1), and so is all else that is spoken here.
    context.set_alpn_protocols(["http/1.1"])
    return context


def _authority(folder: Path) -> trustme.CA:
    cert, key = folder / AUTHORITY_FILE, folder / _KEY_FILE
    try:
        if not key.exists():
            return _new_authority(folder)
        return trustme.CA.from_pem(cert.read_bytes(), key.read_bytes())
    except OSError as error:
        raise UsageError(
            f"the development authority in {str(folder)!r} can't be used: {error.strerror or error}; "
            "set XDG_DATA_HOME to a folder of yours"
        ) from error
    except ValueError as error:
        raise UsageError(f"the development authority in {str(folder)!r} is damaged: delete {key} and {cert}") from error


def _new_authority(folder: Path) -> trustme.CA:
    authority = trustme.CA(organization_name="tickwire development", organization_unit_name="this machine only")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    authority.cert_pem.write_to_path(str(folder / AUTHORITY_FILE))
    key = os.open(folder / _KEY_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(key, "wb") as file:
        file.write(authority.private_key_pem.bytes())
    return authority


def _check_readable(file: Path, what: str) -> None:
    try:
        with file.open("rb"):
            return
    except OSError as error:
        raise UsageError(f"the {what} {str(file)!r} can't be read: {error.strerror or error}") from error


def _why_not(error: ssl.SSLError, cert: Path, key: Path | None) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return (
            f"the key {str(key or cert)!r} does not belong to the certificate {str(cert)!r}: "
            "give the two that were made together"
        )
    if "CERTIFICATE" not in _pem_kinds(cert):
        return f"{str(cert)!r} holds no certificate in PEM form; it begins with -----BEGIN CERTIFICATE-----"
    if not any(kind.endswith("PRIVATE KEY") for kind in _pem_kinds(key or cert)):
        remedy = "name the key's file with --tls-key" if key is None else "it begins with -----BEGIN PRIVATE KEY-----"
        return f"{str(key or cert)!r} holds no private key in PEM form; {remedy}"
    return f"the certificate {str(cert)!r} can't be used: {_words(error)}"


def _pem_kinds(file: Path) -> list[str]:
    begin, end = b"-----BEGIN ", b"-----"
    lines = file.read_bytes().splitlines()
    return [line[len(begin) : -len(end)].decode(errors="replace") for line in lines if line.startswith(begin)]


def _refuse_passphrase() -> str:
    raise UsageError(
        "the key has a passphrase, and nobody is there to type it: openssl pkey -in KEY -out NEW takes it off"
    )


def _words(error: ssl.SSLError) -> str:
    return (error.reason or str(error)).replace("_", " ").lower()
