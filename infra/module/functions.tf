locals {
  timeout_seconds = 300

  # What a function is given beside what all are given: "images" is its role on the buckets,
  # "captions" its role on the database; "asks" a model; "tells" of captions that have ended.
  # The one that takes events is named in requests.tf, too.
  table = {
    caption-image = {
      target   = "caption_image"
      does     = "Captions each image that is stored"
      ingress  = "ALLOW_INTERNAL_ONLY"
      memory   = var.memory
      asks     = true
      tells    = true
      images   = "captionsImageLabeller"
      captions = "roles/datastore.user"
    }
    caption-request = {
      target   = "caption_request"
      does     = "Captions what somebody asks for: backfill, retry, re-caption"
      ingress  = "ALLOW_INTERNAL_ONLY"
      memory   = var.memory
      asks     = true
      tells    = true
      images   = "captionsImageLabeller"
      captions = "roles/datastore.user"
    }
    forget-image = {
      target   = "forget_image"
      does     = "Removes the caption of a deleted image"
      ingress  = "ALLOW_INTERNAL_ONLY"
      memory   = "512Mi"
      asks     = false
      tells    = false
      images   = "captionsImageSeer"
      captions = "roles/datastore.user"
    }
    alt-text = {
      target   = "alt_text"
      does     = "Alt text for websites, read only"
      ingress  = "ALLOW_ALL"
      memory   = "512Mi"
      asks     = false
      tells    = false
      images   = null
      captions = "roles/datastore.viewer"
    }
    review = {
      target   = "review"
      does     = "The page on which people find, edit and approve captions"
      ingress  = "ALLOW_ALL"
      memory   = "512Mi"
      asks     = true
      tells    = true
      images   = "captionsImageLabeller"
      captions = "roles/datastore.user"
    }
    keep = {
      target   = "keep"
      does     = "Takes up what waits, mends what has come apart"
      ingress  = "ALLOW_INTERNAL_ONLY"
      memory   = var.memory
      asks     = true
      tells    = true
      images   = "captionsImageLabeller"
      captions = "roles/datastore.user"
    }
    ask = {
      target   = "ask"
      does     = "Answers a question about one image"
      ingress  = "ALLOW_ALL"
      memory   = var.memory
      asks     = true
      tells    = false
      images   = "captionsImageSeer"
      captions = "roles/datastore.user"
    }
  }

  # A row is deployed where the source has its entry point.
  entry_points = flatten(regexall("(?m)^def (\\w+)\\(", file("${local.root}/main.py")))
  functions    = { for name, each in local.table : name => each if contains(local.entry_points, each.target) }

  # Custom roles know letters, digits, dots and underscores only.
  role_prefix = replace(var.name_prefix, "-", "_")

  env = merge(local.event_age, var.settings, local.vertex_ai, {
    GOOGLE_CLOUD_PROJECT  = var.project
    CAPTION_MODEL         = var.model
    CAPTION_DATABASE      = local.database
    CAPTION_LANGUAGES     = join(",", var.languages)
    CAPTION_DAILY_LIMIT   = tostring(var.daily_limit)
    CAPTION_REVIEWERS     = var.firestore_public ? "unnamed" : "named" # whole documents are read
    CAPTION_TRACES        = tostring(var.trace_share)
    CAPTION_REQUEST_TOPIC = google_pubsub_topic.requests.name
    CAPTION_CORS_ORIGINS  = join(",", var.cors_origins)
    CAPTION_ORIGINS       = join(",", [for origin, place in var.image_origins : "${origin}=${place}"])
    CAPTION_PUBLIC_BUCKETS = join(",", distinct(concat(
      var.buckets[*].name, [for place in values(var.image_origins) : split("/", place)[0]]
    )))
  })

  vertex_ai = var.vertex_ai ? {
    GOOGLE_GENAI_USE_ENTERPRISE = "true"
    GOOGLE_CLOUD_LOCATION       = var.vertex_location
  } : {}
}

resource "google_service_account" "function" {
  for_each = local.functions

  project      = var.project
  account_id   = "${var.name_prefix}captions-${each.key}"
  display_name = "Captions: ${each.value.target}"
  description  = each.value.does

  depends_on = [google_project_service.api]
}

resource "google_cloudfunctions2_function" "function" {
  # checkov:skip=CKV_GCP_124:alt_text and review answer browsers, by IAM; the functions that take events are internal.
  for_each = local.functions

  project     = var.project
  name        = "${var.name_prefix}${each.key}"
  location    = var.region
  description = each.value.does

  build_config {
    runtime           = "python313"
    entry_point       = each.value.target
    service_account   = google_service_account.build.id
    docker_repository = google_artifact_registry_repository.images.id

    source {
      storage_source {
        bucket = google_storage_bucket.source.name
        object = google_storage_bucket_object.source.name
      }
    }
  }

  service_config {
    service_account_email            = google_service_account.function[each.key].email
    ingress_settings                 = each.value.ingress
    available_cpu                    = "1"
    available_memory                 = each.value.memory
    timeout_seconds                  = local.timeout_seconds
    max_instance_request_concurrency = var.concurrency
    max_instance_count               = var.max_instances
    min_instance_count               = 0

    # False leaves the events with the revision that has them, until "terraform output promote".
    all_traffic_on_latest_revision = !var.hold_new_revisions

    # The framework's threads: fewer than the concurrency, and events wait in vain.
    environment_variables = merge(
      local.env,
      { THREADS = tostring(var.concurrency) },
      # It looks through the buckets that are captioned, not through a CDN's.
      each.key == "keep" ? { CAPTION_PUBLIC_BUCKETS = join(",", var.buckets[*].name) } : {},
      each.key == "ask" && var.ask_public ? { CAPTION_ASK_PUBLIC = "on" } : {},
      each.value.tells ? { CAPTION_EVENTS_TOPIC = google_pubsub_topic.events.name } : {},
    )

    dynamic "secret_environment_variables" {
      for_each = each.value.asks ? local.keys : []

      content {
        key        = secret_environment_variables.value
        project_id = var.project
        secret     = google_secret_manager_secret.key[secret_environment_variables.value].secret_id
        version    = google_secret_manager_secret_version.key[secret_environment_variables.value].version
      }
    }
  }

  depends_on = [
    google_artifact_registry_repository_iam_member.build,
    google_project_iam_member.build_logs,
    google_project_iam_member.build_source,
    google_project_iam_member.firestore,
    google_project_iam_member.predict,
    google_secret_manager_secret_iam_member.key,
    google_storage_bucket_iam_member.build,
  ]
}

resource "google_cloud_run_v2_service_iam_member" "alt_text_public" {
  count = var.alt_text_public ? 1 : 0

  project  = var.project
  location = var.region
  name     = google_cloudfunctions2_function.function["alt-text"].name
  role     = "roles/run.invoker"
  member   = "allUsers"
}

# People open these; "gcloud run services proxy" asks where the service is before it invokes it.
resource "google_project_iam_custom_role" "locate" {
  project     = var.project
  role_id     = "${local.role_prefix}captionsLocate"
  title       = "Captions: find the address of a page"
  permissions = ["run.services.get"]

  depends_on = [google_project_service.api]
}

resource "google_cloud_run_v2_service_iam_member" "reviewers" {
  for_each = toset(var.reviewers)

  project  = var.project
  location = var.region
  name     = google_cloudfunctions2_function.function["review"].name
  role     = "roles/run.invoker"
  member   = each.value
}

resource "google_cloud_run_v2_service_iam_member" "reviewers_locate" {
  for_each = toset(var.reviewers)

  project  = var.project
  location = var.region
  name     = google_cloudfunctions2_function.function["review"].name
  role     = google_project_iam_custom_role.locate.name
  member   = each.value
}

resource "google_cloud_run_v2_service_iam_member" "askers" {
  for_each = contains(keys(local.functions), "ask") ? toset(var.askers) : []

  project  = var.project
  location = var.region
  name     = google_cloudfunctions2_function.function["ask"].name
  role     = "roles/run.invoker"
  member   = each.value
}

# Everyone spends model calls then, as many a day as settings say.
resource "google_cloud_run_v2_service_iam_member" "ask_public" {
  count = var.ask_public && contains(keys(local.functions), "ask") ? 1 : 0

  project  = var.project
  location = var.region
  name     = google_cloudfunctions2_function.function["ask"].name
  role     = "roles/run.invoker"
  member   = "allUsers"
}

# The review page shows pictures by addresses that it signs as itself and that end in minutes.
resource "google_project_iam_custom_role" "sign" {
  project     = var.project
  role_id     = "${local.role_prefix}captionsSign"
  title       = "Captions: sign addresses of pictures"
  permissions = ["iam.serviceAccounts.signBlob"]

  depends_on = [google_project_service.api]
}

resource "google_service_account_iam_member" "review_signs" {
  service_account_id = google_service_account.function["review"].name
  role               = google_project_iam_custom_role.sign.name
  member             = google_service_account.function["review"].member
}
