"""The Terraform root is valid and keeps its promises; a broken line is refused, and by the name of what it breaks."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from etl.keys.envelope import CONTEXT
from etl.settings import load_settings
from scripts.deploy.checks.invariants import INVARIANTS, KEYRING_CONTEXT, broken
from tests.scripts.deploy.conftest import CHECKS, DEPLOY, Terraform

pytestmark = pytest.mark.deploy
BreakLine = Callable[[str, str, str], Path]
TERRAFORM = DEPLOY / "terraform"
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


def test_format_validity_and_tests(terraform: Terraform) -> None:
    """`fmt -check`, `validate` and `test` pass against the pinned providers' schemas, negative runs included."""
    done = terraform(TERRAFORM, "fmt", "validate", "test")
    assert done.code == 0, done.said
    assert re.search(r"Success! \d+ passed, 0 failed", done.said)


@pytest.mark.parametrize(
    ("file", "line", "instead", "said"),
    [
        (
            AURORA,
            "promotion_tier                  = 15",
            "promotion_teir = 15",
            'named "promotion_teir" is not expected',
        ),
        (AURORA, "promotion_tier                  = 15", 'promotion_tier = "last"', "a number is required"),
        (AURORA, MEMBER, "static_members = [aws_rds_cluster_instance.reder.identifier]", "reder"),
        (AURORA, MEMBER, "static_members = [aws_rds_cluster_instance.reader.identifer]", "identifer"),
        (AURORA, MEMBER, f'{MEMBER}\n  endpoint = "elsewhere"', "endpoint cannot be set"),
        (GLUE, '  name            = "glueetl"\n', "  name = {}\n", "string required"),
        (GOOGLE, "  uniform_bucket_level_access = true\n", "  uniform_access = true\n", "uniform_access"),
        ("main.tf", "  key_arn     = module.keys.data_key_arn\n", "", 'argument "key_arn" is required'),
    ],
    ids=[
        "misspelt-argument",
        "wrong-type",
        "reference-to-nothing",
        "attribute-of-nothing",
        "read-only",
        "map-for-text",
        "misspelt-google-argument",
        "missing-input",
    ],
)
def test_validation_refuses(
    terraform: Terraform, break_line: BreakLine, file: str, line: str, instead: str, said: str
) -> None:
    """What does not fit the schemas or leads nowhere is refused before anything is planned."""
    done = terraform(break_line(file, line, instead), "validate")
    assert done.code == 1
    assert said in done.said


@pytest.mark.parametrize(
    ("file", "line", "instead", "said"),
    [
        (AURORA, '= "READER" # ANY', '= "ANY" # ANY', "endpoint-type"),
        (AURORA, MEMBER, f'{MEMBER[:-1]}, "issuer-2"]', "endpoint-members"),
        (AURORA, "promotion_tier                  = 15", "promotion_tier = 1", "reader-tier"),
        (AURORA, "var.cluster.min_acu > 0 ||", "true ||", "pause_beside_a_serverless_writer"),
        (GOOGLE, CONDITION, "", "login-condition"),
        (
            GLUE,
            DATABASE_RULE,
            '  cidr_ipv4 = "0.0.0.0/0"',
            "ingress:",
        ),
    ],
    ids=["any-endpoint", "second-member", "early-promotion", "sleeping-writer", "login-of-everybody", "open-group"],
)
def test_terraforms_own_tests_refuse(
    terraform: Terraform, break_line: BreakLine, file: str, line: str, instead: str, said: str
) -> None:
    """The dangers that a person reads about first are refused by `terraform test`, by name."""
    tests = {AURORA: "aurora", GOOGLE: "login", GLUE: "network"}[file]
    done = terraform(break_line(file, line, instead), f"test=tests/{tests}.tftest.hcl")
    assert done.code == 1
    assert said in done.said


def test_invariants_hold(terraform: Terraform) -> None:
    """Every invariant holds for what stands after a mocked apply."""
    done = terraform(TERRAFORM, "installation")
    assert done.code == 0, done.said
    assert broken(json.loads(done.said)) == {}


BREAKS = {
    "reader_is_promoted_last": (AURORA, "promotion_tier                  = 15", "promotion_tier = 2"),
    "reader_is_private": (AURORA, "publicly_accessible             = false", "publicly_accessible = true"),
    "etl_endpoint_is_one_reader": (AURORA, MEMBER, f'{MEMBER[:-1]}, "issuer-2"]'),
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
}


@pytest.mark.parametrize("name", sorted(INVARIANTS))
def test_a_broken_line_breaks_its_invariant(terraform: Terraform, break_line: BreakLine, name: str) -> None:
    """Each invariant has a line that keeps it; without that line it fails, by name."""
    done = terraform(break_line(*BREAKS[name]), "installation")
    failed = broken(json.loads(done.said)) if done.code == 0 else {}
    assert name in failed, done.said[:2000]


def test_every_break_is_of_an_invariant() -> None:
    """No break is left of an invariant that is gone."""
    assert set(BREAKS) == set(INVARIANTS)


def test_the_context_is_the_codes() -> None:
    """The policy demands the encryption context under which the code wraps the keyring."""
    assert {f"kms:EncryptionContext:{name}": value for name, value in CONTEXT.items()} == KEYRING_CONTEXT


def test_rendered_settings_load(tmp_path: Path) -> None:
    """What the settings module renders, really applied, is a settings file of this package, quotes and all."""
    folder = tmp_path / "settings"
    folder.mkdir()
    for file in (TERRAFORM / "modules/settings").iterdir():
        (folder / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    values = {
        "source_url": "postgresql://etl_reader@etl.cluster-custom-abc.ap-northeast-1.rds.amazonaws.com:5432/issuer",
        "password": "rds-iam",
        "allowed_instances": ["issuer-kagemusha"],
        "max_connections": 13,
        "stage_bucket": "issuer-analytics-kagemusha-stage",
        "project": "issuer-analytics",
        "location": "asia-northeast1",
        "kms_key": "projects/issuer/locations/asia-northeast1/keyRings/etl/cryptoKeys/tables",
        "readers": ["group:analysts@issuer.example"],
        "keyring": "secretsmanager:kagemusha/keyring",
        "audience": "//iam.googleapis.com/projects/123456789/locations/global/workloadIdentityPools/a/providers/glue",
        "service_account": "loader@issuer-analytics.iam.gserviceaccount.com",
        "aws_region": "ap-northeast-1",
    }
    (folder / "terraform.tfvars.json").write_text(json.dumps(values), encoding="utf-8")
    done = subprocess.run([*CHECKS, str(folder), "settings"], check=False, capture_output=True, text=True)  # noqa: S603  ours
    assert done.returncode == 0, done.stdout + done.stderr
    path = tmp_path / "settings.toml"
    path.write_text(json.loads(done.stdout)["toml"], encoding="utf-8")
    loaded = load_settings(path)
    assert loaded.source.allowed_instances == ("issuer-kagemusha",)
    assert loaded.google.login == "workload_identity"
    assert loaded.bigquery.access["looker"].readers == ("group:analysts@issuer.example",)
    path.write_text(path.read_text(encoding="utf-8").partition("[google]")[0], encoding="utf-8")
    assert load_settings(path).google.login == "default"  # as a person prepares datasets: the section is the last one
