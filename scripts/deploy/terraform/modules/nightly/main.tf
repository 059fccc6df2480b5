# The night: a schedule in Japan's time, the state machine, and who is told when a day is missing.

variable "name" { type = string }
variable "aws_account" { type = string }
variable "region" { type = string }
variable "job" { type = string }
variable "jobs" { type = list(string) }
variable "minutes" { type = number }
variable "alerts" { type = list(string) }
variable "key_arn" { type = string }
variable "reader" { type = string }
variable "schedule" {
  type = object({
    hour   = number
    minute = number
  })
}

locals {
  of_this_account = { StringEquals = { "aws:SourceAccount" = var.aws_account } }
  use_key         = { Effect = "Allow", Action = ["kms:Decrypt", "kms:GenerateDataKey"], Resource = var.key_arn }
}

# --- who is told ------------------------------------------------------------------------------------------------------

resource "aws_sns_topic" "alerts" {
  name              = "${var.name}-alerts"
  kms_master_key_id = var.key_arn
}

resource "aws_sns_topic_policy" "alerts" {
  arn = aws_sns_topic.alerts.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "AlarmsAndEventsOfThisAccount"
      Effect    = "Allow"
      Principal = { Service = ["cloudwatch.amazonaws.com", "events.amazonaws.com"] }
      Action    = "sns:Publish"
      Resource  = aws_sns_topic.alerts.arn
      Condition = local.of_this_account
    }]
  })
}

resource "aws_sns_topic_subscription" "mail" {
  for_each = toset(var.alerts)

  topic_arn = aws_sns_topic.alerts.arn
  protocol  = "email"
  endpoint  = each.value
}

# --- the state machine ------------------------------------------------------------------------------------------------

resource "aws_cloudwatch_log_group" "machine" {
  name              = "/aws/vendedlogs/states/${var.name}"
  retention_in_days = 400
  kms_key_id        = var.key_arn
}

resource "aws_iam_role" "machine" {
  name = "${var.name}-machine"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "states.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = local.of_this_account
    }]
  })
}

resource "aws_iam_role_policy" "machine" {
  name = "run-the-job-and-tell"
  role = aws_iam_role.machine.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["glue:StartJobRun", "glue:GetJobRun", "glue:GetJobRuns", "glue:BatchStopJobRun"]
        Resource = "arn:aws:glue:${var.region}:${var.aws_account}:job/${var.job}"
      },
      { Effect = "Allow", Action = "sns:Publish", Resource = aws_sns_topic.alerts.arn },
      local.use_key,
      {
        Sid    = "DeliveriesOfLogsHaveNoResources"
        Effect = "Allow"
        Action = [
          "logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery", "logs:DeleteLogDelivery",
          "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:DescribeResourcePolicies", "logs:DescribeLogGroups",
        ]
        Resource = "*"
      },
    ]
  })
}

resource "aws_sfn_state_machine" "nightly" {
  name     = "${var.name}-nightly"
  role_arn = aws_iam_role.machine.arn
  definition = templatefile("${path.module}/nightly.asl.json.tftpl", {
    job             = var.job
    topic           = aws_sns_topic.alerts.arn
    timeout_seconds = (var.minutes + 30) * 60
    night_seconds   = 23 * 3600 # it ends before the next one begins, whatever holds it up
    pause_seconds   = 900       # a killed run's leases last 180 s, a failover a few minutes
  })

  logging_configuration {
    level                  = "ERROR"
    include_execution_data = false # what a state hands on quotes the job's arguments
    log_destination        = "${aws_cloudwatch_log_group.machine.arn}:*"
  }
}

# --- the schedule -----------------------------------------------------------------------------------------------------

resource "aws_sqs_queue" "unstarted" {
  name              = "${var.name}-unstarted"
  kms_master_key_id = var.key_arn
}

resource "aws_iam_role" "scheduler" {
  name = "${var.name}-scheduler"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "scheduler.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = local.of_this_account
    }]
  })
}

resource "aws_iam_role_policy" "scheduler" {
  name = "start-the-night"
  role = aws_iam_role.scheduler.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = "states:StartExecution", Resource = aws_sfn_state_machine.nightly.arn },
      { Effect = "Allow", Action = "sqs:SendMessage", Resource = aws_sqs_queue.unstarted.arn },
      local.use_key,
    ]
  })
}

resource "aws_scheduler_schedule" "nightly" {
  name                         = "${var.name}-nightly"
  schedule_expression          = "cron(${var.schedule.minute} ${var.schedule.hour} * * ? *)"
  schedule_expression_timezone = "Asia/Tokyo"

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = aws_sfn_state_machine.nightly.arn
    role_arn = aws_iam_role.scheduler.arn
    # Written by hand: jsonencode would escape the brackets of the scheduler's own attribute.
    input = "{\"scheduled\":\"<aws.scheduler.scheduled-time>\"}"

    dead_letter_config {
      arn = aws_sqs_queue.unstarted.arn
    }
    retry_policy {
      maximum_retry_attempts       = 3
      maximum_event_age_in_seconds = 3600
    }
  }
}

# --- alarms -----------------------------------------------------------------------------------------------------------

locals {
  machine = { StateMachineArn = aws_sfn_state_machine.nightly.arn }
  alarms = {
    failed    = { namespace = "AWS/States", metric = "ExecutionsFailed", dimensions = local.machine }
    timed-out = { namespace = "AWS/States", metric = "ExecutionsTimedOut", dimensions = local.machine }
    aborted   = { namespace = "AWS/States", metric = "ExecutionsAborted", dimensions = local.machine }
    unstarted = { namespace = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", dimensions = { QueueName = aws_sqs_queue.unstarted.name } }
  }
}

resource "aws_cloudwatch_metric_alarm" "happened" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "A night of ${var.name} was not published: ${each.value.metric}."
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 300
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alerts.arn]
}

# Whatever keeps a night from succeeding, even that it never began, ends here.
resource "aws_cloudwatch_metric_alarm" "missing_success" {
  alarm_name          = "${var.name}-missing-success"
  alarm_description   = "No night of ${var.name} succeeded in 26 hours."
  namespace           = "AWS/States"
  metric_name         = "ExecutionsSucceeded"
  dimensions          = local.machine
  statistic           = "Sum"
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  period              = 3600
  evaluation_periods  = 26
  datapoints_to_alarm = 26
  treat_missing_data  = "breaching"
  alarm_actions       = [aws_sns_topic.alerts.arn]
  ok_actions          = [aws_sns_topic.alerts.arn]
}

resource "aws_cloudwatch_metric_alarm" "reader_full" {
  alarm_name          = "${var.name}-reader-full"
  alarm_description   = "The ETL reader is at the upper end of its range: raise it, or lower max_connections."
  namespace           = "AWS/RDS"
  metric_name         = "ACUUtilization"
  dimensions          = { DBInstanceIdentifier = var.reader }
  statistic           = "Average"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 95
  period              = 300
  evaluation_periods  = 6
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alerts.arn]
}

# Runs outside the machine: backfills and smoke runs. Of the daily job the machine tells; who starts it by hand looks.
resource "aws_cloudwatch_event_rule" "runs" {
  name        = "${var.name}-runs"
  description = "Runs that failed"
  event_pattern = jsonencode({
    source      = ["aws.glue"]
    detail-type = ["Glue Job State Change"]
    detail      = { jobName = [for one in var.jobs : one if one != var.job], state = ["FAILED", "TIMEOUT", "ERROR"] }
  })
}

resource "aws_cloudwatch_event_target" "runs" {
  rule = aws_cloudwatch_event_rule.runs.name
  arn  = aws_sns_topic.alerts.arn

  input_transformer {
    input_paths    = { job = "$.detail.jobName", run = "$.detail.jobRunId", state = "$.detail.state" }
    input_template = "\"<job> ended with <state>: run <run>. Its message stands in Glue.\""
  }
}

output "state_machine_arn" { value = aws_sfn_state_machine.nightly.arn }
