locals {
  # By a name that stays: a bucket that is taken out of the list moves no other.
  buckets = {
    for each in var.buckets : coalesce(each.key, each.name) => merge(each, {
      project = coalesce(each.project, var.project)
    })
  }

  # "own" stands in the state for the project, whatever its name.
  bucket_projects = merge(
    { own = var.project },
    { for each in values(local.buckets) : each.project => each.project if each.project != var.project },
  )

  # What the functions do with images: no predefined role is this small.
  image_roles = {
    captionsImageLabeller = {
      title       = "Captioned images: read and label"
      permissions = ["storage.objects.get", "storage.objects.list", "storage.objects.update"]
    }
    captionsImageSeer = {
      title       = "Captioned images: see whether they are there"
      permissions = ["storage.objects.get", "storage.objects.list"]
    }
  }
}

resource "google_storage_bucket" "images" {
  # checkov:skip=CKV_GCP_62:Access logs would hold addresses of visitors; Cloud Audit Logs can be turned on for the project.
  # checkov:skip=CKV_GCP_78:Versioning keeps what people delete, so it is theirs to choose (variable versioning); soft delete stays on.
  for_each = { for key, each in local.buckets : key => each if each.create }

  project  = each.value.project
  name     = each.value.name
  location = coalesce(each.value.location, var.region)

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

  # People's pictures are in it: no plan may take it away. See "Take it away" in docs/deploy.md.
  lifecycle {
    prevent_destroy = true
  }

  depends_on = [google_project_service.first]
}

resource "google_storage_bucket_iam_member" "images_public" {
  # checkov:skip=CKV_GCP_28:Only where public_images asks for it: a website's images.
  for_each = { for key, each in local.buckets : key => each if each.create && var.public_images }

  bucket = google_storage_bucket.images[each.key].name
  role   = "roles/storage.legacyObjectReader" # reads what it can name; lists nothing
  member = "allUsers"
}

# Cloud Storage tells of each object on a topic of ours, and may publish on that one only. It has
# an account in each project that holds a bucket.
data "google_storage_project_service_account" "gcs" {
  for_each = local.bucket_projects

  project = each.value

  depends_on = [google_project_service.first]
}

resource "google_pubsub_topic_iam_member" "gcs_publishes" {
  for_each = local.bucket_projects

  project = var.project
  topic   = google_pubsub_topic.uploads.name
  role    = "roles/pubsub.publisher"
  member  = data.google_storage_project_service_account.gcs[each.key].member
}

# Beside the notifications that a bucket has already: each has its own topic.
# Never OBJECT_METADATA_UPDATE: the functions write metadata, and would wake themselves.
resource "google_storage_notification" "uploads" {
  for_each = local.buckets

  bucket         = each.value.create ? google_storage_bucket.images[each.key].name : each.value.name
  topic          = google_pubsub_topic.uploads.id
  payload_format = "JSON_API_V1"
  event_types    = ["OBJECT_FINALIZE", "OBJECT_DELETE", "OBJECT_ARCHIVE"]

  depends_on = [google_pubsub_topic_iam_member.gcs_publishes]
}

# A role of a project can be given within that project only, so each has its own.
resource "google_project_iam_custom_role" "images" {
  for_each = {
    for pair in setproduct(keys(local.bucket_projects), keys(local.image_roles)) :
    pair[0] == "own" ? pair[1] : join("/", pair) => { project = local.bucket_projects[pair[0]], role = pair[1] }
  }

  project     = each.value.project
  role_id     = "${local.role_prefix}${each.value.role}"
  title       = local.image_roles[each.value.role].title
  permissions = local.image_roles[each.value.role].permissions

  # Without storage.objects.list Cloud Storage answers 403 for an object that is gone, not 404:
  # a deletion would look like a missing permission.
  description = "List is needed to be told that an object is gone."

  depends_on = [google_project_service.api]
}

resource "google_storage_bucket_iam_member" "functions" {
  for_each = {
    for pair in setproduct(keys(local.buckets), [for name, each in local.functions : name if each.images != null]) :
    join("/", pair) => { bucket = local.buckets[pair[0]], key = pair[0], function = pair[1] }
  }

  bucket = each.value.bucket.create ? google_storage_bucket.images[each.value.key].name : each.value.bucket.name
  member = google_service_account.function[each.value.function].member

  role = google_project_iam_custom_role.images[
    each.value.bucket.project == var.project
    ? local.functions[each.value.function].images
    : "${each.value.bucket.project}/${local.functions[each.value.function].images}"
  ].name
}
