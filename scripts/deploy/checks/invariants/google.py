"""Of Google: who logs in, what the loader may do, and what ends a costly query."""

from __future__ import annotations

import re
from typing import Final

from scripts.deploy.checks.invariants.standing import Standing

AUDIENCE: Final = re.compile(
    r"^//iam\.googleapis\.com/projects/\d+/locations/global/workloadIdentityPools/[^/]+/providers/[^/]+$"
)
_MAPPING: Final = {
    "google.subject": "assertion.arn",
    "attribute.aws_role": "assertion.arn.contains('assumed-role') ? assertion.arn.extract('{account_arn}assumed-role/')"
    " + 'assumed-role/' + assertion.arn.extract('assumed-role/{role_name}/') : assertion.arn",
}
"""Source: Google Cloud, "Configure Workload Identity Federation with AWS": the session's name is cut off."""
_PERMISSIONS: Final = frozenset({
    "bigquery.jobs.create", "bigquery.datasets.create", "bigquery.datasets.get",
    "storage.buckets.get", "storage.buckets.update",
})  # fmt: skip
_SERVICES: Final = frozenset(
    f"{name}.googleapis.com"
    for name in ("bigquery", "storage", "iam", "iamcredentials", "sts", "cloudkms", "cloudquotas", "billingbudgets")
)
_PROJECT_ROLES: Final = re.compile(r"^(roles/bigquery\.jobUser|projects/.+/roles/.+|[a-z0-9]+)$")


def only_the_job_logs_in(now: Standing) -> bool:
    """Another role of the AWS account, or all of it, gets a token of Google."""
    role = now.one("aws_iam_role", "glue.aws_iam_role.job")
    condition = now.one("google_iam_workload_identity_pool_provider")["attribute_condition"]
    expected = rf'^attribute\.aws_role == "arn:aws:sts::\d{{12}}:assumed-role/{role["name"]}"$'
    jobs = now.of("aws_glue_job").values()
    return bool(re.match(expected, condition or "")) and all(job["role_arn"] == role["arn"] for job in jobs)


def the_role_is_read_from_the_callers_name(now: Standing) -> bool:
    """The role that the condition compares is not the caller's own, or other accounts and issuers log in too."""
    provider, account = now.one("google_iam_workload_identity_pool_provider"), now.account
    return (
        provider["attribute_mapping"] == _MAPPING
        and provider["aws"] == [{"account_id": account}]
        and f"::{account}:" in provider["attribute_condition"]
        and not any(provider[name] for name in ("oidc", "saml", "x509"))
    )


def only_the_job_acts_as_the_loader(now: Standing) -> bool:
    """Another identity of the pool may act as the loader."""
    condition = now.one("google_iam_workload_identity_pool_provider")["attribute_condition"] or ""
    (grant,) = now.of("google_service_account_iam_member").values()
    return (
        grant["role"] == "roles/iam.workloadIdentityUser"
        and bool(condition)
        and grant["member"].endswith(f"/attribute.aws_role/{condition.split(chr(34))[1]}")
    )


def audience_has_the_projects_number(now: Standing) -> bool:
    """The settings name a provider that Google does not know by that name."""
    return bool(AUDIENCE.match(now.settings["google"]["audience"]))


def the_loader_owns_only_what_it_makes(now: Standing) -> bool:
    """An account has a role over the whole Google project, and with it over data of others."""
    return all(_PROJECT_ROLES.match(found["role"]) for found in now.of("google_project_iam_member").values())


def roles_of_our_own_hold_no_data(now: Standing) -> bool:
    """A role that this root defines may do more than run jobs, make datasets and set the bucket's rule."""
    roles = now.of("google_project_iam_custom_role").values()
    return all(set(role["permissions"]) <= _PERMISSIONS for role in roles)


def staged_rows_are_the_loaders(now: Standing) -> bool:
    """Somebody else than the loader reads or writes staged rows, or may do more than objects need."""
    loader = f"serviceAccount:{now.one('google_service_account', '.loader')['email']}"
    grants = now.of("google_storage_bucket_iam_member").values()
    own = {role["name"] for role in now.of("google_project_iam_custom_role").values()}
    return bool(grants) and all(
        one["member"] == loader and one["role"] in {"roles/storage.objectAdmin", *own} for one in grants
    )


def services_are_on_before_they_are_used(now: Standing) -> bool:
    """In a new project something is made by a service that is still off."""
    on = {found["service"] for found in now.of("google_project_service").values()}
    return on >= _SERVICES and not now.early("google_", "module.google.google_project_service.service")


def reads_at_google_are_logged(now: Standing) -> bool:
    """Nobody can say later who read staged rows, or who acted as the loader."""
    logged = {found["service"]: found for found in now.of("google_project_iam_audit_config").values()}
    return {"storage.googleapis.com", "iamcredentials.googleapis.com"} <= set(logged) and all(
        {one["log_type"] for one in found["audit_log_config"]} >= {"DATA_READ", "DATA_WRITE"}
        and not any(one["exempted_members"] for one in found["audit_log_config"])
        for found in logged.values()
    )


def a_budget_warns(now: Standing) -> bool:
    """Nobody hears of a month that costs more than it should until the bill comes."""
    budget = now.one("google_billing_budget")
    amount = int(budget["amount"][0]["specified_amount"][0]["units"])
    return amount > 0 and bool(budget["budget_filter"][0]["projects"]) and len(budget["threshold_rules"]) > 1


def queries_have_a_brake(now: Standing) -> bool:
    """Nothing ends a query that scans more than a day may cost."""
    quotas = {
        found["quota_id"]: int(found["quota_config"][0]["preferred_value"])
        for found in now.of("google_cloud_quotas_quota_preference").values()
    }
    return 0 < quotas["QueryUsagePerUserPerDay"] <= quotas["QueryUsagePerDay"]


def googles_key_is_for_its_agents(now: Standing) -> bool:
    """Somebody else than BigQuery's and Storage's own agents may use the key, or staged rows are under another."""
    key = now.one("google_kms_crypto_key")
    agents = {
        f"serviceAccount:{now.data('google_bigquery_default_service_account')['email']}",
        f"serviceAccount:{now.data('google_storage_project_service_account')['email_address']}",
    }
    grants = now.of("google_kms_crypto_key_iam_member").values()
    return (
        {one["member"] for one in grants} == agents
        and {one["role"] for one in grants} == {"roles/cloudkms.cryptoKeyEncrypterDecrypter"}
        and bool(key["rotation_period"])
        and now.one("google_storage_bucket")["encryption"][0]["default_kms_key_name"] == key["id"]
    )


def analysts_are_named(now: Standing) -> bool:
    """Everybody with an account of Google, or everybody, may read the views."""
    readers = now.settings["bigquery"]["access"]["looker"]["readers"]
    return bool(readers) and all(":" in one for one in readers)
