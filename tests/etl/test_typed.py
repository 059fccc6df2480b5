"""What somebody types into a wrong place is not said back where it may be a value, by commands and jobs alike."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

import pytest

from etl.cli import main
from etl.typed import withheld
from jobs import backfill, daily_load
from jobs.ending import Ended, end

CARD, MAIL, PHONE = "4111111111111111", "taro@issuer.example", "090-1234-5678"


@pytest.mark.parametrize(
    ("line", "place"),
    [
        (f"tokenize {CARD} --domain member", "word 2"),
        ("tokenize 4111 1111 1111 1111 --domain member", "word 2"),
        (CARD, "word 1"),
        (f"run --{CARD}", "word 2"),
        (f"lint --format {CARD}", "'--format'"),
        (f"lint --format={MAIL}", "'--format'"),
        (f"lint /{CARD}", "path="),
        (f"links --view {CARD}", "There is no view (word 3"),
        (f"links --view daily --view {PHONE}", "There is no view (word 5"),
        (f"plan --table clubs --table {MAIL}", "There is no contract for '(word 5"),
        (f"tokenize --domain member --version {MAIL}", "'--version'"),
    ],
)
def test_a_command_names_the_place_and_not_the_word(
    line: str, place: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whether typer or our own code refuses a word, the message says where it stands; the exit code is 2."""
    monkeypatch.setattr(sys, "argv", ["kagemusha", *line.split()])
    with pytest.raises(SystemExit) as ended:
        main()
    said = "".join(capfd.readouterr())
    assert ended.value.code == 2
    assert place in said
    assert not [word for word in (CARD, MAIL, PHONE, "1111") if word in said]


@pytest.mark.parametrize("job", [daily_load.main, backfill.main], ids=["daily_load", "backfill"])
@pytest.mark.parametrize("line", [f"--{CARD} x", f"--settings /x/{CARD}", f"--settings={MAIL} --from 2023-08-30"])
def test_a_job_names_the_place_and_not_the_word(
    job: Callable[[Sequence[str]], Ended], line: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The jobs' own arguments, and what Glue would show of their failure, are treated alike."""
    monkeypatch.setattr(sys, "argv", ["job.py", *line.split()])
    with pytest.raises(SystemExit) as ended:
        end(sys.argv, lambda: job(sys.argv))
    said = "".join(capfd.readouterr())
    assert ended.value.code == 2
    assert said
    assert not [word for word in (CARD, MAIL) if word in said]


def test_names_are_said_back(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    """A misspelled name, a day and a run's id help whoever typed them, and stay."""
    monkeypatch.setattr(sys, "argv", ["kagemusha", "links", "--view", "daily_gmx"])
    with pytest.raises(SystemExit):
        main()
    assert "There is no view daily_gmx." in capfd.readouterr().err
    told = "No stage.  [run=20230830-20231129T103441Z-3f2a1b day=2023-08-30]"
    assert withheld(told, ["--run", "20230830-20231129T103441Z-3f2a1b", "--day", "2023-08-30"]) == told
    assert withheld("4 of 12 are odd", [*"4111111111111111"]) == "(word 1, not shown) of 12 are odd"
