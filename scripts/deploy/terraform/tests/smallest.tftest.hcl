# The least that may be asked for: no second endpoint, no lock, no key of one's own, no budget, AWS through NAT.

mock_provider "aws" {
  source = "./tests/mocks"
}
mock_provider "google" {
  source = "./tests/mocks"
}

run "smallest" {
  command = apply

  variables {
    application_endpoint = false
    archive_years        = 0
    database             = { name = "issuer", password = "secretsmanager" }
    google               = { project = "issuer-analytics" }
    network = {
      vpc_id                     = "vpc-0a1b2c3d4e5f60718"
      subnet_id                  = "subnet-0a1b2c3d4e5f60718"
      availability_zone          = "ap-northeast-1a"
      route_table_ids            = ["rtb-0a1b2c3d4e5f60718"]
      database_security_group_id = "sg-0a1b2c3d4e5f60718"
      endpoints                  = []
    }
  }

  assert {
    condition     = output.application_endpoint == null
    error_message = "applications: an endpoint was made that nobody asked for."
  }
  assert {
    condition     = strcontains(output.settings, "password = \"secretsmanager:kagemusha/etl-reader\"") && !strcontains(output.settings, "kms_key")
    error_message = "settings: they name a key that was not made, or another password."
  }
}
