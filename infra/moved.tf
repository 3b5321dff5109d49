# A deployment that was made before there was a module keeps what it has.
# Its bucket goes by the key "images": docs/deploy.md.
moved {
  from = google_storage_bucket.images[0]
  to   = module.captions.google_storage_bucket.images["images"]
}

moved {
  from = google_storage_bucket_iam_member.images_public[0]
  to   = module.captions.google_storage_bucket_iam_member.images_public["images"]
}

moved {
  from = google_storage_notification.uploads
  to   = module.captions.google_storage_notification.uploads["images"]
}

moved {
  from = google_pubsub_topic_iam_member.gcs_publishes
  to   = module.captions.google_pubsub_topic_iam_member.gcs_publishes["own"]
}

moved {
  from = google_project_service.api["cloudresourcemanager.googleapis.com"]
  to   = module.captions.google_project_service.first["cloudresourcemanager.googleapis.com"]
}

moved {
  from = google_project_service.api["storage.googleapis.com"]
  to   = module.captions.google_project_service.first["storage.googleapis.com"]
}

moved {
  from = google_project_service.api["aiplatform.googleapis.com"]
  to   = module.captions.google_project_service.optional["aiplatform.googleapis.com"]
}

moved {
  from = google_storage_bucket_iam_member.functions["caption-image"]
  to   = module.captions.google_storage_bucket_iam_member.functions["images/caption-image"]
}

moved {
  from = google_storage_bucket_iam_member.functions["caption-request"]
  to   = module.captions.google_storage_bucket_iam_member.functions["images/caption-request"]
}

moved {
  from = google_storage_bucket_iam_member.functions["forget-image"]
  to   = module.captions.google_storage_bucket_iam_member.functions["images/forget-image"]
}

moved {
  from = google_storage_bucket_iam_member.functions["review"]
  to   = module.captions.google_storage_bucket_iam_member.functions["images/review"]
}

moved {
  from = google_artifact_registry_repository.images
  to   = module.captions.google_artifact_registry_repository.images
}

moved {
  from = google_artifact_registry_repository_iam_member.build
  to   = module.captions.google_artifact_registry_repository_iam_member.build
}

moved {
  from = google_cloud_run_v2_service_iam_member.alt_text_public
  to   = module.captions.google_cloud_run_v2_service_iam_member.alt_text_public
}

moved {
  from = google_cloud_run_v2_service_iam_member.push
  to   = module.captions.google_cloud_run_v2_service_iam_member.push
}

moved {
  from = google_cloud_run_v2_service_iam_member.reviewers
  to   = module.captions.google_cloud_run_v2_service_iam_member.reviewers
}

moved {
  from = google_cloudfunctions2_function.function
  to   = module.captions.google_cloudfunctions2_function.function
}

moved {
  from = google_firebaserules_release.captions
  to   = module.captions.google_firebaserules_release.captions
}

moved {
  from = google_firebaserules_ruleset.captions
  to   = module.captions.google_firebaserules_ruleset.captions
}

moved {
  from = google_firestore_database.captions
  to   = module.captions.google_firestore_database.captions
}

moved {
  from = google_firestore_field.captions
  to   = module.captions.google_firestore_field.captions
}

moved {
  from = google_firestore_index.captions
  to   = module.captions.google_firestore_index.captions
}

moved {
  from = google_logging_metric.amount
  to   = module.captions.google_logging_metric.amount
}

moved {
  from = google_logging_metric.outcomes
  to   = module.captions.google_logging_metric.outcomes
}

moved {
  from = google_monitoring_alert_policy.backlog
  to   = module.captions.google_monitoring_alert_policy.backlog
}

moved {
  from = google_monitoring_alert_policy.cost
  to   = module.captions.google_monitoring_alert_policy.cost
}

moved {
  from = google_monitoring_alert_policy.dead_letters
  to   = module.captions.google_monitoring_alert_policy.dead_letters
}

moved {
  from = google_monitoring_alert_policy.outcome
  to   = module.captions.google_monitoring_alert_policy.outcome
}

moved {
  from = google_monitoring_dashboard.captions
  to   = module.captions.google_monitoring_dashboard.captions
}

moved {
  from = google_monitoring_notification_channel.email
  to   = module.captions.google_monitoring_notification_channel.email
}

moved {
  from = google_project_iam_custom_role.images
  to   = module.captions.google_project_iam_custom_role.images
}

moved {
  from = google_project_iam_custom_role.predict
  to   = module.captions.google_project_iam_custom_role.predict
}

moved {
  from = google_project_iam_custom_role.sign
  to   = module.captions.google_project_iam_custom_role.sign
}

moved {
  from = google_project_iam_member.build_logs
  to   = module.captions.google_project_iam_member.build_logs
}

moved {
  from = google_project_iam_member.build_source
  to   = module.captions.google_project_iam_member.build_source
}

moved {
  from = google_project_iam_member.firestore
  to   = module.captions.google_project_iam_member.firestore
}

moved {
  from = google_project_iam_member.predict
  to   = module.captions.google_project_iam_member.predict
}

moved {
  from = google_project_service.api
  to   = module.captions.google_project_service.api
}

moved {
  from = google_pubsub_subscription.dead_letters
  to   = module.captions.google_pubsub_subscription.dead_letters
}

moved {
  from = google_pubsub_subscription.function
  to   = module.captions.google_pubsub_subscription.function
}

moved {
  from = google_pubsub_subscription_iam_member.pubsub_buries
  to   = module.captions.google_pubsub_subscription_iam_member.pubsub_buries
}

moved {
  from = google_pubsub_topic.dead_letters
  to   = module.captions.google_pubsub_topic.dead_letters
}

moved {
  from = google_pubsub_topic.requests
  to   = module.captions.google_pubsub_topic.requests
}

moved {
  from = google_pubsub_topic.uploads
  to   = module.captions.google_pubsub_topic.uploads
}

moved {
  from = google_pubsub_topic_iam_member.pubsub_buries
  to   = module.captions.google_pubsub_topic_iam_member.pubsub_buries
}

moved {
  from = google_pubsub_topic_iam_member.review_requests
  to   = module.captions.google_pubsub_topic_iam_member.review_requests
}

moved {
  from = google_secret_manager_secret.key
  to   = module.captions.google_secret_manager_secret.key
}

moved {
  from = google_secret_manager_secret_iam_member.key
  to   = module.captions.google_secret_manager_secret_iam_member.key
}

moved {
  from = google_secret_manager_secret_version.key
  to   = module.captions.google_secret_manager_secret_version.key
}

moved {
  from = google_service_account.build
  to   = module.captions.google_service_account.build
}

moved {
  from = google_service_account.function
  to   = module.captions.google_service_account.function
}

moved {
  from = google_service_account.push
  to   = module.captions.google_service_account.push
}

moved {
  from = google_service_account_iam_member.review_signs
  to   = module.captions.google_service_account_iam_member.review_signs
}

moved {
  from = google_storage_bucket.source
  to   = module.captions.google_storage_bucket.source
}

moved {
  from = google_storage_bucket_iam_member.build
  to   = module.captions.google_storage_bucket_iam_member.build
}

moved {
  from = google_storage_bucket_object.source
  to   = module.captions.google_storage_bucket_object.source
}
