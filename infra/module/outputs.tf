locals {
  services = join(" ", [for each in google_cloudfunctions2_function.function : each.name])
}

output "upload" {
  description = "Upload an image, and have it captioned."
  value       = "gcloud storage cp image.jpg gs://${var.buckets[0].name}/"
}

output "query" {
  description = "What became of it: the labels on the object. The document is in Firestore, in the collection captions."
  value       = "gcloud storage objects describe gs://${var.buckets[0].name}/image.jpg --format='yaml(custom_fields)'"
}

output "captions" {
  description = "The command line on this deployment."
  value       = "GOOGLE_CLOUD_PROJECT=${var.project} CAPTION_DATABASE='${var.database}' captions list"
}

output "curl" {
  description = "Alt text as a website gets it."
  value = join(" ", compact([
    "curl",
    var.alt_text_public ? "" : "-H \"Authorization: Bearer $(gcloud auth print-identity-token)\"",
    "'${google_cloudfunctions2_function.function["alt-text"].service_config[0].uri}/?src=gs://${var.buckets[0].name}/image.jpg'",
  ]))
}

output "ask" {
  description = "A question about an image, as one of the askers, or with ask_public as anybody."
  value = join(" ", compact([
    "curl -H 'Content-Type: application/json'",
    var.ask_public ? "" : "-H \"Authorization: Bearer $(gcloud auth print-identity-token)\"",
    "-d '{\"src\": \"gs://${var.buckets[0].name}/image.jpg\", \"question\": \"What is in this picture?\"}'",
    try(google_cloudfunctions2_function.function["ask"].service_config[0].uri, "ASK_URL"),
  ]))
}

output "review" {
  description = "Open the review page at localhost:8080, as one of the reviewers."
  value       = "gcloud run services proxy ${google_cloudfunctions2_function.function["review"].name} --project=${var.project} --region=${var.region} --port=8080"
}

output "logs" {
  description = "The last deliveries and what they ended in."
  value       = "gcloud logging read 'jsonPayload.outcome:*' --project=${var.project} --limit=20 --format='table(timestamp,severity,resource.labels.revision_name,jsonPayload.outcome,jsonPayload.reason,jsonPayload.message)'"
}

output "replay" {
  description = "Deliver all uploads, deletions and requests since a time again, after an outage; what is done costs nothing."
  value       = "for s in ${join(" ", local.replayed)}; do gcloud pubsub subscriptions seek $s --project=${var.project} --time=$(date -u -d '1 day ago' +%FT%TZ); done"
}

output "dashboard" {
  description = "Outcomes, calls, tokens, cost, latency and backlog."
  value       = "https://console.cloud.google.com/monitoring/dashboards/builder/${reverse(split("/", google_monitoring_dashboard.captions.id))[0]}?project=${var.project}"
}

output "try" {
  description = "With hold_new_revisions: tag the newest revision of caption-request as next, and have it answer an event, without any traffic. Then see its line with the command that the output logs prints."
  value       = var.hold_new_revisions ? "f=${google_cloudfunctions2_function.function["caption-request"].name}; gcloud run services update-traffic $f --project=${var.project} --region=${var.region} --update-tags=next=$(gcloud run revisions list --service=$f --project=${var.project} --region=${var.region} --sort-by=~metadata.creationTimestamp --format='value(metadata.name)' --limit=1) && gcloud pubsub topics publish ${google_pubsub_topic.try[0].name} --project=${var.project} --message='{\"bucket\": \"${var.buckets[0].name}\", \"name\": \"image.jpg\", \"force\": true}'" : "set hold_new_revisions = true first"
}

output "rollback" {
  description = "Give all events and requests back to the revisions before the last ones, at once."
  value       = "for f in ${local.services}; do gcloud run services update-traffic $f --project=${var.project} --region=${var.region} --to-revisions=$(gcloud run revisions list --service=$f --project=${var.project} --region=${var.region} --sort-by=~metadata.creationTimestamp --format='value(metadata.name)' --limit=2 | tail -n 1)=100; done"
}

output "promote" {
  description = "Give all events and requests to the newest revisions: after hold_new_revisions, or a rollback."
  value       = "for f in ${local.services}; do gcloud run services update-traffic $f --project=${var.project} --region=${var.region} --to-latest; done"
}
