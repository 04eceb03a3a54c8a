package fetch_test

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/providerdesk/providerdesk/functions/billingexport/fetch"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/blob"
	"github.com/providerdesk/providerdesk/shared/fault"
	simhub "github.com/providerdesk/providerdesk/shared/sim/hub"
)

// healing are faults after which the same question has an answer.
var healing = []string{
	"status:429", "status:500", "status:503", "drop", "commit_then_drop", "commit_then_status:504", "cut:700", "late_drop:1h", "delay:3m", "garbage",
}

// deliveries is how often a run is delivered before somebody looks. A fault is good for at most nine calls.
const deliveries = 20

// garbage is what the simulator sends for it.
const garbage = `{"id": "9d96`

// good are the names of what is not garbage.
func (b *bench) good() []string {
	return slices.DeleteFunc(b.shelf.names(), func(name string) bool { return string(b.shelf.content(name)) == garbage })
}

// delivered delivers a run until it is through, each time to a new process; the first one dies at a step.
func (b *bench) delivered(r fetch.Request, dies int) (f revision.Fetched, n int) {
	b.Helper()
	for n = 1; n <= deliveries; n++ {
		b.start(dies)
		f, err := b.Fetch(b.Context(), r)
		if err == nil {
			return f, n
		}
		if k := fault.Of(err); k != fault.Transient && k != fault.Throttled {
			b.Fatalf("delivery %d: kind %q: %v", n, k, err)
		}
		if errors.Is(err, errDied) {
			dies = 0
		}
	}
	b.Fatalf("not through after %d deliveries", deliveries)
	return f, n
}

// armed arms a fault just before the n-th request.
func (b *bench) armed(n int, text string, times int) {
	armed := false
	b.before = func(seen int, _ *http.Request) {
		if seen == n && !armed {
			armed = true
			b.ok(b.sim.ArmFault("*", text, times))
		}
	}
}

// reference is what a run leaves that nothing happens to.
func reference(t *testing.T, o simhub.Options) (digest string, names []string, requests, steps int) {
	on(t, o, func(b *bench) {
		digest, names, requests = fetch.Digest(b.fetched(coke)), b.shelf.names(), len(b.calls)
		steps = b.shelf.step
	})
	return digest, names, requests, steps
}

// Whatever request fails, however often, and wherever the process dies besides: the run that is delivered again has the same pieces, one document,
// no object twice, and no verdict.
func TestFaults(t *testing.T) {
	o := simhub.Options{Seed: 3, Rows: 12, Skus: 1}
	want, names, requests, steps := reference(t, o)
	runs, most, found := 0, 0, 0
	for call := 1; call <= requests; call++ {
		for _, text := range healing {
			for _, times := range []int{1, 4} {
				for dies := range (steps + 1) / times { // a fault that lasts is met wherever the first one is
					on(t, o, func(b *bench) {
						b.armed(call, text, times)
						f, n := b.delivered(coke, dies)
						runs, most, found = runs+1, max(most, n), found+b.shelf.found()
						b.sound(f, coke)
						if raw, _ := f.Of(revision.UsageFile); raw.SHA256 == blob.SumOf([]byte(garbage)).SHA256 && times > 1 {
							return // that is what the hub sent, and sent again: TestGarbageIsKept
						}
						if fetch.Digest(f) != want || !slices.Equal(b.good(), names) || len(f.Verdicts) > 0 {
							b.Fatalf("call %d, %s ×%d, dying at step %d: %s\n%v", call, text, times, dies, short(f.Verdicts), b.shelf.names())
						}
					})
				}
			}
		}
	}
	t.Logf("%d requests × %d faults, once and lasting, × up to %d places to die = %d runs: at most %d deliveries; %d commits found their object there", requests, len(healing), steps, runs, most, found)
}

// A file that is no file, twice, is what the hub sent: it is kept, and charge says that it is bad.
func TestGarbageIsKept(t *testing.T) {
	on(t, simhub.Options{}, func(b *bench) {
		b.ok(b.sim.ArmFault("usage.file", "garbage", 2))
		f := b.fetched(coke)
		raw, ok := f.Of(revision.UsageFile)
		if !ok || len(f.Verdicts) > 0 || string(b.shelf.content(raw.Name)) != garbage || b.asked("/file") != 2 {
			b.Errorf("%+v", f)
		}
	})
	on(t, simhub.Options{}, func(b *bench) {
		b.ok(b.sim.ArmFault("usage.report", "garbage", 1))
		if _, err := b.Fetch(b.Context(), coke); !fault.Is(err, fault.Transient) || len(b.shelf.names()) > 0 {
			b.Errorf("a report that is none: %v, %v", err, b.shelf.names())
		}
	})
}

// What the hub refuses for good is a verdict, and what was there before stays.
func TestRefusals(t *testing.T) {
	var table []string
	for _, tt := range []struct {
		op, fault string
		times     int
		verdicts  string
		pieces    int
	}{
		{"authn.accesstoken", "status:401", 9, "DENIED!×1", 0},
		{"authn.accesstoken", "status:400", 9, "DENIED!×1", 0},
		{"usage.report", "status:401", 1, "", 3},
		{"usage.report", "status:403", 9, "DENIED!×1", 0},
		{"usage.report", "status:404", 9, "DENIED!×1", 0},
		{"usage.report", "status:400", 1, "", 3},
		{"usage.report", "status:400", 9, "DENIED!×1", 0},
		{"usage.file", "status:403", 1, "DENIED!×1", 1},
		{"usage.file", "status:400", 1, "", 3},
		{"usage.file", "status:400", 2, "DENIED!×1", 1},
		{"usage.file", "status:409", 1, "DENIED!×1", 1},
		{"subscriptions.list", "status:403", 1, "DENIED!×1", 2},
		{"subscriptions.list", "status:400", 1, "DENIED!×1", 2},
	} {
		on(t, simhub.Options{}, func(b *bench) {
			b.ok(b.sim.ArmFault(tt.op, tt.fault, tt.times))
			f := b.fetched(coke)
			table = append(table, fmt.Sprintf("%-20s %s ×%d: %d calls, %d pieces, %s", tt.op, tt.fault, tt.times, b.spent(), len(f.Raw), short(f.Verdicts)))
			if short(f.Verdicts) != tt.verdicts || len(f.Raw) != tt.pieces {
				b.Error(table[len(table)-1])
			}
			b.judged(f) // whatever is there can be read
		})
	}
	t.Log("\n" + strings.Join(table, "\n"))
}

// Two processes that run the same at the same time leave what one of them leaves, and return the same.
func TestTwoAtOnce(t *testing.T) {
	on(t, simhub.Options{}, func(b *bench) {
		type result struct {
			f   revision.Fetched
			err error
		}
		both := make(chan result, 2)
		for range 2 {
			go func() {
				f, err := b.Fetch(b.Context(), coke)
				both <- result{f, err}
			}()
		}
		one, two := <-both, <-both
		b.ok(one.err)
		b.ok(two.err)
		if fmt.Sprint(one.f) != fmt.Sprint(two.f) || len(b.shelf.names()) != 4 {
			b.Errorf("%+v\n%+v", one.f, two.f)
		}
		b.sound(one.f, coke)
	})
}

// A run that is through is not run again, and two runs of the same data have the same digest.
func TestResumed(t *testing.T) {
	on(t, simhub.Options{}, func(b *bench) {
		first := b.fetched(coke)
		before := maps.Clone(b.shelf.commits)
		b.calls = nil
		b.start(0)
		if again := b.fetched(coke); fmt.Sprint(again) != fmt.Sprint(first) || len(b.calls) > 0 {
			b.Errorf("%d calls: %+v", len(b.calls), again)
		}
		next := coke
		next.Run = "2026-11-07"
		if second := b.fetched(next); fetch.Digest(second) != fetch.Digest(first) || len(b.shelf.commits) != len(before)+1 {
			b.Errorf("the same data again: %+v", second)
		}
		b.ok(b.sim.Restate(coke.Org, "2026-10"))
		next.Run = "2026-11-08"
		if third := b.fetched(next); fetch.Digest(third) == fetch.Digest(first) {
			b.Error("other data have the same digest")
		}
	})
}
