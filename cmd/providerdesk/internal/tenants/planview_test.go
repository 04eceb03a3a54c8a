package tenants

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/screen"
	"github.com/providerdesk/providerdesk/functions/tenantonboard"
)

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}

func noEnv(string) (string, bool) { return "", false }

// plans have everything that a plan can have.
var plans = []Planned{
	{Tenant: "acme", Status: tenantonboard.Ready, Plan: tenantonboard.Plan{Tenant: "acme", Digest: "0123456789abcdef",
		Steps: []tenantonboard.Step{
			{Stage: tenantonboard.StageOrganization, Kind: "tenant.update", Text: "update the organization of tenant acme"},
			{Stage: tenantonboard.StageUsers, Kind: "tenant.users", Text: "add 2 users as tenant_user"},
			{Stage: tenantonboard.StageUsers, Kind: "tenant.roles", Text: "give anna@acme.example the roles tenant_admin"},
			{Stage: tenantonboard.StageUsers, Kind: "tenant.roles", Text: "take from bob@acme.example the roles tenant_admin", Takes: true},
			{Stage: tenantonboard.StageUsers, Kind: "tenant.leave", Text: "remove \x1b[2Jcarl@acme.example", Takes: true},
		},
		Drift: []string{"dora@acme.example is a member and not in the request"},
	}},
	{Tenant: "beta", Status: tenantonboard.Fresh, Plan: tenantonboard.Plan{Tenant: "beta", Digest: "fedcba9876543210",
		Blocks: []string{"2 organizations could be this tenant's"},
	}},
	{Tenant: "gamma", Status: tenantonboard.Invited, Plan: tenantonboard.Plan{Tenant: "gamma", Digest: "00"}},
}

func TestPlans(t *testing.T) {
	for name, s := range map[string]func(*bytes.Buffer) screen.Screen{
		"plan.golden":      func(b *bytes.Buffer) screen.Screen { return screen.New(b, noEnv, time.UTC) },
		"plan-rich.golden": func(b *bytes.Buffer) screen.Screen { return screen.Rich(b, time.UTC) },
	} {
		var b bytes.Buffer
		PrintPlans(s(&b), plans)
		golden(t, name, b.String())
	}
}

func TestTotals(t *testing.T) {
	if got, want := Sum(plans), (Totals{Create: 1, Change: 2, Take: 2, Blocked: 1, Drift: 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if Sum(plans).Nothing() || !Sum(plans[2:]).Nothing() {
		t.Error("what has nothing to do is not told from what has")
	}
}
