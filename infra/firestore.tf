# The state of the functions. Queries are by `state` and by `due` alone, each with the document's name as the second order: the indexes that
# Firestore makes by itself serve both, so there is no composite one. What is not queried has none at all.

locals {
  # Every collection that the functions write.
  collections = toset([
    "alarms", "asks", "audit", "audits", "budgets", "cases", "effects", "evidence", "exportparts", "exports", "heard", "hooks", "incidents",
    "orders", "roots", "tenants", "texts", "threads",
  ])

  # Fields of a document (shared/store/firestore) that no query asks for.
  unqueried = ["data", "w"]
}

resource "google_firestore_database" "state" {
  project                           = var.project
  name                              = "providerdesk"
  location_id                       = var.firestore_location
  type                              = "FIRESTORE_NATIVE"
  concurrency_mode                  = "OPTIMISTIC"
  point_in_time_recovery_enablement = "POINT_IN_TIME_RECOVERY_ENABLED"
  delete_protection_state           = "DELETE_PROTECTION_ENABLED"
  deletion_policy                   = "ABANDON"

  depends_on = [google_project_service.api]
}

resource "google_firestore_field" "expire" {
  for_each = local.collections

  project    = var.project
  database   = google_firestore_database.state.name
  collection = each.key
  field      = "expire"

  ttl_config {}
  index_config {} # times that rise would make one range of the index hot
}

resource "google_firestore_field" "unqueried" {
  for_each = { for pair in setproduct(local.collections, local.unqueried) : "${pair[0]}.${pair[1]}" => pair }

  project    = var.project
  database   = google_firestore_database.state.name
  collection = each.value[0]
  field      = each.value[1]

  index_config {}
}

resource "google_firestore_backup_schedule" "daily" {
  project   = var.project
  database  = google_firestore_database.state.name
  retention = "1209600s" # 14 days

  daily_recurrence {}
}
