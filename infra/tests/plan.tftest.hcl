# What a plan has, without an account at Google: providers are mocked, and nothing is looked up.

mock_provider "google" {
  mock_resource "google_service_account" {
    defaults = {
      name   = "projects/acme-desk/serviceAccounts/casewebhook@acme-desk.iam.gserviceaccount.com"
      id     = "projects/acme-desk/serviceAccounts/casewebhook@acme-desk.iam.gserviceaccount.com"
      email  = "casewebhook@acme-desk.iam.gserviceaccount.com"
      member = "serviceAccount:casewebhook@acme-desk.iam.gserviceaccount.com"
    }
  }
  mock_resource "google_cloud_run_v2_service" {
    defaults = { uri = "https://service-abc-ey.a.run.app" }
  }
  mock_resource "google_pubsub_topic" {
    defaults = { id = "projects/acme-desk/topics/alerts" }
  }
  mock_resource "google_firestore_database" {
    defaults = { id = "projects/acme-desk/databases/providerdesk" }
  }
}

variables {
  project           = "acme-desk"
  project_number    = "415104041262"
  placeholder_image = "images.example.com/hello:1"
  config_version    = "3"
  raw_topics        = ["monitoring-channel"]
  secrets           = { alertmanager-token = ["casewebhook"], hub-token = ["tenantonboard", "billingexport"] }
}

run "everything" {
  command = apply

  assert {
    condition     = length(module.casewebhook) == 7 && length(module.tenantonboard) == 4 && length(module.billingexport) == 3
    error_message = "There is a service for every target."
  }
  assert {
    condition     = toset(keys(output.webhooks)) == toset(["alert-webhook", "chat-webhook", "comment-webhook", "tenant-webhook"])
    error_message = "The webhooks, and only they, are for others."
  }
  assert {
    condition     = alltrue([for name, d in google_pubsub_subscription.dead : d.expiration_policy[0].ttl == ""])
    error_message = "Dead letters are kept however long nobody reads them."
  }
  assert {
    condition     = length(google_pubsub_topic.dead) == length([for t in google_pubsub_topic.this : t if !contains(["case-activity", "tenant-lifecycle", "billing-exported"], t.name)])
    error_message = "Every topic that a function listens to has dead letters."
  }
  assert {
    condition     = google_pubsub_topic_iam_member.support_events[0].member == "serviceAccount:cloud-support-apievents@system.gserviceaccount.com"
    error_message = "The desk publishes its events."
  }
  assert {
    condition     = google_storage_bucket.usage[0].public_access_prevention == "enforced" && google_storage_bucket.usage[0].uniform_bucket_level_access
    error_message = "Usage is not public."
  }
  assert {
    condition     = length(google_secret_manager_secret_iam_member.named) == 3 && length(google_secret_manager_secret_iam_member.config) == 3
    error_message = "A secret is read by those who are named for it."
  }
  assert {
    condition     = length(google_organization_iam_member.function) == 0 && length(google_project_iam_member.cases) == 1
    error_message = "Without an organization the cases are the project's."
  }
}

run "one_function" {
  command = plan

  variables {
    functions  = ["billingexport"]
    raw_topics = []
  }

  assert {
    condition     = length(module.casewebhook) == 0 && length(google_service_account.function) == 1 && length(google_pubsub_topic.this) == 3
    error_message = "What is not deployed leaves nothing behind."
  }
}

run "no_warehouse" {
  command = plan

  variables {
    bigquery_location = ""
  }

  assert {
    condition     = length(google_bigquery_dataset.usage) == 0 && length(google_project_iam_member.load_jobs) == 0
    error_message = "Without a location there is no dataset, and no right to load."
  }
}

run "organization" {
  command = plan

  variables {
    organization_id = "123456789012"
    tenant_projects = ["acme-prod", "beta-prod"]
    repository      = "projects/acme-desk/locations/europe-west3/connections/git/repositories/providerdesk"
  }

  assert {
    condition     = length(google_organization_iam_member.function) == 6 && length(google_project_iam_member.cases) == 0
    error_message = "With an organization the cases are the organization's."
  }
  assert {
    condition     = length(google_project_iam_member.tenant_project) == 12
    error_message = "Each right in each project of a tenant."
  }
  assert {
    condition     = length(google_cloudbuild_trigger.function) == 3
    error_message = "A trigger for every function."
  }
}
