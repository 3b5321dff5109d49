locals {
  # Who is told of what. The bucket's notifications are told apart by their attributes.
  subscriptions = {
    caption-image = {
      topic  = google_pubsub_topic.uploads.id
      filter = "attributes.eventType = \"OBJECT_FINALIZE\""
    }
    forget-image = {
      topic  = google_pubsub_topic.uploads.id
      filter = "attributes.eventType = \"OBJECT_DELETE\" OR attributes.eventType = \"OBJECT_ARCHIVE\""
    }
    caption-request = {
      topic  = google_pubsub_topic.requests.id
      filter = null
    }
  }

  pubsub_agent = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
}

resource "google_pubsub_topic" "uploads" {
  # checkov:skip=CKV_GCP_83:Google's own keys; messages name objects, and hold no picture.
  name = "caption-uploads"

  # A week: after an outage `gcloud pubsub subscriptions seek` delivers it again, for nothing where it is done.
  message_retention_duration = "604800s"

  depends_on = [google_project_service.api]
}

# CAPTION_REQUEST_TOPIC: backfill, retry and the review page write to it.
resource "google_pubsub_topic" "requests" {
  # checkov:skip=CKV_GCP_83:Google's own keys; messages name objects, and hold no picture.
  name = "caption-requests"

  message_retention_duration = "604800s"

  depends_on = [google_project_service.api]
}

resource "google_pubsub_topic_iam_member" "review_requests" {
  topic  = google_pubsub_topic.requests.name
  role   = "roles/pubsub.publisher"
  member = google_service_account.function["review"].member
}

# What could not be delivered in a hundred tries (16 hours) waits here for a person.
resource "google_pubsub_topic" "dead_letters" {
  # checkov:skip=CKV_GCP_83:Google's own keys; messages name objects, and hold no picture.
  name = "caption-dead-letters"

  depends_on = [google_project_service.api]
}

resource "google_pubsub_subscription" "dead_letters" {
  name  = "caption-dead-letters"
  topic = google_pubsub_topic.dead_letters.id

  message_retention_duration = "604800s"

  expiration_policy {
    ttl = "" # never
  }
}

resource "google_pubsub_topic_iam_member" "pubsub_buries" {
  topic  = google_pubsub_topic.dead_letters.name
  role   = "roles/pubsub.publisher"
  member = local.pubsub_agent
}

# To forward a message Pub/Sub takes it from the subscription in its own name.
resource "google_pubsub_subscription_iam_member" "pubsub_buries" {
  for_each = google_pubsub_subscription.function

  subscription = each.value.name
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub_agent
}

# Pub/Sub calls the functions as this account, which may do nothing else.
resource "google_service_account" "push" {
  account_id   = "captions-push"
  display_name = "Captions: delivers events to the functions"

  depends_on = [google_project_service.api]
}

resource "google_cloud_run_v2_service_iam_member" "push" {
  for_each = local.subscriptions

  location = var.region
  name     = google_cloudfunctions2_function.function[each.key].name
  role     = "roles/run.invoker"
  member   = google_service_account.push.member
}

resource "google_pubsub_subscription" "function" {
  for_each = local.subscriptions

  name   = each.key
  topic  = each.value.topic
  filter = each.value.filter

  push_config {
    push_endpoint = google_cloudfunctions2_function.function[each.key].service_config[0].uri

    oidc_token {
      service_account_email = google_service_account.push.email
      audience              = google_cloudfunctions2_function.function[each.key].service_config[0].uri
    }
  }

  # Longer than the function may take, or a slow event would be delivered twice.
  ack_deadline_seconds = local.timeout_seconds + 60

  message_retention_duration = "604800s"

  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }

  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead_letters.id
    max_delivery_attempts = 100
  }

  expiration_policy {
    ttl = "" # never
  }

  depends_on = [
    google_cloud_run_v2_service_iam_member.push,
    google_pubsub_topic_iam_member.pubsub_buries,
  ]
}
