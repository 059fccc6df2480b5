"""Of the jobs under Glue: how they run, and what whoever starts one may change."""

from __future__ import annotations

from typing import Final

from scripts.deploy.checks.invariants.standing import Standing

_FIXED: Final = frozenset({"--python-virtual-env", "--settings"})
_ARGUMENTS: Final = _FIXED | {
    "--contracts",
    "--archive",
    "--enable-spark-ui",
    "--enable-job-insights",
    "--enable-auto-scaling",
    "--job-bookmark-option",
}


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
    return all(set(job["non_overridable_arguments"]) >= _FIXED for job in now.of("aws_glue_job").values())


def a_run_cannot_bring_masking_rules(now: Standing) -> bool:
    """Whoever may start a job could mask by contracts of their own, or by none."""
    jobs = [job for address, job in now.of("aws_glue_job").items() if not address.endswith('["smoke"]')]
    return len(jobs) == 2 and all(job["non_overridable_arguments"].get("--contracts") == "bundled" for job in jobs)  # noqa: PLR2004


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


def jobs_have_the_arguments_that_were_thought_of(now: Standing) -> bool:
    """An argument brings libraries, settings of Spark or places for temporary files that nobody looked at."""
    return all(
        not job["default_arguments"] and set(job["non_overridable_arguments"]) <= _ARGUMENTS
        for job in now.of("aws_glue_job").values()
    )


def jobs_run_the_package(now: Standing) -> bool:
    """A job runs a script or an environment from elsewhere, outside the network, or leaves its evidence elsewhere."""
    code, kept = (now.one("aws_s3_bucket", f'["{name}"]')["bucket"] for name in ("code", "archive"))
    return all(
        job["command"][0]["script_location"].startswith(f"s3://{code}/packages/")
        and job["non_overridable_arguments"]["--python-virtual-env"].startswith(f"s3://{code}/packages/")
        and job["non_overridable_arguments"]["--settings"].startswith(f"s3://{code}/")
        and job["non_overridable_arguments"].get("--archive") in {None, f"s3://{kept}/runs"}
        and job["connections"] == [now.one("aws_glue_connection")["name"]]
        for job in now.of("aws_glue_job").values()
    )
