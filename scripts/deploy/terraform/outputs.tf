output "settings" {
  description = "settings.toml of this installation; there is no secret in it."
  value       = module.settings.toml
}

output "code_bucket" {
  description = "Where `scripts/deploy/package.py upload` puts the package."
  value       = module.store.code_bucket
}

output "archive_bucket" {
  description = "Where every night's run report and evidence stay."
  value       = module.store.archive_bucket
}

output "keyring" {
  description = "The command that makes the keyring, once."
  value       = "kagemusha keys init --ref secretsmanager:${module.keys.keyring_secret_name} --cmk ${module.keys.keyring_key_arn}"
}

output "endpoint" {
  description = "The ETL endpoint."
  value       = module.aurora.endpoint
}

output "application_endpoint" {
  description = "Where applications read from now on; empty if they got none."
  value       = module.aurora.application_endpoint
}

output "loader_service_account" {
  description = "Whom the job acts as, and whoever prepares the datasets."
  value       = module.google.loader_email
}

output "looker_service_account" {
  description = "Whom Looker Studio reads as."
  value       = module.google.looker_email
}

output "state_machine" {
  description = "The nightly flow."
  value       = module.nightly.state_machine_arn
}
