"""Of Google: who logs in, what the loader may do, and what ends a costly query."""

from __future__ import annotations

import re
from typing import Final

from scripts.deploy.checks.invariants.standing import Standing

AUDIENCE: Final = re.compile(
    r"^//iam\.googleapis\.com/projects/\d+/locations/global/workloadIdentityPools/[^/]+/providers/[^/]+$"
)
_PROJECT_ROLES: Final = re.compile(r"^(roles/bigquery\.jobUser|projects/.+/roles/.+|[a-z0-9]+)$")


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


def the_loader_owns_only_what_it_makes(now: Standing) -> bool:
    """An account has a role over the whole Google project, and with it over data of others."""
    return all(_PROJECT_ROLES.match(found["role"]) for found in now.of("google_project_iam_member").values())


def queries_have_a_brake(now: Standing) -> bool:
    """Nothing ends a query that scans more than a day may cost."""
    quotas = {found["quota_id"] for found in now.of("google_cloud_quotas_quota_preference").values()}
    return {"QueryUsagePerDay", "QueryUsagePerUserPerDay"} <= quotas
