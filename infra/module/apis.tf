# Three resources, so that a new API changes nothing that was there before: whatever hangs on data
# that waits for an API is unknown, and so replaced, in every plan that adds one.

# What is read while planning needs these. A project that the console did not make wants
# serviceusage and cloudresourcemanager switched on by hand first: docs/deploy.md.
resource "google_project_service" "first" {
  for_each = toset([
    "cloudresourcemanager.googleapis.com", # roles of the project, and its number
    "storage.googleapis.com",
  ])

  project = var.project
  service = each.value

  # Others in the project may need them, too.
  disable_on_destroy = false
}

resource "google_project_service" "api" {
  for_each = toset([
    "artifactregistry.googleapis.com", # the functions' images
    "cloudbuild.googleapis.com",       # builds them
    "cloudfunctions.googleapis.com",
    "firebaserules.googleapis.com", # who may read captions from a browser
    "firestore.googleapis.com",
    "iam.googleapis.com",
    "iamcredentials.googleapis.com", # the review page's signed thumbnails
    "logging.googleapis.com",
    "monitoring.googleapis.com",
    "pubsub.googleapis.com",
    "run.googleapis.com", # runs them
    "secretmanager.googleapis.com",
  ])

  project            = var.project
  service            = each.value
  disable_on_destroy = false

  depends_on = [google_project_service.first]
}

# Only what needs one of these waits for it.
resource "google_project_service" "optional" {
  for_each = toset(compact([
    var.vertex_ai ? "aiplatform.googleapis.com" : "",
    var.trace_share > 0 ? "cloudtrace.googleapis.com" : "",
  ]))

  project            = var.project
  service            = each.value
  disable_on_destroy = false

  depends_on = [google_project_service.first]
}

# The number, of which the addresses of Google's own accounts are made.
data "google_project" "this" {
  project_id = var.project

  depends_on = [google_project_service.first]
}
