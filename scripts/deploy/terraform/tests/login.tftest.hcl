# Who may log in to Google.

mock_provider "google" {
  source = "./tests/mocks"
}

variables {
  name        = "kagemusha"
  aws_account = "123456789012"
  aws_role    = "kagemusha-job"
  google = {
    project         = "issuer-analytics"
    location        = "asia-northeast1"
    readers         = []
    query_tib_day   = 1
    user_tib_day    = 0.25
    quota_contact   = ""
    billing_account = ""
    budget_usd      = 0
    cmek            = true
  }
}

run "login" {
  command = apply
  module { source = "./modules/google" }

  assert {
    condition     = google_iam_workload_identity_pool_provider.glue.attribute_condition == "attribute.aws_role == \"arn:aws:sts::123456789012:assumed-role/kagemusha-job\""
    error_message = "login-condition: others than the job's role may log in."
  }
  assert {
    condition     = endswith(google_service_account_iam_member.federated.member, "/attribute.aws_role/arn:aws:sts::123456789012:assumed-role/kagemusha-job")
    error_message = "login-grant: others than the job's role may act as the loader."
  }
  assert {
    condition     = google_storage_bucket.stage.public_access_prevention == "enforced" && google_storage_bucket.stage.uniform_bucket_level_access
    error_message = "stage-private: the staging bucket could be opened to the public."
  }
  assert {
    condition     = google_storage_bucket.stage.encryption[0].default_kms_key_name == google_kms_crypto_key.tables[0].id
    error_message = "stage-key: the staging bucket is not under the installation's key."
  }
}
