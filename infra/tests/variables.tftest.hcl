# Each variable refuses what cannot work, before anything is made.

mock_provider "google" {}

variables {
  project           = "acme-desk"
  project_number    = "415104041262"
  placeholder_image = "images.example.com/hello:1"
  config_version    = "3"
}

run "project" {
  command         = plan
  expect_failures = [var.project]
  variables { project = "Acme Desk" }
}

run "project_number" {
  command         = plan
  expect_failures = [var.project_number]
  variables { project_number = "acme-desk" }
}

run "region" {
  command         = plan
  expect_failures = [var.region]
  variables { region = "EU" }
}

run "placeholder_image" {
  command         = plan
  expect_failures = [var.placeholder_image]
  variables { placeholder_image = "hello" }
}

run "functions" {
  command         = plan
  expect_failures = [var.functions]
  variables { functions = ["casewebhok"] }
}

run "config_version" {
  command         = plan
  expect_failures = [var.config_version]
  variables { config_version = "latest" }
}

run "secrets" {
  command         = plan
  expect_failures = [var.secrets]
  variables { secrets = { token = ["everybody"] } }
}

run "organization_id" {
  command         = plan
  expect_failures = [var.organization_id]
  variables { organization_id = "organizations/1" }
}

run "raw_topics" {
  command         = plan
  expect_failures = [var.raw_topics]
  variables { raw_topics = ["alerts-dead"] }
}

run "max_delivery_attempts" {
  command         = plan
  expect_failures = [var.max_delivery_attempts]
  variables { max_delivery_attempts = 3 }
}

run "max_instances" {
  command         = plan
  expect_failures = [var.max_instances]
  variables { max_instances = 0 }
}

run "notify" {
  command         = plan
  expect_failures = [var.notify]
  variables { notify = ["oncall@example.com"] }
}

run "playbooks" {
  command         = plan
  expect_failures = [var.playbooks]
  variables { playbooks = "docs/playbooks" }
}
