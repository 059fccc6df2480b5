# Google's side: who may log in (one AWS role, without a key), what it may do, and what queries may cost.
#
# Datasets, their access and the bucket's lifecycle are made by `kagemusha prepare`; what has two owners has none.

variable "name" { type = string }
variable "aws_account" { type = string }
variable "aws_role" { type = string }
variable "google" {
  type = object({
    project         = string
    location        = string
    readers         = list(string)
    query_tib_day   = number
    user_tib_day    = number
    quota_contact   = string
    billing_account = string
    budget_usd      = number
    cmek            = bool
  })
}

locals {
  services = [
    "bigquery.googleapis.com", "storage.googleapis.com", "iam.googleapis.com", "iamcredentials.googleapis.com",
    "sts.googleapis.com", "cloudkms.googleapis.com", "cloudquotas.googleapis.com", "billingbudgets.googleapis.com",
  ]
  # What AWS calls an assumed role, as Google sees it: without the session's name.
  assumed_role = "arn:aws:sts::${var.aws_account}:assumed-role/${var.aws_role}"
}

data "google_project" "project" {
  project_id = var.google.project
}

resource "google_project_service" "service" {
  for_each = toset(local.services)

  service            = each.value
  disable_on_destroy = false
}

# --- who may log in ---------------------------------------------------------------------------------------------------

resource "google_iam_workload_identity_pool" "aws" {
  workload_identity_pool_id = "${var.name}-aws"
  display_name              = "Jobs in AWS"

  depends_on = [google_project_service.service]
}

resource "google_iam_workload_identity_pool_provider" "glue" {
  workload_identity_pool_id          = google_iam_workload_identity_pool.aws.workload_identity_pool_id
  workload_identity_pool_provider_id = "glue"
  # Without a condition every principal of the AWS account would get a token.
  attribute_condition = "attribute.aws_role == \"${local.assumed_role}\""
  attribute_mapping = {
    "google.subject"     = "assertion.arn"
    "attribute.aws_role" = "assertion.arn.contains('assumed-role') ? assertion.arn.extract('{account_arn}assumed-role/') + 'assumed-role/' + assertion.arn.extract('assumed-role/{role_name}/') : assertion.arn"
  }

  aws {
    account_id = var.aws_account
  }
}

resource "google_service_account" "loader" {
  account_id   = "${var.name}-loader"
  display_name = "Loads masked tables"

  depends_on = [google_project_service.service]
}

resource "google_service_account_iam_member" "federated" {
  service_account_id = google_service_account.loader.name
  role               = "roles/iam.workloadIdentityUser"
  member             = "principalSet://iam.googleapis.com/projects/${data.google_project.project.number}/locations/global/workloadIdentityPools/${google_iam_workload_identity_pool.aws.workload_identity_pool_id}/attribute.aws_role/${local.assumed_role}"
}

# --- what the loader may do -------------------------------------------------------------------------------------------

resource "google_project_iam_custom_role" "loader" {
  role_id     = "${replace(var.name, "-", "_")}_loader"
  title       = "Runs BigQuery jobs and makes datasets, which it then owns"
  permissions = ["bigquery.jobs.create", "bigquery.datasets.create", "bigquery.datasets.get"]

  depends_on = [google_project_service.service]
}

resource "google_project_iam_member" "loader" {
  project = var.google.project
  role    = google_project_iam_custom_role.loader.name
  member  = "serviceAccount:${google_service_account.loader.email}"
}

resource "google_storage_bucket" "stage" {
  name                        = "${var.google.project}-${var.name}-stage"
  location                    = upper(var.google.location)
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  soft_delete_policy {
    retention_duration_seconds = 0 # what is deleted is gone: staged rows are no backup
  }

  dynamic "encryption" {
    for_each = google_kms_crypto_key.tables
    content {
      default_kms_key_name = encryption.value.id
    }
  }

  lifecycle {
    ignore_changes = [lifecycle_rule] # `kagemusha prepare` owns the rule for old staged files
  }

  depends_on = [google_project_service.service, google_kms_crypto_key_iam_member.agents]
}

resource "google_project_iam_custom_role" "bucket" {
  role_id     = "${replace(var.name, "-", "_")}_bucket"
  title       = "Sets the staging bucket's rule for old files"
  permissions = ["storage.buckets.get", "storage.buckets.update"]

  depends_on = [google_project_service.service]
}

resource "google_storage_bucket_iam_member" "loader" {
  for_each = { objects = "roles/storage.objectAdmin", rules = google_project_iam_custom_role.bucket.name }

  bucket = google_storage_bucket.stage.name
  role   = each.value
  member = "serviceAccount:${google_service_account.loader.email}"
}

# --- who reads --------------------------------------------------------------------------------------------------------

resource "google_service_account" "looker" {
  account_id   = "${var.name}-looker"
  display_name = "Looker Studio reads the views as this account"

  depends_on = [google_project_service.service]
}

resource "google_project_iam_member" "looker" {
  project = var.google.project
  role    = "roles/bigquery.jobUser"
  member  = "serviceAccount:${google_service_account.looker.email}"
}

resource "google_project_iam_audit_config" "reads" {
  for_each = toset(["storage.googleapis.com", "iamcredentials.googleapis.com"]) # BigQuery's own are always on

  project = var.google.project
  service = each.value
  audit_log_config { log_type = "DATA_READ" }
  audit_log_config { log_type = "DATA_WRITE" }

  depends_on = [google_project_service.service]
}

# --- a key of one's own -----------------------------------------------------------------------------------------------

data "google_bigquery_default_service_account" "agent" {
  depends_on = [google_project_service.service]
}

data "google_storage_project_service_account" "agent" {
  depends_on = [google_project_service.service]
}

resource "google_kms_key_ring" "tables" {
  count = var.google.cmek ? 1 : 0

  name     = var.name
  location = var.google.location

  depends_on = [google_project_service.service]
}

resource "google_kms_crypto_key" "tables" {
  count = var.google.cmek ? 1 : 0

  name            = "tables"
  key_ring        = google_kms_key_ring.tables[0].id
  rotation_period = "7776000s" # 90 days

  lifecycle {
    prevent_destroy = true
  }
}

resource "google_kms_crypto_key_iam_member" "agents" {
  for_each = var.google.cmek ? {
    bigquery = "serviceAccount:${data.google_bigquery_default_service_account.agent.email}"
    storage  = "serviceAccount:${data.google_storage_project_service_account.agent.email_address}"
  } : {}

  crypto_key_id = google_kms_crypto_key.tables[0].id
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = each.value
}

# --- what queries may cost --------------------------------------------------------------------------------------------

resource "google_cloud_quotas_quota_preference" "queries" {
  for_each = { QueryUsagePerDay = var.google.query_tib_day, QueryUsagePerUserPerDay = var.google.user_tib_day }

  parent        = "projects/${var.google.project}"
  name          = "${var.name}-${lower(each.key)}"
  service       = "bigquery.googleapis.com"
  quota_id      = each.key
  contact_email = var.google.quota_contact == "" ? null : var.google.quota_contact
  # Lowering a quota by more than a tenth, or below what is used, has to be meant.
  ignore_safety_checks = "QUOTA_DECREASE_PERCENTAGE_TOO_HIGH"

  quota_config {
    preferred_value = tostring(floor(each.value * 1024 * 1024)) # MiB
  }

  depends_on = [google_project_service.service]
}

resource "google_billing_budget" "month" {
  count = var.google.billing_account == "" ? 0 : 1

  billing_account = var.google.billing_account
  display_name    = "${var.name}: a month"

  budget_filter {
    projects = ["projects/${data.google_project.project.number}"]
  }
  amount {
    specified_amount {
      currency_code = "USD"
      units         = tostring(var.google.budget_usd)
    }
  }
  dynamic "threshold_rules" {
    for_each = [0.5, 0.9, 1.0]
    content {
      threshold_percent = threshold_rules.value
    }
  }

  depends_on = [google_project_service.service]
}

output "audience" {
  value = "//iam.googleapis.com/projects/${data.google_project.project.number}/locations/global/workloadIdentityPools/${google_iam_workload_identity_pool.aws.workload_identity_pool_id}/providers/${google_iam_workload_identity_pool_provider.glue.workload_identity_pool_provider_id}"
}
output "bucket" { value = google_storage_bucket.stage.name }
output "kms_key" { value = var.google.cmek ? google_kms_crypto_key.tables[0].id : "" }
output "loader_email" { value = google_service_account.loader.email }
output "looker_email" { value = google_service_account.looker.email }
