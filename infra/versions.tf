terraform {
  required_version = ">= 1.11"
}

provider "google" {
  project = var.project
  region  = var.region

  # The Firebase Rules API wants a project to charge, whoever runs Terraform.
  user_project_override = true
  billing_project       = var.project

  default_labels = { app = "bucket-captions" }
}
