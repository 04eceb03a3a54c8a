package hub_test

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
	simhub "github.com/providerdesk/providerdesk/shared/sim/hub"
)

// gather reads a sequence of items to its end.
func gather(items iter.Seq2[hub.UsageItem, error]) (all []hub.UsageItem, err error) {
	for i, e := range items {
		if e != nil {
			return all, e
		}
		all = append(all, i)
	}
	return all, nil
}

// kept reads a download whole, as it would be kept.
func (b *bench) kept(f *hub.UsageFile, err error) []byte {
	b.Helper()
	b.ok(err, "download")
	text, err := io.ReadAll(f)
	b.ok(errors.Join(err, f.Close()), "read a download")
	return text
}

// A report that was kept says what the same report said while it was streamed; kept twice it is the same bytes.
func TestRawSaysTheSame(t *testing.T) {
	on(t, simhub.Options{Tenants: 2}, func(b *bench) {
		ctx := b.Context()
		for _, tenant := range []string{simhub.TenantCoke, ""} {
			q := hub.UsageQuery{Period: b.month, Tenant: tenant}
			org := map[bool]string{true: simhub.Provider}[tenant != ""]
			text := b.kept(b.UsageReportFile(ctx, simhub.Provider, q))
			if again := b.kept(b.UsageReportFile(ctx, simhub.Provider, q)); !bytes.Equal(text, again) {
				b.Error("the same report twice is not the same bytes")
			}
			b.same(hub.ReadReport(bytes.NewReader(text), org, tenant), b.Usage(ctx, simhub.Provider, q))
			s := hub.SubscriptionQuery{Tenant: tenant, All: tenant == ""}
			text = b.kept(b.SubscriptionsFile(ctx, simhub.Provider, s))
			b.same(hub.ReadReport(bytes.NewReader(text), org, tenant), b.Subscriptions(ctx, simhub.Provider, s))
		}
		if _, err := b.SubscriptionsFile(ctx, simhub.Provider, hub.SubscriptionQuery{}); !fault.Is(err, fault.Invalid) {
			b.Errorf("subscriptions of nobody: %v", err)
		}
	})
}

func (b *bench) same(raw, streamed iter.Seq2[hub.UsageItem, error]) {
	b.Helper()
	got, err := gather(raw)
	b.ok(err, "read what was kept")
	want, err := gather(streamed)
	b.ok(err, "read a report")
	if len(got) == 0 || !reflect.DeepEqual(got, want) {
		b.Errorf("%d items kept, %d streamed", len(got), len(want))
	}
}

// The unit of the endpoint's own example comes first; the other one is tried when that is refused, and only if the caller left it open.
func TestRawUnit(t *testing.T) {
	refuseSeconds := func(w http.ResponseWriter, r *http.Request) {
		if len(r.URL.Query().Get("startTime")) == 10 {
			w.WriteHeader(http.StatusBadRequest)
		}
		io.WriteString(w, "[]")
	}
	c := client(t, hub.Options{Endpoint: newWire(t, refuseSeconds).URL + "/api"})
	q := hub.UsageQuery{Period: hub.PeriodOf(time.Now()).Add(-1), Tenant: tenant}
	f, err := c.UsageReportFile(t.Context(), master, q)
	if err != nil || f.Unit != hub.Milliseconds {
		t.Fatalf("%+v, %v", f, err)
	}
	f.Close()
	q.Unit = hub.Seconds
	if _, err := c.UsageReportFile(t.Context(), master, q); !fault.Is(err, fault.Invalid) {
		t.Errorf("a unit that was asked for is not kept to: %v", err)
	}
}

func TestRawName(t *testing.T) {
	evil := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Disposition", `attachment; filename="../../etc/x.json"`)
		io.WriteString(w, "[]")
	}
	c := client(t, hub.Options{Endpoint: newWire(t, evil).URL + "/api"})
	f, err := c.SubscriptionsFile(t.Context(), master, hub.SubscriptionQuery{Tenant: tenant})
	if err != nil || f.Name != "x.json" || f.Unit != hub.AnyUnit {
		t.Fatalf("%+v, %v", f, err)
	}
	f.Close()
}

// Who may be named in a report, by what it was asked about.
func TestReadReportOf(t *testing.T) {
	const two = `[{"orgId":"a","services":null},{"orgId":"b"}]`
	for _, tt := range []struct {
		text, org, tenant string
		items             int
		foreign           bool
	}{
		{two, "", "", 2, false},
		{two, "m", "a", 1, true},
		{two, "m", "b", 0, true},
		{two, "a", "", 1, true},
		{`[{"orgId":"a"}]`, "a", "", 1, false},
		{`[{"orgId":"a"}]`, "m", "a", 1, false},
		{`[]`, "m", "a", 0, false},
	} {
		got, err := gather(hub.ReadReport(strings.NewReader(tt.text), tt.org, tt.tenant))
		if len(got) != tt.items || errors.Is(err, hub.ErrForeign) != tt.foreign || !tt.foreign && err != nil {
			t.Errorf("%+v: %d items, %v", tt, len(got), err)
		}
	}
	for range hub.ReadReport(strings.NewReader(two), "", "") {
		break // a reader may stop
	}
}

// FuzzReadReport: what was kept is read to its end or refused with an error that holds nothing of it; nobody foreign is given out.
func FuzzReadReport(f *testing.F) {
	for _, s := range []string{
		`[{"orgId":"t","services":[{"serviceDefId":"s","subscriptions":[{"sid":"1","skuData":{"skus":[{"crossReferenceSku":"c","totalUsageQuantity":1e-9}],"pageSize":1}}]}]}]`,
		`[{"services":[{"subscriptions":[{}]}],"orgId":"t"}]`, `[{"orgId":"x"}]`, "[]", "null", "", "[{", `[{"orgId":"t"}]secret`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		items, err := gather(hub.ReadReport(strings.NewReader(text), "m", "t"))
		if err != nil && !fault.Is(err, fault.Transient) {
			t.Errorf("kind %q", fault.Of(err))
		}
		for _, i := range items {
			if s := i.Subscription; s != nil && s.OrgID != "t" {
				t.Errorf("subscription of %q", s.OrgID)
			}
			if o := i.Organization; o != nil && o.ID != "t" {
				t.Errorf("organization %q", o.ID)
			}
		}
	})
}
