terraform {
  # 1.11: write-only arguments, so that a key is in no state and no plan.
  required_version = ">= 1.11"

  required_providers {
    google = {
      source = "hashicorp/google"
      # The plans are tested by the schema of 7.45 (tests/infra/google_provider.json).
      version = ">= 7.45, < 8"
    }
    archive = {
      source  = "hashicorp/archive"
      version = "~> 2.7"
    }
  }
}
