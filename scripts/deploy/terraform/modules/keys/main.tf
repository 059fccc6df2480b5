# Two KMS keys: one wraps the keyring and nothing else, one encrypts buckets, logs, secrets and messages.
#
# The keyring's secret is made by `kagemusha keys init`, not here: no key comes near the state, and `terraform destroy`
# cannot take away what every token hangs on.

variable "name" { type = string }
variable "aws_account" { type = string }
variable "region" { type = string }
variable "password" { type = string }

locals {
  owner = {
    Sid       = "AccountDecidesByIam"
    Effect    = "Allow"
    Principal = { AWS = "arn:aws:iam::${var.aws_account}:root" }
    Action    = "kms:*"
    Resource  = "*"
  }
}

resource "aws_kms_key" "keyring" {
  description             = "Wraps ${var.name}'s keyring; used under its encryption context only."
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = jsonencode({ Version = "2012-10-17", Statement = [local.owner] })

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_kms_alias" "keyring" {
  name          = "alias/${var.name}-keyring"
  target_key_id = aws_kms_key.keyring.key_id
}

resource "aws_kms_key" "data" {
  description             = "Encrypts ${var.name}'s buckets, logs, secrets and messages."
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      local.owner,
      {
        Sid       = "LogsOfThisAccount"
        Effect    = "Allow"
        Principal = { Service = "logs.${var.region}.amazonaws.com" }
        Action    = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
        Resource  = "*"
        Condition = { ArnLike = { "kms:EncryptionContext:aws:logs:arn" = "arn:aws:logs:${var.region}:${var.aws_account}:*" } }
      },
      {
        Sid       = "AlarmsAndEventsReachTheTopic"
        Effect    = "Allow"
        Principal = { Service = ["cloudwatch.amazonaws.com", "events.amazonaws.com"] }
        Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
        Resource  = "*"
        Condition = { StringEquals = { "aws:SourceAccount" = var.aws_account } }
      },
    ]
  })

  lifecycle {
    prevent_destroy = true # the archive is locked for years, and unreadable without it
  }
}

resource "aws_kms_alias" "data" {
  name          = "alias/${var.name}-data"
  target_key_id = aws_kms_key.data.key_id
}

resource "aws_secretsmanager_secret" "password" {
  count = var.password == "secretsmanager" ? 1 : 0

  name        = "${var.name}/etl-reader"
  description = "User and password of the ETL reader; filled by hand or by a rotation, never by Terraform."
  kms_key_id  = aws_kms_key.data.arn
}

locals {
  keyring_name = "${var.name}/keyring"
  prefix       = "arn:aws:secretsmanager:${var.region}:${var.aws_account}:secret"
}

# For the one person who makes and rotates keys; nobody has it until somebody attaches it.
resource "aws_iam_policy" "operator" {
  name        = "${var.name}-keyring-operator"
  description = "Make, read and rotate the keyring of ${var.name}"
  policy = templatefile("${path.module}/operator_policy.json.tftpl", {
    keyring_key_arn    = aws_kms_key.keyring.arn
    keyring_secret_arn = "${local.prefix}:${local.keyring_name}-??????"
  })
}

output "keyring_key_arn" { value = aws_kms_key.keyring.arn }
output "data_key_arn" { value = aws_kms_key.data.arn }
output "keyring_secret_name" { value = local.keyring_name }
output "password_secret_name" { value = "${var.name}/etl-reader" }
output "secret_arns" {
  # Six random letters end a secret's ARN; the question marks stand for exactly these.
  value = concat(["${local.prefix}:${local.keyring_name}-??????"], aws_secretsmanager_secret.password[*].arn)
}
