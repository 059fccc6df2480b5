"""Words that a person types wrong, a day, a table, a key of a contract, are refused before anything runs."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from etl.clock import now
from schemas.business_days import previous_business_day
from schemas.contract_file import load_contracts
from tests.etl.conftest import DAY, ROOT, Issuer
from tests.etl.run.refusing import exit_code, refusal

pytestmark = pytest.mark.stack
TABLE = "clubs"  # the smallest one
TOMORROW = previous_business_day(now()) + timedelta(days=2)


@pytest.mark.parametrize(
    ("day", "message"),
    [
        ("yesterday", "The day is not a date. No row was read."),
        ("2023-02-30", "The day is not a date. No row was read."),
        ("20230830", "The day is not a date. No row was read."),
        ("2023-W35-3", "The day is not a date. No row was read."),
        ("", "The day is not a date. No row was read."),
        (str(TOMORROW), "The day has not ended in Japan yet. No row was read."),
        ("9999-12-31", "The day has not ended in Japan yet. No row was read."),
    ],
)
def test_a_bad_day_is_refused(issuer: Issuer, capsys: pytest.CaptureFixture[str], day: str, message: str) -> None:
    """A day that is none, or that has not ended, is refused with the form to write or the last day that can be read."""
    error = refusal(issuer, day, TABLE)
    assert message in str(error)
    assert "Write it as 2023-08-31." in str(error) or str(previous_business_day(now())) in str(error)
    assert exit_code(error, capsys) == 2


def test_an_unknown_table_is_refused(issuer: Issuer, capsys: pytest.CaptureFixture[str]) -> None:
    """A name that is almost a table's is answered with that table; a strange one with the list."""
    near = refusal(issuer, str(DAY), TABLE, "payment")
    assert "There is no contract for 'payment'. No row was read.\n  Did you mean payments?" in str(near)
    far = refusal(issuer, str(DAY), "xyz")
    assert all(name in str(far) for name in load_contracts())
    assert exit_code(near, capsys) == exit_code(far, capsys) == 2


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("about:", "abuot:", "abuot: Extra inputs are not permitted"),
        ("{strategy: redact, value: REDACTED}", "{strategy: redact, valeu: REDACTED}", "contact_name"),
        ("load: {mode: snapshot}", "load: {mode: snapshots}", "load"),
        ("key: [club_id]", "key: [contact_phone]", "key names contact_phone, which is not published"),
    ],
)
def test_a_wrong_contract_is_refused(
    issuer: Issuer, contracts: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, message: str
) -> None:
    """A contract with a key, mode or name that does not exist is refused, with its file and the place in it."""
    path = contracts / f"{TABLE}.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    error = refusal(issuer, str(DAY), TABLE, contracts=contracts)
    assert message in str(error)
    assert re.fullmatch(rf"{TABLE}\.yaml:\d+", str(error.where["file"]))
    assert exit_code(error, capsys) == 2


def test_the_command_line_refuses_like_the_function(issuer: Issuer) -> None:
    """As a process: exit code 2, one message on stderr, no traceback, and no password in it."""
    command = [sys.executable, "-m", "etl.cli", "run", "--day", "2023-08-32", "--settings", str(issuer.ends.settings)]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)  # noqa: S603  our own
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == ("SettingsInvalid: The day is not a date. No row was read.\n  Write it as 2023-08-31.\n")
