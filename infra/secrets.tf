# Secrets are made here and filled by a person: `gcloud secrets versions add NAME --data-file=-`. No value is in the state.

resource "google_secret_manager_secret" "config" {
  project   = var.project
  secret_id = "providerdesk-config"

  replication {
    auto {}
  }

  depends_on = [google_project_service.api]
}

resource "google_secret_manager_secret_iam_member" "config" {
  for_each = var.functions

  project   = var.project
  secret_id = google_secret_manager_secret.config.secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.function[each.key].member
}

resource "google_secret_manager_secret" "named" {
  for_each = var.secrets

  project   = var.project
  secret_id = each.key

  replication {
    auto {}
  }

  depends_on = [google_project_service.api]
}

resource "google_secret_manager_secret_iam_member" "named" {
  for_each = merge([for name, users in var.secrets : {
    for user in setintersection(users, var.functions) : "${name} ${user}" => { name = name, user = user }
  }]...)

  project   = var.project
  secret_id = google_secret_manager_secret.named[each.value.name].secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.function[each.value.user].member
}
