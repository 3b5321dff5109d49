terraform {
  # 1.11: write-only arguments, so that a key is in no state and no plan.
  required_version = ">= 1.11"

  required_providers {
    google = {
      source = "hashicorp/google"
      # Arguments are checked against the schema of 6.50, the last that the package index carries
      # (make infra-schema), and were against that of 7 in November 2026.
      version = ">= 6.50, < 8"
    }
    archive = {
      source  = "hashicorp/archive"
      version = "~> 2.7"
    }
  }
}

provider "google" {
  project = var.project
  region  = var.region

  # The Firebase Rules API wants a project to charge, whoever runs Terraform.
  user_project_override = true
  billing_project       = var.project

  default_labels = { app = "bucket-captions" }
}

data "google_project" "this" {
  depends_on = [google_project_service.api]
}
