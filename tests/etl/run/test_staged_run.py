"""The gate with memory: a stopped stage can be audited again, waived by a signature, and published once."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from etl.audit import WaiverRefused
from etl.audit.verdict import AuditFailed
from etl.errors import PublishRefused
from etl.keys import create_keyring_file
from etl.progress import JsonLines
from etl.run.daily import daily_run
from etl.run.record.results import RunResult
from etl.run.staged_run import StagedRun
from etl.settings import KeyringSettings
from etl.stage import StageForged, StageGone
from tests.etl.conftest import DAY, Issuer, Republish
from tests.etl.republishing import edit

pytestmark = pytest.mark.stack
TABLE = "clubs"
KIND = "expect_column_values_to_be_in_set(kind)"
WRONG = """\
table: clubs
expectations:
  - expect: expect_column_values_to_be_in_set
    kwargs: {column: kind, value_set: [chess]}
"""


def quiet(_: str) -> None:
    """Hears of steps."""


@pytest.fixture
def contracts(republished: Republish) -> Path:
    """Returns the contract of the table, without views."""
    return republished("gate", TABLE)


@pytest.fixture
def suites(tmp_path: Path) -> Path:
    """Returns a folder with a suite that no data meets."""
    folder = tmp_path / "suites"
    folder.mkdir()
    (folder / f"{TABLE}.yaml").write_text(WRONG, encoding="utf-8")
    return folder


@pytest.fixture
def run(issuer: Issuer, contracts: Path, suites: Path) -> Callable[[], RunResult]:
    """Returns a run of the table."""
    return lambda: daily_run(issuer.settings, DAY, JsonLines(io.StringIO()), [TABLE], contracts, suites)


@pytest.fixture
def gate(issuer: Issuer, contracts: Path, suites: Path) -> StagedRun:
    """Returns the gate."""
    return StagedRun(issuer.settings, contracts, suites)


def test_a_stopped_stage_is_waived_and_published_once(
    issuer: Issuer, run: Callable[[], RunResult], gate: StagedRun, tmp_path: Path
) -> None:
    """The failure stands until somebody signs; then these bytes are published, once, and it is written down who did."""
    stopped = run()
    (result,) = stopped.tables
    assert (stopped.exit_code, [check.name for check in result.failed_checks]) == (1, [KIND])
    rows = result.failed_checks[0].checked
    audited, docs = gate.audit(stopped.run_id, docs=tmp_path / "docs")
    assert [one.check.name for one in audited[0].verdict.blocking] == [KIND]
    assert docs.endswith(f"{stopped.run_id}/data_docs/index.html")
    assert sorted(path.name for path in (tmp_path / "docs").iterdir()) == ["clubs.html", "index.html"]
    with pytest.raises(AuditFailed, match=re.escape(KIND)):
        gate.publish(stopped.run_id, TABLE, quiet)
    with pytest.raises(WaiverRefused, match="cannot be waived"):
        gate.waive(stopped.run_id, TABLE, "staged_files_equal_manifest", "it looks fine", "A. Engineer")
    with pytest.raises(WaiverRefused, match="0 failed checks are called nonsense"):
        gate.waive(stopped.run_id, TABLE, "nonsense", "it looks fine", "A. Engineer")
    with pytest.raises(WaiverRefused, match="they are kept for years"):
        gate.waive(stopped.run_id, TABLE, KIND, "card 4111 1111 1111 1111 is right", "A. Engineer")
    gate.waive(stopped.run_id, TABLE, KIND, "chess clubs come next week", "A. Engineer")
    assert gate.audit(stopped.run_id)[0][0].verdict.blocking == ()
    published = gate.publish(stopped.run_id, TABLE, quiet)
    assert published.rows == rows
    assert issuer.published(f"SELECT count(*) FROM {gate.contracts[TABLE].publish}") == [(rows,)]
    with pytest.raises(PublishRefused, match="This run has published the table"):
        gate.publish(stopped.run_id, TABLE, quiet)
    recorded = issuer.published(
        f"SELECT event, waived_by, reason FROM ops.waivers WHERE run_id = '{stopped.run_id}' ORDER BY event"
    )
    assert recorded == [(event, "A. Engineer", "chess clubs come next week") for event in ("signed", "used")]
    waived = (
        f"SELECT expectation, waived_by FROM ops.audits WHERE run_id = '{stopped.run_id}' AND waived_by IS NOT NULL"
    )
    assert issuer.published(waived) == [("expect_column_values_to_be_in_set", "A. Engineer")]
    report = json.loads(
        gate.installation.bucket.read(f"{gate.installation.location.prefix}/{stopped.run_id}/{TABLE}/report.json")
    )
    assert [one["by"] for one in report["waivers"]] == ["A. Engineer"]


def test_a_waiver_is_worth_nothing_elsewhere(
    issuer: Issuer, run: Callable[[], RunResult], gate: StagedRun, contracts: Path, suites: Path, tmp_path: Path
) -> None:
    """Not for another run's bytes, not for another expectation, not when it was changed, not under another key."""
    first, second = run(), run()
    waiver = gate.waive(first.run_id, TABLE, KIND, "for this run only", "A. Engineer")
    folder = f"{gate.installation.location.prefix}/{{}}/{TABLE}/{waiver.name}"
    signed = gate.installation.bucket.read(folder.format(first.run_id))
    gate.installation.bucket.write(folder.format(second.run_id), signed, "application/json")
    with pytest.raises(AuditFailed):
        gate.publish(second.run_id, TABLE, quiet)
    forged = signed.replace(first.run_id.encode(), second.run_id.encode())
    changed = [{**json.loads(forged), **one} for one in ({"signature": "é"}, {"key_version": 99}, {"by": "\ud800"})]
    for content in (forged, b"[" * 10**5, *(json.dumps(one).encode() for one in changed)):
        gate.installation.bucket.write(folder.format(second.run_id), content, "application/json")
        with pytest.raises(WaiverRefused, match="1 of 1 waivers are not what was signed"):
            gate.publish(second.run_id, TABLE, quiet)
    create_keyring_file(tmp_path / "another.json")
    keyring = KeyringSettings(ref=f"file:{tmp_path / 'another.json'}")
    other = issuer.settings.model_copy(update={"keyring": keyring})
    with pytest.raises(StageForged):
        StagedRun(other, contracts, suites).publish(first.run_id, TABLE, quiet)
    suite = suites / f"{TABLE}.yaml"
    suite.write_text(WRONG.replace("chess", "go"), encoding="utf-8")
    with pytest.raises(AuditFailed):
        gate.publish(first.run_id, TABLE, quiet)


def test_a_stage_that_is_overtaken_changed_or_gone_is_refused(
    issuer: Issuer, run: Callable[[], RunResult], gate: StagedRun, contracts: Path, suites: Path
) -> None:
    """A newer run's rows are not replaced by older ones; other bytes and another contract are not published."""
    stopped = run()
    suite, contract = suites / f"{TABLE}.yaml", contracts / f"{TABLE}.yaml"
    edit(contract, "en: ", "en: Now, ")
    with pytest.raises(StageGone, match="under another contract"):
        StagedRun(issuer.settings, contracts, suites).publish(stopped.run_id, TABLE, quiet)
    edit(contract, "en: Now, ", "en: ")
    with pytest.raises(StageGone, match="no staged files"):
        gate.publish("20230830-none", TABLE, quiet)
    suite.write_text("table: clubs\n", encoding="utf-8")
    newer = run()
    assert newer.exit_code == 0
    with pytest.raises(PublishRefused, match=f"Run {newer.run_id} published it since"):
        gate.publish(stopped.run_id, TABLE, quiet)
    manifest = f"{gate.installation.location.prefix}/{stopped.run_id}/{TABLE}/manifest.json"
    gate.installation.bucket.write(manifest, gate.installation.bucket.read(manifest), "application/json")
    with pytest.raises(PublishRefused, match=f"Run {newer.run_id} published it since"):
        gate.publish(stopped.run_id, TABLE, quiet)  # written again, the object is newer, and the stage is not
    suite.write_text(WRONG, encoding="utf-8")
    damaged = run()
    suite.write_text("table: clubs\n", encoding="utf-8")
    folder = f"{gate.installation.location.prefix}/{damaged.run_id}/{TABLE}/"
    (parquet,) = [one.name for one in gate.installation.bucket.stored(folder) if one.name.endswith(".parquet")]
    gate.installation.bucket.write(parquet, gate.installation.bucket.read(parquet), "application/octet-stream")
    with pytest.raises(AuditFailed, match="staged_files_equal_manifest: 1 of 1"):
        gate.publish(damaged.run_id, TABLE, quiet)
