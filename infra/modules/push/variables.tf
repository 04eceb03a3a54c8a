variable "project" {
  type = string
}

variable "name" {
  description = "Of the subscription."
  type        = string
}

variable "topic_id" {
  type = string
}

variable "dead_topic_id" {
  type = string
}

variable "uri" {
  description = "Of the service that gets the messages."
  type        = string
}

variable "audience" {
  type = string
}

variable "pusher" {
  description = "E-mail address of the account whose tokens come with pushes."
  type        = string
}

variable "agent" {
  description = "Pub/Sub's own agent of the project, as serviceAccount:..."
  type        = string
}

variable "ordered" {
  type    = bool
  default = false
}

variable "ack_seconds" {
  type    = number
  default = 180
}

variable "max_delivery_attempts" {
  type = number
}
