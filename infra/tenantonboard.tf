# tenantonboard: a customer is taken in at both clouds.

locals {
  tenantonboard = contains(var.functions, "tenantonboard") ? {
    tenant-webhook   = { target = "TenantWebhook", public = true, timeout = 120 }
    onboard-tenant   = { target = "OnboardTenant", public = false, timeout = 150 }
    invitation-sweep = { target = "InvitationSweep", public = false, timeout = 150 }
    sweep-tenants    = { target = "SweepTenants", public = false, timeout = 150 }
  } : {}

  tenantonboard_jobs = contains(var.functions, "tenantonboard") ? {
    sweep-tenants    = "* * * * *"
    invitation-sweep = "7 * * * *"
  } : {}
}

module "tenantonboard" {
  for_each = local.tenantonboard
  source   = "./modules/target"

  name            = each.key
  target          = each.value.target
  public          = each.value.public
  callers         = each.value.public ? {} : { pusher = google_service_account.pusher.member }
  timeout_seconds = each.value.timeout
  account         = google_service_account.function["tenantonboard"].email
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

module "tenantonboard_push" {
  count  = contains(var.functions, "tenantonboard") ? 1 : 0
  source = "./modules/push"

  name                  = "tenant-onboarding-onboardtenant"
  topic_id              = google_pubsub_topic.this["tenant-onboarding"].id
  dead_topic_id         = google_pubsub_topic.dead["tenant-onboarding"].id
  uri                   = module.tenantonboard["onboard-tenant"].uri
  project               = var.project
  audience              = local.audience
  pusher                = google_service_account.pusher.email
  agent                 = local.agents.pubsub
  max_delivery_attempts = var.max_delivery_attempts
}

resource "google_cloud_scheduler_job" "tenantonboard" {
  for_each = local.tenantonboard_jobs

  project          = var.project
  region           = var.region
  name             = each.key
  schedule         = each.value
  time_zone        = "Etc/UTC"
  attempt_deadline = "180s"

  http_target {
    http_method = "POST"
    uri         = "${module.tenantonboard[each.key].uri}/"
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

# In the projects of tenants it enables APIs, and sets contacts and the rights that a request names.
resource "google_project_iam_member" "tenant_project" {
  for_each = contains(var.functions, "tenantonboard") ? {
    for pair in setproduct(var.tenant_projects, [
      "roles/serviceusage.serviceUsageAdmin", "roles/resourcemanager.projectIamAdmin", "roles/essentialcontacts.admin",
      "roles/cloudsupport.techSupportEditor", "roles/recommender.viewer", "roles/servicehealth.viewer",
    ]) : "${pair[0]} ${pair[1]}" => pair
  } : {}

  project = each.value[0]
  role    = each.value[1]
  member  = google_service_account.function["tenantonboard"].member
}
