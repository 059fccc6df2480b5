variable "name" {
  description = "What everything is called."
  type        = string
  default     = "kagemusha"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,19}$", var.name))
    error_message = "The name has 3 to 20 small letters, digits and hyphens: bucket names and accounts are made from it."
  }
}

variable "aws_account" {
  description = "The account of the cluster. Another account's credentials are refused."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.aws_account))
    error_message = "An AWS account has twelve digits."
  }
}

variable "region" {
  description = "The region of the cluster."
  type        = string
  default     = "ap-northeast-1"
}

variable "cluster" {
  description = <<-EOT
    The Aurora cluster, which another stack owns. min_acu is its own Serverless v2 range's lower end: the range counts
    for every serverless instance of the cluster. may_be_promoted says that the ETL reader may become the writer when
    no other reader is there.
  EOT
  type = object({
    identifier      = string
    resource_id     = string
    min_acu         = number
    instance_class  = optional(string, "db.serverless")
    may_be_promoted = optional(bool, false)
  })
}

variable "database" {
  description = "The database, and the user that scripts/deploy/sql makes. `rds-iam` needs no password anywhere."
  type = object({
    name     = string
    user     = optional(string, "etl_reader")
    password = optional(string, "rds-iam")
  })

  validation {
    condition     = contains(["rds-iam", "secretsmanager"], var.database.password)
    error_message = "The password is rds-iam or secretsmanager."
  }
}

variable "application_endpoint" {
  description = "Whether applications get a custom endpoint that leaves the ETL reader out: the cluster's own reader endpoint cannot."
  type        = bool
  default     = true
}

variable "network" {
  description = "Where the job runs: one private subnet with a way to the database and, through NAT, to Google."
  type = object({
    vpc_id                     = string
    subnet_id                  = string
    availability_zone          = string
    route_table_ids            = list(string)
    database_security_group_id = string
    endpoints                  = optional(list(string), ["secretsmanager", "kms", "logs", "monitoring", "glue"])
  })
}

variable "package" {
  description = "What `make package` built; it writes this variable into dist/deploy/package.auto.tfvars.json."
  type = object({
    digest  = string
    commit  = string
    archive = string
  })

  validation {
    condition     = can(regex("^[0-9a-f]{64}$", var.package.digest))
    error_message = "The package's digest is a SHA-256."
  }
}

variable "job" {
  description = "How large the job is. Slices are cut for (workers - 1) x 4 slots; max_connections fits them."
  type = object({
    glue_version    = optional(string, "5.1")
    worker_type     = optional(string, "G.1X")
    workers         = optional(number, 4)
    minutes         = optional(number, 240)
    max_connections = optional(number, 13)
  })
  default = {}

  validation {
    condition     = contains(["5.1"], var.job.glue_version)
    error_message = "Only Glue 5.1 is tested: the package holds its Python and follows its libraries."
  }
  validation {
    condition     = (var.job.workers - 1) * 4 >= var.job.max_connections - 1
    error_message = "More connections than the executors have slots would only wait: lower max_connections or raise workers."
  }
}

variable "schedule" {
  description = "When the load starts, in Japan. The business day is the UTC date of the start, so it must lie before 09:00."
  type = object({
    hour   = optional(number, 2)
    minute = optional(number, 30)
  })
  default = {}

  validation {
    condition     = var.schedule.hour >= 0 && var.schedule.hour < 9 && var.schedule.minute >= 0 && var.schedule.minute < 60
    error_message = "The load starts between 00:00 and 08:59 in Japan: from 09:00 on, the UTC date is not yesterday's any more."
  }
}

variable "alerts" {
  description = "E-mail addresses that are told when a night failed. Each has to confirm once."
  type        = list(string)
}

variable "archive_years" {
  description = "How long run reports and evidence cannot be deleted or changed (S3 Object Lock, compliance mode); 0: no lock."
  type        = number
  default     = 0
}

variable "google" {
  description = <<-EOT
    The Google project, which exists. query_tib_day is the brake on cost: what all queries of the project together may
    scan a day. billing_account and budget_usd warn by mail. cmek encrypts tables and staged files under a key of yours.
  EOT
  type = object({
    project         = string
    location        = optional(string, "asia-northeast1")
    readers         = optional(list(string), [])
    query_tib_day   = optional(number, 1)
    user_tib_day    = optional(number, 0.25)
    quota_contact   = optional(string, "")
    billing_account = optional(string, "")
    budget_usd      = optional(number, 0)
    cmek            = optional(bool, false)
  })

  validation {
    condition     = alltrue([for one in var.google.readers : can(regex("^(user|group|serviceAccount|domain):[^:\\s]+$", one))])
    error_message = "Readers are spelled as IAM does: group:analysts@issuer.example."
  }
  validation {
    condition     = var.google.user_tib_day > 0 && var.google.user_tib_day <= var.google.query_tib_day
    error_message = "A user may scan something a day, and not more than all together: 0 < user_tib_day <= query_tib_day."
  }
  validation {
    condition     = var.google.billing_account == "" || var.google.budget_usd > 0
    error_message = "A billing account without budget_usd would warn of every cent."
  }
}
