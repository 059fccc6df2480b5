# What an operator may not ask for; the variables are those of example.tfvars.

mock_provider "aws" {
  source = "./tests/mocks"
}
mock_provider "google" {
  source = "./tests/mocks"
}

run "an_account_of_ten_digits" {
  command = plan

  variables {
    aws_account = "1234567890"
  }
  expect_failures = [var.aws_account]
}

run "a_start_after_nine" {
  command = plan

  variables {
    schedule = { hour = 9 }
  }
  expect_failures = [var.schedule]
}

run "another_glue" {
  command = plan

  variables {
    job = { glue_version = "6.0" }
  }
  expect_failures = [var.job]
}

run "more_connections_than_slots" {
  command = plan

  variables {
    job = { workers = 2, max_connections = 13 }
  }
  expect_failures = [var.job]
}

run "a_password_in_the_open" {
  command = plan

  variables {
    database = { name = "issuer", password = "hunter2" }
  }
  expect_failures = [var.database]
}

run "a_reader_without_a_kind" {
  command = plan

  variables {
    google = { project = "issuer-analytics", readers = ["analysts@issuer.example"] }
  }
  expect_failures = [var.google]
}

run "a_package_without_a_digest" {
  command = plan

  variables {
    package = { digest = "latest", commit = "0123456", archive = "environment.tar.gz" }
  }
  expect_failures = [var.package]
}

run "a_name_with_capitals" {
  command = plan

  variables {
    name = "Kagemusha"
  }
  expect_failures = [var.name]
}

run "queries_without_a_brake" {
  command = plan

  variables {
    google = { project = "issuer-analytics", query_tib_day = 1, user_tib_day = 2 }
  }
  expect_failures = [var.google]
}

run "a_budget_of_nothing" {
  command = plan

  variables {
    google = { project = "issuer-analytics", billing_account = "ABCDEF-ABCDEF-ABCDEF" }
  }
  expect_failures = [var.google]
}
