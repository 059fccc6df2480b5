# Who gets in to the job's machines, and what a run may be.

mock_provider "aws" {}

variables {
  name                = "kagemusha"
  aws_account         = "123456789012"
  region              = "ap-northeast-1"
  database_port       = 5432
  cluster_resource_id = "cluster-ABCDEFGHIJKL"
  database_user       = "etl_reader"
  settings            = ""
  code_bucket         = "kagemusha-code-123456789012"
  archive_bucket      = "kagemusha-archive-123456789012"
  data_key_arn        = "arn:aws:kms:ap-northeast-1:123456789012:key/1"
  keyring_key_arn     = "arn:aws:kms:ap-northeast-1:123456789012:key/2"
  secret_arns         = ["arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:kagemusha/keyring-??????"]
  job                 = { glue_version = "5.1", worker_type = "G.1X", workers = 4, minutes = 240, max_connections = 13 }
  package             = { digest = "00", commit = "0123456", archive = "environment.tar.gz" }
  network = {
    vpc_id                     = "vpc-1"
    subnet_id                  = "subnet-1"
    availability_zone          = "ap-northeast-1a"
    route_table_ids            = ["rtb-1"]
    database_security_group_id = "sg-database"
    endpoints                  = ["kms"]
  }
}

run "network" {
  command = apply
  module { source = "./modules/glue" }

  assert {
    condition = alltrue([
      for one in [
        aws_vpc_security_group_ingress_rule.workers,
        aws_vpc_security_group_ingress_rule.database,
        aws_vpc_security_group_ingress_rule.endpoints,
      ] : one.referenced_security_group_id == aws_security_group.job.id
    ])
    error_message = "ingress: something else than the jobs gets in."
  }
  assert {
    condition     = alltrue([for one in aws_glue_job.job : one.max_retries == 0])
    error_message = "job-retries: Glue would repeat what another try cannot cure."
  }
}

run "a_driver_without_executors" {
  command = plan
  module { source = "./modules/glue" }

  variables {
    job = { glue_version = "5.1", worker_type = "G.1X", workers = 1, minutes = 240, max_connections = 1 }
  }
  expect_failures = [aws_glue_job.job]
}
