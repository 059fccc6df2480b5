# One root for both clouds: what one side needs of the other is a reference here, never a value copied by hand.

module "keys" {
  source = "./modules/keys"

  name        = var.name
  aws_account = var.aws_account
  region      = var.region
  password    = var.database.password
}

module "aurora" {
  source = "./modules/aurora"

  name                 = var.name
  cluster              = var.cluster
  application_endpoint = var.application_endpoint
  key_arn              = module.keys.data_key_arn
}

module "store" {
  source = "./modules/store"

  name          = var.name
  aws_account   = var.aws_account
  key_arn       = module.keys.data_key_arn
  archive_years = var.archive_years
}

module "google" {
  source = "./modules/google"

  name        = var.name
  google      = var.google
  aws_account = var.aws_account
  aws_role    = module.glue.role
}

module "settings" {
  source = "./modules/settings"

  source_url        = "postgresql://${var.database.user}@${module.aurora.endpoint}:${module.aurora.port}/${var.database.name}?sslrootcert=bundled:rds"
  password          = var.database.password == "rds-iam" ? "rds-iam" : "secretsmanager:${module.keys.password_secret_name}"
  allowed_instances = [module.aurora.instance]
  max_connections   = var.job.max_connections
  stage_bucket      = module.google.bucket
  project           = var.google.project
  location          = var.google.location
  kms_key           = module.google.kms_key
  readers           = concat(var.google.readers, ["serviceAccount:${module.google.looker_email}"])
  keyring           = "secretsmanager:${module.keys.keyring_secret_name}"
  audience          = module.google.audience
  service_account   = module.google.loader_email
  aws_region        = var.region
}

module "glue" {
  source = "./modules/glue"

  name                = var.name
  aws_account         = var.aws_account
  region              = var.region
  network             = var.network
  database_port       = module.aurora.port
  cluster_resource_id = var.cluster.resource_id
  database_user       = var.database.user
  job                 = var.job
  package             = var.package
  settings            = module.settings.toml
  code_bucket         = module.store.code_bucket
  archive_bucket      = module.store.archive_bucket
  data_key_arn        = module.keys.data_key_arn
  keyring_key_arn     = module.keys.keyring_key_arn
  secret_arns         = module.keys.secret_arns
}

module "nightly" {
  source = "./modules/nightly"

  name        = var.name
  aws_account = var.aws_account
  region      = var.region
  job         = module.glue.daily_job
  jobs        = module.glue.jobs
  minutes     = var.job.minutes
  schedule    = var.schedule
  alerts      = var.alerts
  key_arn     = module.keys.data_key_arn
  reader      = module.aurora.instance
}
