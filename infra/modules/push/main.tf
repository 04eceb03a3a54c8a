# A topic's messages go to a service until it acknowledges them, and to the dead-letter topic when it never does.

resource "google_pubsub_subscription" "this" {
  project                    = var.project
  name                       = var.name
  topic                      = var.topic_id
  ack_deadline_seconds       = var.ack_seconds
  message_retention_duration = "604800s"
  enable_message_ordering    = var.ordered

  push_config {
    push_endpoint = "${var.uri}/"

    oidc_token {
      service_account_email = var.pusher
      audience              = var.audience
    }
  }

  expiration_policy {
    ttl = "" # never
  }

  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }

  dead_letter_policy {
    dead_letter_topic     = var.dead_topic_id
    max_delivery_attempts = var.max_delivery_attempts
  }
}

# Without it Pub/Sub cannot take a message off the subscription once it is a dead letter, and delivers it for ever.
resource "google_pubsub_subscription_iam_member" "forward" {
  project      = var.project
  subscription = google_pubsub_subscription.this.name
  role         = "roles/pubsub.subscriber"
  member       = var.agent
}
