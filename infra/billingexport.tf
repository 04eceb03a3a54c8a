# billingexport: every month's usage as files that finance can trust, and in BigQuery.

locals {
  billingexport = contains(var.functions, "billingexport") ? {
    export-usage        = { target = "ExportUsage", timeout = 540, memory_mib = 1024, concurrency = 1 }
    export-tenant-usage = { target = "ExportTenantUsage", timeout = 540, memory_mib = 1024, concurrency = 1 }
    sweep-exports       = { target = "SweepExports", timeout = 540, memory_mib = 1024, concurrency = 1 } # it may finish a month of all tenants
  } : {}

  billingexport_pushes = contains(var.functions, "billingexport") ? {
    billing-export-exportusage              = { topic = "billing-export", to = "export-usage" }
    billing-export-tenant-exporttenantusage = { topic = "billing-export-tenant", to = "export-tenant-usage" }
  } : {}

  warehouse = contains(var.functions, "billingexport") && var.bigquery_location != ""
}

module "billingexport" {
  for_each = local.billingexport
  source   = "./modules/target"

  name            = each.key
  target          = each.value.target
  callers         = { pusher = google_service_account.pusher.member }
  timeout_seconds = each.value.timeout
  memory_mib      = each.value.memory_mib
  concurrency     = each.value.concurrency
  account         = google_service_account.function["billingexport"].email
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

module "billingexport_push" {
  for_each = local.billingexport_pushes
  source   = "./modules/push"

  name                  = each.key
  topic_id              = google_pubsub_topic.this[each.value.topic].id
  dead_topic_id         = google_pubsub_topic.dead[each.value.topic].id
  uri                   = module.billingexport[each.value.to].uri
  ack_seconds           = 600
  project               = var.project
  audience              = local.audience
  pusher                = google_service_account.pusher.email
  agent                 = local.agents.pubsub
  max_delivery_attempts = var.max_delivery_attempts
}

# The hub closes a month on the fifth of the next. Each day after that late usage may come in, for ninety days: a run that finds nothing new
# writes nothing.
resource "google_cloud_scheduler_job" "billing_export" {
  count = contains(var.functions, "billingexport") ? 1 : 0

  project   = var.project
  region    = var.region
  name      = "billing-export"
  schedule  = "0 6 6-31 * *"
  time_zone = "Etc/UTC"

  pubsub_target {
    topic_name = google_pubsub_topic.this["billing-export"].id
    data       = base64encode("{}")
  }

  retry_config {
    retry_count = 5
  }
}

resource "google_cloud_scheduler_job" "sweep_exports" {
  count = contains(var.functions, "billingexport") ? 1 : 0

  project          = var.project
  region           = var.region
  name             = "sweep-exports"
  schedule         = "* * * * *"
  time_zone        = "Etc/UTC"
  attempt_deadline = "600s"

  http_target {
    http_method = "POST"
    uri         = "${module.billingexport["sweep-exports"].uri}/"
    body        = base64encode("{}")
    headers     = { "Content-Type" = "application/json" }

    oidc_token {
      service_account_email = google_service_account.pusher.email
      audience              = local.audience
    }
  }

  retry_config {
    retry_count = 0
  }
}

# Nothing in it is ever written twice but the pointers to what is current, so old versions of those are all that versioning keeps.
resource "google_storage_bucket" "usage" {
  count = contains(var.functions, "billingexport") ? 1 : 0

  project                     = var.project
  name                        = "${var.project}-usage"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = false

  versioning {
    enabled = true
  }

  soft_delete_policy {
    retention_duration_seconds = 2592000 # 30 days
  }

  # What a writer that died has left.
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age            = 1
      matches_prefix = ["incoming/"]
    }
  }

  lifecycle_rule {
    action {
      type          = "SetStorageClass"
      storage_class = "NEARLINE"
    }
    condition {
      age            = 180
      matches_prefix = ["raw/"]
    }
  }

  depends_on = [google_project_service.api]
}

# It writes objects, reads them, and removes what lies in incoming/. roles/storage.objectUser has that and no right on the bucket itself.
resource "google_storage_bucket_iam_member" "usage" {
  count = contains(var.functions, "billingexport") ? 1 : 0

  bucket = google_storage_bucket.usage[0].name
  role   = "roles/storage.objectUser"
  member = google_service_account.function["billingexport"].member
}

resource "google_bigquery_dataset" "usage" {
  count = local.warehouse ? 1 : 0

  project                    = var.project
  dataset_id                 = "usage"
  location                   = var.bigquery_location
  description                = "Usage of tenants as FOCUS rows, loaded by providerdesk's billingexport"
  delete_contents_on_destroy = false

  depends_on = [google_project_service.api]
}

resource "google_bigquery_dataset_iam_member" "usage" {
  count = local.warehouse ? 1 : 0

  project    = var.project
  dataset_id = google_bigquery_dataset.usage[0].dataset_id
  role       = "roles/bigquery.dataEditor"
  member     = google_service_account.function["billingexport"].member
}

resource "google_project_iam_member" "load_jobs" {
  count = local.warehouse ? 1 : 0

  project = var.project
  role    = "roles/bigquery.jobUser"
  member  = google_service_account.function["billingexport"].member
}
