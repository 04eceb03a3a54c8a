output "webhooks" {
  description = "Where others post to, by service. A sender's name follows: URL/prod-alertmanager."
  value = merge(
    { for name, t in local.casewebhook : name => module.casewebhook[name].uri if t.public },
    { for name, t in local.tenantonboard : name => module.tenantonboard[name].uri if t.public },
  )
}

output "push" {
  description = "What `push` of the configuration says: {oidc: {audience, email}}."
  value       = { audience = local.audience, email = google_service_account.pusher.email }
}

output "accounts" {
  description = "Addresses of the accounts that the functions run as."
  value       = { for name, a in google_service_account.function : name => a.email }
}

output "support_events_topic" {
  description = "What `google.supportEvents` of a tenant, or the desk's event subscription, names."
  value       = contains(var.functions, "casewebhook") ? google_pubsub_topic.this["support-events"].id : null
}

output "bucket" {
  description = "What `billing.bucket` of the configuration says."
  value       = contains(var.functions, "billingexport") ? "gs://${google_storage_bucket.usage[0].name}" : null
}
