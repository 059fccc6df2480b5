# The reader and its endpoint, and what of the cluster is refused.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name                 = "kagemusha"
  application_endpoint = true
  key_arn              = "arn:aws:kms:ap-northeast-1:123456789012:key/1"
  cluster = {
    identifier      = "issuer"
    resource_id     = "cluster-ABCDEFGHIJKL"
    min_acu         = 0
    instance_class  = "db.serverless"
    may_be_promoted = false
  }
}

run "reader" {
  command = apply
  module { source = "./modules/aurora" }

  assert {
    condition     = aws_rds_cluster_instance.reader.promotion_tier == 15
    error_message = "reader-tier: the ETL reader would be promoted before others."
  }
  assert {
    condition     = aws_rds_cluster_endpoint.etl.custom_endpoint_type == "READER"
    error_message = "endpoint-type: the ETL endpoint admits a writer."
  }
  assert {
    condition     = tolist(aws_rds_cluster_endpoint.etl.static_members) == tolist([aws_rds_cluster_instance.reader.identifier])
    error_message = "endpoint-members: the ETL endpoint leads to another instance than the ETL reader."
  }
  assert {
    condition     = tolist(aws_rds_cluster_endpoint.applications[0].excluded_members) == tolist([aws_rds_cluster_instance.reader.identifier])
    error_message = "applications-elsewhere: applications are sent to the ETL reader."
  }
}

run "pause_beside_a_serverless_writer" {
  command = plan
  module { source = "./modules/aurora" }

  override_data {
    target = data.aws_db_instance.others
    values = { db_instance_class = "db.serverless" }
  }
  expect_failures = [aws_rds_cluster_instance.reader]
}

run "no_other_reader" {
  command = plan
  module { source = "./modules/aurora" }

  override_data {
    target = data.aws_rds_cluster.source
    values = { engine = "aurora-postgresql", cluster_members = ["issuer-1"], iam_database_authentication_enabled = true }
  }
  expect_failures = [aws_rds_cluster_instance.reader]
}

run "another_engine" {
  command = plan
  module { source = "./modules/aurora" }

  override_data {
    target = data.aws_rds_cluster.source
    values = { engine = "mysql", cluster_members = ["issuer-1", "issuer-2"], iam_database_authentication_enabled = true }
  }
  expect_failures = [aws_rds_cluster_instance.reader]
}
