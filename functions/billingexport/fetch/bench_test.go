package fetch_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shopspring/decimal"
	"go.uber.org/goleak"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
	"github.com/providerdesk/providerdesk/functions/billingexport/fetch"
	"github.com/providerdesk/providerdesk/functions/billingexport/reconcile"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
	simhub "github.com/providerdesk/providerdesk/shared/sim/hub"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var october = hub.Period{Year: 2026, Month: time.October}

// A bench is a fetcher in front of the simulator, on the 6th of November in virtual time.
type bench struct {
	*testing.T
	*fetch.Fetcher
	sim    *simhub.Server
	shelf  *shelf
	tokens map[string][]string // roles of the API token of an organization; none: it has no token
	before func(n int, r *http.Request)
	after  func(r *http.Request, body []byte) []byte // nil: the body stays as it is
	mu     sync.Mutex
	calls  []string // path and query of every request, in order
}

func on(t *testing.T, o simhub.Options, test func(b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 11, 6, 9, 0, 0, 0, time.UTC)))
		sim, err := simhub.New(o)
		if err != nil {
			t.Fatal(err)
		}
		defer sim.Close()
		b := &bench{T: t, sim: sim, shelf: newShelf(), tokens: map[string][]string{
			simhub.Provider: {hub.ProviderBilling}, simhub.TenantCoke: {hub.TenantAdmin}, simhub.TenantLorem: {hub.TenantAdmin},
		}}
		b.start(0)
		test(b)
	})
}

// start is a new process, with nothing but the bucket.
func (b *bench) start(dies int) {
	b.Helper()
	b.shelf.restart(dies)
	client, err := hub.New(hub.Options{
		Endpoint: "https://hub.example/api", Organization: simhub.Provider, Token: b.token, Base: b, Backoff: time.Millisecond,
	})
	b.ok(err)
	b.Fetcher = &fetch.Fetcher{Hub: client, Bucket: b.shelf, Master: simhub.Provider}
}

func (b *bench) token(_ context.Context, org string) (string, error) {
	if t := b.sim.TokenFor(org, b.tokens[org]...); t != "" && b.tokens[org] != nil {
		return t, nil
	}
	return "", fault.New(fault.Missing, "no API token")
}

// RoundTrip makes the bench the network.
func (b *bench) RoundTrip(r *http.Request) (*http.Response, error) {
	b.mu.Lock()
	b.calls = append(b.calls, r.URL.Path+"?"+r.URL.RawQuery)
	n := len(b.calls)
	b.mu.Unlock()
	if b.before != nil {
		b.before(n, r)
	}
	resp, err := b.sim.Transport().RoundTrip(r)
	if err != nil || b.after == nil {
		return resp, err
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(b.after(r, body)))
	return resp, nil
}

// asked is how often an endpoint was asked, by the end of its path.
func (b *bench) asked(ending string) (n int) {
	for _, c := range b.calls {
		if path, _, _ := strings.Cut(c, "?"); strings.HasSuffix(path, ending) {
			n++
		}
	}
	return n
}

// spent is what a tenant cost: requests beside the exchange of tokens.
func (b *bench) spent() int { return len(b.calls) - b.asked("/accesstoken") }

func (b *bench) ok(err error) {
	b.Helper()
	if err != nil {
		b.Fatalf("kind %q: %v", fault.Of(err), err)
	}
}

var coke = fetch.Request{Month: october, Org: simhub.TenantCoke, Run: "2026-11-06"}

// fetched fetches, and holds what came against what was promised of every Fetched.
func (b *bench) fetched(r fetch.Request) revision.Fetched {
	b.Helper()
	f, err := b.Fetch(b.Context(), r)
	b.ok(err)
	b.sound(f, r)
	return f
}

func (b *bench) sound(f revision.Fetched, r fetch.Request) {
	b.Helper()
	document := b.shelf.content(revision.FetchedName(r.Month, r.Org, r.Run))
	if kept, err := revision.DecodeFetched(document); err != nil || fmt.Sprint(kept) != fmt.Sprint(f) {
		b.Errorf("returned and written differ: %v\n%+v\n%+v", err, f, kept)
	}
	if bytes.Contains(document, []byte("@")) || bytes.Contains(document, []byte("eyJ")) {
		b.Errorf("a token or an address: %s", document)
	}
	for _, t := range b.sim.Tokens() {
		if bytes.Contains(document, []byte(t.Token)) {
			b.Error("an API token is written down")
		}
	}
	for _, p := range f.Raw {
		if int64(len(b.shelf.content(p.Name))) != p.Bytes || !strings.Contains(p.Name, p.SHA256) {
			b.Errorf("%+v is not what is kept", p)
		}
	}
	for name, n := range b.shelf.commits {
		if n != 1 || !strings.HasPrefix(name, "raw/month=") {
			b.Errorf("%s was written %d times", name, n)
		}
	}
}

// judged charges the rows of the month and reconciles.
func (b *bench) judged(f revision.Fetched) (lines []bill.Line, verdicts []bill.Verdict) {
	b.Helper()
	stated, err := reconcile.Read(b.Context(), b.shelf, f)
	b.ok(err)
	if raw, ok := f.Of(revision.UsageFile); ok {
		lines = b.charged(b.shelf.content(raw.Name))
	}
	return lines, reconcile.Judge(lines, stated)
}

// charged makes a line of every readable row of October: a bill need not be folded to be compared.
func (b *bench) charged(text []byte) (lines []bill.Line) {
	r, err := hub.NewUsageReader(bytes.NewReader(text))
	for err == nil {
		var row hub.UsageRow
		if row, err = r.Next(); err != nil || row.Problem != "" || !october.Contains(row.Time) {
			continue
		}
		l := bill.Line{
			Org: row.OrgID, ServiceID: row.ServiceID, Service: row.ServiceName, Subscription: row.SubscriptionID, CrossReference: row.CrossReference,
			Currency: r.Currency, Rows: 1, Price: number(row.Price.String()), Usage: number(row.Usage.String()), Commit: number(row.Commit.String()),
			Billable: number(row.Billable.String()),
		}
		l.Cost = l.Price.Mul(l.Billable)
		lines = append(lines, l)
	}
	return lines
}

func number(s string) decimal.Decimal { return decimal.RequireFromString(s) }

func total(lines []bill.Line) (sum decimal.Decimal) {
	for _, l := range lines {
		sum = sum.Add(l.Cost)
	}
	return sum
}

// short is verdicts by code, ! if grave, with how many there are of each.
func short(all []bill.Verdict) string {
	count := map[string]int64{}
	for _, v := range all {
		code := string(v.Code)
		if v.Grave {
			code += "!"
		}
		if v.Code == bill.Match {
			count[code] += v.Count
			continue
		}
		count[code]++
	}
	var out []string
	for code, n := range count {
		out = append(out, fmt.Sprintf("%s×%d", code, n))
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// fixed is the same API token for every organization.
func fixed(t string) hub.Token {
	return func(context.Context, string) (string, error) { return t, nil }
}

// later lets months go by.
func (b *bench) later(months int) {
	time.Sleep(time.Until(time.Now().AddDate(0, months, 0)))
	b.start(0)
}
