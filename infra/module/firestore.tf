locals {
  database = var.create_database ? google_firestore_database.captions[0].name : var.database
  indexes  = jsondecode(file("${path.module}/../firestore.indexes.json"))
}

resource "google_firestore_database" "captions" {
  count = var.create_database ? 1 : 0

  project     = var.project
  name        = var.database
  location_id = var.region
  type        = "FIRESTORE_NATIVE"

  # A week of every minute: an edit gone wrong can be taken back.
  point_in_time_recovery_enablement = "POINT_IN_TIME_RECOVERY_ENABLED"

  # People's words are in it: the database refuses to go, and so does every plan that would take
  # it away, before anything else is gone. See "Take it away" in docs/deploy.md.
  delete_protection_state = "DELETE_PROTECTION_ENABLED"
  deletion_policy         = "DELETE"

  lifecycle {
    prevent_destroy = true
  }

  depends_on = [google_project_service.api]
}

# The Firebase CLI's file, so that both deploy the same.
resource "google_firestore_index" "captions" {
  for_each = { for index in local.indexes.indexes : sha1(jsonencode(index)) => index }

  project     = var.project
  database    = local.database
  collection  = each.value.collectionGroup
  query_scope = each.value.queryScope

  dynamic "fields" {
    # The API puts __name__ before a vector; left out here, the index is rebuilt at every apply.
    for_each = flatten([for field in each.value.fields : concat(
      [for name in [{ fieldPath = "__name__", order = "ASCENDING" }] : name if can(field.vectorConfig)],
      [field],
    )])

    content {
      field_path   = fields.value.fieldPath
      order        = try(fields.value.order, null)
      array_config = try(fields.value.arrayConfig, null)

      dynamic "vector_config" {
        for_each = try([fields.value.vectorConfig], [])

        content {
          dimension = vector_config.value.dimension
          flat {}
        }
      }
    }
  }
}

# Exemptions from single-field indexes and, where the file has one, a time to live.
resource "google_firestore_field" "captions" {
  for_each = { for field in local.indexes.fieldOverrides : "${field.collectionGroup}/${field.fieldPath}" => field }

  project    = var.project
  database   = local.database
  collection = each.value.collectionGroup
  field      = each.value.fieldPath

  index_config {
    dynamic "indexes" {
      for_each = try(each.value.indexes, [])

      content {
        order        = try(indexes.value.order, null)
        array_config = try(indexes.value.arrayConfig, null)
        query_scope  = indexes.value.queryScope
      }
    }
  }

  dynamic "ttl_config" {
    for_each = try(each.value.ttl, false) ? [true] : []

    content {}
  }
}

# Rules are the database's, not a collection's: those of a database that exists are left alone. A
# new one without any lets no browser in.
resource "google_firebaserules_ruleset" "captions" {
  count = var.create_database && var.firestore_public ? 1 : 0

  project = var.project

  source {
    files {
      name    = "firestore.rules"
      content = file("${path.module}/../firestore.rules")
    }
  }

  # The new rules stand before the old ones go: there is no moment without any.
  lifecycle {
    create_before_destroy = true
  }

  depends_on = [google_firestore_database.captions]
}

resource "google_firebaserules_release" "captions" {
  count = var.create_database && var.firestore_public ? 1 : 0

  project      = var.project
  name         = var.database == "(default)" ? "cloud.firestore" : "cloud.firestore/${var.database}"
  ruleset_name = google_firebaserules_ruleset.captions[0].name
}

# Firestore's roles exist on projects only; the condition holds them to the one database.
resource "google_project_iam_member" "firestore" {
  for_each = local.functions

  project = var.project
  role    = each.value.captions
  member  = google_service_account.function[each.key].member

  condition {
    title       = "captions database"
    description = "Only the database that holds the captions."
    expression  = "resource.name == \"projects/${var.project}/databases/${var.database}\""
  }
}
