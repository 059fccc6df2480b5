# The ETL reader beside a cluster that another stack owns: the cluster is read, never changed.

variable "name" { type = string }
variable "application_endpoint" { type = bool }
variable "key_arn" { type = string }
variable "cluster" {
  type = object({
    identifier      = string
    resource_id     = string
    min_acu         = number
    instance_class  = string
    may_be_promoted = bool
  })
}

data "aws_rds_cluster" "source" {
  cluster_identifier = var.cluster.identifier
}

locals {
  identifier = "${var.cluster.identifier}-${var.name}"
  others     = setsubtract(data.aws_rds_cluster.source.cluster_members, [local.identifier])
}

data "aws_db_instance" "others" {
  for_each               = local.others
  db_instance_identifier = each.value
}

resource "aws_rds_cluster_instance" "reader" {
  identifier                      = local.identifier
  cluster_identifier              = data.aws_rds_cluster.source.cluster_identifier
  engine                          = data.aws_rds_cluster.source.engine
  engine_version                  = data.aws_rds_cluster.source.engine_version
  instance_class                  = var.cluster.instance_class
  promotion_tier                  = 15 # the last to become the writer, and it scales by itself: tiers 0 and 1 follow the writer
  publicly_accessible             = false
  auto_minor_version_upgrade      = true
  performance_insights_enabled    = true
  performance_insights_kms_key_id = var.key_arn # it shows statements

  lifecycle {
    ignore_changes = [engine_version] # the cluster's stack upgrades

    precondition {
      condition     = startswith(data.aws_rds_cluster.source.engine, "aurora-")
      error_message = "reader-engine: the cluster is none of Aurora."
    }
    precondition {
      condition     = var.cluster.may_be_promoted || length(local.others) >= 2
      error_message = "reader-promotion: without another reader the ETL reader becomes the writer when the writer fails. Add a reader, or set may_be_promoted."
    }
    precondition {
      condition     = var.cluster.min_acu > 0 || alltrue([for one in data.aws_db_instance.others : one.db_instance_class != "db.serverless"])
      error_message = "reader-pause: the range counts for the whole cluster; min_acu 0 lets its other serverless instances fall asleep too, the writer among them."
    }
    precondition {
      condition     = data.aws_rds_cluster.source.iam_database_authentication_enabled
      error_message = "reader-iam: the cluster takes no IAM tokens; its stack must set iam_database_authentication_enabled."
    }
  }
}

resource "aws_rds_cluster_endpoint" "etl" {
  cluster_identifier          = data.aws_rds_cluster.source.cluster_identifier
  cluster_endpoint_identifier = "${local.identifier}-etl"
  custom_endpoint_type        = "READER" # ANY, the only type that the console makes, admits the writer
  static_members              = [aws_rds_cluster_instance.reader.identifier]

  # Whatever an input says: nothing else than the reader that was made here.
  lifecycle {
    postcondition {
      condition     = self.custom_endpoint_type == "READER"
      error_message = "endpoint-type: the ETL endpoint admits a writer."
    }
    postcondition {
      condition     = tolist(self.static_members) == tolist([aws_rds_cluster_instance.reader.identifier])
      error_message = "endpoint-members: the ETL endpoint leads to another instance than the ETL reader."
    }
  }
}

resource "aws_rds_cluster_endpoint" "applications" {
  count = var.application_endpoint ? 1 : 0

  cluster_identifier          = data.aws_rds_cluster.source.cluster_identifier
  cluster_endpoint_identifier = "${local.identifier}-apps"
  custom_endpoint_type        = "READER"
  excluded_members            = [aws_rds_cluster_instance.reader.identifier]
}

output "instance" { value = aws_rds_cluster_instance.reader.identifier }
output "endpoint" { value = aws_rds_cluster_endpoint.etl.endpoint }
output "port" { value = data.aws_rds_cluster.source.port }
output "application_endpoint" {
  value = one(aws_rds_cluster_endpoint.applications[*].endpoint)
}
