# What terraform.tfvars may say. Meaning, default and refusal of each stand in module/variables.tf:
# null is that default.
variable "project" {
  type = string
}

variable "buckets" {
  type = list(object({
    name     = string
    create   = optional(bool, true)
    project  = optional(string)
    location = optional(string)
    key      = optional(string)
  }))
}

variable "name_prefix" {
  type    = string
  default = null
}

variable "source_root" {
  type    = string
  default = null
}

variable "region" {
  type    = string
  default = null
}

variable "versioning" {
  type    = bool
  default = null
}

variable "public_images" {
  type    = bool
  default = null
}

variable "cors_origins" {
  type    = list(string)
  default = null
}

variable "image_origins" {
  type    = map(string)
  default = null
}

variable "create_database" {
  type    = bool
  default = null
}

variable "firestore_public" {
  type    = bool
  default = null
}

variable "database" {
  type    = string
  default = null
}

variable "model" {
  type    = string
  default = null
}

variable "vertex_ai" {
  type    = bool
  default = null
}

variable "vertex_location" {
  type    = string
  default = null
}

variable "model_keys" {
  type      = map(string)
  default   = {}
  ephemeral = true
  sensitive = true
}

variable "model_keys_version" {
  type    = number
  default = null
}

variable "languages" {
  type    = list(string)
  default = null
}

variable "daily_limit" {
  type    = number
  default = null
}

variable "settings" {
  type    = map(string)
  default = null
}

variable "concurrency" {
  type    = number
  default = null
}

variable "memory" {
  type    = string
  default = null
}

variable "max_instances" {
  type    = number
  default = null
}

variable "alt_text_public" {
  type    = bool
  default = null
}

variable "reviewers" {
  type    = list(string)
  default = null
}

variable "askers" {
  type    = list(string)
  default = null
}

variable "ask_public" {
  type    = bool
  default = null
}

variable "keep_schedule" {
  type    = string
  default = null
}

variable "trace_share" {
  type    = number
  default = null
}

variable "hold_new_revisions" {
  type    = bool
  default = null
}

variable "alert_email" {
  type    = string
  default = null
}

variable "cost_alert_usd" {
  type    = number
  default = null
}
