locals {
  # A week: an event may live, and be delivered again, as long as its subscription keeps it.
  kept_seconds = 604800
  event_age    = { CAPTION_MAX_AGE_SECONDS = tostring(local.kept_seconds) }

  # Who is told of what. The bucket's notifications are told apart by their attributes.
  subscribers = {
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
    keep = {
      topic  = google_pubsub_topic.keep.id
      filter = null
    }
  }

  # What may be delivered again after an outage: uploads, deletions and requests, not the clock.
  replayed = [for name in keys(local.subscriptions) : "${var.name_prefix}${name}" if name != "keep"]

  subscriptions = { for name, each in local.subscribers : name => each if contains(keys(local.functions), name) }

  request_uri = google_cloudfunctions2_function.function["caption-request"].service_config[0].uri

  pubsub_agent = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
}

resource "google_pubsub_topic" "uploads" {
  # checkov:skip=CKV_GCP_83:Google's own keys; messages name objects, and hold no picture.
  project = var.project
  name    = "${var.name_prefix}caption-uploads"

  # After an outage `gcloud pubsub subscriptions seek` delivers it again, for nothing where it is done.
  message_retention_duration = "${local.kept_seconds}s"

  # A week of events is in it.
  lifecycle {
    prevent_destroy = true
  }

  depends_on = [google_project_service.api]
}

# CAPTION_REQUEST_TOPIC: backfill, retry and the review page write to it.
resource "google_pubsub_topic" "requests" {
  # checkov:skip=CKV_GCP_83:Google's own keys; messages name objects, and hold no picture.
  project = var.project
  name    = "${var.name_prefix}caption-requests"

  message_retention_duration = "${local.kept_seconds}s"

  depends_on = [google_project_service.api]
}

resource "google_pubsub_topic_iam_member" "review_requests" {
  project = var.project
  topic   = google_pubsub_topic.requests.name
  role    = "roles/pubsub.publisher"
  member  = google_service_account.function["review"].member
}

# A language that a website asks for and nobody has written in yet is translated by caption_request.
resource "google_pubsub_topic_iam_member" "alt_text_requests" {
  count = lookup(var.settings, "CAPTION_LANGUAGES_ON_REQUEST", "") == "" ? 0 : 1

  project = var.project
  topic   = google_pubsub_topic.requests.name
  role    = "roles/pubsub.publisher"
  member  = google_service_account.function["alt-text"].member
}

resource "google_pubsub_topic_iam_member" "keep_requests" {
  count = contains(keys(local.functions), "keep") ? 1 : 0

  project = var.project
  topic   = google_pubsub_topic.requests.name
  role    = "roles/pubsub.publisher"
  member  = google_service_account.function["keep"].member
}

# CAPTION_EVENTS_TOPIC: whoever wants to know of each caption that has ended subscribes to it.
resource "google_pubsub_topic" "events" {
  # checkov:skip=CKV_GCP_83:Google's own keys; messages hold what alt_text tells.
  project = var.project
  name    = "${var.name_prefix}caption-events"

  depends_on = [google_project_service.api]
}

resource "google_pubsub_topic_iam_member" "functions_tell" {
  for_each = { for name, each in local.functions : name => each if each.tells }

  project = var.project
  topic   = google_pubsub_topic.events.name
  role    = "roles/pubsub.publisher"
  member  = google_service_account.function[each.key].member
}

# The clock: a message on a topic of its own, so that a run that fails is delivered again.
resource "google_pubsub_topic" "keep" {
  # checkov:skip=CKV_GCP_83:Google's own keys; messages name a bucket at most.
  project = var.project
  name    = "${var.name_prefix}caption-keep"

  depends_on = [google_project_service.api]
}

resource "google_project_service" "scheduler" {
  count = contains(keys(local.functions), "keep") ? 1 : 0

  project            = var.project
  service            = "cloudscheduler.googleapis.com"
  disable_on_destroy = false

  depends_on = [google_project_service.first]
}

resource "google_cloud_scheduler_job" "keep" {
  count = contains(keys(local.functions), "keep") ? 1 : 0

  project     = var.project
  region      = var.region
  name        = "${var.name_prefix}caption-keep"
  description = "Takes up what waits, mends what has come apart"
  schedule    = var.keep_schedule
  time_zone   = "Etc/UTC"

  pubsub_target {
    topic_name = google_pubsub_topic.keep.id
    data       = base64encode("{}")
  }

  depends_on = [google_project_service.scheduler]
}

# What could not be delivered in a hundred tries (16 hours) waits here for a person.
resource "google_pubsub_topic" "dead_letters" {
  # checkov:skip=CKV_GCP_83:Google's own keys; messages name objects, and hold no picture.
  project = var.project
  name    = "${var.name_prefix}caption-dead-letters"

  depends_on = [google_project_service.api]
}

resource "google_pubsub_subscription" "dead_letters" {
  project = var.project
  name    = "${var.name_prefix}caption-dead-letters"
  topic   = google_pubsub_topic.dead_letters.id

  message_retention_duration = "${local.kept_seconds}s"

  expiration_policy {
    ttl = "" # never
  }
}

resource "google_pubsub_topic_iam_member" "pubsub_buries" {
  project = var.project
  topic   = google_pubsub_topic.dead_letters.name
  role    = "roles/pubsub.publisher"
  member  = local.pubsub_agent

  # The account exists from its first use on, or from here.
  depends_on = [google_project_service_identity.pubsub]
}

# To forward a message Pub/Sub takes it from the subscription in its own name.
resource "google_pubsub_subscription_iam_member" "pubsub_buries" {
  for_each = local.subscriptions

  project      = var.project
  subscription = google_pubsub_subscription.function[each.key].name
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub_agent
}

resource "google_project_service_identity" "pubsub" {
  project = var.project
  service = "pubsub.googleapis.com"

  depends_on = [google_project_service.api]
}

# Pub/Sub calls the functions as this account, which may do nothing else.
resource "google_service_account" "push" {
  project      = var.project
  account_id   = "${var.name_prefix}captions-push"
  display_name = "Captions: delivers events to the functions"

  depends_on = [google_project_service.api]
}

resource "google_cloud_run_v2_service_iam_member" "push" {
  for_each = local.subscriptions

  project  = var.project
  location = var.region
  name     = google_cloudfunctions2_function.function[each.key].name
  role     = "roles/run.invoker"
  member   = google_service_account.push.member
}

resource "google_pubsub_subscription" "function" {
  for_each = local.subscriptions

  project = var.project
  name    = "${var.name_prefix}${each.key}"
  topic   = each.value.topic
  filter  = each.value.filter

  push_config {
    push_endpoint = google_cloudfunctions2_function.function[each.key].service_config[0].uri

    oidc_token {
      service_account_email = google_service_account.push.email
      audience              = google_cloudfunctions2_function.function[each.key].service_config[0].uri
    }
  }

  # Longer than the function may take, or a slow event would be delivered twice.
  ack_deadline_seconds = local.timeout_seconds + 60

  message_retention_duration = "${local.kept_seconds}s"

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

# A new revision that has no traffic yet answers what is published here: "terraform output try".
resource "google_pubsub_topic" "try" {
  # checkov:skip=CKV_GCP_83:Google's own keys; messages name objects, and hold no picture.
  count = var.hold_new_revisions ? 1 : 0

  project = var.project
  name    = "${var.name_prefix}caption-try"

  depends_on = [google_project_service.api]
}

resource "google_pubsub_subscription" "try" {
  count = var.hold_new_revisions ? 1 : 0

  project = var.project
  name    = "${var.name_prefix}caption-try"
  topic   = google_pubsub_topic.try[0].id

  push_config {
    push_endpoint = replace(local.request_uri, "https://", "https://next---")

    # A tag's address is not an audience: the service's own is.
    oidc_token {
      service_account_email = google_service_account.push.email
      audience              = local.request_uri
    }
  }

  ack_deadline_seconds = local.timeout_seconds + 60

  # What a revision does not answer in ten minutes is no longer asked.
  message_retention_duration = "600s"

  expiration_policy {
    ttl = "" # never
  }

  depends_on = [google_cloud_run_v2_service_iam_member.push]
}
