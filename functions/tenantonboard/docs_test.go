package tenantonboard

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDocumentedRequest holds the request in docs/onboarding.md to what is read here.
func TestDocumentedRequest(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "onboarding.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(page), "```yaml\n")
	request, _, ok := strings.Cut(after, "```")
	if !ok {
		t.Fatal("the page has no request")
	}
	req, err := decodeRequest("application/yaml", []byte(request), Rules{MaxTenants: 1})
	if err != nil {
		t.Fatal(err)
	}
	if got := req.Tenants[0]; len(req.Tenants) != 1 || got.Key != "acme" || len(got.Users) != 2 || len(got.Google.APIs) != 4 || got.Prune {
		t.Errorf("read as %+v", got)
	}
}
