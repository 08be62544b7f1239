"""Certificates for tests: one authority, and servers with good and bad ones."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme

AUTHORITY = trustme.CA()
_NOW = datetime.now(UTC)


def server_context(
    *names: str, authority: trustme.CA = AUTHORITY, age_days: float = 1.0, left_days: float = 30.0
) -> ssl.SSLContext:
    """A server's context; its certificate is for ``names``, by default 127.0.0.1."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    begins, ends = _NOW - timedelta(days=age_days), _NOW + timedelta(days=left_days)
    leaf = authority.issue_cert(*(names or ("127.0.0.1",)), not_before=begins, not_after=ends)
    with leaf.private_key_and_cert_chain_pem.tempfile() as file:
        context.load_cert_chain(file)
    return context


def client_context() -> ssl.SSLContext:
    """A client's context; it trusts the authority alone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=AUTHORITY.cert_pem.bytes().decode())
    return context


def write_pair(folder: Path, *names: str) -> tuple[Path, Path]:
    """Write a certificate and its key, and return the two files."""
    leaf = AUTHORITY.issue_cert(*(names or ("127.0.0.1",)))
    cert, key = folder / "cert.pem", folder / "key.pem"
    cert.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
    key.write_bytes(leaf.private_key_pem.bytes())
    return cert, key
