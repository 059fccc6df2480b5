"""What must be true of an installation, whatever else is changed: one function a promise, over every resource.

They read what `terraform.py installation` prints. A function's name is the invariant's name, and its docstring what is
lost when it is broken. Each subject has a module.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from scripts.deploy.checks.invariants import aurora, google, jobs, night, rights, storage
from scripts.deploy.checks.invariants.rights import KEYRING_CONTEXT
from scripts.deploy.checks.invariants.standing import Standing

__all__ = ["INVARIANTS", "KEYRING_CONTEXT", "broken"]

INVARIANTS: Final[dict[str, Callable[[Standing], bool]]] = {
    name: found
    for subject in (aurora, jobs, rights, google, storage, night)
    for name, found in vars(subject).items()
    if callable(found) and getattr(found, "__annotations__", {}).get("now") == "Standing"
}


def broken(state: Mapping[str, Any]) -> dict[str, str]:
    """Returns the invariants that do not hold, each with what is lost; one that cannot be judged does not hold."""
    standing, found = Standing(state), {}
    for name, holds in INVARIANTS.items():
        try:
            kept = holds(standing)
        except (AttributeError, KeyError, ValueError, TypeError, IndexError):
            kept = False
        if not kept:
            found[name] = (holds.__doc__ or "").strip()
    return found
