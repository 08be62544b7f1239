"""Certificates: good files make a context, bad ones a sentence; the development authority outlives the server."""

from __future__ import annotations

import ssl
import stat
from pathlib import Path

import pytest
import trio
import trio.testing
import trustme

from tests.authority import client_context, write_pair
from tickwire.certificates import authority_folder, load_certificate, make_certificate
from tickwire_client.connection import trusting
from tickwire_shared.errors import UsageError


async def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext, name: str = "127.0.0.1") -> str:
    """Do a handshake in memory; return what the client has against the certificate, "" for nothing."""
    ours, theirs = trio.testing.memory_stream_pair()
    secured = trio.SSLStream(ours, client, server_hostname=name)
    complaint = ""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_serve, trio.SSLStream(theirs, server, server_side=True))
        try:
            await secured.do_handshake()
        except trio.BrokenResourceError as error:
            complaint = str(error.__cause__)
        await trio.aclose_forcefully(secured)
    return complaint


async def _serve(stream: trio.abc.Stream) -> None:
    try:
        await stream.receive_some()
    except trio.BrokenResourceError:
        pass  # the client said no
    finally:
        await trio.aclose_forcefully(stream)


async def test_a_certificate_and_its_key_are_served(tmp_path: Path) -> None:
    cert, key = write_pair(tmp_path)
    assert await shake_hands(load_certificate(cert, key), client_context()) == ""


async def test_one_file_may_hold_both(tmp_path: Path) -> None:
    cert, key = write_pair(tmp_path)
    both = tmp_path / "both.pem"
    both.write_bytes(cert.read_bytes() + key.read_bytes())
    assert await shake_hands(load_certificate(both), client_context()) == ""


def other_key(folder: Path) -> Path:
    file = folder / "other.key"
    file.write_bytes(trustme.CA().issue_cert("other").private_key_pem.bytes())
    return file


def locked_key(folder: Path, key: Path) -> Path:
    from cryptography.hazmat.primitives import serialization

    loaded = serialization.load_pem_private_key(key.read_bytes(), None)
    file = folder / "locked.key"
    file.write_bytes(
        loaded.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    return file


def test_each_bad_file_has_a_sentence_that_names_it(tmp_path: Path) -> None:
    cert, key = write_pair(tmp_path)
    text = tmp_path / "text.pem"
    text.write_text("hello\n")
    broken = tmp_path / "broken.pem"
    broken.write_text("-----BEGIN CERTIFICATE-----\nhello\n-----END CERTIFICATE-----\n")
    cases: list[tuple[Path, Path | None, str]] = [
        (tmp_path / "nosuch.pem", key, "the certificate .*nosuch.pem' can't be read: No such file"),
        (cert, tmp_path / "nosuch.key", "the key .*nosuch.key' can't be read: No such file"),
        (tmp_path, key, "can't be read: Is a directory"),
        (cert, other_key(tmp_path), "other.key' does not belong to the certificate .*cert.pem'.* made together"),
        (cert, None, "cert.pem' holds no private key .*--tls-key"),
        (cert, text, "text.pem' holds no private key .* begins with"),
        (key, cert, "key.pem' holds no certificate in PEM form; it begins with"),
        (text, key, "text.pem' holds no certificate"),
        (broken, key, "the certificate .*broken.pem' can't be used"),
        (cert, locked_key(tmp_path, key), "the key has a passphrase"),
    ]
    for bad_cert, bad_key, words in cases:
        with pytest.raises(UsageError, match=words):
            load_certificate(bad_cert, bad_key)


async def test_the_development_certificate_is_good_for_this_machine_and_its_address(tmp_path: Path) -> None:
    made = make_certificate("192.0.2.7", tmp_path)
    for name in ("localhost", "127.0.0.1", "::1", "192.0.2.7"):
        assert await shake_hands(made.context, trusting(made.authority), name) == ""
    assert "mismatch" in await shake_hands(made.context, trusting(made.authority), "192.0.2.8")
    assert "unable to get local issuer" in await shake_hands(made.context, ssl.create_default_context())


async def test_who_trusts_the_development_authority_does_so_after_a_restart(tmp_path: Path) -> None:
    trust = trusting(make_certificate("0.0.0.0", tmp_path / "deep" / "down").authority)
    assert await shake_hands(make_certificate("0.0.0.0", tmp_path / "deep" / "down").context, trust) == ""


def test_the_development_authoritys_key_is_for_its_owner_alone(tmp_path: Path) -> None:
    make_certificate("localhost", tmp_path)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) & 0o077 for file in tmp_path.iterdir()}
    assert modes["authority.key"] == 0


def test_a_development_authority_that_can_not_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"file' can't be used: .*XDG_DATA_HOME"):
        make_certificate("localhost", tmp_path / "file")
    make_certificate("localhost", tmp_path / "good")
    (tmp_path / "good" / "authority.key").write_text("rubbish")
    with pytest.raises(UsageError, match=r"is damaged: delete .*authority.key"):
        make_certificate("localhost", tmp_path / "good")


def test_the_authority_is_kept_with_the_users_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert authority_folder() == tmp_path / "tickwire"
    monkeypatch.delenv("XDG_DATA_HOME")
    assert authority_folder() == Path.home() / ".local" / "share" / "tickwire"


def test_a_file_without_an_authority_in_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "text.pem").write_text("hello\n")
    with pytest.raises(UsageError, match=r"text.pem' holds no certificate"):
        trusting(tmp_path / "text.pem")
    with pytest.raises(UsageError, match=r"nosuch.pem' can't be read: No such file"):
        trusting(tmp_path / "nosuch.pem")
