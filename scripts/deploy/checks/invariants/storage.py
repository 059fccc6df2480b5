"""Of what is kept: buckets of both clouds, and keys."""

from __future__ import annotations

from scripts.deploy.checks.invariants.standing import Standing, statements


def buckets_are_private(now: Standing) -> bool:
    """A bucket could be opened to the public."""
    blocks = {block["bucket"]: block for block in now.of("aws_s3_bucket_public_access_block").values()}
    closed = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
    stage = now.one("google_storage_bucket")
    return (
        not any(bucket["acl"] or bucket["grant"] for bucket in now.of("aws_s3_bucket").values())
        and stage["public_access_prevention"] == "enforced"
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


def buckets_take_tls_only(now: Standing) -> bool:
    """What goes to a bucket of AWS may go in the open, or a bucket's policy allows something."""
    refusing = set()
    for policy in now.of("aws_s3_bucket_policy").values():
        (one,) = statements(policy["policy"])
        insecure = one.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
        if (one["Effect"], one["Principal"], one["Action"]) == ("Deny", "*", "s3:*") and insecure:
            refusing.add(policy["bucket"])
    return refusing == {bucket["bucket"] for bucket in now.of("aws_s3_bucket").values()}


def nothing_that_is_kept_is_emptied(now: Standing) -> bool:
    """`terraform destroy` takes a bucket with all that lies in it, or a key before a month has passed."""
    buckets = [*now.of("aws_s3_bucket").values(), *now.of("google_storage_bucket").values()]
    return not any(bucket["force_destroy"] for bucket in buckets) and all(
        key["deletion_window_in_days"] == 30  # noqa: PLR2004  the longest that KMS takes
        for key in now.of("aws_kms_key").values()
    )


def logs_and_messages_are_under_our_key(now: Standing) -> bool:
    """A log, a topic, a queue, a bucket or what the reader keeps of statements is under Amazon's key, or under none."""
    key = now.one("aws_kms_key", ".data")["arn"]
    used = [
        *(found["kms_key_id"] for found in now.of("aws_cloudwatch_log_group").values()),
        *(found["kms_master_key_id"] for found in now.of("aws_sns_topic").values()),
        *(found["kms_master_key_id"] for found in now.of("aws_sqs_queue").values()),
        *(found["kms_key_id"] for found in now.of("aws_secretsmanager_secret").values()),
        *(found["performance_insights_kms_key_id"] for found in now.of("aws_rds_cluster_instance").values()),
        *(
            found["rule"][0]["apply_server_side_encryption_by_default"][0]["kms_master_key_id"]
            for found in now.of("aws_s3_bucket_server_side_encryption_configuration").values()
        ),
    ]
    return bool(used) and set(used) == {key}


def logs_end(now: Standing) -> bool:
    """A log is kept for ever."""
    return all(found["retention_in_days"] for found in now.of("aws_cloudwatch_log_group").values())


def keys_stay_in_their_region(now: Standing) -> bool:
    """A key can be copied to another region, or its policy may lock the account out."""
    return not any(
        key["multi_region"] or key["bypass_policy_lockout_safety_check"] for key in now.of("aws_kms_key").values()
    )
