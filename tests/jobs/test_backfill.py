"""The backfill job's arguments: a typing mistake never loads other days."""

from __future__ import annotations

import pytest

from etl.errors import SettingsInvalid
from jobs.backfill import main


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--to", "2023-08-30"], "A job argument is missing or malformed"),
        (["--from", "2023-08-30", "--until", "2023-08-31"], "The job has no argument --until"),
        (["--from", "2023-08-30", "--resume", "please"], "--resume is neither true nor false"),
    ],
)
def test_a_wrong_argument_is_refused(given: list[str], said: str) -> None:
    """What is missing, unknown or unclear is refused before anything is read."""
    with pytest.raises(SettingsInvalid, match=said) as refused:
        main(["backfill.py", *given])
    assert refused.value.exit_code == 2
