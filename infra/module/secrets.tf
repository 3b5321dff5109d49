locals {
  # The variable that each provider's key goes by (functions/providers.py).
  key_names = {
    gemini              = "GEMINI_API_KEY"
    google-generativeai = "GEMINI_API_KEY"
    openai              = "OPENAI_API_KEY"
    anthropic           = "ANTHROPIC_API_KEY"
  }

  providers = [for each in split(",", var.model) : split(":", trimspace(each))[0]]

  # Keys that the chosen models need: none for offline and ollama, and none for Gemini on Vertex AI.
  keys = toset([
    for name in local.providers : local.key_names[name]
    if contains(keys(local.key_names), name) && !(var.vertex_ai && name == "gemini")
  ])

  # Who asks a model, for words or for the meaning of a query: nobody else may read a key.
  askers = toset([for name, function in local.functions : name if function.asks])
}

resource "google_secret_manager_secret" "key" {
  for_each = local.keys

  project   = var.project
  secret_id = "${var.name_prefix}${lower(replace(each.value, "_", "-"))}"

  replication {
    user_managed {
      replicas {
        location = var.region
      }
    }
  }

  depends_on = [google_project_service.api]
}

resource "google_secret_manager_secret_version" "key" {
  for_each = local.keys

  secret                 = google_secret_manager_secret.key[each.value].id
  secret_data_wo         = lookup(var.model_keys, each.value, "")
  secret_data_wo_version = var.model_keys_version

  # An earlier revision may be gone back to: its key is switched off, not shredded.
  deletion_policy = "DISABLE"

  lifecycle {
    # The functions have the new key before the old one goes.
    create_before_destroy = true

    # Here and not with the variable: to destroy needs no key.
    precondition {
      condition     = lookup(var.model_keys, each.value, "") != ""
      error_message = "model_keys lacks a key of the model's provider: export TF_VAR_model_keys='{GEMINI_API_KEY=\"...\"}' (OPENAI_API_KEY, ANTHROPIC_API_KEY for those; any word for a server of your own that wants none), or set vertex_ai to ask Gemini without a key."
    }
  }
}

resource "google_secret_manager_secret_iam_member" "key" {
  for_each = {
    for pair in setproduct(local.keys, local.askers) : join(" ", pair) => { key = pair[0], function = pair[1] }
  }

  project   = var.project
  secret_id = google_secret_manager_secret.key[each.value.key].id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.function[each.value.function].member

  # A function that asks another model from now on loses this key when it has been deployed, not before.
  lifecycle {
    create_before_destroy = true
  }
}

# Vertex AI: one permission, where roles/aiplatform.user has hundreds.
resource "google_project_iam_custom_role" "predict" {
  count = var.vertex_ai ? 1 : 0

  project     = var.project
  role_id     = "${local.role_prefix}captionsPredict"
  title       = "Captions: ask a model"
  permissions = ["aiplatform.endpoints.predict"]

  depends_on = [google_project_service.api, google_project_service.optional]
}

resource "google_project_iam_member" "predict" {
  for_each = var.vertex_ai ? local.askers : []

  project = var.project
  role    = google_project_iam_custom_role.predict[0].name
  member  = google_service_account.function[each.value].member
}
