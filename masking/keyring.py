"""Keys that work but neither travel nor are printed: versions, one of them primary, and a subkey for every use."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NoReturn

from masking.errors import KeyUnusable
from masking.key_derivation import check_value, derive_subkey
from masking.key_versions import ROOT_BYTES, KeyState, KeyVersion, Roots, Versions, check_consistent, read, write

__all__ = ["KeyRef", "KeyState", "KeyVersion", "Keyring"]


@dataclass(frozen=True)
class KeyRef:
    """Where a keyring lies and which key is expected there; holds no key, so it may travel to workers.

    Attributes:
        where: `file:…`, `awskms+file:…` or `secretsmanager:…`.
        version: the version to expect as primary; None to take what is there.
        kcv: the check value that version must have; None to take what is there.
    """

    where: str
    version: int | None = None
    kcv: str | None = None


class Keyring:
    """Versions of a root key, from which every use gets a key of its own.

    Refuses pickle, copy, vars and change; its repr shows versions and check values only. Only `to_json` gives the root
    keys, for storing them.
    """

    __slots__ = ("_cache", "_roots", "_versions")

    _cache: dict[tuple[str, str, int, int], bytes]
    _roots: Roots
    _versions: Versions

    def __init__(self, versions: Iterable[KeyVersion], roots: Roots) -> None:
        ordered = tuple(sorted(versions, key=lambda each: each.version))
        check_consistent(ordered, roots)
        object.__setattr__(self, "_versions", ordered)
        object.__setattr__(self, "_roots", dict(roots))
        object.__setattr__(self, "_cache", {})

    @classmethod
    def create(cls, now: str) -> Keyring:
        """Makes a keyring with one new version.

        Args:
            now: the time to note, ISO 8601; this package has no clock.
        """
        root = secrets.token_bytes(ROOT_BYTES)
        return cls([KeyVersion(1, "primary", check_value(root), now)], {1: root})

    @classmethod
    def from_json(cls, text: str) -> Keyring:
        """Reads what `to_json` wrote.

        Raises:
            KeyUnusable: when the text is no keyring, or a root key does not have its check value.
        """
        return cls(*read(text))

    def to_json(self) -> str:
        """Returns the keyring with its root keys, for storing it; handle the text like the keys."""
        return write(self._versions, self._roots)

    @property
    def primary(self) -> int:
        """Returns the version that makes new tokens."""
        return next(each.version for each in self._versions if each.state == "primary")

    @property
    def pending(self) -> int | None:
        """Returns the version that was made by a rotation and is not in use yet; None where there is none."""
        newest = self._versions[-1]
        return newest.version if newest.state == "pending" else None

    @property
    def versions(self) -> Versions:
        """Returns what may be shown of every version, oldest first."""
        return self._versions

    def version(self, number: int) -> KeyVersion:
        """Returns what may be shown of one version.

        Raises:
            KeyUnusable: when the keyring does not have it.
        """
        for each in self._versions:
            if each.version == number:
                return each
        known = ", ".join(str(each.version) for each in self._versions)
        raise KeyUnusable(
            f"Key version {number} is not in the keyring, which has {known}.", not_done="No key was used."
        )

    def subkey(self, domain: str, algorithm: str, length: int, version: int | None = None) -> bytes:
        """Returns the key with which one domain makes tokens by one algorithm.

        Args:
            domain: values of one domain meet in one token; keys of two domains are unlinkable.
            algorithm: the cipher or hash that will use the key.
            length: bytes wanted.
            version: the key version; the primary one when None.

        Raises:
            KeyUnusable: when the version is unknown, pending, retired or destroyed.
        """
        number = self.primary if version is None else version
        state = self.version(number).state
        if state in {"pending", "retired"}:
            raise KeyUnusable(
                f"Key version {number} is {state}: it makes no new tokens.",
                not_done="Nothing was masked.",
                advice="Use the primary version.",
            )
        return self._derive(domain, algorithm, length, number)

    def subkey_for_reading(self, domain: str, algorithm: str, length: int, version: int) -> bytes:
        """Returns the key that reads tokens of any version that is not destroyed.

        Raises:
            KeyUnusable: when the version is unknown or destroyed.
        """
        return self._derive(domain, algorithm, length, version)

    def rotated(self, now: str) -> Keyring:
        """Returns a keyring with a new version that is pending: the primary makes new tokens until `activated`.

        Raises:
            KeyUnusable: when a version is pending already.
        """
        if self.pending is not None:
            raise KeyUnusable(
                f"Key version {self.pending} is pending already.",
                not_done="The keyring was not changed.",
                advice="Run `kagemusha retokenize`, which puts it into use.",
            )
        root = secrets.token_bytes(ROOT_BYTES)
        number = self._versions[-1].version + 1
        added = KeyVersion(number, "pending", check_value(root), now)
        return Keyring([*self._versions, added], {**self._roots, number: root})

    def activated(self, version: int) -> Keyring:
        """Returns a keyring whose pending version is the primary one; the old primary stays active.

        Only where all tokens that stand lead to those of the version do joins go on working. One that is primary
        already stays so: whoever was interrupted may ask again.

        Raises:
            KeyUnusable: when the version is unknown, or was in use before.
        """
        self._refuse_unless(version, "primary", ("pending", "primary"))
        return self._led_by(version)

    def pinned(self, version: int) -> Keyring:
        """Returns a keyring that writes under the version, so that a run ends under the key it began with.

        Raises:
            KeyUnusable: when the version is unknown, retired or destroyed.
        """
        self._refuse_unless(version, "primary", ("pending", "primary", "active"))
        return self._led_by(version)

    def as_of(self, version: int) -> Keyring:
        """Returns a keyring that makes the same tokens as a version, so that they can be found; retired ones too.

        Raises:
            KeyUnusable: when the version is unknown or destroyed.
        """
        self._refuse_unless(version, "primary", ("pending", "primary", "active", "retired"))
        return self._led_by(version)

    def _led_by(self, version: int) -> Keyring:
        kept = [replace(each, state="active") if each.state == "primary" else each for each in self._versions]
        return Keyring(
            [replace(each, state="primary") if each.version == version else each for each in kept], self._roots
        )

    def retired(self, version: int) -> Keyring:
        """Returns a keyring in which the version reads but no longer writes.

        Raises:
            KeyUnusable: when the version is unknown, primary or destroyed.
        """
        return self._changed(version, "retired", allowed=("active", "retired"))

    def destroyed(self, version: int) -> Keyring:
        """Returns a keyring without the root key of a retired version: its tokens can never be read again.

        Raises:
            KeyUnusable: when the version is unknown or not yet retired.
        """
        return self._changed(version, "destroyed", allowed=("retired",))

    def _changed(self, version: int, state: KeyState, allowed: tuple[KeyState, ...]) -> Keyring:
        self._refuse_unless(version, state, allowed)
        versions = [replace(each, state=state) if each.version == version else each for each in self._versions]
        roots = {number: root for number, root in self._roots.items() if state != "destroyed" or number != version}
        return Keyring(versions, roots)

    def _refuse_unless(self, version: int, state: KeyState, allowed: tuple[KeyState, ...]) -> None:
        found = self.version(version).state
        if found not in allowed:
            raise KeyUnusable(
                f"Key version {version} is {found} and cannot become {state}.",
                not_done="The keyring was not changed.",
                advice="A version goes from pending to primary to active by rotation, then to retired, destroyed.",
            )

    def _derive(self, domain: str, algorithm: str, length: int, version: int) -> bytes:
        use = (domain, algorithm, length, version)
        if use not in self._cache:
            if self.version(version).state == "destroyed":
                raise KeyUnusable(
                    f"Key version {version} was destroyed.",
                    not_done="Its tokens can be neither made nor read.",
                    advice="Load the table again from its source under the primary version.",
                )
            self._cache[use] = derive_subkey(self._roots[version], domain, algorithm, version, length)
        return self._cache[use]

    def __repr__(self) -> str:
        shown = ", ".join(f"{each.version} {each.state} {each.kcv}" for each in self._versions)
        return f"Keyring({shown})"

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise _unchanged()

    def __delattr__(self, name: str) -> NoReturn:
        raise _unchanged()

    def __getstate__(self) -> NoReturn:
        raise _confined()

    def __reduce__(self) -> NoReturn:
        raise _confined()

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise _confined()

    def __copy__(self) -> NoReturn:
        raise _confined()

    def __deepcopy__(self, memo: object) -> NoReturn:
        raise _confined()


def _unchanged() -> KeyUnusable:
    return KeyUnusable(
        "A keyring was about to be changed in place.",
        not_done="It stays as it was.",
        advice="`rotated`, `activated`, `retired` and `destroyed` give a new keyring.",
    )


def _confined() -> KeyUnusable:
    return KeyUnusable(
        "A keyring was about to be pickled or copied.",
        not_done="The keys stay in this process.",
        advice="Hand on its KeyRef and open the keyring where it is used.",
    )
