# Renders settings.toml; without a provider, so that a test can apply it for real and load what comes out.

variable "source_url" { type = string }
variable "password" { type = string }
variable "allowed_instances" { type = list(string) }
variable "max_connections" { type = number }
variable "stage_bucket" { type = string }
variable "project" { type = string }
variable "location" { type = string }
variable "kms_key" { type = string }
variable "readers" { type = list(string) }
variable "keyring" { type = string }
variable "audience" { type = string }
variable "service_account" { type = string }
variable "aws_region" { type = string }

output "toml" {
  value = templatefile("${path.module}/settings.toml.tftpl", {
    source_url        = jsonencode(var.source_url)
    password          = jsonencode(var.password)
    allowed_instances = jsonencode(var.allowed_instances)
    max_connections   = var.max_connections
    stage_bucket      = jsonencode(var.stage_bucket)
    project           = jsonencode(var.project)
    location          = jsonencode(var.location)
    kms_key           = var.kms_key
    readers           = jsonencode(var.readers)
    keyring           = jsonencode(var.keyring)
    audience          = jsonencode(var.audience)
    service_account   = jsonencode(var.service_account)
    aws_region        = jsonencode(var.aws_region)
  })
}
