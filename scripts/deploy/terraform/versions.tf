# The versions whose schemas `make deploy-check` knows (../checks/schemas); a test keeps them equal.
terraform {
  required_version = ">= 1.10"

  # The bucket is named by `terraform init -backend-config="bucket=…"`; it exists before everything else.
  backend "s3" {
    key          = "kagemusha.tfstate"
    region       = "ap-northeast-1"
    encrypt      = true
    use_lockfile = true
  }

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "6.69.1"
    }
    google = {
      source  = "hashicorp/google"
      version = "8.7.0"
    }
  }
}

provider "aws" {
  region              = var.region
  allowed_account_ids = [var.aws_account]

  default_tags {
    tags = { application = var.name }
  }
}

provider "google" {
  project = var.google.project
  region  = var.google.location

  # Budgets and quotas refuse a person's own login that names no project to count the request against.
  billing_project       = var.google.project
  user_project_override = true
}
