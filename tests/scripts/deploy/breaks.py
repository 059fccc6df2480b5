"""Lines of the Terraform root that keep an invariant each, and what they read like when it is broken."""

from __future__ import annotations

from tests.scripts.deploy.conftest import DEPLOY

AURORA, GLUE, KEYS, STORE, NIGHTLY, GOOGLE, SETTINGS = (
    f"modules/{name}/main.tf" for name in ("aurora", "glue", "keys", "store", "nightly", "google", "settings")
)
JOB_POLICY = "modules/glue/job_policy.json.tftpl"
MEMBER = "  static_members              = [aws_rds_cluster_instance.reader.identifier]"
DATABASE_RULE = (
    '  description                  = "The jobs of ${var.name}"\n'
    "  referenced_security_group_id = aws_security_group.job.id"
)
CONDITION = '  attribute_condition = "attribute.aws_role == \\"${local.assumed_role}\\""'
_TEXT = (DEPLOY / "terraform" / AURORA).read_text(encoding="utf-8")
GUARDED_MEMBER = (
    MEMBER + _TEXT.partition(MEMBER)[2].partition('}\n\nresource "aws_rds_cluster_endpoint" "applications"')[0]
)
"""The endpoint's member with the guard that refuses another one while Terraform plans."""

BREAKS: dict[str, tuple[str, str, str]] = {
    "reader_is_promoted_last": (AURORA, "promotion_tier                  = 15", "promotion_tier = 2"),
    "reader_is_private": (AURORA, "publicly_accessible             = false", "publicly_accessible = true"),
    "etl_endpoint_is_one_reader": (AURORA, GUARDED_MEMBER, f'{MEMBER[:-1]}, "issuer-2"]\n'),
    "settings_name_that_reader": (
        "main.tf",
        "allowed_instances = [module.aurora.instance]",
        "allowed_instances = []",
    ),
    "applications_read_elsewhere": (
        AURORA,
        "  excluded_members            = [aws_rds_cluster_instance.reader.identifier]",
        '  excluded_members = ["issuer-2"]',
    ),
    "nobody_gets_in_by_address": (
        GLUE,
        '  description                  = "The jobs"\n  referenced_security_group_id = aws_security_group.job.id',
        '  cidr_ipv4 = "10.0.0.0/8"',
    ),
    "only_https_leaves_the_network": (GLUE, "  from_port         = 443\n", "  from_port = 0\n"),
    "glue_never_repeats_a_run": (GLUE, "max_retries             = 0 #", "max_retries = 1 #"),
    "nothing_writes_event_logs": (GLUE, '"--enable-spark-ui"     = "false"', '"--enable-spark-ui" = "true"'),
    "a_run_cannot_swap_code_or_settings": (GLUE, "  non_overridable_arguments =", "  default_arguments ="),
    "slices_are_cut_for_executors_that_are_there": (
        GLUE,
        '"--enable-auto-scaling" = "false"',
        '"--enable-auto-scaling" = "true"',
    ),
    "what_glue_writes_is_encrypted": (
        GLUE,
        'cloudwatch_encryption_mode = "SSE-KMS"',
        'cloudwatch_encryption_mode = "DISABLED"',
    ),
    "keyring_opens_under_its_context_only": (
        JOB_POLICY,
        '          "kms:EncryptionContext:purpose": "keyring"',
        '          "kms:EncryptionContext:purpose": "anything"',
    ),
    "rights_name_their_resources": (JOB_POLICY, '"Resource": "${settings}"', '"Resource": "*"'),
    "the_loader_owns_only_what_it_makes": (
        GOOGLE,
        "  role    = google_project_iam_custom_role.loader.name",
        '  role = "roles/bigquery.dataEditor"',
    ),
    "only_the_job_logs_in": (GOOGLE, CONDITION, ""),
    "only_the_job_acts_as_the_loader": (
        GOOGLE,
        "/attribute.aws_role/${local.assumed_role}",
        "/attribute.aws_role/arn:aws:sts::123456789012:assumed-role/admin",
    ),
    "audience_has_the_projects_number": (
        GOOGLE,
        '"//iam.googleapis.com/projects/${data.google_project.project.number}',
        '"//iam.googleapis.com/projects/${var.google.project}',
    ),
    "buckets_are_private": (STORE, "  block_public_policy     = true\n", ""),
    "buckets_are_encrypted_and_keep_versions": (STORE, 'sse_algorithm     = "aws:kms"', 'sse_algorithm = "AES256"'),
    "deleted_staged_rows_are_gone": (
        GOOGLE,
        "    retention_duration_seconds = 0 #",
        "    retention_duration_seconds = 604800 #",
    ),
    "evidence_is_locked": (STORE, '      mode  = "COMPLIANCE"', '      mode = "GOVERNANCE"'),
    "keys_change_every_year": (
        KEYS,
        'used under its encryption context only."\n  enable_key_rotation     = true',
        'used under its encryption context only."\n  enable_key_rotation = false',
    ),
    "the_night_is_japans": (NIGHTLY, '= "Asia/Tokyo"', '= "Asia/Tokio"'),
    "a_missing_success_is_told": (NIGHTLY, 'treat_missing_data  = "breaching"', 'treat_missing_data = "ignore"'),
    "failures_are_told": (NIGHTLY, 'metric = "ExecutionsTimedOut"', 'metric = "ExecutionsStarted"'),
    "logs_of_the_night_hold_no_arguments": (
        NIGHTLY,
        "include_execution_data = false #",
        "include_execution_data = true #",
    ),
    "queries_have_a_brake": (GOOGLE, "QueryUsagePerUserPerDay = ", "QueryUsage = "),
    "no_endpoint_mixes_readers_and_writer": (
        AURORA,
        '= "READER"\n  excluded_members',
        '= "ANY"\n  excluded_members',
    ),
    "only_the_jobs_get_in": (
        GLUE,
        '  description                  = "The jobs"\n  referenced_security_group_id = aws_security_group.job.id',
        "  referenced_security_group_id = aws_security_group.endpoints.id",
    ),
    "a_run_cannot_bring_masking_rules": (GLUE, '{ "--contracts" = "bundled" }', "{}"),
    "jobs_have_the_arguments_that_were_thought_of": (
        GLUE,
        '    "--enable-job-insights" = "false"',
        '    "--additional-python-modules" = "left-pad"\n    "--enable-job-insights" = "false"',
    ),
    "nobody_outside_is_admitted": (
        KEYS,
        '        Condition = { StringEquals = { "aws:SourceAccount" = var.aws_account } }\n',
        "",
    ),
    "the_keyrings_key_is_for_the_keyring_alone": (
        "main.tf",
        "  key_arn       = module.keys.data_key_arn",
        "  key_arn = module.keys.keyring_key_arn",
    ),
    "roles_hold_only_their_own_policies": (
        NIGHTLY,
        '  name = "${var.name}-machine"\n',
        '  name = "${var.name}-machine"\n  managed_policy_arns = ["arn:aws:iam::aws:policy/AdministratorAccess"]\n',
    ),
    "the_role_is_read_from_the_callers_name": (
        GOOGLE,
        ': assertion.arn"',
        ": 'arn:aws:sts::123456789012:assumed-role/kagemusha-job'\"",
    ),
    "roles_of_our_own_hold_no_data": (
        GOOGLE,
        '"bigquery.datasets.get"]',
        '"bigquery.datasets.get", "bigquery.tables.getData"]',
    ),
    "staged_rows_are_the_loaders": (
        GOOGLE,
        '  role   = each.value\n  member = "serviceAccount:${google_service_account.loader.email}"',
        '  role = each.value\n  member = "serviceAccount:${google_service_account.looker.email}"',
    ),
    "services_are_on_before_they_are_used": (
        GOOGLE,
        '  display_name = "Loads masked tables"\n\n  depends_on = [google_project_service.service]\n',
        "",
    ),
    "reads_at_google_are_logged": (GOOGLE, '  audit_log_config { log_type = "DATA_READ" }\n', ""),
    "a_budget_warns": (GOOGLE, "for_each = [0.5, 0.9, 1.0]", "for_each = []"),
    "buckets_take_tls_only": (STORE, 'Effect    = "Deny"', 'Effect = "Allow"'),
    "nothing_that_is_kept_is_emptied": (
        STORE,
        "  bucket              = each.value\n",
        "  bucket = each.value\n  force_destroy = true\n",
    ),
    "logs_and_messages_are_under_our_key": (
        NIGHTLY,
        '-unstarted"\n  kms_master_key_id = var.key_arn\n',
        '-unstarted"\n',
    ),
    "logs_end": (NIGHTLY, "  retention_in_days = 400\n", ""),
    "the_night_runs_the_daily_job": (
        "main.tf",
        "  job         = module.glue.daily_job",
        '  job = "kagemusha-backfill"',
    ),
    "alarms_reach_people": (
        NIGHTLY,
        "  threshold           = 95\n",
        "  threshold = 95\n  actions_enabled = false\n",
    ),
    "keys_stay_in_their_region": (
        KEYS,
        'used under its encryption context only."\n',
        'used under its encryption context only."\n  multi_region = true\n',
    ),
    "only_single_ports_are_open": (
        GLUE,
        '  to_port                      = var.database_port\n}\n\nresource "aws_security_group" "endpoints"',
        '  to_port = 65535\n}\n\nresource "aws_security_group" "endpoints"',
    ),
    "machines_are_in_their_groups": (
        GLUE,
        "    security_group_id_list = [aws_security_group.job.id]",
        "    security_group_id_list = [var.network.database_security_group_id]",
    ),
    "the_reader_is_reached_by_verified_tls": ("main.tf", "?sslrootcert=bundled:rds", "?sslmode=disable"),
    "jobs_run_the_package": (GLUE, '"${local.package}/${each.value.script}"', '"s3://elsewhere/load.py"'),
    "googles_key_is_for_its_agents": (
        GOOGLE,
        "  member        = each.value",
        '  member = "user:somebody@issuer.example"',
    ),
    "analysts_are_named": (
        "modules/settings/settings.toml.tftpl",
        "readers = ${readers}",
        'readers = ["allAuthenticatedUsers"]',
    ),
}
"""Invariant → the line that keeps it: its file, and how it reads when it does not."""
