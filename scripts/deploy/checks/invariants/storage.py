"""Of what is kept: buckets of both clouds, and keys."""

from __future__ import annotations

from scripts.deploy.checks.invariants.standing import Standing


def buckets_are_private(now: Standing) -> bool:
    """A bucket could be opened to the public."""
    blocks = {block["bucket"]: block for block in now.of("aws_s3_bucket_public_access_block").values()}
    closed = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
    stage = now.one("google_storage_bucket")
    return (
        stage["public_access_prevention"] == "enforced"
        and stage["uniform_bucket_level_access"] is True
        and all(
            all(blocks.get(bucket["bucket"], {}).get(name) for name in closed)
            for bucket in now.of("aws_s3_bucket").values()
        )
    )


def buckets_are_encrypted_and_keep_versions(now: Standing) -> bool:
    """What lies in a bucket of AWS is under Amazon's key, or is gone when it is overwritten."""
    names = {bucket["bucket"] for bucket in now.of("aws_s3_bucket").values()}
    encrypted = {
        found["bucket"]
        for found in now.of("aws_s3_bucket_server_side_encryption_configuration").values()
        if found["rule"][0]["apply_server_side_encryption_by_default"][0]["sse_algorithm"] == "aws:kms"
    }
    versioned = {
        found["bucket"]
        for found in now.of("aws_s3_bucket_versioning").values()
        if found["versioning_configuration"][0]["status"] == "Enabled"
    }
    return names == encrypted == versioned


def deleted_staged_rows_are_gone(now: Standing) -> bool:
    """Staged files that were deleted stay in the bucket for days."""
    return bool(now.one("google_storage_bucket")["soft_delete_policy"][0]["retention_duration_seconds"] == 0)


def evidence_is_locked(now: Standing) -> bool:
    """Reports and evidence of a run can be deleted before their time."""
    (rule,) = now.one("aws_s3_bucket_object_lock_configuration")["rule"]
    archive = now.one("aws_s3_bucket", '["archive"]')
    return archive["object_lock_enabled"] is True and rule["default_retention"][0]["mode"] == "COMPLIANCE"


def keys_change_every_year(now: Standing) -> bool:
    """A KMS key is never rotated."""
    return all(key["enable_key_rotation"] is True for key in now.of("aws_kms_key").values())
