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
from scripts.deploy.checks.invariants import INVARIANTS, KEYRING_CONTEXT, broken, rights
from tests.scripts.deploy.breaks import AURORA, BREAKS, CONDITION, DATABASE_RULE, GLUE, GOOGLE, MEMBER
from tests.scripts.deploy.conftest import CHECKS, DEPLOY, Terraform

pytestmark = pytest.mark.deploy
BreakLine = Callable[[str, str, str], Path]
TERRAFORM = DEPLOY / "terraform"


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
        (AURORA, MEMBER, "  static_members = tolist(data.aws_rds_cluster.source.cluster_members)", "endpoint-members"),
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
    ids=[
        "any-endpoint",
        "second-member",
        "members-of-an-input",
        "early-promotion",
        "sleeping-writer",
        "login-of-everybody",
        "open-group",
    ],
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


@pytest.mark.parametrize("name", sorted(INVARIANTS))
def test_a_broken_line_breaks_its_invariant(terraform: Terraform, break_line: BreakLine, name: str) -> None:
    """Each invariant has a line that keeps it; without that line it fails, by name."""
    done = terraform(break_line(*BREAKS[name]), "installation")
    failed = broken(json.loads(done.said)) if done.code == 0 else {}
    assert name in failed, done.said[:2000]


@pytest.mark.parametrize(
    ("action", "resource", "narrow"),
    [
        ("s3:GetObject", "arn:aws:s3:::kagemusha-code-123456789012/packages/*", True),
        (["ec2:CreateTags"], "arn:aws:ec2:ap-northeast-1:123456789012:network-interface/*", True),
        (["ec2:DescribeSubnets", "logs:CreateLogDelivery"], "*", True),
        ("*", "arn:aws:s3:::kagemusha-code-123456789012", False),
        ("s3:Get*", "arn:aws:s3:::kagemusha-code-123456789012/packages/*", False),
        ("s3:GetObject", "*", False),
        ("s3:GetObject", "arn:aws:s3:::*", False),
        ("s3:GetObject", "arn:aws:s3:::kagemusha-code-*/packages/*", False),
        ("rds-db:connect", "arn:aws:rds-db:ap-northeast-1:123456789012:dbuser:cluster-ABC/*", False),
        (["ec2:DescribeSubnets", "s3:GetObject"], "*", False),
        ("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:*", False),
        ("glue:StartJobRun", ["arn:aws:glue:ap-northeast-1:123456789012:job/*"], False),
        ("iam:PassRole", "arn:aws:iam::123456789012:role/kagemusha-job", False),
        ("sts:AssumeRole", "arn:aws:iam::123456789012:role/kagemusha-job", False),
    ],
)
def test_what_is_too_wide(action: str | list[str], resource: str | list[str], *, narrow: bool) -> None:
    """A right over all of a type, all actions of a service, or rights themselves is too wide, whatever its name."""
    assert rights._is_narrow({"Action": action, "Resource": resource}) is narrow


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
