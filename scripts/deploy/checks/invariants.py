"""What must be true of an installation, whatever else is changed: one function a promise, over every resource.

They read what `terraform.py installation` prints. A function's name is the invariant's name, and its docstring what is
lost when it is broken.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

Values = dict[str, Any]  # attributes of a resource, as Terraform writes them into JSON

AUDIENCE: Final = re.compile(
    r"^//iam\.googleapis\.com/projects/\d+/locations/global/workloadIdentityPools/[^/]+/providers/[^/]+$"
)
KEYRING_CONTEXT: Final = {
    "kms:EncryptionContext:application": "kagemusha",
    "kms:EncryptionContext:purpose": "keyring",
}
_WITHOUT_RESOURCES: Final = "HasNoResources|HaveNoResources"
_PROJECT_ROLES: Final = re.compile(r"^(roles/bigquery\.jobUser|projects/.+/roles/.+|[a-z0-9]+)$")


class Standing:
    """The resources that stand after a mocked apply."""

    def __init__(self, state: Mapping[str, Any]) -> None:
        self._resources = list(_resources(state["root_module"]))
        self.settings = tomllib.loads(state["outputs"]["settings"]["value"])

    def of(self, kind: str) -> dict[str, Values]:
        """Returns address → values of the managed resources of a type."""
        return {
            found["address"]: found["values"]
            for found in self._resources
            if found["type"] == kind and found["mode"] == "managed"
        }

    def one(self, kind: str, name: str = "") -> Values:
        """Returns the only resource of a type whose address ends with a name."""
        (found,) = (values for address, values in self.of(kind).items() if address.endswith(name))
        return found


def _resources(module: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from module.get("resources", [])
    for inner in module.get("child_modules", []):
        yield from _resources(inner)


def _statements(policy: str) -> list[Values]:
    return list(json.loads(policy)["Statement"])


def _words(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


# --- Aurora -----------------------------------------------------------------------------------------------------------


def reader_is_promoted_last(now: Standing) -> bool:
    """The ETL reader would become the writer before the others."""
    return bool(now.one("aws_rds_cluster_instance")["promotion_tier"] == 15)  # noqa: PLR2004  Aurora's last tier


def reader_is_private(now: Standing) -> bool:
    """The ETL reader has a public address."""
    return now.one("aws_rds_cluster_instance")["publicly_accessible"] is False


def etl_endpoint_is_one_reader(now: Standing) -> bool:
    """The ETL endpoint leads elsewhere than to the ETL reader, or admits a writer."""
    endpoint, reader = now.one("aws_rds_cluster_endpoint", ".etl"), now.one("aws_rds_cluster_instance")["identifier"]
    return bool(endpoint["custom_endpoint_type"] == "READER" and endpoint["static_members"] == [reader])


def settings_name_that_reader(now: Standing) -> bool:
    """The settings allow another instance, or lead to another host, than what was made."""
    source, endpoint = now.settings["source"], now.one("aws_rds_cluster_endpoint", ".etl")["endpoint"]
    allowed = source["allowed_instances"] == [now.one("aws_rds_cluster_instance")["identifier"]]
    return allowed and f"@{endpoint}:" in source["url"]


def applications_read_elsewhere(now: Standing) -> bool:
    """Applications are sent to the ETL reader."""
    endpoint = now.one("aws_rds_cluster_endpoint", ".applications[0]")
    return bool(endpoint["excluded_members"] == [now.one("aws_rds_cluster_instance")["identifier"]])


# --- the network ------------------------------------------------------------------------------------------------------


def nobody_gets_in_by_address(now: Standing) -> bool:
    """A security group is open to addresses instead of to the jobs."""
    rules = now.of("aws_vpc_security_group_ingress_rule").values()
    open_to_any = [rule for rule in rules if rule["cidr_ipv4"] or rule["cidr_ipv6"] or rule["prefix_list_id"]]
    inline = [group for group in now.of("aws_security_group").values() if group["ingress"]]
    return not open_to_any and not inline


def only_https_leaves_the_network(now: Standing) -> bool:
    """The jobs may reach the internet by another port than 443."""
    rules = now.of("aws_vpc_security_group_egress_rule").values()
    return all(rule["from_port"] == rule["to_port"] == 443 for rule in rules if rule["cidr_ipv4"])  # noqa: PLR2004


# --- the jobs ---------------------------------------------------------------------------------------------------------


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


# --- rights -----------------------------------------------------------------------------------------------------------


def keyring_opens_under_its_context_only(now: Standing) -> bool:
    """The keyring's key may be used for something else than the keyring."""
    policies = [now.one("aws_iam_role_policy", "glue.aws_iam_role_policy.job"), now.one("aws_iam_policy")]
    uses = [one for found in policies for one in _statements(found["policy"]) if "kms:Decrypt" in _words(one["Action"])]
    return len(uses) == len(policies) and all(
        one.get("Condition", {}).get("StringEquals") == KEYRING_CONTEXT for one in uses
    )


def rights_name_their_resources(now: Standing) -> bool:
    """A role may do something to everything, although the action knows resources."""
    statements = [
        one
        for found in now.of("aws_iam_role_policy").values()
        if "nightly" not in found["role"] and "machine" not in found["role"]
        for one in _statements(found["policy"])
    ]
    return all(
        not any(word.endswith("*") for word in _words(one["Action"]))
        and ("*" not in _words(one["Resource"]) or "Condition" in one or re.search(_WITHOUT_RESOURCES, one["Sid"]))
        for one in statements
    )


def the_loader_owns_only_what_it_makes(now: Standing) -> bool:
    """An account has a role over the whole Google project, and with it over data of others."""
    return all(_PROJECT_ROLES.match(found["role"]) for found in now.of("google_project_iam_member").values())


# --- the login to Google ----------------------------------------------------------------------------------------------


def only_the_job_logs_in(now: Standing) -> bool:
    """Another role of the AWS account, or all of it, gets a token of Google."""
    role = now.one("aws_iam_role", "glue.aws_iam_role.job")
    condition = now.one("google_iam_workload_identity_pool_provider")["attribute_condition"]
    expected = rf'^attribute\.aws_role == "arn:aws:sts::\d{{12}}:assumed-role/{role["name"]}"$'
    jobs = now.of("aws_glue_job").values()
    return bool(re.match(expected, condition or "")) and all(job["role_arn"] == role["arn"] for job in jobs)


def only_the_job_acts_as_the_loader(now: Standing) -> bool:
    """Another identity of the pool may act as the loader."""
    condition = now.one("google_iam_workload_identity_pool_provider")["attribute_condition"] or ""
    (grant,) = now.of("google_service_account_iam_member").values()
    return bool(condition) and grant["member"].endswith(f"/attribute.aws_role/{condition.split(chr(34))[1]}")


def audience_has_the_projects_number(now: Standing) -> bool:
    """The settings name a provider that Google does not know by that name."""
    return bool(AUDIENCE.match(now.settings["google"]["audience"]))


# --- what is kept -----------------------------------------------------------------------------------------------------


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


# --- the night --------------------------------------------------------------------------------------------------------


def the_night_is_japans(now: Standing) -> bool:
    """The load starts by another clock, at another time, or without the scheduled time that fixes the day."""
    schedule = now.one("aws_scheduler_schedule")
    return bool(
        schedule["schedule_expression_timezone"] == "Asia/Tokyo"
        and schedule["flexible_time_window"][0]["mode"] == "OFF"
        and json.loads(schedule["target"][0]["input"]) == {"scheduled": "<aws.scheduler.scheduled-time>"}
    )


def a_missing_success_is_told(now: Standing) -> bool:
    """A night that never began, or never ended, tells nobody."""
    alarm = now.one("aws_cloudwatch_metric_alarm", "missing_success")
    return (
        alarm["metric_name"] == "ExecutionsSucceeded"
        and alarm["treat_missing_data"] == "breaching"
        and bool(alarm["alarm_actions"])
    )


def failures_are_told(now: Standing) -> bool:
    """A night that failed or ran out of time tells nobody."""
    alarms = now.of("aws_cloudwatch_metric_alarm").values()
    told = {alarm["metric_name"] for alarm in alarms if alarm["alarm_actions"]}
    return {"ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"} <= told


def logs_of_the_night_hold_no_arguments(now: Standing) -> bool:
    """The state machine's log quotes what its states hand on."""
    (logging,) = now.one("aws_sfn_state_machine")["logging_configuration"]
    return logging["include_execution_data"] is False


def queries_have_a_brake(now: Standing) -> bool:
    """Nothing ends a query that scans more than a day may cost."""
    quotas = {found["quota_id"] for found in now.of("google_cloud_quotas_quota_preference").values()}
    return {"QueryUsagePerDay", "QueryUsagePerUserPerDay"} <= quotas


INVARIANTS: Final[dict[str, Callable[[Standing], bool]]] = {
    name: found
    for name, found in list(globals().items())
    if callable(found) and getattr(found, "__annotations__", {}).get("now") == "Standing"
}


def broken(state: Mapping[str, Any]) -> dict[str, str]:
    """Returns the invariants that do not hold, each with what is lost; one that cannot be judged does not hold."""
    standing, found = Standing(state), {}
    for name, holds in INVARIANTS.items():
        try:
            kept = holds(standing)
        except (AttributeError, KeyError, ValueError, TypeError, IndexError):
            kept = False
        if not kept:
            found[name] = (holds.__doc__ or "").strip()
    return found
