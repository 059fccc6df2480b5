"""A process loads what it works with: help, refusals and workers wait for no library that they never use."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from etl.cli import app

ROOT = Path(__file__).parents[1]
HEAVY = {
    "adbc_driver_postgresql", "awsglue", "boto3", "botocore", "cryptography", "google", "great_expectations", "numpy",
    "pandas", "psycopg", "pyarrow", "pydantic", "pymysql", "pyspark", "requests", "rich", "scipy", "yaml",
}  # fmt: skip
COMMANDS = [*([command.name] for command in app.registered_commands), ["keys"], ["keys", "verify"], ["local", "up"]]
AT_THE_END = "; import json, sys; sys.stderr.write(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"


def loaded_after(code: str, *arguments: str) -> set[str]:
    """Returns the packages that a fresh process has loaded once it has run the code with the arguments."""
    done = subprocess.run(  # noqa: S603  our own interpreter
        [sys.executable, "-c", code + AT_THE_END, *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stderr.splitlines()[-1]))


def test_help_loads_nothing_heavy() -> None:
    """The list of commands needs the standard library and typer, and nothing else that is not ours."""
    helped = loaded_after("from etl.cli import app; app(standalone_mode=False)", "--help")
    assert helped & HEAVY == set()


@pytest.fixture(scope="module")
def helped() -> dict[str, set[str]]:
    """Returns what the help of each command has loaded, in a fork of a process that has loaded the commands' list."""
    program = (
        "import json, os, sys\n"
        "from typer.main import get_command\n"
        "from etl.cli import app\n"
        "out, command = os.dup(1), get_command(app)\n"
        "for words in json.loads(sys.argv.pop()):\n"
        "    if not os.fork():\n"
        "        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)\n"
        "        command([*words, '--help'], standalone_mode=False)\n"
        "        loaded = sorted({name.split('.')[0] for name in sys.modules})\n"
        "        os.write(out, json.dumps([' '.join(words), loaded]).encode() + b'\\n')\n"
        "        os._exit(0)\n"
        "    assert os.wait()[1] == 0, words\n"
    )
    command = [sys.executable, "-c", program, json.dumps(COMMANDS)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603  our own program
    return {words: set(loaded) for words, loaded in map(json.loads, done.stdout.splitlines())}


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_of_a_command_loads_nothing_heavy(helped: dict[str, set[str]], command: list[str]) -> None:
    """The same holds for the help of every command, for which newer versions of typer itself use pydantic."""
    loaded = helped[" ".join(command)]
    assert "typer" in loaded
    assert loaded & HEAVY <= {"pydantic"}


def test_a_job_refuses_arguments_before_it_loads_anything_heavy() -> None:
    """A mistyped argument of the nightly job is refused before Spark, Arrow or a cloud's client is there."""
    refused = (
        "from etl.errors import SettingsInvalid\nfrom jobs.daily_load import main\nimport sys\n"
        "try:\n    main(sys.argv)\nexcept SettingsInvalid:\n    pass\nelse:\n    raise SystemExit(1)\nTrue"
    )
    assert loaded_after(refused, "--dya", "2023-08-30") & HEAVY == set()


def test_a_staging_worker_loads_only_what_reads_masks_and_writes() -> None:
    """Great Expectations, Spark's Python side, MySQL's driver and AWS's client are no part of a staging task."""
    assert loaded_after("import etl.stage.task") & {"great_expectations", "pyspark", "pymysql", "boto3"} == set()


def test_an_auditing_worker_loads_no_great_expectations() -> None:
    """Workers count what the library asks for, and need neither the library nor its memory for it."""
    assert loaded_after("import etl.audit.reading.job") & {"great_expectations", "pymysql", "boto3"} == set()


def test_lint_loads_no_great_expectations() -> None:
    """The bundled suites are judged by the table of the vocabulary alone, without a client or a database driver."""
    linted = "from etl.cli import app; app(['lint'], standalone_mode=False)"
    others = {"great_expectations", "pandas", "scipy", "google", "pyspark", "boto3", "psycopg", "pymysql", "rich"}
    assert loaded_after(linted) & others == set()
