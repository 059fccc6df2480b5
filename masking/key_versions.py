"""What a keyring is made of: key versions and their root keys, when they belong together, and how they are written."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict, dataclass
from typing import Literal, get_args

from masking.errors import KeyUnusable
from masking.key_derivation import check_value

KeyState = Literal["pending", "primary", "active", "retired", "destroyed"]

ROOT_BYTES = 32
FORMAT = "kagemusha-keyring-1"


@dataclass(frozen=True)
class KeyVersion:
    """What may be shown of one key version.

    Attributes:
        version: counts from 1.
        state: pending makes no tokens yet, because older ones do not lead to its own; primary makes new tokens; active
            still makes them where asked for by number; retired only reads them; destroyed has no key anymore.
        kcv: key check value, 8 hexadecimal digits; tells whether two keyrings hold the same key.
        created: when the version was made, ISO 8601.
    """

    version: int
    state: KeyState
    kcv: str
    created: str


Versions = tuple[KeyVersion, ...]
Roots = dict[int, bytes]


def check_consistent(versions: Versions, roots: Roots) -> None:
    """Refuses versions and roots that contradict each other.

    Raises:
        KeyUnusable: with the first contradiction.
    """
    problem = ""
    if [each.version for each in versions] != list(range(1, len(versions) + 1)):
        problem = "Its versions do not count from 1 without a gap."
    elif sum(each.state == "primary" for each in versions) != 1:
        problem = "It does not have exactly one primary version."
    elif any(each.state == "pending" for each in versions[:-1]):
        problem = "A version is pending, and there is a newer one."
    elif {each.version for each in versions if each.state != "destroyed"} != set(roots):
        problem = "Its root keys are not those of its versions that still have one."
    elif any(len(root) != ROOT_BYTES for root in roots.values()):
        problem = f"A root key does not have {ROOT_BYTES} bytes."
    else:
        wrong = [
            each.version for each in versions if each.version in roots and check_value(roots[each.version]) != each.kcv
        ]
        if wrong:
            problem = f"The key of version {wrong[0]} does not have the check value that the keyring notes for it."
    if problem:
        raise KeyUnusable(
            f"The keyring contradicts itself. {problem}",
            not_done="No key was loaded.",
            advice="Restore the keyring from its backup.",
        )


def write(versions: Versions, roots: Roots) -> str:
    """Returns versions with their root keys as JSON, for storing them; handle the text like the keys."""
    encoded = {number: base64.b64encode(root).decode() for number, root in roots.items()}
    stored = [{**asdict(each), "root": encoded.get(each.version)} for each in versions]
    return json.dumps({"format": FORMAT, "versions": stored}, indent=2) + "\n"


def read(text: str) -> tuple[Versions, Roots]:
    """Reads what `write` wrote.

    Raises:
        KeyUnusable: when the text is something else; what a parser says of it is not repeated, it could quote a key.
    """
    parsed = _parse(text)
    if parsed is None:
        raise KeyUnusable("The text is not a keyring.", not_done="No key was loaded.")
    return parsed


def _parse(text: str) -> tuple[Versions, Roots] | None:
    versions: list[KeyVersion] = []
    roots: Roots = {}
    try:
        stored = json.loads(text)
        if stored["format"] != FORMAT:
            return None
        for each in stored["versions"]:
            version = KeyVersion(int(each["version"]), _state(each["state"]), str(each["kcv"]), str(each["created"]))
            versions.append(version)
            if each["root"] is not None:
                roots[version.version] = base64.b64decode(each["root"], validate=True)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return tuple(versions), roots


def _state(name: str) -> KeyState:
    states: tuple[KeyState, ...] = get_args(KeyState)
    return states[states.index(name)]  # a foreign word raises the ValueError that the parser expects
