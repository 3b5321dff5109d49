locals {
  bucket = var.create_bucket ? google_storage_bucket.images[0].name : var.bucket
}

resource "google_storage_bucket" "images" {
  # checkov:skip=CKV_GCP_62:Access logs would hold addresses of visitors; Cloud Audit Logs can be turned on for the project.
  # checkov:skip=CKV_GCP_78:Versioning keeps what people delete, so it is theirs to choose (variable versioning); soft delete stays on.
  count = var.create_bucket ? 1 : 0

  name     = var.bucket
  location = var.region

  uniform_bucket_level_access = true
  public_access_prevention    = var.public_images ? "inherited" : "enforced"

  versioning {
    enabled = var.versioning
  }

  cors {
    origin          = var.cors_origins
    method          = ["GET", "HEAD"]
    response_header = ["Content-Type"]
    max_age_seconds = 3600
  }

  depends_on = [google_project_service.api]
}

resource "google_storage_bucket_iam_member" "images_public" {
  # checkov:skip=CKV_GCP_28:Only where public_images asks for it: a website's images.
  count = var.create_bucket && var.public_images ? 1 : 0

  bucket = google_storage_bucket.images[0].name
  role   = "roles/storage.legacyObjectReader" # reads what it can name; lists nothing
  member = "allUsers"
}

# Cloud Storage tells of each object on a topic of ours, and may publish on that one only.
data "google_storage_project_service_account" "gcs" {
  depends_on = [google_project_service.api]
}

resource "google_pubsub_topic_iam_member" "gcs_publishes" {
  topic  = google_pubsub_topic.uploads.name
  role   = "roles/pubsub.publisher"
  member = data.google_storage_project_service_account.gcs.member
}

# Never OBJECT_METADATA_UPDATE: the functions write metadata, and would wake themselves.
resource "google_storage_notification" "uploads" {
  bucket         = local.bucket
  topic          = google_pubsub_topic.uploads.id
  payload_format = "JSON_API_V1"
  event_types    = ["OBJECT_FINALIZE", "OBJECT_DELETE", "OBJECT_ARCHIVE"]

  depends_on = [google_pubsub_topic_iam_member.gcs_publishes]
}

# What the functions do with images: no predefined role is this small.
resource "google_project_iam_custom_role" "images" {
  for_each = {
    captionsImageLabeller = {
      title       = "Captioned images: read and label"
      permissions = ["storage.objects.get", "storage.objects.list", "storage.objects.update"]
    }
    captionsImageSeer = {
      title       = "Captioned images: see whether they are there"
      permissions = ["storage.objects.get", "storage.objects.list"]
    }
  }

  role_id     = each.key
  title       = each.value.title
  permissions = each.value.permissions

  # Without storage.objects.list Cloud Storage answers 403 for an object that is gone, not 404:
  # a deletion would look like a missing permission.
  description = "List is needed to be told that an object is gone."

  depends_on = [google_project_service.api]
}

resource "google_storage_bucket_iam_member" "functions" {
  for_each = {
    caption-image   = "captionsImageLabeller"
    caption-request = "captionsImageLabeller"
    forget-image    = "captionsImageSeer"
    review          = "captionsImageLabeller"
  }

  bucket = local.bucket
  role   = google_project_iam_custom_role.images[each.value].name
  member = google_service_account.function[each.key].member
}
