# The jobs, the role that they run as, and the network that they run in.

variable "name" { type = string }
variable "aws_account" { type = string }
variable "region" { type = string }
variable "database_port" { type = number }
variable "cluster_resource_id" { type = string }
variable "database_user" { type = string }
variable "settings" { type = string }
variable "code_bucket" { type = string }
variable "archive_bucket" { type = string }
variable "data_key_arn" { type = string }
variable "keyring_key_arn" { type = string }
variable "secret_arns" { type = list(string) }
variable "network" {
  type = object({
    vpc_id                     = string
    subnet_id                  = string
    availability_zone          = string
    route_table_ids            = list(string)
    database_security_group_id = string
    endpoints                  = list(string)
  })
}
variable "job" {
  type = object({
    glue_version    = string
    worker_type     = string
    workers         = number
    minutes         = number
    max_connections = number
  })
}
variable "package" {
  type = object({
    digest  = string
    commit  = string
    archive = string
  })
}

locals {
  package = "s3://${var.code_bucket}/packages/${var.package.digest}"

  # The smoke job needs one executor; the others what the variable says.
  jobs = {
    daily    = { script = "daily_load.py", workers = var.job.workers, minutes = var.job.minutes }
    backfill = { script = "backfill.py", workers = var.job.workers, minutes = 24 * 60 }
    smoke    = { script = "smoke.py", workers = 2, minutes = 15 }
  }
}

# --- the role ---------------------------------------------------------------------------------------------------------

resource "aws_iam_role" "job" {
  name = "${var.name}-job"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "glue.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = var.aws_account } }
    }]
  })
}

# What our own code calls; `make deploy-check` compares it with the calls in the code.
resource "aws_iam_role_policy" "job" {
  name = "what-the-code-calls"
  role = aws_iam_role.job.name
  policy = templatefile("${path.module}/job_policy.json.tftpl", {
    keyring_key_arn = var.keyring_key_arn
    secret_arns     = var.secret_arns
    database_user   = "arn:aws:rds-db:${var.region}:${var.aws_account}:dbuser:${var.cluster_resource_id}/${var.database_user}"
    settings        = "arn:aws:s3:::${var.code_bucket}/settings.toml"
    archive         = "arn:aws:s3:::${var.archive_bucket}/runs/*"
  })
}

# What Glue itself does in the role's name: fetch the package, write logs, join the subnet.
resource "aws_iam_role_policy" "runtime" {
  name = "what-glue-does"
  role = aws_iam_role.job.name
  policy = templatefile("${path.module}/runtime_policy.json.tftpl", {
    region         = var.region
    aws_account    = var.aws_account
    code_bucket    = var.code_bucket
    data_key_arn   = var.data_key_arn
    connection     = var.name
    subnet_id      = var.network.subnet_id
    security_group = aws_security_group.job.id
  })
}

# --- the network ------------------------------------------------------------------------------------------------------

resource "aws_security_group" "job" {
  name        = "${var.name}-job"
  description = "Driver and executors of the jobs"
  vpc_id      = var.network.vpc_id
}

# Glue demands that its workers reach each other on every port.
resource "aws_vpc_security_group_ingress_rule" "workers" {
  security_group_id            = aws_security_group.job.id
  description                  = "Workers among themselves"
  referenced_security_group_id = aws_security_group.job.id
  ip_protocol                  = "tcp"
  from_port                    = 0
  to_port                      = 65535
}

resource "aws_vpc_security_group_egress_rule" "workers" {
  security_group_id            = aws_security_group.job.id
  description                  = "Workers among themselves"
  referenced_security_group_id = aws_security_group.job.id
  ip_protocol                  = "tcp"
  from_port                    = 0
  to_port                      = 65535
}

resource "aws_vpc_security_group_egress_rule" "database" {
  security_group_id            = aws_security_group.job.id
  description                  = "The ETL endpoint"
  referenced_security_group_id = var.network.database_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = var.database_port
  to_port                      = var.database_port
}

resource "aws_vpc_security_group_egress_rule" "https" {
  security_group_id = aws_security_group.job.id
  description       = "Google and AWS; a DNS firewall narrows it to names"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_ingress_rule" "database" {
  security_group_id            = var.network.database_security_group_id
  description                  = "The jobs of ${var.name}"
  referenced_security_group_id = aws_security_group.job.id
  ip_protocol                  = "tcp"
  from_port                    = var.database_port
  to_port                      = var.database_port
}

resource "aws_security_group" "endpoints" {
  name        = "${var.name}-endpoints"
  description = "Private ways to AWS"
  vpc_id      = var.network.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "endpoints" {
  security_group_id            = aws_security_group.endpoints.id
  description                  = "The jobs"
  referenced_security_group_id = aws_security_group.job.id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

resource "aws_vpc_endpoint" "s3" {
  vpc_id            = var.network.vpc_id
  service_name      = "com.amazonaws.${var.region}.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = var.network.route_table_ids
}

resource "aws_vpc_endpoint" "interface" {
  for_each = toset(var.network.endpoints)

  vpc_id              = var.network.vpc_id
  service_name        = "com.amazonaws.${var.region}.${each.value}"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  subnet_ids          = [var.network.subnet_id]
  security_group_ids  = [aws_security_group.endpoints.id]
}

resource "aws_glue_connection" "network" {
  name            = var.name
  connection_type = "NETWORK"

  physical_connection_requirements {
    availability_zone      = var.network.availability_zone
    subnet_id              = var.network.subnet_id
    security_group_id_list = [aws_security_group.job.id]
  }
}

# --- the jobs ---------------------------------------------------------------------------------------------------------

resource "aws_s3_object" "settings" {
  bucket       = var.code_bucket
  key          = "settings.toml"
  content      = var.settings
  content_type = "application/toml"
}

resource "aws_glue_security_configuration" "job" {
  name = var.name

  encryption_configuration {
    cloudwatch_encryption {
      cloudwatch_encryption_mode = "SSE-KMS"
      kms_key_arn                = var.data_key_arn
    }
    job_bookmarks_encryption {
      job_bookmarks_encryption_mode = "DISABLED" # there are none
    }
    s3_encryption {
      s3_encryption_mode = "SSE-KMS"
      kms_key_arn        = var.data_key_arn
    }
  }
}

resource "aws_glue_job" "job" {
  for_each = local.jobs

  name                    = "${var.name}-${each.key}"
  description             = "Commit ${var.package.commit}, package ${substr(var.package.digest, 0, 12)}"
  role_arn                = aws_iam_role.job.arn
  glue_version            = var.job.glue_version
  worker_type             = var.job.worker_type
  number_of_workers       = each.value.workers
  timeout                 = each.value.minutes
  max_retries             = 0 # Glue cannot tell what another try may cure; the state machine can
  execution_class         = "STANDARD"
  job_run_queuing_enabled = false
  security_configuration  = aws_glue_security_configuration.job.name
  connections             = [aws_glue_connection.network.name]

  command {
    name            = "glueetl"
    python_version  = "3"
    script_location = "${local.package}/${each.value.script}"
  }

  execution_property {
    max_concurrent_runs = 1
  }

  # What starts a run can name a day, not swap the code, the settings or the masking rules.
  non_overridable_arguments = merge({
    "--python-virtual-env"  = "${local.package}/${var.package.archive}"
    "--settings"            = "s3://${var.code_bucket}/${aws_s3_object.settings.key}"
    "--enable-spark-ui"     = "false" # event logs hold SQL and connection options
    "--enable-job-insights" = "false" # it copies exceptions elsewhere
    "--job-bookmark-option" = "job-bookmark-disable"
    "--enable-auto-scaling" = "false" # slices are cut for the executors that are there
    }, each.key == "smoke" ? {} : { "--contracts" = "bundled" },
    each.key == "daily" ? { "--archive" = "s3://${var.archive_bucket}/runs" } : {},
  )

  lifecycle {
    precondition {
      condition     = var.job.workers >= 2
      error_message = "job-workers: a job needs a driver and at least one executor."
    }
  }
}

output "role" { value = aws_iam_role.job.name }
output "daily_job" { value = aws_glue_job.job["daily"].name }
output "jobs" { value = [for one in aws_glue_job.job : one.name] }
