variable "project" {
  type = string
}

variable "region" {
  type = string
}

variable "target" {
  description = "Name that the function registers: AlertWebhook."
  type        = string
}

variable "name" {
  description = "Name of the service: alert-webhook."
  type        = string
}

variable "account" {
  description = "Service account that it runs as."
  type        = string
}

variable "image" {
  type = string
}

variable "audience" {
  description = "Audience that callers' tokens have; the same for all services, so that one line of the configuration checks them all."
  type        = string
}

variable "public" {
  description = "Whether anybody may call it. It checks the caller itself then."
  type        = bool
  default     = false
}

variable "callers" {
  description = "Who may call it otherwise, by key: serviceAccount:..."
  type        = map(string)
  default     = {}
}

variable "config_secret" {
  type = string
}

variable "config_version" {
  type = string
}

variable "env" {
  type    = map(string)
  default = {}
}

variable "timeout_seconds" {
  type    = number
  default = 150
}

variable "memory_mib" {
  type    = number
  default = 256
}

variable "concurrency" {
  type    = number
  default = 16
}

variable "max_instances" {
  type = number
}
