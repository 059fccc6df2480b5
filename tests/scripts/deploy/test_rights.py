"""The job may do in AWS what its code does, and nothing else."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import boto3
import pytest

from scripts.deploy.checks.rights import (
    JOB_POLICY,
    OPERATOR_POLICY,
    OPERATORS,
    ROOT,
    calls,
    granted,
    of_the_job,
    of_the_operator,
)
from tests.scripts.deploy.conftest import DEPLOY


def test_the_job_may_do_what_its_code_does() -> None:
    """The policy of the job's role allows exactly the calls that are in the code."""
    assert granted(JOB_POLICY) == of_the_job(calls())


def test_the_operator_may_keep_the_keyring() -> None:
    """The policy for people allows exactly what making, reading and rotating the keyring calls."""
    assert granted(OPERATOR_POLICY) == of_the_operator(calls())


def test_nobody_else_talks_to_aws() -> None:
    """Every client of AWS is made in one function, so that no call escapes the comparison; signing needs no client."""
    makers = {
        path.relative_to(ROOT).as_posix()
        for package in ("etl", "jobs", "masking", "schemas", "expectations")
        for path in (ROOT / package).rglob("*.py")
        if any(
            isinstance(node, ast.Import | ast.ImportFrom) and "boto" in ast.unparse(node)
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        )
    }
    assert makers == {"etl/cloud/aws.py", "etl/cloud/google_login.py"}


def test_operators_functions_exist() -> None:
    """No function that is gone keeps its exemption."""
    assert {place for place, _ in calls()} >= OPERATORS


@pytest.mark.parametrize(
    ("line", "instead", "difference"),
    [
        ('"Action": "secretsmanager:GetSecretValue"', '"Action": "secretsmanager:*"', "secretsmanager:*"),
        ('"Action": "s3:PutObject"', '"Action": ["s3:PutObject", "s3:DeleteObject"]', "s3:DeleteObject"),
        ('"Action": "kms:Decrypt"', '"Action": "kms:Encrypt"', "kms:Decrypt"),
    ],
)
def test_a_right_too_many_or_too_few_shows(tmp_path: Path, line: str, instead: str, difference: str) -> None:
    """A right that the code does not use, and a call without a right, both break the equality, by name."""
    policy = tmp_path / "policy.json"
    text = JOB_POLICY.read_text(encoding="utf-8")
    assert line in text
    policy.write_text(text.replace(line, instead), encoding="utf-8")
    assert difference in granted(policy) ^ of_the_job(calls())


def test_what_the_code_asks_is_an_operation() -> None:
    """The operations that the policies name are known to botocore, so no name of a right is misspelt."""
    for policy in (JOB_POLICY, OPERATOR_POLICY):
        for action in granted(policy) - {"rds-db:connect"}:
            service, operation = action.split(":")
            client = boto3.client(service, region_name="ap-northeast-1")
            assert operation in client.meta.service_model.operation_names, action


@pytest.mark.parametrize(
    ("file", "pattern", "service", "shape"),
    [
        ("variables.tf", r'worker_type += optional\(string, "(.+?)"\)', "glue", "WorkerType"),
        ("modules/glue/main.tf", r'execution_class += "(.+?)"', "glue", "ExecutionClass"),
        ("modules/store/main.tf", r'mode += "(COMPLIANCE)"', "s3", "ObjectLockRetentionMode"),
        ("modules/nightly/main.tf", r'\n +mode += "(.+?)"', "scheduler", "FlexibleTimeWindowMode"),
        ("modules/nightly/main.tf", r'level += "(.+?)"', "stepfunctions", "LogLevel"),
    ],
)
def test_words_are_the_services_own(file: str, pattern: str, service: str, shape: str) -> None:
    """What a schema takes for any text is one of the words that the service knows."""
    (word,) = re.findall(pattern, (DEPLOY / "terraform" / file).read_text(encoding="utf-8"))
    model = boto3.client(service, region_name="ap-northeast-1").meta.service_model
    assert word in model.shape_for(shape).enum


def test_versions_are_those_of_the_schemas() -> None:
    """The providers that the root asks for are those whose schemas it is checked against."""
    asked = (DEPLOY / "terraform/versions.tf").read_text(encoding="utf-8")
    for name in ("aws", "google"):
        schema = json.loads((DEPLOY / f"checks/schemas/{name}.json").read_text(encoding="utf-8"))
        assert re.search(rf'source += "{schema["provider"]}"\n +version += "{schema["version"]}"', asked)


def test_the_state_is_encrypted_and_locked() -> None:
    """The state lies encrypted and is changed by one at a time; another account's credentials are refused."""
    asked = (DEPLOY / "terraform/versions.tf").read_text(encoding="utf-8")
    assert re.search(r'backend "s3" \{[^}]*encrypt += true\n +use_lockfile += true\n', asked)
    assert re.search(r"allowed_account_ids += \[var\.aws_account\]", asked)


def test_keys_and_their_wrapping_stay() -> None:
    """`terraform destroy` stops at every key: what is under it could never be read again."""
    for file in (DEPLOY / "terraform").rglob("*.tf"):
        for body in re.split(r"^resource ", file.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
            if body.startswith(('"aws_kms_key"', '"google_kms_crypto_key"')):
                assert "prevent_destroy = true" in body, body[:60]


def test_the_example_says_everything() -> None:
    """Each variable is in the example: the checks judge it alone, whatever an installation's own file says."""
    terraform = DEPLOY / "terraform"
    asked = re.findall(r'^variable "(\w+)"', (terraform / "variables.tf").read_text(encoding="utf-8"), re.MULTILINE)
    told = re.findall(r"^(\w+) +=", (terraform / "example.tfvars").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(asked) == sorted(told)
