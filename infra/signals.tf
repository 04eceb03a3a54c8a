# What an operator is told. The functions log one line with a stable `event` for everything that happens (docs/signals.md); the metrics here
# count those lines, and the alerts look at the metrics. Each alert has a page in docs/playbooks that says what to do.

locals {
  log_of_functions = "resource.type=\"cloud_run_revision\" AND jsonPayload.event"

  # Counters by event, with the fields that become labels.
  counters = {
    effects       = { filter = "${local.log_of_functions}=~\"^effect\\\\.\"", labels = { event = "event", kind = "kind" } }
    exports       = { filter = "${local.log_of_functions}=~\"^export\\\\.\"", labels = { event = "event", month = "month" } }
    tenants       = { filter = "${local.log_of_functions}=\"tenant.ended\"", labels = { event = "event", status = "status" } }
    senders       = { filter = "${local.log_of_functions}=\"sender.silent\"", labels = { event = "event" } }
    subscriptions = { filter = "${local.log_of_functions}=\"subscription.failing\"", labels = { event = "event" } }
    sweeps        = { filter = "${local.log_of_functions}=\"sweep\"", labels = { event = "event" } }
    calls         = { filter = "${local.log_of_functions}=(\"request\" OR \"delivery\")", labels = { event = "event", outcome = "outcome" } }
  }

  prefix = "logging.googleapis.com/user/providerdesk"

  # Alerts on a number that stays above a limit. Each key is the name of its page.
  thresholds = {
    duplicates = {
      title    = "Something was done twice"
      severity = "CRITICAL"
      filter   = "metric.type=\"${local.prefix}/effects\" AND resource.type=\"cloud_run_revision\" AND metric.labels.event=\"effect.duplicate\""
      aligner  = "ALIGN_DELTA", reducer = "REDUCE_SUM", above = 0, period = 300, duration = 0
    }
    parked = {
      title    = "An effect waits for a person"
      severity = "ERROR"
      filter   = "metric.type=\"${local.prefix}/effects\" AND resource.type=\"cloud_run_revision\" AND metric.labels.event=\"effect.parked\""
      aligner  = "ALIGN_DELTA", reducer = "REDUCE_SUM", above = 0, period = 300, duration = 0
    }
    oldest = {
      title    = "An effect is unfinished for longer than twice the settle window"
      severity = "ERROR"
      filter   = "metric.type=\"${local.prefix}/oldest_effect\" AND resource.type=\"cloud_run_revision\""
      aligner  = "ALIGN_PERCENTILE_99", reducer = "REDUCE_MAX", above = 1800, period = 300, duration = 300
    }
    dead-letters = {
      title    = "A message could not be handled"
      severity = "ERROR"
      filter   = "metric.type=\"pubsub.googleapis.com/subscription/num_undelivered_messages\" AND resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id=monitoring.regex.full_match(\".*-dead-kept\")"
      aligner  = "ALIGN_MAX", reducer = "REDUCE_MAX", above = 0, period = 300, duration = 0
    }
    backlog = {
      title    = "Messages wait"
      severity = "ERROR"
      filter   = "metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\" AND resource.type=\"pubsub_subscription\" AND NOT resource.labels.subscription_id=monitoring.regex.full_match(\".*-dead-kept\")"
      aligner  = "ALIGN_MAX", reducer = "REDUCE_MAX", above = 900, period = 300, duration = 300
    }
    export-overdue = {
      title    = "A month's usage export is missing"
      severity = "ERROR"
      filter   = "metric.type=\"${local.prefix}/exports\" AND resource.type=\"cloud_run_revision\" AND metric.labels.event=\"export.overdue\""
      aligner  = "ALIGN_DELTA", reducer = "REDUCE_SUM", above = 0, period = 3600, duration = 0
    }
    export-unreconciled = {
      title    = "A month's usage does not add up"
      severity = "WARNING"
      filter   = "metric.type=\"${local.prefix}/exports\" AND resource.type=\"cloud_run_revision\" AND metric.labels.event=\"export.unreconciled\""
      aligner  = "ALIGN_DELTA", reducer = "REDUCE_SUM", above = 0, period = 3600, duration = 0
    }
    sender-silent = {
      title    = "A sender of alerts is silent"
      severity = "WARNING"
      filter   = "metric.type=\"${local.prefix}/senders\" AND resource.type=\"cloud_run_revision\""
      aligner  = "ALIGN_DELTA", reducer = "REDUCE_SUM", above = 0, period = 300, duration = 0
    }
    support-subscription-failing = {
      title    = "The desk cannot tell us of events"
      severity = "ERROR"
      filter   = "metric.type=\"${local.prefix}/subscriptions\" AND resource.type=\"cloud_run_revision\""
      aligner  = "ALIGN_DELTA", reducer = "REDUCE_SUM", above = 0, period = 300, duration = 0
    }
    defects = {
      title    = "A function fails by its own fault"
      severity = "ERROR"
      filter   = "metric.type=\"${local.prefix}/calls\" AND resource.type=\"cloud_run_revision\" AND metric.labels.outcome=\"defect\""
      aligner  = "ALIGN_DELTA", reducer = "REDUCE_SUM", above = 0, period = 300, duration = 0
    }
  }
}

resource "google_logging_metric" "counter" {
  for_each = local.counters

  project = var.project
  name    = "providerdesk/${each.key}"
  filter  = each.value.filter

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"

    dynamic "labels" {
      for_each = each.value.labels
      content {
        key        = labels.key
        value_type = "STRING"
      }
    }
  }

  label_extractors = { for label, field in each.value.labels : label => "EXTRACT(jsonPayload.${field})" }

  depends_on = [google_project_service.api]
}

resource "google_logging_metric" "oldest" {
  project         = var.project
  name            = "providerdesk/oldest_effect"
  description     = "Age in seconds of the oldest effect that has not ended, as every sweep logs it"
  filter          = "${local.log_of_functions}=\"sweep\""
  value_extractor = "EXTRACT(jsonPayload.oldest_seconds)"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "DISTRIBUTION"
    unit        = "s"
  }

  bucket_options {
    exponential_buckets {
      num_finite_buckets = 24
      growth_factor      = 2
      scale              = 1
    }
  }

  depends_on = [google_project_service.api]
}

resource "google_monitoring_alert_policy" "threshold" {
  for_each = local.thresholds

  project               = var.project
  display_name          = "providerdesk: ${each.value.title}"
  combiner              = "OR"
  severity              = each.value.severity
  notification_channels = var.notify

  conditions {
    display_name = each.value.title

    condition_threshold {
      filter          = each.value.filter
      comparison      = "COMPARISON_GT"
      threshold_value = each.value.above
      duration        = "${each.value.duration}s"

      aggregations {
        alignment_period     = "${each.value.period}s"
        per_series_aligner   = each.value.aligner
        cross_series_reducer = each.value.reducer
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "${each.value.title}. What it means and what to do: ${var.playbooks}/${each.key}.md"
  }

  alert_strategy {
    auto_close = "86400s"
  }

  user_labels = { playbook = each.key }

  depends_on = [google_logging_metric.counter, google_logging_metric.oldest]
}

# Nothing is finished any more if nobody sweeps, and nobody says so: that silence is an alert.
resource "google_monitoring_alert_policy" "sweep_silent" {
  project               = var.project
  display_name          = "providerdesk: Nobody sweeps"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = var.notify

  conditions {
    display_name = "Nobody sweeps"

    condition_absent {
      filter   = "metric.type=\"${local.prefix}/sweeps\" AND resource.type=\"cloud_run_revision\""
      duration = "600s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["resource.labels.service_name"]
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "Nobody sweeps. What it means and what to do: ${var.playbooks}/sweep-silent.md"
  }

  user_labels = { playbook = "sweep-silent" }

  depends_on = [google_logging_metric.counter]
}

resource "google_monitoring_dashboard" "providerdesk" {
  project = var.project

  dashboard_json = jsonencode({
    displayName = "providerdesk"
    mosaicLayout = {
      columns = 12
      tiles = [for i, chart in [
        { title = "Effects by what became of them", filter = "metric.type=\"${local.prefix}/effects\" resource.type=\"cloud_run_revision\"", by = "metric.label.event", aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM" },
        { title = "Age of the oldest unfinished effect, seconds", filter = "metric.type=\"${local.prefix}/oldest_effect\" resource.type=\"cloud_run_revision\"", by = "resource.label.service_name", aligner = "ALIGN_PERCENTILE_99", reducer = "REDUCE_MAX" },
        { title = "Calls by outcome", filter = "metric.type=\"${local.prefix}/calls\" resource.type=\"cloud_run_revision\"", by = "metric.label.outcome", aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM" },
        { title = "Messages that wait", filter = "metric.type=\"pubsub.googleapis.com/subscription/num_undelivered_messages\" resource.type=\"pubsub_subscription\"", by = "resource.label.subscription_id", aligner = "ALIGN_MAX", reducer = "REDUCE_MAX" },
        { title = "Exports", filter = "metric.type=\"${local.prefix}/exports\" resource.type=\"cloud_run_revision\"", by = "metric.label.event", aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM" },
        { title = "Time of a request, 99th percentile, milliseconds", filter = "metric.type=\"run.googleapis.com/request_latencies\" resource.type=\"cloud_run_revision\"", by = "resource.label.service_name", aligner = "ALIGN_PERCENTILE_99", reducer = "REDUCE_MAX" },
        ] : {
        xPos   = (i % 2) * 6
        yPos   = floor(i / 2) * 4
        width  = 6
        height = 4
        widget = {
          title = chart.title
          xyChart = {
            dataSets = [{
              plotType = "LINE"
              timeSeriesQuery = {
                timeSeriesFilter = {
                  filter = chart.filter
                  aggregation = {
                    alignmentPeriod    = "300s"
                    perSeriesAligner   = chart.aligner
                    crossSeriesReducer = chart.reducer
                    groupByFields      = [chart.by]
                  }
                }
              }
            }]
          }
        }
      }]
    }
  })

  depends_on = [google_logging_metric.counter, google_logging_metric.oldest]
}
