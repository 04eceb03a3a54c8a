package evidence_test

import (
	"os"
	"reflect"
	"regexp"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/config"
)

// The example of docs/evidence.md is a configuration, and the numbers in it are the defaults that the page says they are.
func TestDocumentedExample(t *testing.T) {
	page, err := os.ReadFile("../../../docs/evidence.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindSubmatch(page)
	if found == nil {
		t.Fatal("no example")
	}
	got := configured(t, string(found[1])).Evidence
	want := config.Evidence{Alert: true, MaxBytes: 1 << 20, Redact: []string{"ACME-[0-9]+"},
		Logs:    &config.LogEvidence{Entries: 100, Around: config.Around{Before: 10 * time.Minute, After: 5 * time.Minute}},
		Metrics: &config.MetricsEvidence{Around: config.Around{Before: time.Hour, After: 10 * time.Minute}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
	defaults := configured(t, "evidence: {logs: {}, metrics: {}}").Evidence
	if !reflect.DeepEqual(defaults.Logs, want.Logs) || !reflect.DeepEqual(defaults.Metrics, want.Metrics) || defaults.MaxBytes != want.MaxBytes || defaults.Alert {
		t.Errorf("defaults %+v", defaults)
	}
}
