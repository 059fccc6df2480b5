# Two private buckets: code that the job runs, and the run reports and evidence that an auditor asks for.

variable "name" { type = string }
variable "aws_account" { type = string }
variable "key_arn" { type = string }
variable "archive_years" { type = number }

locals {
  buckets = {
    code    = "${var.name}-code-${var.aws_account}"
    archive = "${var.name}-archive-${var.aws_account}"
  }
}

resource "aws_s3_bucket" "bucket" {
  for_each = local.buckets

  bucket              = each.value
  object_lock_enabled = each.key == "archive" # can be asked for at birth only; without a rule it locks nothing
}

resource "aws_s3_bucket_public_access_block" "bucket" {
  for_each = aws_s3_bucket.bucket

  bucket                  = each.value.bucket
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_versioning" "bucket" {
  for_each = aws_s3_bucket.bucket

  bucket = each.value.bucket
  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "bucket" {
  for_each = aws_s3_bucket.bucket

  bucket = each.value.bucket
  rule {
    bucket_key_enabled = true
    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = var.key_arn
    }
  }
}

resource "aws_s3_bucket_policy" "bucket" {
  for_each = aws_s3_bucket.bucket

  bucket = each.value.bucket
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "TlsOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = ["arn:aws:s3:::${each.value.bucket}", "arn:aws:s3:::${each.value.bucket}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}

resource "aws_s3_bucket_lifecycle_configuration" "bucket" {
  for_each = aws_s3_bucket.bucket

  bucket = each.value.bucket
  rule {
    id     = "leftovers"
    status = "Enabled"
    filter {}
    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }
}

resource "aws_s3_bucket_object_lock_configuration" "archive" {
  count = var.archive_years > 0 ? 1 : 0

  bucket = aws_s3_bucket.bucket["archive"].bucket
  rule {
    default_retention {
      mode  = "COMPLIANCE"
      years = var.archive_years
    }
  }
}

output "code_bucket" { value = aws_s3_bucket.bucket["code"].bucket }
output "archive_bucket" { value = aws_s3_bucket.bucket["archive"].bucket }
