"""Of rights: who is admitted from outside, and what the roles of the installation may do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from scripts.deploy.checks.invariants.standing import Standing, statements, words

KEYRING_CONTEXT: Final = {
    "kms:EncryptionContext:application": "kagemusha",
    "kms:EncryptionContext:purpose": "keyring",
}
_WITHOUT_RESOURCES: Final = frozenset({
    "cloudwatch:GetMetricData", "cloudwatch:PutMetricData", "ec2:DescribeNetworkInterfaces", "ec2:DescribeRouteTables",
    "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcAttribute", "ec2:DescribeVpcEndpoints",
    "logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery", "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:DescribeResourcePolicies", "logs:DescribeLogGroups",
})  # fmt: skip
"""Actions that know no resource, or none yet.

Sources: AWS Service Authorization Reference; Step Functions Developer Guide, "Logging using CloudWatch Logs".
"""
_SOME_OF_A_TYPE: Final = re.compile(r"^[^*]+(/packages/|/runs/|:log-group:/aws-glue/|:network-interface/)\*$")
_FOR_OTHERS: Final = frozenset({"iam", "sts", "organizations"})
_PRINCIPALS: Final = frozenset({"Principal", "NotPrincipal"})
_FOR_AN_ACCOUNT: Final = re.compile(r"aws:SourceAccount|kms:EncryptionContext:aws:logs:arn")


def nobody_outside_is_admitted(now: Standing) -> bool:
    """A policy admits another account, everybody, or a service of AWS in whosever name."""
    found = list(_admitted(now))
    return bool(found) and all(_is_ours(one, now.account) for one in found)


def _admitted(standing: Standing) -> Iterator[dict[str, Any]]:
    """Yields what policies on resources and of trust allow."""
    for values in standing.everything().values():
        for name in ("policy", "assume_role_policy"):
            given = values.get(name)
            if given and given.startswith("{"):
                yield from (one for one in statements(given) if _PRINCIPALS & one.keys() and one["Effect"] == "Allow")


def _is_ours(statement: dict[str, Any], account: str) -> bool:
    """Tells whether a statement admits this account, or services of AWS that act for it."""
    principal, condition = statement["Principal"], json.dumps(statement.get("Condition", {}))
    if principal == {"AWS": f"arn:aws:iam::{account}:root"}:
        return True
    return set(principal) == {"Service"} and bool(_FOR_AN_ACCOUNT.search(condition)) and account in condition


def keyring_opens_under_its_context_only(now: Standing) -> bool:
    """The keyring's key may be used for something else than the keyring."""
    policies = [now.one("aws_iam_role_policy", "glue.aws_iam_role_policy.job"), now.one("aws_iam_policy")]
    uses = [one for found in policies for one in statements(found["policy"]) if "kms:Decrypt" in words(one["Action"])]
    return len(uses) == len(policies) and all(
        one.get("Condition", {}).get("StringEquals") == KEYRING_CONTEXT for one in uses
    )


def the_keyrings_key_is_for_the_keyring_alone(now: Standing) -> bool:
    """Something else is encrypted under the keyring's key, or a role may use it that opens no keyring."""
    key = now.one("aws_kms_key", ".keyring")
    policies = ("module.glue.aws_iam_role_policy.job", "module.keys.aws_iam_policy.operator")
    named = {address for address, values in now.everything().items() if key["arn"] in json.dumps(values)}
    return len(statements(key["policy"])) == 1 and named == {"module.keys.aws_kms_key.keyring", *policies}


def roles_hold_only_their_own_policies(now: Standing) -> bool:
    """A role got rights by another way than a policy that these checks read."""
    return all(
        not role["managed_policy_arns"] and not role["inline_policy"] for role in now.of("aws_iam_role").values()
    )


def rights_name_their_resources(now: Standing) -> bool:
    """A role may do something to everything, although the action knows resources; or give rights to others."""
    policies = [*now.of("aws_iam_role_policy").values(), *now.of("aws_iam_policy").values()]
    allowed = [one for found in policies for one in statements(found["policy"])]
    return all(one["Effect"] == "Allow" and _is_narrow(one) for one in allowed)


def _is_narrow(statement: dict[str, Any]) -> bool:
    actions = set(words(statement["Action"]))
    if any("*" in one or one.split(":")[0] in _FOR_OTHERS for one in actions):
        return False
    wide = [one for one in words(statement["Resource"]) if "*" in one and not _SOME_OF_A_TYPE.match(one)]
    return not wide or actions <= _WITHOUT_RESOURCES
