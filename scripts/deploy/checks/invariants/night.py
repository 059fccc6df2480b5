"""Of the night: when it begins, who is told, and what its log holds."""

from __future__ import annotations

import json
from typing import Final

from scripts.deploy.checks.invariants.standing import Standing

_HOUR: Final = 3600
_DAY: Final = 24 * _HOUR


def the_night_is_japans(now: Standing) -> bool:
    """The load starts by another clock, at another time, or without the scheduled time that fixes the day."""
    schedule = now.one("aws_scheduler_schedule")
    return bool(
        schedule["schedule_expression_timezone"] == "Asia/Tokyo"
        and schedule["flexible_time_window"][0]["mode"] == "OFF"
        and json.loads(schedule["target"][0]["input"]) == {"scheduled": "<aws.scheduler.scheduled-time>"}
    )


def the_night_runs_the_daily_job(now: Standing) -> bool:
    """The schedule is off or starts another machine, the machine starts another job, or it tells another topic."""
    machine, topic = now.one("aws_sfn_state_machine"), now.one("aws_sns_topic")["arn"]
    schedule, states = now.one("aws_scheduler_schedule"), json.loads(machine["definition"])["States"]
    (target,) = schedule["target"]
    told = {state["Parameters"]["TopicArn"] for state in states.values() if "TopicArn" in state.get("Parameters", {})}
    return (
        (target["arn"], schedule["state"]) == (machine["arn"], None)  # which is ENABLED
        and target["dead_letter_config"][0]["arn"] == now.one("aws_sqs_queue")["arn"]
        and states["Load"]["Parameters"]["JobName"] == now.one("aws_glue_job", '["daily"]')["name"]
        and told == {topic}
    )


def a_missing_success_is_told(now: Standing) -> bool:
    """A night that never began, or never ended, tells nobody."""
    alarm = now.one("aws_cloudwatch_metric_alarm", "missing_success")
    return (
        (alarm["metric_name"], alarm["comparison_operator"]) == ("ExecutionsSucceeded", "LessThanThreshold")
        and alarm["threshold"] == 1
        and alarm["datapoints_to_alarm"] == alarm["evaluation_periods"]
        and _DAY <= alarm["period"] * alarm["evaluation_periods"] <= _DAY + 4 * _HOUR
        and alarm["treat_missing_data"] == "breaching"
        and alarm["dimensions"] == {"StateMachineArn": now.one("aws_sfn_state_machine")["arn"]}
    )


def failures_are_told(now: Standing) -> bool:
    """A night that failed, ran out of time or never began tells nobody."""
    of_machine = {"StateMachineArn": now.one("aws_sfn_state_machine")["arn"]}
    of_queue = {"QueueName": now.one("aws_sqs_queue")["name"]}
    told = {
        alarm["metric_name"]: alarm["dimensions"]
        for alarm in now.of("aws_cloudwatch_metric_alarm").values()
        if (alarm["comparison_operator"], alarm["threshold"]) == ("GreaterThanThreshold", 0)
    }
    ends = ("ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted")
    return {**told, **dict.fromkeys(ends, of_machine), "ApproximateNumberOfMessagesVisible": of_queue} == told


def alarms_reach_people(now: Standing) -> bool:
    """An alarm is switched off, or goes where nobody listens."""
    topic = now.one("aws_sns_topic")["arn"]
    alarms = now.of("aws_cloudwatch_metric_alarm").values()
    subscribed = now.of("aws_sns_topic_subscription").values()
    heard = {found["topic_arn"] for found in subscribed if found["protocol"] == "email"}
    (target,) = now.of("aws_cloudwatch_event_target").values()
    return {topic} == heard == {target["arn"]} and all(
        alarm["alarm_actions"] == [topic] and alarm["actions_enabled"] is not False for alarm in alarms
    )


def logs_of_the_night_hold_no_arguments(now: Standing) -> bool:
    """The state machine's log quotes what its states hand on."""
    (logging,) = now.one("aws_sfn_state_machine")["logging_configuration"]
    return logging["include_execution_data"] is False
