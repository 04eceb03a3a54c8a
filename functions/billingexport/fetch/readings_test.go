package fetch_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/providerdesk/providerdesk/functions/billingexport/fetch"
	"github.com/providerdesk/providerdesk/shared/hub"
	simhub "github.com/providerdesk/providerdesk/shared/sim/hub"
)

// A reading is a way in which the hub may behave, and what must come of it.
type reading struct {
	what     string
	on       simhub.Switches
	calls    int
	verdicts string // of the Fetched
	findings string // of reconcile
	same     bool   // the sum of October is that of the first reading
}

const agreed = "MATCH×9" // six skus, two services and the whole

func readings() []reading {
	all := []reading{{"as the simulator takes it", simhub.Switches{}, 4, "", agreed, true}}
	for _, unit := range []string{"magnitude", "strict", "chaos"} {
		for _, rounding := range []string{"floor", "nearest"} {
			for _, zone := range []string{"UTC", "UTC-12", "UTC+14"} {
				calls := map[string]int{"magnitude": 4, "strict": 4, "chaos": 5}[unit]
				all = append(all, reading{unit + " " + rounding + " " + zone, simhub.Switches{Unit: unit, Rounding: rounding, Zone: zone}, calls, "", agreed, true})
			}
		}
	}
	return append(all,
		reading{"detailView inverted", simhub.Switches{DetailViewInverted: true}, 4, "", agreed, true},
		reading{"numbers as floats", simhub.Switches{JSONNumbers: "float64"}, 4, "", agreed, true},
		reading{"subscriptions by sid", simhub.Switches{CSVSubscription: "sid"}, 4, "", agreed, true},
		reading{"plain CSV", simhub.Switches{CSVPlain: true}, 4, "", agreed, true},
		reading{"byte order mark", simhub.Switches{CSVMark: true}, 4, "", agreed, true},
		reading{"columns reordered", simhub.Switches{CSVReordered: true}, 4, "", agreed, true},
		reading{"an extra column", simhub.Switches{CSVExtraColumn: true}, 4, "", agreed, true},
		reading{"price in USD", simhub.Switches{PriceHeader: "(USD)"}, 4, "", agreed, true},
		reading{"times in seconds", simhub.Switches{CSVTime: "seconds"}, 4, "", agreed, true},
		reading{"times as RFC 3339", simhub.Switches{CSVTime: "rfc3339"}, 4, "", agreed, true},
		reading{"times as dates", simhub.Switches{CSVTime: "date"}, 4, "", agreed, true},
		reading{"times that are two dates", simhub.Switches{CSVTime: "us"}, 4, "", "MISMATCH!×3 ONLY_JSON!×6", false},
		reading{"a header and no row", simhub.Switches{CSVHeaderOnly: true}, 5, "", "MISMATCH!×3 ONLY_JSON!×6", false},
		reading{"skus left out", simhub.Switches{TruncateSkus: true}, 4, "", "MATCH×5 ONLY_CSV!×4 TRUNCATED!×3", true},
		reading{"a file name with ../", simhub.Switches{ContentDisposition: "chaos"}, 4, "", agreed, true},
		reading{"no file name", simhub.Switches{ContentDisposition: "none"}, 4, "", agreed, true},
		reading{"subscriptions of all tenants", simhub.Switches{SubscriptionsAllTenants: true}, 4, "", agreed, true},
		reading{"six months for the file, too", simhub.Switches{WindowOnFile: true}, 4, "", agreed, true},
	)
}

// Whatever the hub means, October is the same October, and what is wrong with it is said.
func TestEveryReading(t *testing.T) {
	october, table := "", []string{}
	for _, r := range readings() {
		on(t, simhub.Options{Switches: r.on}, func(b *bench) {
			f := b.fetched(coke)
			lines, findings := b.judged(f)
			sum := total(lines).String()
			if october == "" {
				october = sum
			}
			table = append(table, fmt.Sprintf("%-30s %d calls %4d rows %24s  %s%s", r.what, b.spent(), len(lines), sum, short(f.Verdicts), short(findings)))
			if b.spent() != r.calls || short(f.Verdicts) != r.verdicts || short(findings) != r.findings || (sum == october) != r.same {
				t.Errorf("%s: want %d calls, %q, %q, the same sum %v; got\n%s", r.what, r.calls, r.verdicts, r.findings, r.same, table[len(table)-1])
			}
			if len(f.Requests) != b.spent() || len(f.Raw) != 3 {
				t.Errorf("%s: %d requests noted of %d, %d pieces", r.what, len(f.Requests), b.spent(), len(f.Raw))
			}
		})
	}
	t.Logf("%d readings:\n%s", len(table), strings.Join(table, "\n"))
}

// A tenant without a service has an empty month, one whose service has not been used has pieces that say so.
func TestNoService(t *testing.T) {
	for _, code := range []string{"403", "404"} {
		on(t, simhub.Options{Switches: simhub.Switches{NoService: code}}, func(b *bench) {
			r := fetch.Request{Month: october, Org: b.newTenant(), Run: "1"}
			f := b.fetched(r)
			lines, findings := b.judged(f)
			b.Logf("no service, answered %s: %d calls, %s", code, b.spent(), short(f.Verdicts))
			if short(f.Verdicts) != "NO_SERVICE×1" || len(f.Raw)+len(lines)+len(findings) != 0 || b.spent() != 1 {
				b.Errorf("%+v, %d calls", f, b.spent())
			}
			b.ok(b.sim.Activate(r.Org))
			b.calls, r.Run = nil, "2"
			f = b.fetched(r)
			if _, findings = b.judged(f); short(f.Verdicts) != "" || len(f.Raw) != 3 || short(findings) != "" {
				b.Errorf("a service that was not used yet: %s, %s", short(f.Verdicts), short(findings))
			}
			b.Logf("a service without usage: %d calls, as both units are asked for", b.spent())
		})
	}
}

// newTenant makes a tenant without a service at the simulator.
func (b *bench) newTenant() string {
	b.Helper()
	c, err := hub.New(hub.Options{Endpoint: "https://hub.example/api", Organization: simhub.Provider, Base: b.sim.Transport(), Token: b.tokenOf(hub.ProviderAdmin)})
	b.ok(err)
	o, err := c.CreateTenant(b.Context(), simhub.Provider, hub.TenantDraft{
		TenantType: "DEFAULT", Country: "US", DisplayName: "New", CompanyName: "New", City: "Atlanta", State: "GA", Zip: "30313", Domain: "new.example",
	})
	b.ok(err)
	return o.ID
}

// What the hub does not report any more is out of the window, unless a run has fetched it in its time.
func TestOutOfWindow(t *testing.T) {
	for _, answer := range []string{"400", "empty"} {
		on(t, simhub.Options{Switches: simhub.Switches{OutOfWindow: answer, WindowOnFile: true}}, func(b *bench) {
			old := fetch.Request{Month: october.Add(-6), Org: simhub.TenantCoke, Run: "r2"}
			f := b.fetched(old)
			if short(f.Verdicts) != "OUT_OF_WINDOW!×1" || len(f.Raw)+len(f.Requests)+b.spent() != 0 {
				b.Errorf("%+v after %d calls", f, b.spent())
			}
			oldest := b.fetched(fetch.Request{Month: october.Add(-4), Org: simhub.TenantCoke, Run: "r2"})
			if short(oldest.Verdicts) != "" || len(oldest.Raw) != 3 {
				b.Errorf("the oldest month that is reported: %+v", oldest)
			}
		})
	}
}

func (b *bench) tokenOf(roles ...string) hub.Token {
	b.tokens[simhub.Provider] = roles
	defer func() { b.tokens[simhub.Provider] = []string{hub.ProviderBilling} }()
	t, err := b.token(b.Context(), simhub.Provider)
	b.ok(err)
	return fixed(t)
}
