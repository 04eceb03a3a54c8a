package exports

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/screen"
	"github.com/providerdesk/providerdesk/functions/billingexport"
	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/blob"
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

var noon = time.Date(2026, 11, 6, 12, 0, 0, 0, time.UTC)

// plan has everything that a plan can have.
var plan = billingexport.Plan{Requests: 8, Objects: 41, Unchanged: 2, Months: []billingexport.MonthPlan{
	{Month: "2026-02", Do: "run", Reason: "asked for by anna, from the archive", State: revision.Published, Archive: true, Tenants: make([]billingexport.Tenant, 1), Next: "focus/month=2026-02/rev=0001/"},
	{Month: "2026-09", Do: "after", Reason: "run x is under way, of other tenants", State: revision.Published, Tenants: make([]billingexport.Tenant, 2), Kept: 3,
		Newest: 2, Current: 1, Next: "focus/month=2026-09/rev=0003/", Requests: []billingexport.RequestPlan{{Kind: revision.UsageReport, Times: 2}, {Kind: revision.UsageFile, Times: 1}},
		Partitions: []string{"acme-prod.billing.focus_provider_current$202609"}},
	{Month: "2026-11", Do: "join", Reason: "run y is under way", State: revision.Preliminary, Next: "focus/month=2026-11/rev=0001/"},
}}

var everyState = []billingexport.Status{
	{Month: "2026-08", Phase: billingexport.Resting, Begun: noon, Tenants: 2, Done: 2, Published: 1, Ended: &billingexport.Ended{At: noon, Revision: 1, State: revision.Published, Reason: "the first revision of the month"}},
	{Month: "2026-09", Phase: billingexport.Resting, Begun: noon, Tenants: 2, Done: 2, Ended: &billingexport.Ended{At: noon, Revision: 2, State: revision.Unreconciled}},
	{Month: "2026-10", Phase: billingexport.Working, Begun: noon, Reason: "it is due", Tenants: 3, Done: 1, Next: &billingexport.Request{}, Ended: &billingexport.Ended{At: noon, Revision: 1, State: revision.Preliminary, Reason: "the first"},
		Open: []billingexport.PartStatus{{Tenant: billingexport.Tenant{ID: "o-1", Name: "Co\x1b[2Jke"}, Attempts: 2, Next: noon, Error: "the hub answers 503"}, {Tenant: billingexport.Tenant{ID: "o-2"}}}},
}

// shown is a revision with everything.
var shown = billingexport.Shown{Name: "focus/month=2026-10/rev=0002/manifest.json", SHA256: "0a", Current: 1,
	Manifest: revision.Manifest{Month: "2026-10", Revision: 2, State: revision.Unreconciled, Made: noon, Since: 1, FocusVersion: "1.2",
		Parts:   []revision.Part{{Files: []revision.File{{Name: "parts/a/focus.provider.parquet", Rows: 1_000_000, Sum: blob.Sum{Bytes: 123456}}}}},
		Summary: []revision.File{{Name: "focus/month=2026-10/rev=0002/summary.csv", Sum: blob.Sum{Bytes: 10}}}},
	Totals: []revision.Total{{Lens: revision.Provider, Money: revision.Money{Currency: "USD", Amount: decimal.RequireFromString("32419.472230516622")}},
		{Lens: revision.Tenant, Money: revision.Money{Amount: decimal.RequireFromString("0.000000001")}}},
	Delta: []revision.Total{{Lens: revision.Provider, Money: revision.Money{Currency: "USD", Amount: decimal.RequireFromString("-1.5")}}},
	Grave: []billingexport.Finding{{Tenant: billingexport.Tenant{ID: "o-1", Name: "Coke"}, Verdict: bill.Verdict{Code: bill.Mismatch, Grave: true, Of: "sku x", Text: "1 here, 2 there"}},
		{Tenant: billingexport.Tenant{ID: "o-2"}, Verdict: bill.Verdict{Code: bill.Denied, Grave: true, Text: "the token is refused"}}},
}

func TestViews(t *testing.T) {
	for name, s := range map[string]func(*bytes.Buffer) screen.Screen{
		".golden":      func(b *bytes.Buffer) screen.Screen { return screen.New(b, noEnv, time.UTC) },
		"-rich.golden": func(b *bytes.Buffer) screen.Screen { return screen.Rich(b, time.UTC) },
	} {
		for view, print := range map[string]func(screen.Screen){
			"plan": func(s screen.Screen) { PrintPlan(s, plan) },
			"list": func(s screen.Screen) { PrintList(s, everyState) },
			"status": func(s screen.Screen) {
				for _, m := range everyState {
					PrintStatus(s, m)
				}
			},
			"revision": func(s screen.Screen) { PrintRevision(s, shown, true) },
		} {
			var b bytes.Buffer
			print(s(&b))
			golden(t, view+name, b.String())
		}
	}
}
