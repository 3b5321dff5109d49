variable "project" {
  description = "The project's ID."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project))
    error_message = "project is the ID, such as my-shop-123: 6 to 30 small letters, digits and hyphens. It is not the project's name or number."
  }
}

variable "buckets" {
  description = "The buckets whose images get captions, such as [{name = \"my-images\"}]. create = false for one that exists: of that one only a notification beside its own and roles are managed. project for one in another project. location where it is created, if not in the region. key names it in the state if not its name: images for the bucket of a deployment that was made before there was a list."
  type = list(object({
    name     = string
    create   = optional(bool, true)
    project  = optional(string)
    location = optional(string)
    key      = optional(string)
  }))

  validation {
    condition     = length(var.buckets) > 0 && alltrue([for each in var.buckets : can(regex("^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$", each.name))])
    error_message = "buckets are names without gs:// and without a folder, such as [{name = \"my-images\"}], at least one."
  }

  validation {
    condition     = length(distinct([for each in var.buckets : coalesce(each.key, each.name)])) == length(var.buckets) && length(distinct(var.buckets[*].name)) == length(var.buckets)
    error_message = "buckets has a bucket or a key twice."
  }
}

variable "name_prefix" {
  description = "Begins the name of everything that is made, so that a second copy fits into the project, such as shop-. A second copy needs a database of its own, too. Changed later, everything is made anew."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^([a-z][a-z0-9]{0,4}-)?$", var.name_prefix))
    error_message = "name_prefix is at most five small letters and digits and a hyphen, such as shop-: the names of accounts end at 30 characters."
  }
}

variable "source_root" {
  description = "The folder with main.py that is deployed; empty for the one that this module came with."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.source_root == "" || fileexists("${var.source_root}/main.py")
    error_message = "source_root is a folder that has main.py in it."
  }
}

variable "region" {
  description = "Where the functions run, and where bucket and database are created. Near the images: each is read once."
  type        = string
  default     = "europe-west1"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "region is one region, such as europe-west1 or us-central1, neither a zone nor a multi-region."
  }
}

variable "versioning" {
  description = "Keep replaced and deleted images as noncurrent versions (of buckets that are created here)."
  type        = bool
  default     = false
  nullable    = false
}

variable "public_images" {
  description = "Let everyone read the images (of buckets that are created here). False enforces public access prevention."
  type        = bool
  default     = false
  nullable    = false
}

variable "cors_origins" {
  description = "Websites that may read images and alt_text from scripts, such as https://www.example.com; * for all."
  type        = list(string)
  default     = ["*"]
  nullable    = false

  validation {
    condition     = length(var.cors_origins) > 0 && alltrue([for each in var.cors_origins : each == "*" || can(regex("^https?://[^/]+$", each))])
    error_message = "cors_origins are * or origins such as https://www.example.com: scheme and host, no path, no slash at the end."
  }
}

variable "image_origins" {
  description = "CDN addresses that stand for a bucket, as CAPTION_ORIGINS takes them: {\"https://img.example.com\" = \"my-bucket/prefix\"}."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for origin, place in var.image_origins : can(regex("^https?://[^ ]+$", origin)) && can(regex("^[a-z0-9][^,= ]+$", place))])
    error_message = "image_origins maps an address such as https://img.example.com to a bucket, or a bucket and a prefix such as my-bucket/shop."
  }
}

variable "create_database" {
  description = "Create the Firestore database; false to use one that exists. Of that one only indexes are managed."
  type        = bool
  default     = true
  nullable    = false
}

variable "firestore_public" {
  description = "Let everyone read captions that need no review from a browser, by firestore.rules (of a database that is created here)."
  type        = bool
  default     = false
  nullable    = false
}

variable "database" {
  description = "The Firestore database, CAPTION_DATABASE."
  type        = string
  default     = "(default)"
  nullable    = false

  validation {
    condition     = var.database == "(default)" || can(regex("^[a-z][a-z0-9-]{2,61}[a-z0-9]$", var.database))
    error_message = "database is (default), or 4 to 63 small letters, digits and hyphens that begin with a letter."
  }
}

variable "model" {
  description = "Who writes the captions, CAPTION_MODEL: provider:model, and after commas those to ask where it is unable to. Another provider than gemini needs its line in requirements.txt, and make lock; a server of your own its address in settings."
  type        = string
  default     = "gemini:gemini-3.5-flash-lite"
  nullable    = false

  validation {
    condition     = var.model == "offline" || alltrue([for each in split(",", var.model) : can(regex("^(gemini|google-generativeai|openai|ollama|anthropic):.+$", trimspace(each)))])
    error_message = "model is provider:model, such as gemini:gemini-3.5-flash-lite; providers are gemini, google-generativeai, openai, ollama and anthropic. offline stands alone."
  }
}

variable "vertex_ai" {
  description = "Ask Gemini on Vertex AI, by the functions' own accounts and without a key."
  type        = bool
  default     = false
  nullable    = false
}

variable "vertex_location" {
  description = "Where Vertex AI answers: global, or a region if pictures must stay in it."
  type        = string
  default     = "global"
  nullable    = false

  validation {
    condition     = can(regex("^(global|[a-z]+(-[a-z]+[0-9]+)?)$", var.vertex_location))
    error_message = "vertex_location is global or a region, such as europe-west4."
  }
}

variable "model_keys" {
  description = "Keys by the name of their variable, such as {GEMINI_API_KEY = \"...\"}. Set it as TF_VAR_model_keys, not in a file: it goes to Secret Manager and into no state and no plan."
  type        = map(string)
  default     = {}
  nullable    = false
  ephemeral   = true
  sensitive   = true

  validation {
    condition     = alltrue([for name in keys(var.model_keys) : contains(values(local.key_names), name)])
    error_message = "model_keys knows GEMINI_API_KEY, OPENAI_API_KEY and ANTHROPIC_API_KEY."
  }
}

variable "model_keys_version" {
  description = "Raise it by one to store changed keys."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.model_keys_version >= 1 && floor(var.model_keys_version) == var.model_keys_version
    error_message = "model_keys_version is a whole number from 1, one higher at each change of a key."
  }
}

variable "languages" {
  description = "Languages of the captions, CAPTION_LANGUAGES: BCP 47 tags, the main one first."
  type        = list(string)
  default     = ["en"]
  nullable    = false

  validation {
    condition     = length(var.languages) > 0 && alltrue([for each in var.languages : can(regex("^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", each))])
    error_message = "languages are BCP 47 tags such as en, de-CH or zh-Hant, at least one."
  }
}

variable "daily_limit" {
  description = "Model calls a UTC day over all instances, CAPTION_DAILY_LIMIT; 0 for no limit."
  type        = number
  default     = 10000
  nullable    = false

  validation {
    condition     = var.daily_limit >= 0 && floor(var.daily_limit) == var.daily_limit
    error_message = "daily_limit is a whole number of model calls; 0 takes the limit away."
  }
}

variable "settings" {
  description = "Any other setting of the root README, such as {CAPTION_TIMEOUT_SECONDS = \"20\"}, or the address of a model's server: OLLAMA_HOST, OPENAI_BASE_URL."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition = alltrue([for name in keys(var.settings) : contains([
      "CAPTION_ASK_DAILY_LIMIT",
      "CAPTION_ASK_ORIGINS", "CAPTION_ASK_PACE", "CAPTION_ASK_PROXIES", "CAPTION_ASK_QUESTIONS",
      "CAPTION_EMBEDDING_MODEL",
      "CAPTION_FILTER",
      "CAPTION_LANGUAGES_ON_REQUEST",
      "CAPTION_LEASE_SECONDS",
      "CAPTION_LOOKUP_DAILY_LIMIT",
      "CAPTION_MAX_AGE_SECONDS",
      "CAPTION_MAX_ATTEMPTS",
      "CAPTION_MAX_BYTES",
      "CAPTION_MAX_OUTPUT_TOKENS",
      "CAPTION_MAX_PIXELS",
      "CAPTION_SIMILARITY_THRESHOLD",
      "CAPTION_TIMEOUT_SECONDS",
      "CAPTION_TRANSLATION_DAILY_LIMIT",
      "CAPTION_UNREVIEWED",
      "CAPTION_VIDEO",
      "CAPTION_VIDEO_BYTES",
      "ANTHROPIC_BASE_URL",
      "GOOGLE_GEMINI_BASE_URL",
      "OLLAMA_HOST",
      "OPENAI_BASE_URL",
    ], name)])
    error_message = "settings takes the CAPTION_ settings that have no variable of their own here, and the addresses of models: see infra/README.md. The rules by path are captions.toml beside main.py; keys go in model_keys."
  }
}

variable "concurrency" {
  description = "Events that one instance works on at once; its threads are as many."
  type        = number
  default     = 40
  nullable    = false

  validation {
    condition     = var.concurrency >= 1 && var.concurrency <= 100 && floor(var.concurrency) == var.concurrency
    error_message = "concurrency is a whole number from 1 to 100: an instance has that many connections to Cloud Storage."
  }
}

variable "memory" {
  description = "Memory of an instance that captions."
  type        = string
  default     = "1Gi"
  nullable    = false

  validation {
    condition     = contains(["1Gi", "2Gi", "4Gi"], var.memory)
    error_message = "memory is 1Gi, 2Gi or 4Gi; below that a decoder's 512 MiB and the pictures in hand do not fit."
  }
}

variable "max_instances" {
  description = "Instances of each function at most: with daily_limit the bound of the bill."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.max_instances >= 1 && var.max_instances <= 100 && floor(var.max_instances) == var.max_instances
    error_message = "max_instances is a whole number from 1 to 100."
  }
}

variable "alt_text_public" {
  description = "Let everyone call alt_text, as a website's visitors must. Until then only those who may invoke it by IAM."
  type        = bool
  default     = false
  nullable    = false
}

variable "reviewers" {
  description = "Who may open the review page, such as [\"user:ann@example.com\", \"group:editors@example.com\"]."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for each in var.reviewers : can(regex("^(user|group|domain|serviceAccount):.+$", each))])
    error_message = "reviewers are user:, group:, domain: or serviceAccount: with an address. The review page is never public."
  }
}

variable "askers" {
  description = "Who may put questions to ask, such as [\"serviceAccount:chat@my-project.iam.gserviceaccount.com\"]. Each answer costs."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for each in var.askers : can(regex("^(user|group|domain|serviceAccount):.+$", each))])
    error_message = "askers are user:, group:, domain: or serviceAccount: with an address. Everyone would spend your model calls."
  }
}

variable "ask_public" {
  description = "Let everyone put questions to ask, CAPTION_ASK_PUBLIC. Each new one costs you a model call, so settings must say CAPTION_ASK_DAILY_LIMIT."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = !var.ask_public || contains(keys(var.settings), "CAPTION_ASK_DAILY_LIMIT")
    error_message = "ask_public lets strangers spend your model calls: say how many a day, settings = {\"CAPTION_ASK_DAILY_LIMIT\" = \"200\"}."
  }
}

variable "keep_schedule" {
  description = "When keep runs, as cron has it, in UTC: it takes up what waits and mends what has come apart."
  type        = string
  default     = "17 * * * *"
  nullable    = false

  validation {
    condition     = can(regex("^(\\S+ ){4}\\S+$", var.keep_schedule))
    error_message = "keep_schedule is five fields of cron, such as 17 * * * * for once an hour."
  }
}

variable "trace_share" {
  description = "Share of deliveries that are traced in Cloud Trace, CAPTION_TRACES; 0 for none. Above 0 it needs opentelemetry-exporter-gcp-trace in requirements.txt, and make lock."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.trace_share >= 0 && var.trace_share <= 1
    error_message = "trace_share is a share from 0 to 1, such as 0.01."
  }
}

variable "hold_new_revisions" {
  description = "Leave events and requests with the revisions that have them when a new version is deployed, until the command that the output promote prints."
  type        = bool
  default     = false
  nullable    = false
}

variable "alert_email" {
  description = "Where alerts go; empty for the console only."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.alert_email == "" || can(regex("^[^@ ]+@[^@ ]+$", var.alert_email))
    error_message = "alert_email is one address, such as oncall@example.com, or empty."
  }
}

variable "cost_alert_usd" {
  description = "Alert when the model calls of a day cost more than this many US dollars."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.cost_alert_usd > 0
    error_message = "cost_alert_usd is a number of US dollars above 0."
  }
}
