"""Compares the rights that policies grant with the calls to AWS that the code makes."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[3]
MODULES: Final = ROOT / "scripts/deploy/terraform/modules"
JOB_POLICY: Final = MODULES / "glue/job_policy.json.tftpl"
OPERATOR_POLICY: Final = MODULES / "keys/operator_policy.json.tftpl"

_NAMED_OTHERWISE: Final = {("rds", "generate_db_auth_token"): "rds-db:connect"}
"""Signing a token asks nobody; using it is a right of another name."""

OPERATORS: Final = {
    "etl/keys/keyrings.py:create_keyring",
    "etl/keys/keyrings.py:_follow",
    "etl/keys/envelope.py:seal",
}
"""Functions that make or change the keyring: a person's work, no job's."""

_CALLS: Final = frozenset({"call", "_asked"})
"""What asks AWS, by its name in the code."""

ELSEWHERE: Final = "jobs/contracts.py:"
"""Contracts in a bucket: this deployment's come with the package, so its job may not even list a bucket."""

Call = tuple[str, str]
"""The function (`path:name`) and the action (`service:Operation`)."""


def calls(root: Path = ROOT) -> Iterator[Call]:
    """Yields every call to AWS in the code; all go through `call` or a wrapper of it, both with literal names."""
    for package in ("etl", "jobs"):
        for path in sorted((root / package).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            if not any(f"{name}(" in text for name in _CALLS):
                continue  # few modules talk to AWS, and to look at a tree takes long
            for function in ast.walk(ast.parse(text)):
                if isinstance(function, ast.FunctionDef):
                    place = f"{path.relative_to(root).as_posix()}:{function.name}"
                    yield from ((place, action) for action in _actions(function))


def _actions(function: ast.FunctionDef) -> Iterator[str]:
    for node in ast.walk(function):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        names = [one.value for one in node.args[:2] if isinstance(one, ast.Constant) and isinstance(one.value, str)]
        if node.func.id in _CALLS and len(names) == len(node.args[:2]):
            service, operation = names
            pascal = "".join(word.capitalize() for word in operation.split("_"))
            yield _NAMED_OTHERWISE.get((service, operation), f"{service}:{pascal}")


def of_the_job(found: Iterator[Call]) -> set[str]:
    """Returns the actions of a run."""
    own = (one for one in found if not one[0].startswith(ELSEWHERE))
    return {action for place, action in own if place not in OPERATORS}


def of_the_operator(found: Iterator[Call]) -> set[str]:
    """Returns the actions of whoever makes, reads and changes the keyring."""
    keys = {"etl/keys/keyrings.py:_stored", "etl/keys/envelope.py:unseal", *OPERATORS}
    return {action for place, action in found if place in keys}


def granted(policy: Path) -> set[str]:
    """Returns the actions that a policy's template allows."""
    text = re.sub(r"\$\{jsonencode\([^)]*\)\}", '"*"', policy.read_text(encoding="utf-8"))
    statements = json.loads(text)["Statement"]
    actions = [statement["Action"] for statement in statements if statement["Effect"] == "Allow"]
    return {one for found in actions for one in ([found] if isinstance(found, str) else found)}
