# casewebhook: alerts become cases, and people talk to the desk from chat.

locals {
  casewebhook = contains(var.functions, "casewebhook") ? {
    alert-webhook   = { target = "AlertWebhook", public = true, timeout = 30 }
    chat-webhook    = { target = "ChatWebhook", public = true, timeout = 30 }
    comment-webhook = { target = "CommentWebhook", public = true, timeout = 30 }
    file-case       = { target = "FileCase", public = false, timeout = 150 }
    case-command    = { target = "CaseCommand", public = false, timeout = 150 }
    case-update     = { target = "CaseUpdate", public = false, timeout = 150 }
    sweep-cases     = { target = "SweepCases", public = false, timeout = 150 }
  } : {}

  # By subscription: the topic, the service that gets it, and whether the order of its keys is kept.
  casewebhook_pushes = contains(var.functions, "casewebhook") ? merge(
    {
      alerts-filecase           = { topic = "alerts", to = "file-case", ordered = false }
      case-commands-casecommand = { topic = "case-commands", to = "case-command", ordered = true }
      support-events-caseupdate = { topic = "support-events", to = "case-update", ordered = false }
    },
    { for t in var.raw_topics : t => { topic = t, to = "file-case", ordered = false } },
  ) : {}
}

module "casewebhook" {
  for_each = local.casewebhook
  source   = "./modules/target"

  name            = each.key
  target          = each.value.target
  public          = each.value.public
  callers         = each.value.public ? {} : { pusher = google_service_account.pusher.member }
  timeout_seconds = each.value.timeout
  account         = google_service_account.function["casewebhook"].email
  env             = local.env
  project         = local.target.project
  region          = local.target.region
  image           = local.target.image
  audience        = local.target.audience
  config_secret   = local.target.config_secret
  config_version  = local.target.config_version
  max_instances   = local.target.max_instances

  depends_on = [google_secret_manager_secret_iam_member.config]
}

module "casewebhook_push" {
  for_each = local.casewebhook_pushes
  source   = "./modules/push"

  name                  = each.key
  topic_id              = google_pubsub_topic.this[each.value.topic].id
  dead_topic_id         = google_pubsub_topic.dead[each.value.topic].id
  uri                   = module.casewebhook[each.value.to].uri
  ordered               = each.value.ordered
  project               = var.project
  audience              = local.audience
  pusher                = google_service_account.pusher.email
  agent                 = local.agents.pubsub
  max_delivery_attempts = var.max_delivery_attempts
}

resource "google_cloud_scheduler_job" "sweep_cases" {
  count = contains(var.functions, "casewebhook") ? 1 : 0

  project          = var.project
  region           = var.region
  name             = "sweep-cases"
  description      = "Finishes what a crash or a lost answer left"
  schedule         = "* * * * *"
  time_zone        = "Etc/UTC"
  attempt_deadline = "180s"

  http_target {
    http_method = "POST"
    uri         = "${module.casewebhook["sweep-cases"].uri}/"
    body        = base64encode("{}")
    headers     = { "Content-Type" = "application/json" }

    oidc_token {
      service_account_email = google_service_account.pusher.email
      audience              = local.audience
    }
  }

  retry_config {
    retry_count = 0 # the next minute is soon enough
  }
}

# Cases that told nothing of themselves are looked at all the same.
resource "google_cloud_scheduler_job" "follow_cases" {
  count = contains(var.functions, "casewebhook") ? 1 : 0

  project   = var.project
  region    = var.region
  name      = "follow-cases"
  schedule  = "* * * * *"
  time_zone = "Etc/UTC"

  pubsub_target {
    topic_name = google_pubsub_topic.this["support-events"].id
    data       = base64encode("{}")
    attributes = { "providerdesk-tick" = "1" }
  }
}

# The desk publishes what happens on cases. The subscription at the desk itself is made with `providerdesk tenants apply`, or by hand.
resource "google_pubsub_topic_iam_member" "support_events" {
  count = contains(var.functions, "casewebhook") ? 1 : 0

  project = var.project
  topic   = google_pubsub_topic.this["support-events"].name
  role    = "roles/pubsub.publisher"
  member  = "serviceAccount:cloud-support-apievents@system.gserviceaccount.com"
}

# Cloud Monitoring publishes alerts on the topics of channels without a webhook. Its agent appears with the first such channel: if this fails,
# make the channel and apply again.
resource "google_pubsub_topic_iam_member" "raw_alerts" {
  for_each = contains(var.functions, "casewebhook") ? var.raw_topics : []

  project = var.project
  topic   = google_pubsub_topic.this[each.key].name
  role    = "roles/pubsub.publisher"
  member  = local.agents.alerting
}

# Evidence of a case: the log and the metric of the resource, read only.
resource "google_project_iam_member" "evidence" {
  for_each = contains(var.functions, "casewebhook") ? toset(["roles/logging.viewer", "roles/monitoring.viewer"]) : []

  project = var.project
  role    = each.key
  member  = google_service_account.function["casewebhook"].member
}

# Cases are the project's, unless an organization is named.
resource "google_project_iam_member" "cases" {
  count = contains(var.functions, "casewebhook") && var.organization_id == "" ? 1 : 0

  project = var.project
  role    = "roles/cloudsupport.techSupportEditor"
  member  = google_service_account.function["casewebhook"].member
}
