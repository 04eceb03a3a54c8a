# One target of a function: a service that Terraform makes and Cloud Build fills.
#
# Terraform owns who may call it, as whom it runs, what it is told and how large it may become. Cloud Build owns the code: what a
# deployment changes is ignored here, so that an apply never rolls a service back to the placeholder.
#
# Ingress is open for all of them, so that a deployment can ask a new revision before it gets traffic. IAM stands in front of those that are not
# public, and the code checks the token once more.

resource "google_cloud_run_v2_service" "this" {
  project             = var.project
  location            = var.region
  name                = var.name
  ingress             = "INGRESS_TRAFFIC_ALL"
  custom_audiences    = var.public ? [] : [var.audience]
  deletion_protection = false # it holds nothing

  template {
    service_account                  = var.account
    timeout                          = "${var.timeout_seconds}s"
    max_instance_request_concurrency = var.concurrency

    scaling {
      min_instance_count = 0
      max_instance_count = var.max_instances
    }

    containers {
      image = var.image

      resources {
        limits            = { cpu = "1", memory = "${var.memory_mib}Mi" }
        cpu_idle          = true
        startup_cpu_boost = true
      }

      dynamic "env" {
        for_each = merge(var.env, {
          FUNCTION_TARGET           = var.target
          PROVIDERDESK_CONFIG       = "/etc/providerdesk/config.yaml"
          CLOUD_RUN_TIMEOUT_SECONDS = tostring(var.timeout_seconds)

          # A function keeps a few megabytes, and Go collects at every doubling of that: a tenth of the processor, to save memory that is paid anyway.
          # The limit makes it collect more often before the instance is full.
          GOGC       = "400"
          GOMEMLIMIT = "${floor(var.memory_mib * 0.9)}MiB"
        })
        content {
          name  = env.key
          value = env.value
        }
      }

      volume_mounts {
        name       = "config"
        mount_path = "/etc/providerdesk"
      }
    }

    volumes {
      name = "config"
      secret {
        secret       = var.config_secret
        default_mode = 292 # 0444
        items {
          version = var.config_version
          path    = "config.yaml"
        }
      }
    }
  }

  lifecycle {
    ignore_changes = [
      build_config, client, client_version, traffic,
      template[0].annotations, template[0].labels, template[0].revision,
      template[0].containers[0].image, template[0].containers[0].base_image_uri,
    ]
  }
}

resource "google_cloud_run_v2_service_iam_member" "public" {
  count = var.public ? 1 : 0

  project  = var.project
  location = var.region
  name     = google_cloud_run_v2_service.this.name
  role     = "roles/run.invoker"
  member   = "allUsers"
}

resource "google_cloud_run_v2_service_iam_member" "caller" {
  for_each = var.callers

  project  = var.project
  location = var.region
  name     = google_cloud_run_v2_service.this.name
  role     = "roles/run.invoker"
  member   = each.value
}
