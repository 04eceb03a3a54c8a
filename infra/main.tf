# What the functions share. Each function has a file of its own: casewebhook.tf, tenantonboard.tf, billingexport.tf.

locals {
  # Tokens of pushes and of the scheduler have this audience; `push.oidc.audience` of the configuration is the same text.
  audience = "https://providerdesk.${var.project}.internal"

  agents = {
    pubsub   = "serviceAccount:service-${var.project_number}@gcp-sa-pubsub.iam.gserviceaccount.com"
    alerting = "serviceAccount:service-${var.project_number}@gcp-sa-monitoring-notification.iam.gserviceaccount.com"
  }

  # Names of accounts as their rights want them, known before they are made.
  account_ids = merge(
    { for name, a in google_service_account.function : name => "projects/${var.project}/serviceAccounts/${a.email}" },
    {
      pusher  = "projects/${var.project}/serviceAccounts/${google_service_account.pusher.email}"
      builder = "projects/${var.project}/serviceAccounts/${google_service_account.builder.email}"
    },
  )

  env = {
    GOOGLE_CLOUD_PROJECT = var.project
    FIRESTORE_DATABASE   = google_firestore_database.state.name
  }

  # What every target of a function is made with.
  target = {
    project        = var.project
    region         = var.region
    image          = var.placeholder_image
    audience       = local.audience
    config_secret  = google_secret_manager_secret.config.secret_id
    config_version = var.config_version
    max_instances  = var.max_instances
  }

  apis = toset([
    "bigquery.googleapis.com", "chat.googleapis.com", "cloudbuild.googleapis.com", "cloudresourcemanager.googleapis.com",
    "cloudscheduler.googleapis.com", "cloudsupport.googleapis.com", "essentialcontacts.googleapis.com", "firestore.googleapis.com",
    "iam.googleapis.com", "logging.googleapis.com", "monitoring.googleapis.com", "pubsub.googleapis.com", "recommender.googleapis.com",
    "run.googleapis.com", "secretmanager.googleapis.com", "servicehealth.googleapis.com", "serviceusage.googleapis.com",
    "storage.googleapis.com",
  ])
}

resource "google_project_service" "api" {
  for_each = local.apis

  project            = var.project
  service            = each.key
  disable_on_destroy = false # others may use it
}

# The functions run as these: one account a function, so that a hole in one is not one in the others.
resource "google_service_account" "function" {
  for_each = var.functions

  project      = var.project
  account_id   = each.key
  display_name = "providerdesk ${each.key}"
}

# Pushes of Pub/Sub and calls of the scheduler come as this one. It may call services and nothing else.
resource "google_service_account" "pusher" {
  project      = var.project
  account_id   = "providerdesk-pusher"
  display_name = "providerdesk: Pub/Sub and the scheduler, when they call a function"
}

resource "google_service_account_iam_member" "pubsub_as_pusher" {
  service_account_id = local.account_ids.pusher
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = local.agents.pubsub
}

resource "google_project_iam_member" "state" {
  for_each = var.functions

  project = var.project
  role    = "roles/datastore.user"
  member  = google_service_account.function[each.key].member

  condition {
    title      = "the state of providerdesk only"
    expression = "resource.name == \"${google_firestore_database.state.id}\" || resource.name.startsWith(\"${google_firestore_database.state.id}/\")"
  }
}
