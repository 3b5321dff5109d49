resource "google_project_service" "api" {
  for_each = toset(concat([
    "artifactregistry.googleapis.com", # the functions' images
    "cloudbuild.googleapis.com",       # builds them
    "cloudfunctions.googleapis.com",
    "cloudresourcemanager.googleapis.com", # roles of the project
    "firebaserules.googleapis.com",        # who may read captions from a browser
    "firestore.googleapis.com",
    "iam.googleapis.com",
    "iamcredentials.googleapis.com", # the review page's signed thumbnails
    "logging.googleapis.com",
    "monitoring.googleapis.com",
    "pubsub.googleapis.com",
    "run.googleapis.com", # runs them
    "secretmanager.googleapis.com",
    "storage.googleapis.com",
  ], var.vertex_ai ? ["aiplatform.googleapis.com"] : []))

  service = each.value

  # Others in the project may need them, too.
  disable_on_destroy = false
}
