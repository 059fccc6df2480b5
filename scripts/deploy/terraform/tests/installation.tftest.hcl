# The whole root, applied with mocked providers. What must be true of all that stands then is written in
# ../../checks/invariants, which looks at every resource; a test can see its own module's only.

mock_provider "aws" {
  source = "./tests/mocks"
}

mock_provider "google" {
  source = "./tests/mocks"
}

# What the mocks give to every resource of a type has to be told apart where one must not stand for another.
override_resource {
  target = module.keys.aws_kms_key.keyring
  values = { arn = "arn:aws:kms:ap-northeast-1:123456789012:key/99999999-2222-3333-4444-555555555555" }
}
override_resource {
  target = module.google.google_service_account.looker
  values = { email = "looker@issuer-analytics.iam.gserviceaccount.com" }
}

run "installation" {
  command = apply
}
