locals {
  root = coalesce(var.source_root, "${path.module}/../..")

  # What lies about in the folder is neither read nor uploaded: what is hidden, such as .DS_Store,
  # what is no text, such as Thumbs.db, an editor's copies. Nor is what a person works with.
  left_out = "(^|/)([.]|__pycache__(/|$))|^functions/(cli|evals|local|sites)/|(~|[.]orig|[.]rej)$"
  source_files = toset([
    for file in setunion(
      fileset(local.root, "{main.py,requirements.lock,captions.toml}"),
      fileset(local.root, "functions/**"),
    ) : file if !can(regex(local.left_out, file)) && can(file("${local.root}/${file}"))
  ])
}

data "archive_file" "source" {
  type        = "zip"
  output_path = "${path.root}/.terraform/${var.name_prefix}source.zip"

  dynamic "source" {
    for_each = local.source_files

    content {
      # pip reads requirements.txt; with the lock in its place it takes nothing without its hash.
      filename = source.value == "requirements.lock" ? "requirements.txt" : source.value
      content  = file("${local.root}/${source.value}")
    }
  }
}

resource "google_storage_bucket" "source" {
  # checkov:skip=CKV_GCP_62:Read by the build only; Cloud Audit Logs can be turned on for the project.
  # checkov:skip=CKV_GCP_78:Each version of the source is an object of its own, named by its hash.
  project  = var.project
  name     = "${var.project}-${var.name_prefix}captions-source"
  location = var.region

  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = true

  depends_on = [google_project_service.api]
}

resource "google_storage_bucket_object" "source" {
  name   = "${data.archive_file.source.output_sha256}.zip"
  bucket = google_storage_bucket.source.name
  source = data.archive_file.source.output_path

  # The functions have the new source before the old one goes.
  lifecycle {
    create_before_destroy = true
  }
}

resource "google_artifact_registry_repository" "images" {
  # checkov:skip=CKV_GCP_84:Google's own keys; the images are this public source and its requirements.
  project       = var.project
  repository_id = "${var.name_prefix}captions"
  location      = var.region
  format        = "DOCKER"
  description   = "The functions' images"

  cleanup_policies {
    id     = "keep-the-last"
    action = "KEEP"

    most_recent_versions {
      keep_count = 3
    }
  }

  cleanup_policies {
    id     = "drop-the-rest"
    action = "DELETE"

    condition {
      older_than = "2592000s"
    }
  }

  depends_on = [google_project_service.api]
}

# Builds run as this account, not as the project's default one, which is an editor in many projects.
resource "google_service_account" "build" {
  project      = var.project
  account_id   = "${var.name_prefix}captions-build"
  display_name = "Captions: builds the functions"

  depends_on = [google_project_service.api]
}

resource "google_artifact_registry_repository_iam_member" "build" {
  project    = var.project
  location   = google_artifact_registry_repository.images.location
  repository = google_artifact_registry_repository.images.name
  role       = "roles/artifactregistry.writer"
  member     = google_service_account.build.member
}

resource "google_storage_bucket_iam_member" "build" {
  bucket = google_storage_bucket.source.name
  role   = "roles/storage.objectViewer"
  member = google_service_account.build.member
}

# Cloud Functions copies the source to a bucket of its own, which exists from the first deployment on.
resource "google_project_iam_member" "build_source" {
  project = var.project
  role    = "roles/storage.objectViewer"
  member  = google_service_account.build.member

  condition {
    title      = "copies of functions' source"
    expression = "resource.name.startsWith(\"projects/_/buckets/gcf-v2-sources-${data.google_project.this.number}-\")"
  }
}

resource "google_project_iam_member" "build_logs" {
  project = var.project
  role    = "roles/logging.logWriter"
  member  = google_service_account.build.member
}
