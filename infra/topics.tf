# Topics of the functions. What can fail on one has a dead-letter topic, and a subscription that keeps its letters until somebody has read them.

locals {
  topics = merge(
    contains(var.functions, "casewebhook") ? {
      alerts         = { publisher = "casewebhook", dead = true }
      case-commands  = { publisher = "casewebhook", dead = true }
      support-events = { publisher = "", dead = true } # the desk's, and the scheduler's
      case-activity  = { publisher = "casewebhook", dead = false }
    } : {},
    contains(var.functions, "casewebhook") ? { for t in var.raw_topics : t => { publisher = "", dead = true } } : {},
    contains(var.functions, "tenantonboard") ? {
      tenant-onboarding = { publisher = "tenantonboard", dead = true }
      tenant-lifecycle  = { publisher = "tenantonboard", dead = false }
    } : {},
    contains(var.functions, "billingexport") ? {
      billing-export        = { publisher = "", dead = true } # the scheduler's, and a person's
      billing-export-tenant = { publisher = "billingexport", dead = true }
      billing-exported      = { publisher = "billingexport", dead = false }
    } : {},
  )

  dead = { for name, t in local.topics : name => t if t.dead }
}

resource "google_pubsub_topic" "this" {
  for_each = local.topics

  project                    = var.project
  name                       = each.key
  message_retention_duration = "604800s"

  depends_on = [google_project_service.api]
}

resource "google_pubsub_topic" "dead" {
  for_each = local.dead

  project                    = var.project
  name                       = "${each.key}-dead"
  message_retention_duration = "2678400s" # 31 days

  depends_on = [google_project_service.api]
}

# Keeps dead letters: a topic without a subscription would lose them.
resource "google_pubsub_subscription" "dead" {
  for_each = local.dead

  project                    = var.project
  name                       = "${each.key}-dead-kept"
  topic                      = google_pubsub_topic.dead[each.key].id
  ack_deadline_seconds       = 60
  message_retention_duration = "2678400s"

  expiration_policy {
    ttl = ""
  }
}

resource "google_pubsub_topic_iam_member" "dead" {
  for_each = local.dead

  project = var.project
  topic   = google_pubsub_topic.dead[each.key].name
  role    = "roles/pubsub.publisher"
  member  = local.agents.pubsub
}

# A function publishes on its own topics.
resource "google_pubsub_topic_iam_member" "publisher" {
  for_each = { for name, t in local.topics : name => t if t.publisher != "" }

  project = var.project
  topic   = google_pubsub_topic.this[each.key].name
  role    = "roles/pubsub.publisher"
  member  = google_service_account.function[each.value.publisher].member
}
