//go:build !race

package infra

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// testPlaybooks: every alert has a page that says what to do, every page an alert, and an alert links to its page.
func (p plan) testPlaybooks(t *testing.T) {
	var alerts []string
	for _, a := range p.of("monitoring_alert_policy") {
		labels, _ := a.Values["user_labels"].(map[string]any)
		name, _ := labels["playbook"].(string)
		alerts = append(alerts, name)
		if link := "/" + name + ".md"; !strings.Contains(a.block("documentation").text("content"), link) {
			t.Errorf("%s does not link to its page", a.text("display_name"))
		}
	}
	pages, err := filepath.Glob("../docs/playbooks/*.md")
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, page := range pages {
		name := strings.TrimSuffix(filepath.Base(page), ".md")
		told = append(told, name)
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range []string{"## What it means", "## How bad it is", "## Look", "## Do", "## It is over when"} {
			if !strings.Contains(string(text), "\n"+part+"\n") {
				t.Errorf("%s has no %q", page, part)
			}
		}
	}
	slices.Sort(alerts)
	same(t, told, alerts)
}
