package casewebhook

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/providerdesk/providerdesk/shared/config"
)

// TestDocumentedRoutes holds the examples of docs/routes.md to what is read here.
func TestDocumentedRoutes(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "routes.md"))
	if err != nil {
		t.Fatal(err)
	}
	file := "push: {platform: true}\n"
	for n, block := range strings.Split(string(page), "```yaml\n") {
		if example, _, ok := strings.Cut(block, "```"); ok && n > 0 {
			file += example
		}
	}
	c, err := config.Parse("routes.md", []byte(file), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	if p := Check(c); len(p) > 0 {
		t.Fatal(p)
	}
	if r := c.Routes[0]; len(c.Routes) != 3 || len(r.Raise) != 2 || r.Lower == 0 || r.Hours == nil || r.Refire.WontFix != "suppress" || !c.Routes[1].Test ||
		c.Desks["google"].PriorityCaps["P1"].Cases != 3 {
		t.Errorf("read as %+v", c.Routes)
	}
	for _, f := range fields {
		if !strings.Contains(string(page), f.name) && !strings.Contains(string(page), "`."+strings.TrimPrefix(f.name, "incident.")) {
			t.Errorf("the page does not tell of %s", f.name)
		}
	}
}
