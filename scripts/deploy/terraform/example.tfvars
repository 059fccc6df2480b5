# A made-up issuer. Copy it to installation.auto.tfvars and put your own names in; none of them is a secret.
# Every variable is here, so that `make deploy-check` judges this issuer whatever yours is like.
name        = "kagemusha"
aws_account = "123456789012"
region      = "ap-northeast-1"

cluster = {
  identifier  = "issuer"
  resource_id = "cluster-ABCDEFGHIJKLMNOPQRSTUVWXYZ"
  min_acu     = 0.5
}

database             = { name = "issuer" }
application_endpoint = true

network = {
  vpc_id                     = "vpc-0a1b2c3d4e5f60718"
  subnet_id                  = "subnet-0a1b2c3d4e5f60718"
  availability_zone          = "ap-northeast-1a"
  route_table_ids            = ["rtb-0a1b2c3d4e5f60718"]
  database_security_group_id = "sg-0a1b2c3d4e5f60718"
}

job      = { workers = 4, max_connections = 13 }
schedule = { hour = 2, minute = 30 }

alerts        = ["night@issuer.example"]
archive_years = 1

google = {
  project         = "issuer-analytics"
  readers         = ["group:analysts@issuer.example"]
  billing_account = "ABCDEF-ABCDEF-ABCDEF"
  budget_usd      = 100
  cmek            = true
}

# `make package` writes this one into dist/deploy/package.auto.tfvars.json.
package = {
  digest  = "0000000000000000000000000000000000000000000000000000000000000000"
  commit  = "0123456"
  archive = "environment.tar.gz"
}
