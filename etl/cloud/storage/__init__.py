"""Cloud Storage: the staging bucket and its objects."""

from etl.cloud.storage.bucket import StagingBucket, StagingLocation, is_record, staging_bucket
from etl.cloud.storage.failures import ObjectMissing, translated_storage

__all__ = [
    "ObjectMissing",
    "StagingBucket",
    "StagingLocation",
    "is_record",
    "staging_bucket",
    "translated_storage",
]
