"""What a failure looks like from outside, and what it means. Pure: no I/O."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit

from tickwire_client.address import Address
from tickwire_client.diagnosis import Failed
from tickwire_client.probe import Closed, HttpAnswer, NotHttp
from tickwire_shared.errors import ProtocolError
from tickwire_shared.reasons import Reason, closed_because

# OpenSSL's X509_V_ERR_*: not yet valid, expired; of a name, of an address.
_OUT_OF_TIME: Final = frozenset((9, 10))
_OTHER_NAME: Final = frozenset((62, 64))
# OpenSSL's words when what came back was no TLS record.
_NO_RECORD: Final = frozenset(("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"))
_ALERT: Final = b"\x15\x03"  # RFC 8446, sections 5.1 and 6: a record with an alert, of major version 3
_MOVED: Final = frozenset((301, 302, 307, 308))
_BUSY: Final = frozenset((429, 503))


def why_no_tls(error: OSError, host: str) -> Failed:
    """What a failed handshake means."""
    if isinstance(error, ssl.SSLCertVerificationError):
        said = error.verify_message
        if error.verify_code in _OUT_OF_TIME:
            return Failed(Reason.CERTIFICATE_EXPIRED, f"the certificate is out of its time: {said}")
        if error.verify_code in _OTHER_NAME:
            return Failed(Reason.CERTIFICATE_WRONG_NAME, f"the certificate is not for {host}: {said}")
        return Failed(Reason.CERTIFICATE_NOT_TRUSTED, f"no known authority vouches for {host}: {said}")
    if isinstance(error, ssl.SSLError) and error.reason in _NO_RECORD:
        return Failed(Reason.NO_TLS, "what answers there speaks no TLS")
    return Failed(Reason.TLS_FAILED, f"the handshake broke off: {words(error)}")


def wants_tls(answer: HttpAnswer) -> bool:
    """Whether an answer to plain HTTP means that this is a port for TLS."""
    if answer.status in _MOVED:
        return answer.headers.get("location", "").startswith("https:")
    # As tickwire says it (RFC 2817), and as nginx does.
    asked = answer.status == 426 and "tls" in answer.headers.get("upgrade", "").lower()
    return asked or (answer.status == 400 and b"HTTPS port" in answer.body)


def why_no_http(answer: NotHttp, *, secure: bool) -> Failed:
    """What an answer that is no HTTP means."""
    if answer.seen.startswith(_ALERT) and not secure:
        return Failed(Reason.NEEDS_TLS, "what answers there speaks TLS")
    seen = f"it said {answer.seen[:20]!r}" if answer.seen else "it hung up without a word"
    return Failed(Reason.NOT_TICKWIRE, f"what answers there speaks no HTTP: {seen}")


def why_no_upgrade(refusal: HttpAnswer | NotHttp, path: str, *, is_tickwire: bool) -> Failed:
    """What it means that an upgrade without an Origin was refused.

    Args:
        refusal: What came instead.
        path: Where it was asked for.
        is_tickwire: Whether ``/healthz`` is there.
    """
    if isinstance(refusal, NotHttp):
        return Failed(Reason.UPGRADE_LOST, f"no answer to the upgrade at {path}: the connection broke off")
    said = f"{refusal.status} at {path}" + (f": {refusal.sentence}" if refusal.sentence else "")
    if refusal.status in _BUSY:
        return Failed(Reason.TOO_BUSY, said)
    if not is_tickwire:
        return Failed(Reason.NOT_TICKWIRE, said)
    return Failed(Reason.WRONG_PATH if refusal.status == 404 else Reason.UPGRADE_LOST, said)


def why_not_from(origin: str, refusal: HttpAnswer | NotHttp) -> Failed:
    """What it means that an upgrade was refused as soon as it came from a page of ``origin``."""
    if isinstance(refusal, NotHttp):
        return Failed(Reason.ORIGIN_REFUSED, f"the server hung up on {origin}")
    said = f"{refusal.status} for {origin}" + (f": {refusal.sentence}" if refusal.sentence else "")
    return Failed(Reason.TOO_BUSY if refusal.status in _BUSY else Reason.ORIGIN_REFUSED, said)


def is_origin(text: str) -> bool:
    """Whether a browser could say this of a page (RFC 6454, section 6.2)."""
    try:
        parts = urlsplit(text)
    except ValueError:  # brackets that don't match
        return False
    return text == "null" or (parts.netloc != "" and text == f"{parts.scheme}://{parts.netloc}")


def is_mixed_content(origin: str, address: Address) -> bool:
    """Whether a browser forbids it: a secure page opens nothing insecure but on its own machine (W3C Mixed Content)."""
    return urlsplit(origin).scheme == "https" and not address.secure and not _is_local(address.host)


def why_it_ended(closed: Closed) -> Failed:
    """What a close means."""
    return Failed(closed_because(closed.code), closed.reason or f"the connection ended with {closed.code}")


@contextmanager
def readable() -> Generator[None]:
    """Turn what breaks the protocol into a failed check."""
    try:
        yield
    except ProtocolError as error:
        raise Failed(closed_because(error.code), f"what the server sent can't be read: {error}") from None


def words(error: Exception) -> str:
    """What an error says, as short as it is."""
    text = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
    return text.strip()


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
