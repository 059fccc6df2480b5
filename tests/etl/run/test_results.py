"""What a run says of failed checks: those that stop the table, and those that somebody let pass."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest

from etl.audit import Verdict
from etl.errors import NO_ROW_READ, PlanRejected
from etl.ledger import FailedCheck
from etl.run.record.ledger_rows import table_row
from etl.run.record.result_table import print_failed_checks
from etl.run.record.results import failed_checks, failed_result
from etl.stage import refuse_leaks
from etl.stage.leak_gate import LeakFound
from expectations.checks import Check, CheckResult


def test_a_waived_check_stops_nothing() -> None:
    """A failure that a person signed for is reported with the name, also where the check could not even run."""
    check = Check("newest_row_is_fresh")
    verdict = Verdict(
        (
            CheckResult(check, passed=False, failed=2, checked=9),
            CheckResult(check, passed=False, waived_by="A. Engineer"),
            CheckResult(check, passed=False, error="ValueError", waived_by="A. Engineer"),
            CheckResult(check, passed=True),
        ),
        0.0,
    )
    blocking, waived, broken = failed_checks(verdict)
    assert (blocking.stops, blocking.waived, blocking.note) == (True, False, "")
    assert (waived.stops, waived.waived, waived.note) == (False, True, "waived by A. Engineer")
    assert (broken.stops, broken.waived, broken.note) == (False, True, "ValueError")


def test_a_table_that_the_gate_stopped_tells_the_rows_it_read() -> None:
    """The slice that was stopped says how many rows it had read, and the result of its table does too."""
    batch = pa.record_batch({"memo": ["4111111111111111", "x"]})
    with pytest.raises(LeakFound) as stopped:
        refuse_leaks(batch, {}, read=70)
    assert failed_result("gifts", stopped.value, 1.0).rows == 70
    with pytest.raises(LeakFound) as unread:
        refuse_leaks(batch, {})
    assert failed_result("gifts", unread.value, 1.0).rows == 0


def test_what_is_printed_is_what_was_said(capsys: pytest.CaptureFixture[str]) -> None:
    """Square brackets and colons in names are letters to the table: neither style, nor picture, nor an error."""
    said = "waived by A [red] B [/nope] :lock:"
    print_failed_checks({"gifts": [FailedCheck("rows[0]", "blocking", note=said)]})
    assert said in capsys.readouterr().out


def test_a_load_that_staged_nothing_names_no_row_in_quarantine() -> None:
    """The ledger has rows there, not a number: whoever reads them need not tell the two apart."""
    result = failed_result("gifts", PlanRejected("A column is gone.", not_done=NO_ROW_READ), 1.0)
    assert table_row("run", date(2023, 8, 30), result, None, None)["quarantined"] is None


def test_a_column_that_is_named_like_a_card_is_not_written_down() -> None:
    """An error names columns as the source has them; where a name is a card number, the ledger gets the kind only."""

    def told(column: str) -> str:
        return failed_result("t", PlanRejected(f"1 column has no decision: {column}.", not_done=NO_ROW_READ), 0.0).error

    assert "nickname" in told("nickname")
    withheld = told("card_4111111111111111")
    assert "4111" not in withheld
    assert withheld.startswith("PlanRejected: its text holds what looks like a card number")
    assert NO_ROW_READ in withheld


def test_a_note_decides_nothing() -> None:
    """Whether a failure was waived is a fact of its own, and not read out of a sentence."""
    assert FailedCheck("c", "blocking", note="waived by nobody").stops
