"""Cloud Storage: the staging bucket and its objects."""

from etl.cloud.storage.bucket import StagingBucket, StagingLocation, staging_bucket
from etl.cloud.storage.expiry import delete_expired, is_record, note_earlier_runs, note_run
from etl.cloud.storage.failures import ObjectMissing, translated_storage

__all__ = [
    "ObjectMissing",
    "StagingBucket",
    "StagingLocation",
    "delete_expired",
    "is_record",
    "note_earlier_runs",
    "note_run",
    "staging_bucket",
    "translated_storage",
]
