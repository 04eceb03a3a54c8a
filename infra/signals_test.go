//go:build !race

package infra

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/providerdesk/providerdesk/shared/logs"
)

var (
	counterForm = regexp.MustCompile(`(?m)^    ([a-z]+) +=\s\{ filter = "\$\{local\.log_of_functions\}(=~?)(.*)", labels = \{ (.*) \} \}$`)
	valueForm   = regexp.MustCompile(`filter += "\$\{local\.log_of_functions\}=\\"([a-z._]+)\\""\n\s+value_extractor = "EXTRACT\(jsonPayload\.([a-z_]+)\)"`)
	labelForm   = regexp.MustCompile(`[a-z_]+ = "([a-z_]+)"`)
	namedForm   = regexp.MustCompile(`metric\.labels\.event=\\"([a-z._]+)\\"`)
	textForm    = regexp.MustCompile(`\\"([^"\\]+)\\"`)
)

// counted are the events of a filter of Cloud Logging: one name, several, or all with a prefix.
func counted(t *testing.T, operator, text string) (all []logs.Signal) {
	t.Helper()
	names := map[string]bool{}
	for _, m := range textForm.FindAllStringSubmatch(text, -1) {
		names[m[1]] = true
	}
	prefix := ""
	if operator == "=~" {
		prefix = strings.NewReplacer(`\"^`, "", `\\\\.\"`, ".").Replace(text)
	}
	for _, s := range logs.Signals() {
		if names[string(s.Event)] || prefix != "" && strings.HasPrefix(string(s.Event), prefix) {
			all = append(all, s)
			delete(names, string(s.Event))
		}
	}
	if len(all) == 0 || len(names) > 0 {
		t.Errorf("a metric counts %s, which the code does not log: %v", text, names)
	}
	return all
}

// TestSignals: what the metrics count is logged, with the fields that they take, and what is logged is counted.
func TestSignals(t *testing.T) {
	text, err := os.ReadFile("signals.tf")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	counters := counterForm.FindAllStringSubmatch(string(text), -1)
	for _, c := range counters {
		for _, s := range counted(t, c[2], c[3]) {
			all = append(all, string(s.Event))
			for _, label := range labelForm.FindAllStringSubmatch(c[4], -1) {
				if label[1] != "event" && !slices.Contains(s.Fields, label[1]) {
					t.Errorf("metric %s takes %s of %s, which has only %v", c[1], label[1], s.Event, s.Fields)
				}
			}
		}
	}
	for _, s := range logs.Signals() {
		if !slices.Contains(all, string(s.Event)) {
			t.Errorf("no metric counts %s", s.Event)
		}
	}
	for _, m := range namedForm.FindAllStringSubmatch(string(text), -1) {
		if !slices.Contains(all, m[1]) {
			t.Errorf("an alert is about %s, which no metric counts", m[1])
		}
	}
	measured := valueForm.FindAllStringSubmatch(string(text), -1)
	for _, m := range measured {
		for _, s := range counted(t, "=", `\"`+m[1]+`\"`) {
			if !slices.Contains(s.Fields, m[2]) {
				t.Errorf("a metric takes the value %s of %s, which has only %v", m[2], s.Event, s.Fields)
			}
		}
	}
	if declared := strings.Count(string(text), "${local.log_of_functions}"); len(counters)+len(measured) != declared {
		t.Errorf("read %d counters and %d values, and the file has %d filters", len(counters), len(measured), declared)
	}
	t.Logf("%d events in %d metrics", len(all), len(counters)+len(measured))
}
