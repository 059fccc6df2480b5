"""Keyrings and the keys derived from them."""

from __future__ import annotations

import base64
import copy
import hashlib
import hmac
import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masking.errors import KeyUnusable
from masking.key_derivation import hkdf_sha256
from masking.keyring import KeyRef, Keyring

PUBLISHED = json.loads((Path(__file__).parents[1] / "vectors" / "hkdf_sha256.json").read_text())["vectors"]
NOW = "2023-08-31T01:00:00+09:00"


def secrets_of(keyring: Keyring) -> list[bytes]:
    """Returns every form in which a root key could be found in text."""
    roots = list(keyring._roots.values())
    return [*roots, *(base64.b64encode(root) for root in roots), *(root.hex().encode() for root in roots)]


def other_hkdf(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    """Computes HKDF after RFC 5869 section 2 with the standard library."""
    key = hmac.digest(salt or bytes(32), secret, hashlib.sha256)
    out, block = b"", b""
    for counter in range(1, -(-length // 32) + 1):
        block = hmac.digest(key, block + info + bytes([counter]), hashlib.sha256)
        out += block
    return out[:length]


@pytest.mark.parametrize("vector", PUBLISHED, ids=lambda vector: vector["section"])
def test_published_hkdf_vectors(vector: dict[str, Any]) -> None:
    """The derived keys are those that RFC 5869 prints."""
    secret, salt, info, key = (bytes.fromhex(vector[name]) for name in ("secret", "salt", "info", "key"))
    assert hkdf_sha256(secret, salt, info, vector["length"]) == key == other_hkdf(secret, salt, info, vector["length"])


@settings(deadline=None)
@given(st.binary(max_size=80), st.binary(max_size=80), st.binary(max_size=80), st.integers(1, 200))
def test_hkdf_agrees_with_the_standard_library(secret: bytes, salt: bytes, info: bytes, length: int) -> None:
    """Any derivation agrees with an independent implementation."""
    assert hkdf_sha256(secret, salt, info, length) == other_hkdf(secret, salt, info, length)


def test_every_use_has_its_own_key() -> None:
    """Another domain, algorithm, length or version gives another key, also where the names run together alike."""
    keyring = Keyring.create(NOW).rotated(NOW).activated(2)
    uses = [("card", "siv", 64), ("member", "siv", 64), ("card", "ff1", 32), ("card", "siv", 32), ("cards", "iv", 64)]
    keys = [keyring.subkey(*use, version=version)[:32] for use in uses for version in (1, 2)]
    assert len(set(keys)) == len(keys)
    assert [len(keyring.subkey(*use)) for use in uses] == [64, 64, 32, 32, 64]


def test_stored_keyrings_give_the_same_keys() -> None:
    """What is stored today derives the same keys forever: this key, domain and algorithm give these bytes."""
    root = bytes(range(32))
    version = {"version": 1, "state": "primary", "kcv": "1bf6efd7", "created": NOW}
    stored = {**version, "root": base64.b64encode(root).decode()}
    keyring = Keyring.from_json(json.dumps({"format": "kagemusha-keyring-1", "versions": [stored]}))
    assert keyring.subkey("card", "aes-siv", 64).hex()[:32] == "c517f5d34e0a0fac29a58fc0facb68ef"


def test_json_round_trip() -> None:
    """A stored keyring comes back with versions, states, check values and keys."""
    keyring = Keyring.create(NOW).rotated(NOW).activated(2).rotated(NOW).activated(3).retired(1).destroyed(1).retired(2)
    again = Keyring.from_json(keyring.to_json())
    assert again.versions == keyring.versions
    assert [each.state for each in again.versions] == ["destroyed", "retired", "primary"]
    assert again.subkey("card", "siv", 64) == keyring.subkey("card", "siv", 64)
    assert again.to_json() == keyring.to_json()


def test_rotation_keeps_reading_and_joining() -> None:
    """After a rotation new tokens take the new key; the old version still reads and, asked for by number, writes."""
    first = Keyring.create(NOW)
    second = first.rotated(NOW).activated(2)
    assert (first.primary, second.primary) == (1, 2)
    assert [each.state for each in second.versions] == ["active", "primary"]
    assert second.subkey("card", "siv", 64, version=1) == first.subkey("card", "siv", 64)
    assert second.subkey("card", "siv", 64) != first.subkey("card", "siv", 64)


def test_a_new_version_is_pending_until_it_is_activated() -> None:
    """A rotation changes nothing of what is masked; the new version reads and writes only where it is asked to lead."""
    first = Keyring.create(NOW)
    prepared = first.rotated(NOW)
    assert (prepared.primary, prepared.pending, first.pending) == (1, 2, None)
    assert [each.state for each in prepared.versions] == ["primary", "pending"]
    assert prepared.subkey("card", "siv", 64) == first.subkey("card", "siv", 64)
    with pytest.raises(KeyUnusable, match="version 2 is pending: it makes no new tokens"):
        prepared.subkey("card", "siv", 64, version=2)
    with pytest.raises(KeyUnusable, match="Key version 2 is pending already"):
        prepared.rotated(NOW)
    active = prepared.activated(2)
    assert prepared.pinned(2).subkey("card", "siv", 64) == active.subkey("card", "siv", 64)
    assert (active.primary, active.pending) == (2, None)
    assert active.activated(2).versions == active.versions
    with pytest.raises(KeyUnusable, match="version 1 is active and cannot become primary"):
        active.activated(1)


def test_a_pinned_keyring_writes_under_the_version_a_run_began_with() -> None:
    """A rotation in the middle of a run does not mix key versions in one table."""
    first = Keyring.create(NOW)
    pinned = first.rotated(NOW).activated(2).pinned(1)
    assert pinned.primary == 1
    assert pinned.subkey("card", "siv", 64) == first.subkey("card", "siv", 64)
    assert [each.state for each in pinned.versions] == ["primary", "active"]
    with pytest.raises(KeyUnusable, match="version 1 is retired and cannot become primary"):
        first.rotated(NOW).activated(2).retired(1).pinned(1)


def test_retired_versions_read_and_do_not_write() -> None:
    """A retired version refuses to make tokens and still reads its own."""
    keyring = Keyring.create(NOW).rotated(NOW).activated(2)
    key, keyring = keyring.subkey("card", "siv", 64, version=1), keyring.retired(1)
    with pytest.raises(KeyUnusable, match="version 1 is retired"):
        keyring.subkey("card", "siv", 64, version=1)
    assert keyring.subkey_for_reading("card", "siv", 64, version=1) == key


def test_destroyed_versions_are_gone() -> None:
    """A destroyed version has no key anywhere in the keyring, is still listed, and says so when it is asked for."""
    keyring = Keyring.create(NOW).rotated(NOW).activated(2).retired(1)
    root = keyring._roots[1]
    gone = keyring.destroyed(1)
    assert base64.b64encode(root).decode() not in gone.to_json()
    assert gone.version(1).kcv == keyring.version(1).kcv
    for use in (gone.subkey, gone.subkey_for_reading):
        with pytest.raises(KeyUnusable, match="version 1 was destroyed"):
            use("card", "siv", 64, version=1)


@pytest.mark.parametrize("change", ["retired", "destroyed"])
def test_the_primary_version_stays(change: str) -> None:
    """Nobody can retire or destroy the version that makes today's tokens, nor destroy one that still makes them."""
    keyring = Keyring.create(NOW).rotated(NOW).activated(2)
    with pytest.raises(KeyUnusable, match=f"version 2 is primary and cannot become {change}"):
        getattr(keyring, change)(2)
    with pytest.raises(KeyUnusable, match="version 1 is active and cannot become destroyed"):
        keyring.destroyed(1)
    with pytest.raises(KeyUnusable, match="version 7 is not in the keyring, which has 1, 2"):
        getattr(keyring, change)(7)


def test_a_keyring_does_not_travel() -> None:
    """Pickle of any protocol, copy, deepcopy, vars and state are refused, and no refusal shows a key."""
    keyring = Keyring.create(NOW)
    keyring.subkey("card", "siv", 64)
    ways = [copy.copy, copy.deepcopy, vars, lambda each: each.__getstate__(), lambda each: each.__reduce__()]
    ways += [lambda each, protocol=protocol: pickle.dumps(each, protocol) for protocol in range(6)]
    ways += [lambda each: pickle.dumps({"closure": [each]})]
    for way in ways:
        with pytest.raises((KeyUnusable, TypeError)) as refused:
            way(keyring)
        shown = (str(refused.value) + repr(refused.value)).encode()
        assert not any(secret in shown for secret in secrets_of(keyring))


def test_a_keyring_shows_versions_only() -> None:
    """What a log, a debugger or an f-string prints of a keyring holds no key."""
    keyring = Keyring.create(NOW).rotated(NOW).activated(2)
    subkey = keyring.subkey("card", "siv", 64)
    kcv = [each.kcv for each in keyring.versions]
    assert repr(keyring) == f"Keyring(1 active {kcv[0]}, 2 primary {kcv[1]})" == f"{keyring}"
    shown = repr(keyring.versions).encode()
    assert not any(secret in shown for secret in [*secrets_of(keyring), subkey.hex().encode()])


def test_a_keyring_does_not_change() -> None:
    """Attributes can be neither set nor deleted nor added."""
    keyring = Keyring.create(NOW)
    for name in ("_roots", "primary", "new"):
        with pytest.raises(KeyUnusable):
            setattr(keyring, name, {})
        with pytest.raises(KeyUnusable):
            delattr(keyring, name)


def test_new_keyrings_differ() -> None:
    """Each keyring has keys of its own; its check values tell them apart."""
    assert Keyring.create(NOW).versions[0].kcv != Keyring.create(NOW).versions[0].kcv


def stored(**changes: object) -> dict[str, Any]:
    """Returns a stored keyring of two versions with changes to the second."""
    text = json.loads(Keyring.create(NOW).rotated(NOW).activated(2).to_json())
    text["versions"][1].update(changes)
    return text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"format": "kagemusha-keyring-1"}',
        '{"format": "other", "versions": []}',
        '{"format": "kagemusha-keyring-1", "versions": [4111111111111111]}',
        json.dumps(stored(root="4111111111111111 is no base64")),
        json.dumps(stored(root=4111111111111111)),
        json.dumps(stored(state="4111111111111111")),
        json.dumps(stored(version="4111111111111111x")),
    ],
)
def test_what_is_no_keyring_is_refused_without_quoting_it(text: str) -> None:
    """Text that is no keyring is refused; the error quotes nothing of it and keeps no foreign error that could."""
    with pytest.raises(KeyUnusable, match="The text is not a keyring") as refused:
        Keyring.from_json(text)
    assert "4111" not in str(refused.value)
    assert refused.value.__context__ is None


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"version": 3}, "without a gap"),
        ({"version": 1}, "without a gap"),
        ({"state": "active"}, "exactly one primary"),
        ({"state": "destroyed"}, "exactly one primary"),
        ({"root": None}, "Its root keys are not those"),
        ({"root": base64.b64encode(bytes(16)).decode()}, "does not have 32 bytes"),
        ({"root": base64.b64encode(bytes(32)).decode()}, "key of version 2 does not have the check value"),
        ({"kcv": "00000000"}, "key of version 2 does not have the check value"),
    ],
)
def test_a_keyring_that_contradicts_itself_is_refused(changes: dict[str, object], problem: str) -> None:
    """A keyring with a wrong key, a missing one or without a single primary is not used at all."""
    with pytest.raises(KeyUnusable, match=problem):
        Keyring.from_json(json.dumps(stored(**changes)))


def test_a_key_ref_travels_and_holds_no_key() -> None:
    """What goes to workers is the place, the version and the check value."""
    ref = KeyRef("file:/keys/keyring.json", 1, "00112233")
    assert pickle.loads(pickle.dumps(ref)) == ref  # noqa: S301  our own bytes
    assert KeyRef("file:x") == KeyRef("file:x", None, None)
