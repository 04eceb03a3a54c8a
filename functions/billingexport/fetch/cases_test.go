package fetch_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
	"github.com/providerdesk/providerdesk/functions/billingexport/fetch"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
	simhub "github.com/providerdesk/providerdesk/shared/sim/hub"
)

// restating restates October before the second look at the report, so many times.
func (b *bench) restating(times int) {
	looks := 0
	b.before = func(_ int, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/usage-report") {
			return
		}
		if looks++; looks%2 == 0 && looks/2 <= times {
			b.ok(b.sim.Restate(simhub.TenantCoke, "2026-10"))
		}
	}
}

// Data that move while they are read are read again; data that move again are not believed.
func TestMoved(t *testing.T) {
	for times, want := range map[int]struct {
		calls    int
		verdicts string
	}{0: {4, ""}, 1: {7, ""}, 2: {7, "MOVED!×1"}} {
		on(t, simhub.Options{}, func(b *bench) {
			b.restating(times)
			f := b.fetched(coke)
			_, findings := b.judged(f)
			b.Logf("restated %d times: %d calls, %q, %s", times, b.spent(), short(f.Verdicts), short(findings))
			if b.spent() != want.calls || short(f.Verdicts) != want.verdicts || len(f.Raw) != 3 || bill.Grave(findings) != (times == 2) {
				b.Errorf("restated %d times: %d calls, %s", times, b.spent(), short(f.Verdicts))
			}
		})
	}
}

var stamp = regexp.MustCompile(`"(create|update)Timestamp":[0-9]+`)

// A report that is made anew each time, with another stamp, other spaces and its numbers in another form, has not moved, and is no other in the
// next run; one that says something else is.
func TestSameInOtherWords(t *testing.T) {
	on(t, simhub.Options{}, func(b *bench) {
		n := 0
		b.after = func(r *http.Request, body []byte) []byte {
			if !strings.HasSuffix(r.URL.Path, "/file") {
				n++
				body = stamp.ReplaceAll(body, fmt.Appendf(nil, `"${1}Timestamp":%d`, 1_790_000_000_000+n))
				body = bytes.ReplaceAll(body, []byte(`.0,`), []byte("."+strings.Repeat("0", n)+",\n"))
			}
			return body
		}
		first := b.fetched(coke)
		if short(first.Verdicts) != "" || b.spent() != 4 || len(b.shelf.names()) != 5 {
			b.Errorf("%d calls, %s, %v", b.spent(), short(first.Verdicts), b.shelf.names())
		}
		next := coke
		next.Run = "2026-11-07"
		second := b.fetched(next)
		if fetch.Digest(second) != fetch.Digest(first) || len(b.shelf.names()) != 5+3+1 {
			b.Errorf("the same said later is another: %v", b.shelf.names())
		}
		b.ok(b.sim.Restate(coke.Org, "2026-10"))
		next.Run = "2026-11-08"
		third := b.fetched(next)
		was, _ := first.Of(revision.UsageReport)
		is, _ := third.Of(revision.UsageReport)
		if was.SHA256 == is.SHA256 {
			b.Error("a restated report is that of before")
		}
		last := third
		for i, spoil := range []func(name string){func(name string) { b.shelf.Corrupt(name, 9) }, b.shelf.Remove} {
			earlier, _ := last.Of(revision.UsageReport)
			spoil(earlier.Name)
			next.Run = fmt.Sprint("2026-11-1", i)
			if last = b.fetched(next); short(last.Verdicts) != "" || len(last.Raw) != 3 {
				b.Errorf("without the earlier report: %+v", last)
			}
		}
	})
}

// What is about somebody else is not kept, whichever piece it is.
func TestForeign(t *testing.T) {
	for ending, pieces := range map[string]int{"/usage-report": 0, "/file": 1, "/subscriptions": 2} {
		on(t, simhub.Options{}, func(b *bench) {
			b.after = func(r *http.Request, body []byte) []byte {
				if strings.HasSuffix(r.URL.Path, ending) {
					body = bytes.ReplaceAll(body, []byte(simhub.TenantCoke), []byte(simhub.TenantLorem))
				}
				return body
			}
			f := b.fetched(coke)
			if short(f.Verdicts) != "FOREIGN!×1" || len(f.Raw) != pieces {
				b.Errorf("%s: %s, %d pieces", ending, short(f.Verdicts), len(f.Raw))
			}
			for _, name := range b.shelf.names() {
				if bytes.Contains(b.shelf.content(name), []byte(simhub.TenantLorem)) {
					b.Errorf("%s holds another organization's data", name)
				}
			}
		})
	}
}

// Rows outside of the month are kept; with none inside, the other unit is asked for, and the first answer stands if that has none either.
func TestUnitInDoubt(t *testing.T) {
	on(t, simhub.Options{}, func(b *bench) {
		inOctober := regexp.MustCompile(`"17[89][0-9]{10}"`)
		b.after = func(r *http.Request, body []byte) []byte {
			if strings.HasSuffix(r.URL.Path, "/file") {
				body = inOctober.ReplaceAll(body, []byte(`"1767225600000"`)) // January
			}
			return body
		}
		f := b.fetched(coke)
		raw, _ := f.Of(revision.UsageFile)
		if b.asked("/file") != 2 || raw.Unit != hub.Milliseconds || raw.Bytes < 1000 || short(f.Verdicts) != "" {
			b.Errorf("%d files, %+v, %s", b.asked("/file"), raw, short(f.Verdicts))
		}
	})
	on(t, simhub.Options{Switches: simhub.Switches{Unit: "chaos"}}, func(b *bench) {
		f := b.fetched(coke)
		report, _ := f.Of(revision.UsageReport)
		var units []hub.Unit
		for _, r := range f.Requests {
			units = append(units, r.Unit)
		}
		if report.Unit != hub.Milliseconds || !slices.Equal(units, []hub.Unit{"s", "ms", "ms", "ms", ""}) {
			b.Errorf("report in %q, asked in %q", report.Unit, units)
		}
	})
}

// Who is let in: the provider's token, the tenant's own where that is not, nobody.
func TestTokens(t *testing.T) {
	for _, tt := range []struct {
		what             string
		provider, tenant []string
		verdicts         string
		pieces           int
	}{
		{"provider's billing user", []string{hub.ProviderBilling}, nil, "", 3},
		{"provider's support user, and the tenant's administrator", []string{hub.ProviderSupport}, []string{hub.TenantAdmin}, "DENIED!×1", 2},
		{"provider's operations, which may see subscriptions, and the tenant's administrator", []string{hub.ProviderOperations}, []string{hub.TenantAdmin}, "", 3},
		{"provider's support user alone", []string{hub.ProviderSupport}, nil, "DENIED!×1", 0},
		{"nobody", nil, nil, "DENIED!×1", 0},
	} {
		on(t, simhub.Options{}, func(b *bench) {
			b.tokens[simhub.Provider], b.tokens[simhub.TenantCoke] = tt.provider, tt.tenant
			b.start(0)
			f := b.fetched(coke)
			b.Logf("%-85s %d calls, %d pieces, %s", tt.what, b.spent(), len(f.Raw), short(f.Verdicts))
			if short(f.Verdicts) != tt.verdicts || len(f.Raw) != tt.pieces {
				b.Errorf("%s: %+v", tt.what, f)
			}
			if _, findings := b.judged(f); tt.pieces == 3 && short(findings) != agreed {
				b.Errorf("%s: %s", tt.what, short(findings))
			}
		})
	}
}

// A provider without a service gets no token. That says nothing about the tenant, and must not pass for an empty month.
func TestProviderWithoutService(t *testing.T) {
	on(t, simhub.Options{}, func(b *bench) {
		b.Fetcher.Hub = b.over(func(r *http.Request) *http.Response {
			if strings.HasSuffix(r.URL.Path, "/accesstoken") {
				return answer(r, http.StatusForbidden, `{"majorErrorCode":"NO_ACTIVE_SERVICE"}`)
			}
			return nil
		})
		if f := b.fetched(coke); short(f.Verdicts) != "DENIED!×1" {
			b.Errorf("%+v", f.Verdicts)
		}
	})
}

// A tenant that loses its service while it is read is no empty month if it has shown usage, and one if it has not.
func TestServiceEndsMeanwhile(t *testing.T) {
	for _, used := range []bool{true, false} {
		on(t, simhub.Options{}, func(b *bench) {
			r := coke
			if !used {
				r.Org = b.newTenant()
				b.ok(b.sim.Activate(r.Org))
			}
			b.Fetcher.Hub = b.over(func(r *http.Request) *http.Response {
				if strings.HasSuffix(r.URL.Path, "/subscriptions") {
					return answer(r, http.StatusForbidden, `{"majorErrorCode":"NO_ACTIVE_SERVICE"}`)
				}
				return nil
			})
			f := b.fetched(r)
			if want := map[bool]string{true: "MOVED!×1", false: "NO_SERVICE×1"}[used]; short(f.Verdicts) != want || used != (len(f.Raw) > 0) {
				b.Errorf("%s, %d pieces", short(f.Verdicts), len(f.Raw))
			}
		})
	}
}

type network func(r *http.Request) *http.Response

// over is a client of the simulator where an answer may come from elsewhere.
func (b *bench) over(elsewhere network) *hub.Client {
	b.Helper()
	c, err := hub.New(hub.Options{Endpoint: "https://hub.example/api", Organization: simhub.Provider, Token: b.token, Base: detour{elsewhere, b}})
	b.ok(err)
	return c
}

type detour struct {
	elsewhere network
	b         *bench
}

func (d detour) RoundTrip(r *http.Request) (*http.Response, error) {
	if resp := d.elsewhere(r); resp != nil {
		return resp, nil
	}
	return d.b.RoundTrip(r)
}

func answer(r *http.Request, status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}
}

// The archive answers with the newest run that got an answer, and a month that is out of the window with it.
func TestArchived(t *testing.T) {
	on(t, simhub.Options{}, func(b *bench) {
		ctx := b.Context()
		if _, err := b.Archived(ctx, october, coke.Org); !fault.Is(err, fault.Missing) {
			b.Errorf("an empty archive: %v", err)
		}
		first := b.fetched(fetch.Request{Month: october, Org: coke.Org, Run: "2026-11-06"})
		b.ok(b.sim.Restate(coke.Org, "2026-10"))
		second := b.fetched(fetch.Request{Month: october, Org: coke.Org, Run: "2026-11-07"})
		b.ok(b.sim.ArmFault("usage.report", "status:403", 2))
		refused := b.fetched(fetch.Request{Month: october, Org: coke.Org, Run: "2026-11-08"})
		got, err := b.Archived(ctx, october, coke.Org)
		b.ok(err)
		if got.Run != second.Run || fetch.Digest(got) != fetch.Digest(second) || fetch.Digest(second) == fetch.Digest(first) || short(refused.Verdicts) != "DENIED!×1" {
			b.Errorf("run %s of %s", got.Run, short(refused.Verdicts))
		}
		b.later(8)
		old := b.fetched(fetch.Request{Month: october, Org: coke.Org, Run: "2027-07-06"})
		if fetch.Digest(old) != fetch.Digest(second) || old.Run != "2027-07-06" || len(old.Requests) != 0 {
			b.Errorf("out of the window: %+v", old)
		}
		none := b.fetched(fetch.Request{Month: october, Org: simhub.TenantLorem, Run: "2027-07-06"})
		if short(none.Verdicts) != "OUT_OF_WINDOW!×1" {
			b.Errorf("out of the window and not in the archive: %+v", none)
		}
		if _, err := b.Archived(ctx, october, simhub.TenantLorem); !fault.Is(err, fault.Missing) {
			b.Errorf("out of the window is no answer: %v", err)
		}
	})
}

// What could never be written down is not asked for.
func TestRequestsThatAreNone(t *testing.T) {
	on(t, simhub.Options{}, func(b *bench) {
		for _, r := range []fetch.Request{{}, {Month: october, Org: "a/b", Run: "1"}, {Month: october, Org: coke.Org, Run: "../x"}, {Month: october, Org: coke.Org}} {
			if _, err := b.Fetch(b.Context(), r); err == nil || len(b.calls) > 0 || len(b.shelf.names()) > 0 {
				b.Errorf("%+v: %v", r, err)
			}
		}
	})
}

func TestTenants(t *testing.T) {
	for _, tt := range []struct {
		what  string
		roles []string
		n     int
		calls int
		kind  fault.Kind
	}{
		{"lists them", []string{hub.ProviderAdmin}, 5, 1, ""},
		{"reads usage and subscriptions", []string{hub.ProviderBilling}, 5, 3, ""},
		{"reads nothing", []string{hub.ProviderSupport}, 0, 3, fault.Denied},
	} {
		on(t, simhub.Options{Tenants: 3}, func(b *bench) {
			b.tokens[simhub.Provider] = tt.roles
			b.start(0)
			all, err := b.Tenants(b.Context())
			if fault.Of(err) != tt.kind || len(all) != tt.n || b.spent() != tt.calls {
				b.Fatalf("%s: %d tenants after %d calls, %v", tt.what, len(all), b.spent(), err)
			}
			for i, tenant := range all {
				if tenant.Name == "" || tenant.ID == simhub.Provider || i > 0 && all[i-1].ID >= tenant.ID || (tenant.Status == "ACTIVE") != (tt.calls == 1) {
					b.Errorf("%s: %+v", tt.what, tenant)
				}
			}
		})
	}
	on(t, simhub.Options{}, func(b *bench) {
		b.ok(b.sim.ArmFault("usage.report", "status:500", 1))
		if all, err := b.Tenants(b.Context()); !fault.Is(err, fault.Transient) {
			b.Errorf("half a list: %v, %v", all, err)
		}
	})
}

// A file of any length passes through: the bucket gets it in small pieces, and memory does not grow with it.
func TestStreams(t *testing.T) {
	on(t, simhub.Options{Rows: 60_000}, func(b *bench) {
		var most, least uint64
		writes := 0
		b.Bucket = sink{b.shelf}
		b.shelf.onWrite = func() {
			if writes++; writes%200 != 0 {
				return
			}
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapAlloc)
			if least == 0 {
				least = m.HeapAlloc
			}
		}
		f, err := b.Fetch(b.Context(), coke)
		b.ok(err)
		raw, _ := f.Of(revision.UsageFile)
		b.Logf("%d bytes in writes of at most %d; %d bytes of memory more than after the first 200 writes", raw.Bytes, b.shelf.largest, most-least)
		if raw.Bytes < 15<<20 || b.shelf.largest > 128<<10 || most-least > 4<<20 {
			b.Error("the file was held")
		}
	})
}

// A bucket that refuses us says nothing about the tenant: it is an error, not a verdict.
func TestBucketRefuses(t *testing.T) {
	for _, what := range []string{"open", "create", "list"} {
		on(t, simhub.Options{}, func(b *bench) {
			b.Bucket = locked{b.shelf, what}
			f, err := b.Fetch(b.Context(), coke)
			if !errors.Is(err, errLocked) || len(f.Verdicts) > 0 || b.shelf.content(revision.FetchedName(october, coke.Org, coke.Run)) != nil {
				b.Errorf("%s: %+v, %v", what, f.Verdicts, err)
			}
		})
	}
}
