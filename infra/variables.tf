variable "project" {
  description = "Id of the project that everything is in."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project))
    error_message = "project is the id of a project, such as acme-desk."
  }
}

variable "project_number" {
  description = "Number of that project: Google's own agents are named after it. `gcloud projects describe PROJECT --format='value(projectNumber)'` prints it."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{6,20}$", var.project_number))
    error_message = "project_number is the number of the project, not its id."
  }
}

variable "region" {
  description = "Region of the functions, the bucket and the scheduler."
  type        = string
  default     = "europe-west3"

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "region is one of Google Cloud, such as europe-west3."
  }
}

variable "firestore_location" {
  description = "Location of the database: a multi-region (eur3, nam5) outlives a region. It cannot be changed afterwards."
  type        = string
  default     = "eur3"
}

variable "placeholder_image" {
  description = "Any container that answers on $PORT, for services whose code Cloud Build has not deployed yet: Cloud Run's own hello sample will do."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9.-]+/[A-Za-z0-9._/-]+(:[A-Za-z0-9._-]+|@sha256:[0-9a-f]{64})?$", var.placeholder_image))
    error_message = "placeholder_image is the address of a container image with its registry."
  }
}

variable "functions" {
  description = "Which functions are deployed."
  type        = set(string)
  default     = ["casewebhook", "tenantonboard", "billingexport"]

  validation {
    condition     = length(setsubtract(var.functions, ["casewebhook", "tenantonboard", "billingexport"])) == 0 && length(var.functions) > 0
    error_message = "functions are casewebhook, tenantonboard and billingexport, or some of them."
  }
}

variable "config_version" {
  description = "Version of the secret providerdesk-config that the functions read. A number: what runs does not change under its feet."
  type        = string

  validation {
    condition     = can(regex("^[1-9][0-9]*$", var.config_version))
    error_message = "config_version is the number of a version of the secret providerdesk-config, never latest."
  }
}

variable "secrets" {
  description = "Secrets that the configuration names, and the functions that read each: {\"alertmanager-token\" = [\"casewebhook\"]}. Terraform makes the secret and the right to read it, never a value."
  type        = map(set(string))
  default     = {}

  validation {
    condition = alltrue([for name, users in var.secrets :
      can(regex("^[a-z][a-z0-9-]{1,100}$", name)) && length(users) > 0 &&
      length(setsubtract(users, ["casewebhook", "tenantonboard", "billingexport"])) == 0
    ])
    error_message = "secrets has names in lower case, and for each at least one of casewebhook, tenantonboard and billingexport."
  }
}

variable "organization_id" {
  description = "Number of the organization whose support cases, contacts and health events are worked on. Empty: those of the project only."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^[0-9]*$", var.organization_id))
    error_message = "organization_id is the number of an organization, or empty."
  }
}

variable "tenant_projects" {
  description = "Ids of the projects that tenantonboard sets up: it may enable APIs there, and set contacts and IAM policies."
  type        = set(string)
  default     = []
}

variable "raw_topics" {
  description = "Topics on which others publish alerts without a webhook: Cloud Monitoring channels, budgets, Security Command Center. Each gets a push subscription to file-case that carries its name."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for t in var.raw_topics : can(regex("^[a-z][a-z0-9-]{2,60}$", t)) && !endswith(t, "-dead")])
    error_message = "raw_topics are names in lower case that do not end in -dead."
  }
}

variable "max_delivery_attempts" {
  description = "How often a message is tried before it becomes a dead letter."
  type        = number
  default     = 20

  validation {
    condition     = var.max_delivery_attempts >= 5 && var.max_delivery_attempts <= 100
    error_message = "max_delivery_attempts is from 5 to 100, as Pub/Sub has it."
  }
}

variable "max_instances" {
  description = "Most instances of one service."
  type        = number
  default     = 20

  validation {
    condition     = var.max_instances >= 1 && var.max_instances <= 1000
    error_message = "max_instances is from 1 to 1000."
  }
}

variable "bigquery_location" {
  description = "Location of the dataset of the usage export. Empty: there is none."
  type        = string
  default     = "EU"
}

variable "notify" {
  description = "Names of the notification channels that alert policies tell: projects/P/notificationChannels/N. Empty: they are seen in the console only."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for c in var.notify : can(regex("^projects/[^/]+/notificationChannels/[0-9]+$", c))])
    error_message = "notify has names like projects/acme-desk/notificationChannels/123."
  }
}

variable "playbooks" {
  description = "Base URL of docs/playbooks, which every alert links to."
  type        = string
  default     = "https://github.com/providerdesk/providerdesk/blob/main/docs/playbooks"

  validation {
    condition     = startswith(var.playbooks, "https://")
    error_message = "playbooks is a URL that begins with https://."
  }
}

variable "repository" {
  description = "Source repository connected to Cloud Build, as projects/P/locations/L/connections/C/repositories/R. Empty: there are no triggers, builds are started by hand."
  type        = string
  default     = ""
}

