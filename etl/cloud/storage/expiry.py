"""What runs leave in the bucket goes when its days are over; records stay. No run lists what runs of the past left.

A note of each run lies in one folder until nothing of that run is left to delete. So a clean-up lists the notes, and
then the folders of runs whose days are over.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Final

from etl.cloud.storage.bucket import StagingBucket
from etl.cloud.storage.failures import ObjectMissing
from masking.errors import KagemushaError

_NOTES: Final = "unexpired"
_NOTE: Final = b"A run left files, which are deleted when their days are over.\n"


def note_run(bucket: StagingBucket, run_id: str) -> None:
    """Notes that a run leaves files, once: its days begin. Whoever writes into a run's folder does so first.

    Raises:
        BucketMissing: the bucket is missing, or may not be written to.
        StorageUnavailable: the note was not taken.
    """
    bucket.write_once(f"{_notes(bucket)}{run_id}", _NOTE, "text/plain")


def note_earlier_runs(bucket: StagingBucket) -> None:
    """Notes every run that left more than records: of those that began before there were notes. It lists everything.

    Raises:
        BucketMissing, StorageUnavailable: as above.
    """
    prefix, notes = f"{bucket.target.prefix}/", _notes(bucket)
    noted = {name.removeprefix(notes) for name, _ in bucket.ages(notes)}
    names = [name for name, _ in bucket.ages(prefix) if not name.startswith(notes) and not is_record(name)]
    left = {name.removeprefix(prefix).split("/")[0] for name in names if name.count("/") > prefix.count("/")}
    for run_id in sorted(left - noted):
        note_run(bucket, run_id)


def delete_expired(bucket: StagingBucket, before: datetime) -> int:
    """Deletes what runs noted before an instant left before it, but no records, as far as it may; returns how many."""
    count = 0
    with suppress(KagemushaError):  # housekeeping: the note stays, and the next run tries again
        for note, noted in bucket.ages(_notes(bucket)):
            if noted < before:
                count += _deleted(bucket, note, before)
    return count


def _deleted(bucket: StagingBucket, note: str, before: datetime) -> int:
    """Deletes what is old of one run; what may not be deleted is no reason to leave other runs' files."""
    count = 0
    with suppress(KagemushaError):
        for name in _expired(bucket, note, before):
            with suppress(ObjectMissing):  # another run's clean-up was faster
                bucket.delete(name)
                count += name != note
    return count


def _expired(bucket: StagingBucket, note: str, before: datetime) -> list[str]:
    """Returns what is to be deleted of a run, and last its note if nothing is left then."""
    folder = f"{bucket.target.prefix}/{note.removeprefix(_notes(bucket))}/"
    left = [(name, created) for name, created in bucket.ages(folder) if not is_record(name)]
    old = [name for name, created in left if created < before]
    return [*old, *([note] if len(old) == len(left) else [])]


def is_record(name: str) -> bool:
    """Tells whether an object is a run's report, contracts or Data Docs, which stay: an auditor asks for them later."""
    return name.endswith(("/report.json", "/contracts.json")) or "/data_docs/" in name


def _notes(bucket: StagingBucket) -> str:
    return f"{bucket.target.prefix}/{_NOTES}/"
