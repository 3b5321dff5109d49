locals {
  # One line a delivery (functions/logs.py): metrics are made of its fields.
  deliveries = join(" AND ", [
    "resource.type=\"cloud_run_revision\"",
    "resource.labels.service_name=(\"${join("\" OR \"", [for name in keys(local.subscriptions) : "${var.name_prefix}${name}"])}\")",
    "jsonPayload.outcome:*",
  ])

  title   = var.name_prefix == "" ? "Captions" : "Captions ${trimsuffix(var.name_prefix, "-")}"
  metrics = local.role_prefix

  # How many deliveries of a window, as Prometheus asks for them; keep's runs are none.
  ended = {
    for name, labels in {
      all      = ""
      again    = ",outcome=~\"away|redelivered\""
      deferred = ",outcome=\"deferred\""
    } : name => "increase(logging_googleapis_com:user_${local.metrics}captions_outcomes{monitored_resource=\"cloud_run_revision\",service_name!=\"${var.name_prefix}keep\"${labels}}"
  }

  amounts = {
    model_calls   = { unit = "1", lowest = 1, of = "Model calls of a delivery" }
    input_tokens  = { unit = "1", lowest = 100, of = "Tokens sent to the model, of a delivery" }
    output_tokens = { unit = "1", lowest = 10, of = "Tokens the model wrote, of a delivery" }
    cost_usd      = { unit = "1", lowest = 0.0001, of = "US dollars of model calls, of a delivery" }
    duration_ms   = { unit = "ms", lowest = 1, of = "Milliseconds of a delivery" }
    model_ms      = { unit = "ms", lowest = 1, of = "Milliseconds of a delivery's model calls" }
  }

  # Alerts on the line itself, not on a metric: those of a new project take minutes to exist, and
  # the notification shows the line with its remedy.
  alerts = {
    failed = {
      title    = "${local.title}: images were given up"
      severity = "WARNING"
      filter   = "jsonPayload.outcome=\"failed\""
      remedy   = "Ten attempts of its own, or a week, went by without a caption. The documents say why: `captions list --status failed`. When the reason is mended: `captions retry`."
    }
    configuration = {
      title    = "${local.title}: a setting, key or permission is wrong"
      severity = "CRITICAL"
      filter   = "jsonPayload.reason=\"configuration\""
      remedy   = "The message names the setting and the remedy. Mend it; events wait meanwhile, and are delivered again by themselves. What used up its ten attempts before (about 40 minutes) is `failed`: `captions retry`."
    }
    person = {
      title    = "${local.title}: keep found what needs a person"
      severity = "WARNING"
      filter   = "jsonPayload.reason=\"needs_a_person\""
      remedy   = "The message says what. `captions check` shows it image by image."
    }
    defect = {
      title    = "${local.title}: a defect"
      severity = "CRITICAL"
      filter   = "jsonPayload.reason=\"defect\""
      remedy   = "The message is the traceback. Deploy the last version that worked (`terraform apply` of its commit); events wait meanwhile, and are delivered again by themselves."
    }
  }
}

resource "google_logging_metric" "outcomes" {
  project     = var.project
  name        = "${local.metrics}captions_outcomes"
  description = "Deliveries by outcome, reason and function"
  filter      = local.deliveries

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    unit        = "1"

    labels {
      key         = "outcome"
      value_type  = "STRING"
      description = "captioned, done, rejected, failed, deferred, redelivered ..."
    }

    labels {
      key         = "reason"
      value_type  = "STRING"
      description = "Why, where it did not end in a caption"
    }
  }

  label_extractors = {
    outcome = "EXTRACT(jsonPayload.outcome)"
    reason  = "EXTRACT(jsonPayload.reason)"
  }

  depends_on = [google_project_service.api]
}

resource "google_logging_metric" "amount" {
  for_each = local.amounts

  project         = var.project
  name            = "${local.metrics}captions_${each.key}"
  description     = each.value.of
  filter          = "${local.deliveries} AND jsonPayload.${each.key}>0"
  value_extractor = "EXTRACT(jsonPayload.${each.key})"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "DISTRIBUTION"
    unit        = each.value.unit

    labels {
      key         = "model"
      value_type  = "STRING"
      description = "provider:model that was asked last"
    }
  }

  label_extractors = {
    model = "EXTRACT(jsonPayload.model)"
  }

  bucket_options {
    exponential_buckets {
      num_finite_buckets = 40
      growth_factor      = 1.5
      scale              = each.value.lowest
    }
  }

  depends_on = [google_project_service.api]
}

resource "google_monitoring_notification_channel" "email" {
  count = var.alert_email == "" ? 0 : 1

  project      = var.project
  display_name = "${local.title}: ${var.alert_email}"
  type         = "email"
  labels       = { email_address = var.alert_email }

  depends_on = [google_project_service.api]
}

resource "google_monitoring_alert_policy" "outcome" {
  for_each = local.alerts

  project               = var.project
  display_name          = each.value.title
  combiner              = "OR"
  severity              = each.value.severity
  notification_channels = google_monitoring_notification_channel.email[*].id

  conditions {
    display_name = each.value.title

    condition_matched_log {
      filter = "${local.deliveries} AND ${each.value.filter}"
    }
  }

  alert_strategy {
    auto_close = "86400s"

    notification_rate_limit {
      period = "3600s"
    }
  }

  documentation {
    subject   = each.value.title
    content   = each.value.remedy
    mime_type = "text/markdown"
  }

  depends_on = [google_project_service.api]
}

resource "google_monitoring_alert_policy" "backlog" {
  project               = var.project
  display_name          = "${local.title}: events wait for more than half an hour"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = google_monitoring_notification_channel.email[*].id

  conditions {
    display_name = "Age of the oldest event"

    condition_threshold {
      filter          = "metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\" AND resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id=one_of(\"${join("\",\"", values(google_pubsub_subscription.function)[*].name)}\")"
      comparison      = "COMPARISON_GT"
      threshold_value = 1800
      duration        = "0s"

      aggregations {
        alignment_period   = "300s"
        per_series_aligner = "ALIGN_MAX"
      }
    }
  }

  documentation {
    subject   = "${local.title}: events wait"
    content   = "A model that is down or out of quota, Firestore or Cloud Storage away, or a function that does not start. See the reasons: `gcloud logging read 'jsonPayload.outcome=\"redelivered\"' --limit=20 --format='value(jsonPayload.reason,jsonPayload.message)'`. No such line at all: the function does not start; read its log at severity ERROR."
    mime_type = "text/markdown"
  }
}

resource "google_monitoring_alert_policy" "dead_letters" {
  project               = var.project
  display_name          = "${local.title}: events were given up by the platform"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = google_monitoring_notification_channel.email[*].id

  conditions {
    display_name = "Dead letters"

    condition_threshold {
      filter          = "metric.type=\"pubsub.googleapis.com/subscription/num_undelivered_messages\" AND resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id=\"${google_pubsub_subscription.dead_letters.name}\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"

      aggregations {
        alignment_period   = "300s"
        per_series_aligner = "ALIGN_MAX"
      }
    }
  }

  documentation {
    subject   = "${local.title}: dead letters"
    content   = "A function answered none of a hundred deliveries well. Mend it by its log, then deliver the time since again, which costs nothing for what is done: `for s in ${join(" ", local.replayed)}; do gcloud pubsub subscriptions seek $s --time=TIME; done`, and empty the dead letters: `gcloud pubsub subscriptions seek ${var.name_prefix}caption-dead-letters --time=$(date -u +%FT%TZ)`."
    mime_type = "text/markdown"
  }
}

resource "google_monitoring_alert_policy" "cost" {
  project               = var.project
  display_name          = "${local.title}: the day's model calls cost more than ${var.cost_alert_usd} US dollars"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = google_monitoring_notification_channel.email[*].id

  conditions {
    display_name = "US dollars in 24 hours"

    # A distribution's sum over a day: thresholds on metrics have no such aligner.
    condition_prometheus_query_language {
      query               = "sum(increase(logging_googleapis_com:user_${google_logging_metric.amount["cost_usd"].name}_sum{monitored_resource=\"cloud_run_revision\"}[24h])) > ${var.cost_alert_usd}"
      duration            = "0s"
      evaluation_interval = "300s"

      # The metric is minutes old when it is first deployed, and not yet known.
      disable_metric_validation = true
    }
  }

  documentation {
    subject   = "${local.title}: cost of a day"
    content   = "By the dated prices of functions/model/prices.toml. See which images: `captions list`; lower daily_limit to hold it at once (what is over it becomes `deferred`), skip paths in captions.toml, or choose a cheaper model."
    mime_type = "text/markdown"
  }
}

resource "google_project_iam_member" "traces" {
  for_each = { for name, each in local.functions : name => each if var.trace_share > 0 && each.asks }

  project = var.project
  role    = "roles/cloudtrace.agent"
  member  = google_service_account.function[each.key].member

  depends_on = [google_project_service.optional]
}

# What no single line shows: rates, and what is missing.
locals {
  signs = {
    silence = {
      title    = "${local.title}: images are uploaded and nothing arrives"
      severity = "CRITICAL"
      query    = "sum(increase(storage_googleapis_com:api_request_count{monitored_resource=\"gcs_bucket\",bucket_name=~\"${join("|", var.buckets[*].name)}\",method=~\"WriteObject|ComposeObject|RewriteObject.To\"}[1h])) > 0 unless sum(${local.ended.all}[1h])) > 0"
      remedy   = "The notification of the bucket, the subscription or the function is gone. `terraform plan` shows what is missing; `terraform output replay` delivers what was told meanwhile, `captions check --fix` asks for what was not."
    }
    away = {
      title    = "${local.title}: the model is away"
      severity = "WARNING"
      query    = "sum(${local.ended.again}[15m])) > 5 and sum(${local.ended.again}[15m])) > 0.5 * sum(${local.ended.all}[15m]))"
      remedy   = "Most deliveries of a quarter of an hour are to be repeated. An outage ends by itself and costs no image its caption. Is it the quota, raise it, or name a second model in `model`. See the reasons: `gcloud logging read 'jsonPayload.outcome=(\"away\" OR \"redelivered\")' --limit=20 --format='value(jsonPayload.reason,jsonPayload.message)'`."
    }
    deferred = {
      title    = "${local.title}: images are deferred for more than a day"
      severity = "WARNING"
      query    = "sum(${local.ended.deferred}[24h])) > 0 and sum(${local.ended.deferred}[24h] offset 24h)) > 0"
      remedy   = "The day's limit was spent on two days running: what is deferred does not catch up. Raise daily_limit, or skip paths in captions.toml."
    }
  }
}

resource "google_monitoring_alert_policy" "sign" {
  for_each = local.signs

  project               = var.project
  display_name          = each.value.title
  combiner              = "OR"
  severity              = each.value.severity
  notification_channels = google_monitoring_notification_channel.email[*].id

  conditions {
    display_name = each.value.title

    condition_prometheus_query_language {
      query               = each.value.query
      duration            = "900s"
      evaluation_interval = "300s"

      # The metrics are minutes old when they are first deployed, and not yet known.
      disable_metric_validation = true
    }
  }

  documentation {
    subject   = each.value.title
    content   = each.value.remedy
    mime_type = "text/markdown"
  }

  depends_on = [google_logging_metric.outcomes]
}

resource "google_monitoring_dashboard" "captions" {
  project = var.project

  dashboard_json = templatefile("${path.module}/dashboard.json", {
    title        = local.title
    metrics      = local.metrics
    functions    = join("|", values(google_pubsub_subscription.function)[*].name)
    dead_letters = google_pubsub_subscription.dead_letters.name
  })
}
