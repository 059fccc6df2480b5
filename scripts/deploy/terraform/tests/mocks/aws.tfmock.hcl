# What the cloud would answer, where a check depends on it.
mock_data "aws_rds_cluster" {
  defaults = {
    engine                              = "aurora-postgresql"
    engine_version                      = "16.6"
    port                                = 5432
    cluster_members                     = ["issuer-1", "issuer-2", "issuer-kagemusha"]
    iam_database_authentication_enabled = true
  }
}

mock_data "aws_db_instance" {
  defaults = { db_instance_class = "db.r7g.large" }
}

mock_resource "aws_rds_cluster_endpoint" {
  defaults = { endpoint = "issuer-kagemusha-etl.cluster-custom-abc.ap-northeast-1.rds.amazonaws.com" }
}

mock_resource "aws_kms_key" {
  defaults = { arn = "arn:aws:kms:ap-northeast-1:123456789012:key/11111111-2222-3333-4444-555555555555" }
}
