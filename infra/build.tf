# Cloud Build tests, stages and deploys the code; see cloudbuild.yaml. It may deploy these services and act as these accounts, nothing else.

resource "google_service_account" "deployer" {
  project      = var.project
  account_id   = "providerdesk-deployer"
  display_name = "providerdesk: Cloud Build, when it deploys"
}

locals {
  # What a deployment from source needs in the project.
  deployer_roles = toset([
    "roles/logging.logWriter",                 # its own log
    "roles/run.sourceDeveloper",               # revisions and traffic, and the build of the source
    "roles/serviceusage.serviceUsageConsumer", # calls on behalf of the project
  ])

  # What turns the staged source into a container, as the function deployment asks for.
  builder_roles = toset(["roles/run.builder"])
}

resource "google_project_iam_member" "deployer" {
  for_each = local.deployer_roles

  project = var.project
  role    = each.key
  member  = google_service_account.deployer.member
}

resource "google_service_account" "builder" {
  project      = var.project
  account_id   = "providerdesk-builder"
  display_name = "providerdesk: the build of a function's container"
}

resource "google_project_iam_member" "builder" {
  for_each = local.builder_roles

  project = var.project
  role    = each.key
  member  = google_service_account.builder.member
}

# Who deploys a service has to be allowed to act as the account that it runs as.
resource "google_service_account_iam_member" "deployer_as_function" {
  for_each = var.functions

  service_account_id = local.account_ids[each.key]
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.deployer.member
}

resource "google_service_account_iam_member" "deployer_as_builder" {
  service_account_id = local.account_ids.builder
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.deployer.member
}

# The smoke test calls a new revision of a service that only the pusher may call, as the pusher.
resource "google_service_account_iam_member" "deployer_as_pusher" {
  service_account_id = local.account_ids.pusher
  role               = "roles/iam.serviceAccountOpenIdTokenCreator"
  member             = google_service_account.deployer.member
}

# A change of a function, or of what it stands on, builds that function.
resource "google_cloudbuild_trigger" "function" {
  for_each = var.repository == "" ? [] : var.functions

  project         = var.project
  location        = var.region
  name            = "deploy-${each.key}"
  description     = "Tests, stages and deploys ${each.key} when something that it is made of has changed"
  filename        = "cloudbuild.yaml"
  service_account = google_service_account.deployer.id
  included_files  = ["functions/${each.key}/**", "shared/**", "go.mod", "go.sum", "cloudbuild.yaml", "infra/build/**"]
  ignored_files   = ["**/*.md", "**/*_test.go", "**/testdata/**", "shared/sim/**"]

  repository_event_config {
    repository = var.repository

    push {
      branch = "^main$"
    }
  }

  substitutions = {
    _FUNCTION = each.key
    _REGION   = var.region
    _BUILDER  = google_service_account.builder.id
    _PUSHER   = google_service_account.pusher.email
    _AUDIENCE = local.audience
  }
}
