# Rights on the organization, for those who work on all of its cases. Every one is added to what is there; nothing that others hold is touched.

locals {
  organization_roles = var.organization_id == "" ? {} : merge(
    contains(var.functions, "casewebhook") ? {
      "casewebhook cases"        = { function = "casewebhook", role = "roles/cloudsupport.techSupportEditor" }
      "casewebhook organization" = { function = "casewebhook", role = "roles/resourcemanager.organizationViewer" }
    } : {},
    contains(var.functions, "tenantonboard") ? {
      "tenantonboard cases"        = { function = "tenantonboard", role = "roles/cloudsupport.admin" } # event subscriptions are the administrator's
      "tenantonboard organization" = { function = "tenantonboard", role = "roles/resourcemanager.organizationViewer" }
      "tenantonboard contacts"     = { function = "tenantonboard", role = "roles/essentialcontacts.admin" }
      "tenantonboard health"       = { function = "tenantonboard", role = "roles/servicehealth.viewer" }
    } : {},
  )
}

resource "google_organization_iam_member" "function" {
  for_each = local.organization_roles

  org_id = var.organization_id
  role   = each.value.role
  member = google_service_account.function[each.value.function].member
}
