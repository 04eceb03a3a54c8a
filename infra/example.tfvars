# Copy to terraform.tfvars and fill in.
project           = "acme-desk"
project_number    = "415104041262"
placeholder_image = "images.example.com/hello:1" # anything that answers on $PORT: Cloud Run's hello sample
config_version    = "1"
organization_id   = "123456789012"
tenant_projects   = ["acme-prod"]
raw_topics        = ["monitoring-channel"]
repository        = "projects/acme-desk/locations/europe-west3/connections/git/repositories/providerdesk"
notify            = ["projects/acme-desk/notificationChannels/123"]

secrets = {
  alertmanager-token = ["casewebhook"]
  hub-token          = ["tenantonboard", "billingexport"]
  tenants-token      = ["tenantonboard"]
}
