"""Executes the nightly state machine: its language is interpreted by moto, and runs of Glue end as they are told."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

import boto3
import moto.glue.models as glue
import moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_glue as glue_task
from moto import mock_aws
from moto.moto_api import state_manager

from tests.scripts.deploy.conftest import DEPLOY

REGION, ACCOUNT = "ap-northeast-1", "123456789012"
JOB = "kagemusha-daily"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:kagemusha-alerts"
ASL = DEPLOY / "terraform/modules/nightly/nightly.asl.json.tftpl"


@dataclass(frozen=True)
class Night:
    """How a night went.

    Attributes:
        status: of the execution.
        days: the `--day` of each run of the job.
        resumed: the `--resume` of each run of the job.
        told: subjects and messages that went to the topic.
    """

    status: str
    days: tuple[str, ...]
    resumed: tuple[str, ...]
    told: tuple[tuple[str, str], ...]


def definition(pause_seconds: int = 0) -> str:
    """Returns the state machine as Terraform renders it."""
    values = {
        "job": JOB,
        "topic": TOPIC,
        "timeout_seconds": "16200",
        "night_seconds": "82800",
        "pause_seconds": str(pause_seconds),
    }
    return re.sub(r"\$\{(\w+)\}", lambda found: values[found[1]], ASL.read_text(encoding="utf-8"))


def night(endings: Sequence[str | None], scheduled: str = "2026-11-27T17:30:00Z") -> Night:
    """Runs one night; each run of the job ends with Glue's error message, or well (None)."""
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}), _runs_that_end(list(endings)):
        state_manager.set_transition("glue::job_run", {"progression": "immediate"})
        return _executed(scheduled)


def _executed(scheduled: str) -> Night:
    role = f"arn:aws:iam::{ACCOUNT}:role/kagemusha"
    jobs = boto3.client("glue", region_name=REGION)
    jobs.create_job(Name=JOB, Role=role, Command={"Name": "glueetl"}, ExecutionProperty={"MaxConcurrentRuns": 1})
    boto3.client("sns", region_name=REGION).create_topic(Name="kagemusha-alerts")
    machines = boto3.client("stepfunctions", region_name=REGION)
    machine = machines.create_state_machine(name="nightly", definition=definition(), roleArn=role)
    started = machines.start_execution(
        stateMachineArn=machine["stateMachineArn"], input=json.dumps({"scheduled": scheduled})
    )["executionArn"]
    deadline = time.monotonic() + 60
    while (status := machines.describe_execution(executionArn=started)["status"]) == "RUNNING":
        assert time.monotonic() < deadline, machines.get_execution_history(executionArn=started)["events"][-3:]
        time.sleep(0.05)
    runs = sorted(jobs.get_job_runs(JobName=JOB)["JobRuns"], key=lambda run: run["StartedOn"])
    return Night(
        status,
        tuple(run["Arguments"]["--day"] for run in runs),
        tuple(run["Arguments"]["--resume"] for run in runs),
        _told(),
    )


def _told() -> tuple[tuple[str, str], ...]:
    from moto.sns.models import sns_backends  # noqa: PLC0415  the account's backend is there only inside the mock

    (topic,) = sns_backends[ACCOUNT][REGION].topics.values()
    return tuple((subject, message) for _, message, subject, *_ in topic.sent_notifications)


@contextmanager
def _runs_that_end(endings: list[str | None]) -> Iterator[None]:
    """Teaches moto 5.2.5 to fail a run of Glue with a message, and mends two of its faults.

    A failing task with `.sync` asks a callback endpoint of None to stop, and a run's times reach the output, which is
    then no JSON.
    """
    initialize, describe = glue.FakeJobRun.__init__, glue.FakeJobRun.as_dict
    client_of = glue_task.StateTaskServiceGlue._get_glue_client

    def begin(run: Any, *given: Any, **named: Any) -> None:
        initialize(run, *given, **named)
        run.ending = endings.pop(0)
        run._transitions = [("STARTING", "RUNNING"), ("RUNNING", "FAILED" if run.ending else "SUCCEEDED")]

    def told(run: Any) -> Mapping[str, Any]:
        described = describe(run)
        return {**described, "ErrorMessage": run.ending} if run.ending else described

    def with_plain_times(*given: Any, **named: Any) -> Any:
        client = client_of(*given, **named)
        ask = client.get_job_run
        client.get_job_run = lambda **request: json.loads(json.dumps(ask(**request), default=str))
        return client

    def evaluate(task: Any, env: Any, resource_runtime_part: Any, normalised_parameters: Any, **named: Any) -> None:
        answer = env.stack.pop()
        task.timeout.eval(env=env)
        timeout = env.stack.pop()
        env.stack.append(answer)
        resolver = task._build_sync_resolver(
            env=env,
            resource_runtime_part=resource_runtime_part,
            normalised_parameters=normalised_parameters,
            **named,
        )
        outcome = task._eval_sync(
            env=env, timeout_seconds=timeout, callback_endpoint=None, heartbeat_endpoint=None, sync_resolver=resolver
        )
        env.stack.append(outcome)

    with (
        mock.patch.object(glue.FakeJobRun, "__init__", begin),
        mock.patch.object(glue.FakeJobRun, "as_dict", told),
        mock.patch.object(glue_task.StateTaskServiceGlue, "_get_glue_client", staticmethod(with_plain_times)),
        mock.patch.object(glue_task.StateTaskServiceGlue, "_eval_integration_pattern", evaluate),
    ):
        yield
