"""What runs leave goes when its days are over, records stay, and nobody looks at runs of the past again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from etl.clock import now
from etl.cloud.storage import StagingBucket, StagingLocation, delete_expired, note_earlier_runs, note_run
from etl.errors import BucketMissing
from etl.settings import load_settings
from scripts.local_stack.local_stack import Endpoints

LEFT = ("cards/20231101/slice-00000-aa.parquet", "cards/manifest.json", "cards/waivers/w.json", "site/index.html")
RECORDS = ("report.json", "cards/report.json", "contracts.json", "data_docs/index.html")


class _Watched(StagingBucket):
    """Remembers what was listed."""

    listed: list[str]

    def ages(self, prefix: str) -> Iterator[tuple[str, datetime]]:
        """Yields what is under a prefix, which it remembers."""
        self.listed.append(prefix.removeprefix(f"{self.target.prefix}/"))
        return super().ages(prefix)

    @property
    def names(self) -> set[str]:
        """What is there now, by its name below the prefix."""
        return {one.name.removeprefix(f"{self.target.prefix}/") for one in self.stored(f"{self.target.prefix}/")}


@pytest.fixture
def bucket(stack: Endpoints, request: pytest.FixtureRequest) -> _Watched:
    """Returns a bucket of which this test has a prefix to itself."""
    stage = load_settings(stack.settings).stage
    bucket = _Watched(StagingLocation(stage.bucket, f"expiry/{request.node.name}", stage.endpoint, "p"))
    bucket.listed = []
    return bucket


def _leave(bucket: StagingBucket, run_id: str) -> None:
    for name in (*LEFT, *RECORDS):
        bucket.write(f"{bucket.target.prefix}/{run_id}/{name}", b"x", "text/plain")


def _of(run_id: str, names: tuple[str, ...]) -> set[str]:
    return {f"{run_id}/{name}" for name in names}


@pytest.mark.stack
def test_only_what_is_over_goes_and_records_stay(bucket: _Watched) -> None:
    """A run's day of business does not matter: the later run is the one that was noted later."""
    note_run(bucket, "20231102-late")
    _leave(bucket, "20231102-late")
    before = bucket.created(f"{bucket.target.prefix}/20231102-late/{RECORDS[-1]}") + timedelta(microseconds=1)
    note_run(bucket, "20190101-later")
    _leave(bucket, "20190101-later")
    assert delete_expired(bucket, before) == len(LEFT)
    later = {"unexpired/20190101-later", *_of("20190101-later", (*LEFT, *RECORDS))}
    assert bucket.names == _of("20231102-late", RECORDS) | later


@pytest.mark.stack
def test_a_run_that_is_over_is_never_listed_again(bucket: _Watched) -> None:
    """A clean-up lists the notes and the runs that it ends, however many went before."""
    for number in range(30):
        note_run(bucket, f"run-{number:02}")
        bucket.write(f"{bucket.target.prefix}/run-{number:02}/report.json", b"x", "text/plain")
    delete_expired(bucket, now() + timedelta(hours=1))
    note_run(bucket, "today")
    bucket.listed.clear()
    assert delete_expired(bucket, now() - timedelta(days=3)) == 0
    assert bucket.listed == ["unexpired/"]
    delete_expired(bucket, now() + timedelta(hours=1))
    assert bucket.listed == ["unexpired/", "unexpired/", "today/"]


@pytest.mark.stack
def test_a_second_note_changes_nothing(bucket: _Watched) -> None:
    """A run's days begin with its first note, whoever notes it again: its site, or a waiver."""
    note = f"{bucket.target.prefix}/unexpired/run"
    note_run(bucket, "run")
    noted = bucket.created(note)
    note_run(bucket, "run")
    assert bucket.created(note) == noted


@pytest.mark.stack
def test_what_may_not_be_deleted_holds_up_nobody_else(bucket: _Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other runs' files go; what was refused is tried again, as its note stays."""
    for run_id in ("first", "second"):
        note_run(bucket, run_id)
        _leave(bucket, run_id)
    delete = StagingBucket.delete

    def refusing(found: StagingBucket, name: str) -> None:
        if "/first/" in name:
            raise BucketMissing("Cloud Storage would not delete an object.", not_done="Nothing.")
        delete(found, name)

    monkeypatch.setattr(StagingBucket, "delete", refusing)
    assert delete_expired(bucket, now() + timedelta(hours=1)) == len(LEFT)
    assert bucket.names == {"unexpired/first", *_of("first", (*LEFT, *RECORDS)), *_of("second", RECORDS)}


@pytest.mark.stack
def test_a_run_that_wrote_late_stays_noted(bucket: _Watched) -> None:
    """What came after the instant is not deleted, and the run is looked at again."""
    note_run(bucket, "run")
    first = f"{bucket.target.prefix}/run/{LEFT[0]}"
    bucket.write(first, b"x", "text/plain")
    before = bucket.created(first) + timedelta(microseconds=1)
    bucket.write(f"{bucket.target.prefix}/run/{LEFT[2]}", b"x", "text/plain")
    assert delete_expired(bucket, before) == 1
    assert bucket.names == {"unexpired/run", *_of("run", LEFT[2:3])}
    assert delete_expired(bucket, now() + timedelta(hours=1)) == 1
    assert bucket.names == set()


@pytest.mark.stack
def test_runs_from_before_there_were_notes_are_noted_once(bucket: _Watched) -> None:
    """Runs that left records alone need none, nor does a file beside the runs."""
    _leave(bucket, "old")
    for name in ("done/report.json", "smoke.txt"):
        bucket.write(f"{bucket.target.prefix}/{name}", b"x", "text/plain")
    note_run(bucket, "new")
    _leave(bucket, "new")
    noted = bucket.created(f"{bucket.target.prefix}/unexpired/new")
    note_earlier_runs(bucket)
    assert {name for name in bucket.names if name.startswith("unexpired/")} == {"unexpired/old", "unexpired/new"}
    assert bucket.created(f"{bucket.target.prefix}/unexpired/new") == noted
    assert delete_expired(bucket, now() + timedelta(hours=1)) == 2 * len(LEFT)
    assert bucket.names == {"smoke.txt", "done/report.json"} | _of("old", RECORDS) | _of("new", RECORDS)
