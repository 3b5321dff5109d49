locals {
  timeout_seconds = 300

  # What a function is given beside what all are given.
  functions = {
    caption-image = {
      target  = "caption_image"
      does    = "Captions each image that is stored"
      ingress = "ALLOW_INTERNAL_ONLY"
      memory  = var.memory
      asks    = true
    }
    caption-request = {
      target  = "caption_request"
      does    = "Captions what somebody asks for: backfill, retry, re-caption"
      ingress = "ALLOW_INTERNAL_ONLY"
      memory  = var.memory
      asks    = true
    }
    forget-image = {
      target  = "forget_image"
      does    = "Removes the caption of a deleted image"
      ingress = "ALLOW_INTERNAL_ONLY"
      memory  = "512Mi"
      asks    = false
    }
    alt-text = {
      target  = "alt_text"
      does    = "Alt text for websites, read only"
      ingress = "ALLOW_ALL"
      memory  = "512Mi"
      asks    = false
    }
    review = {
      target  = "review"
      does    = "The page on which people find, edit and approve captions"
      ingress = "ALLOW_ALL"
      memory  = "512Mi"
      asks    = true
    }
  }

  env = merge(var.settings, local.vertex_ai, {
    GOOGLE_CLOUD_PROJECT  = var.project
    CAPTION_MODEL         = var.model
    CAPTION_DATABASE      = local.database
    CAPTION_LANGUAGES     = join(",", var.languages)
    CAPTION_DAILY_LIMIT   = tostring(var.daily_limit)
    CAPTION_REQUEST_TOPIC = google_pubsub_topic.requests.name
    CAPTION_CORS_ORIGINS  = join(",", var.cors_origins)
    CAPTION_ORIGINS       = join(",", [for origin, place in var.image_origins : "${origin}=${place}"])
    CAPTION_PUBLIC_BUCKETS = join(",", distinct(concat(
      [var.bucket], [for place in values(var.image_origins) : split("/", place)[0]]
    )))
  })

  vertex_ai = var.vertex_ai ? {
    GOOGLE_GENAI_USE_ENTERPRISE = "true"
    GOOGLE_CLOUD_LOCATION       = var.vertex_location
  } : {}
}

resource "google_service_account" "function" {
  for_each = local.functions

  account_id   = "captions-${each.key}"
  display_name = "Captions: ${each.value.target}"
  description  = each.value.does

  depends_on = [google_project_service.api]
}

resource "google_cloudfunctions2_function" "function" {
  # checkov:skip=CKV_GCP_124:alt_text and review answer browsers, by IAM; the functions that take events are internal.
  for_each = local.functions

  name        = each.key
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

    # The framework's threads: fewer than the concurrency, and events wait in vain.
    environment_variables = merge(local.env, { THREADS = tostring(var.concurrency) })

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
    google_secret_manager_secret_iam_member.key,
    google_storage_bucket_iam_member.build,
  ]
}

resource "google_cloud_run_v2_service_iam_member" "alt_text_public" {
  count = var.alt_text_public ? 1 : 0

  location = var.region
  name     = google_cloudfunctions2_function.function["alt-text"].name
  role     = "roles/run.invoker"
  member   = "allUsers"
}

resource "google_cloud_run_v2_service_iam_member" "reviewers" {
  for_each = toset(var.reviewers)

  location = var.region
  name     = google_cloudfunctions2_function.function["review"].name
  role     = "roles/run.invoker"
  member   = each.value
}

# The review page shows pictures by addresses that it signs as itself and that end in minutes.
resource "google_project_iam_custom_role" "sign" {
  role_id     = "captionsSign"
  title       = "Captions: sign addresses of pictures"
  permissions = ["iam.serviceAccounts.signBlob"]

  depends_on = [google_project_service.api]
}

resource "google_service_account_iam_member" "review_signs" {
  service_account_id = google_service_account.function["review"].name
  role               = google_project_iam_custom_role.sign.name
  member             = google_service_account.function["review"].member
}
