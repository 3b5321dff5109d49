# One deployment, as terraform.tfvars describes it. Copy it for others: the module holds no provider,
# so for_each, other projects and a name_prefix work on it (docs/deploy.md).
module "captions" {
  source = "./module"

  project            = var.project
  buckets            = var.buckets
  name_prefix        = var.name_prefix
  source_root        = var.source_root
  region             = var.region
  versioning         = var.versioning
  public_images      = var.public_images
  cors_origins       = var.cors_origins
  image_origins      = var.image_origins
  create_database    = var.create_database
  firestore_public   = var.firestore_public
  database           = var.database
  model              = var.model
  vertex_ai          = var.vertex_ai
  vertex_location    = var.vertex_location
  model_keys         = var.model_keys
  model_keys_version = var.model_keys_version
  languages          = var.languages
  daily_limit        = var.daily_limit
  settings           = var.settings
  concurrency        = var.concurrency
  memory             = var.memory
  max_instances      = var.max_instances
  alt_text_public    = var.alt_text_public
  reviewers          = var.reviewers
  askers             = var.askers
  ask_public         = var.ask_public
  keep_schedule      = var.keep_schedule
  trace_share        = var.trace_share
  hold_new_revisions = var.hold_new_revisions
  alert_email        = var.alert_email
  cost_alert_usd     = var.cost_alert_usd
}
