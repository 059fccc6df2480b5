"""Of the night: when it begins, who is told, and what its log holds."""

from __future__ import annotations

import json

from scripts.deploy.checks.invariants.standing import Standing


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
