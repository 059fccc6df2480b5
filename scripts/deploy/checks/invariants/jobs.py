"""Of the jobs under Glue: how they run, and what their roles may do."""

from __future__ import annotations

import re
from typing import Final

from scripts.deploy.checks.invariants.standing import Standing, statements, words

KEYRING_CONTEXT: Final = {
    "kms:EncryptionContext:application": "kagemusha",
    "kms:EncryptionContext:purpose": "keyring",
}
_WITHOUT_RESOURCES: Final = "HasNoResources|HaveNoResources"


def glue_never_repeats_a_run(now: Standing) -> bool:
    """Glue would start a job again that only a person can cure, or two of them at once."""
    return all(
        job["max_retries"] == 0 and job["execution_property"][0]["max_concurrent_runs"] == 1
        for job in now.of("aws_glue_job").values()
    )


def nothing_writes_event_logs(now: Standing) -> bool:
    """Spark's event logs or Glue's insights would hold SQL, connection options and exceptions."""
    off = {"--enable-spark-ui": "false", "--enable-job-insights": "false"}
    return all(off.items() <= job["non_overridable_arguments"].items() for job in now.of("aws_glue_job").values())


def a_run_cannot_swap_code_or_settings(now: Standing) -> bool:
    """Whoever may start a job could run other code, or read by other settings."""
    fixed = {"--python-virtual-env", "--settings"}
    return all(fixed <= set(job["non_overridable_arguments"]) for job in now.of("aws_glue_job").values())


def slices_are_cut_for_executors_that_are_there(now: Standing) -> bool:
    """With autoscaling a run begins with few executors and is cut for them."""
    return all(
        job["non_overridable_arguments"].get("--enable-auto-scaling") == "false"
        for job in now.of("aws_glue_job").values()
    )


def what_glue_writes_is_encrypted(now: Standing) -> bool:
    """Logs or objects that Glue writes are not under the installation's key."""
    (parts,) = now.one("aws_glue_security_configuration")["encryption_configuration"]
    return (
        parts["cloudwatch_encryption"][0]["cloudwatch_encryption_mode"] == "SSE-KMS"
        and parts["s3_encryption"][0]["s3_encryption_mode"] == "SSE-KMS"
        and all(job["security_configuration"] for job in now.of("aws_glue_job").values())
    )


def keyring_opens_under_its_context_only(now: Standing) -> bool:
    """The keyring's key may be used for something else than the keyring."""
    policies = [now.one("aws_iam_role_policy", "glue.aws_iam_role_policy.job"), now.one("aws_iam_policy")]
    uses = [one for found in policies for one in statements(found["policy"]) if "kms:Decrypt" in words(one["Action"])]
    return len(uses) == len(policies) and all(
        one.get("Condition", {}).get("StringEquals") == KEYRING_CONTEXT for one in uses
    )


def rights_name_their_resources(now: Standing) -> bool:
    """A role may do something to everything, although the action knows resources."""
    allowed = [
        one
        for found in now.of("aws_iam_role_policy").values()
        if "nightly" not in found["role"] and "machine" not in found["role"]
        for one in statements(found["policy"])
    ]
    return all(
        not any(word.endswith("*") for word in words(one["Action"]))
        and ("*" not in words(one["Resource"]) or "Condition" in one or re.search(_WITHOUT_RESOURCES, one["Sid"]))
        for one in allowed
    )
