package bench

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/functions/casewebhook"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/event"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/gapi"
	"github.com/providerdesk/providerdesk/shared/publish"
	"github.com/providerdesk/providerdesk/shared/sim/cloudsupport"
	"github.com/providerdesk/providerdesk/shared/store"
	"github.com/providerdesk/providerdesk/shared/store/storetest"
)

// filing is FileCase on a store that counts and a simulated desk that counts.
type filing struct {
	testing.TB
	memory *storetest.Memory
	db     *storetest.Counter
	desk   *cloudsupport.Server
	fn     *casewebhook.Function
	now    time.Time
	sent   int // messages
}

func newFiling(t testing.TB) *filing {
	t.Helper()
	f := &filing{TB: t, now: time.Now().UTC()}
	clock := func() time.Time { return f.now }
	f.memory = storetest.NewMemory(clock)
	f.db = storetest.Counted(f.memory)
	desk, err := cloudsupport.New(cloudsupport.Options{Now: clock})
	f.must(err)
	f.desk = desk
	server := httptest.NewServer(desk)
	t.Cleanup(func() { server.Close(); f.must(desk.Close()) })
	c, err := config.Parse("bench.yaml", []byte(configuration(server.URL)), environment)
	f.must(err)
	client, err := gapi.Client(gapi.Options{Endpoint: server.URL, Token: gapi.StaticToken("bench")})
	f.must(err)
	t.Cleanup(client.CloseIdleConnections)
	desks, err := casewebhook.Desks(c, client, clock)
	f.must(err)
	f.fn, err = casewebhook.New(t.Context(), casewebhook.Deps{Config: c, DB: f.db, Publisher: nowhere{}, Desks: desks, Now: clock, Log: slog.New(slog.DiscardHandler)})
	f.must(err)
	return f
}

func (f *filing) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// nowhere takes no message: nothing that is measured here publishes.
type nowhere struct{}

func (nowhere) Publish(context.Context, ...publish.Message) ([]string, error) {
	return nil, fault.New(fault.Bug, "nothing should be published")
}

// deliver hands FileCase a message, as the bus does.
func (f *filing) deliver(data []byte) {
	f.Helper()
	f.sent++
	f.must(f.fn.FileCase(context.Background(), event.Envelope{ID: strconv.Itoa(f.sent), Data: data, Published: f.now, Attempt: 1}))
}

// tally is what one event took.
type tally struct {
	store          storetest.Counts
	creates, calls int // of the desk
}

func (f *filing) calls() (creates, all int) {
	_, counts := f.desk.Calls()
	for _, n := range counts {
		all += n
	}
	return counts["cases.create"], all
}

// counted is what a delivery takes. start and stop enclose it.
func (f *filing) counted(data []byte, start, stop func()) tally {
	f.Helper()
	creates, calls := f.calls()
	f.db.Reset()
	start()
	f.deliver(data)
	stop()
	nowCreates, nowCalls := f.calls()
	return tally{f.db.Counts(), nowCreates - creates, nowCalls - calls}
}

// occasion is a kind of event: what was delivered before it, and itself.
type occasion struct {
	name   string
	before []group
	event  group
	limit  tally // what it may take; less is better
}

var occasions = []occasion{
	{"new-case", nil, group{firing: 5}, tally{storetest.Counts{Reads: 2, Writes: 4, Commits: 2}, 1, 1}},
	{"plain-repeat", []group{{firing: 5}}, group{firing: 5}, tally{storetest.Counts{Reads: 1}, 0, 0}},
	{"news", []group{{firing: 5}}, group{firing: 6}, tally{storetest.Counts{Reads: 3, Writes: 3, Commits: 2}, 0, 2}},
	{"end", []group{{firing: 5}}, group{ended: 5}, tally{storetest.Counts{Reads: 3, Writes: 3, Commits: 2}, 0, 2}},
}

// play delivers what comes before an occasion, for an incident of its own, and returns its message.
func (f *filing) play(o occasion, number int) []byte {
	f.Helper()
	started := f.now
	message := func(g group) []byte {
		f.now = f.now.Add(time.Minute)
		g.number, g.started = number, started
		return g.message(f.now)
	}
	for _, g := range o.before {
		f.deliver(message(g))
	}
	return message(o.event)
}

// TestCounted: an event costs what is promised, in operations that are paid for one by one.
func TestCounted(t *testing.T) {
	for _, o := range occasions {
		t.Run(o.name, func(t *testing.T) {
			f := newFiling(t)
			f.deliver(f.play(occasion{event: group{firing: 1}}, 0)) // the desk's classification is looked up once in a process
			data := f.play(o, 1)
			got := f.counted(data, func() {}, func() {})
			t.Logf("%+v, a message of %d bytes", got, len(data))
			if got.exceeds(o.limit) {
				t.Errorf("took %+v, at most %+v is promised", got, o.limit)
			}
			docs, err := f.memory.Query(t.Context(), store.Query{Collection: "incidents", Limit: 10})
			f.must(err)
			if len(docs) != 2 {
				t.Errorf("%d incidents are known, want 2: what was counted is not what was meant", len(docs))
			}
		})
	}
}

// TestIdleSweep: a minute in which nothing happens costs a few queries that find nothing, of the sweep and of the look at open cases.
func TestIdleSweep(t *testing.T) {
	f := newFiling(t)
	for name, tc := range map[string]struct {
		do    func() error
		limit int // queries
	}{
		"sweep": {func() error {
			_, err := f.fn.SweepCases(t.Context(), httptest.NewRequest("POST", "/", nil))
			return err
		}, 6},
		"tick": {func() error { _, err := f.fn.Follower().Tick(t.Context()); return err }, 4},
	} {
		f.db.Reset()
		f.must(tc.do())
		got := f.db.Counts()
		t.Logf("%s: %+v", name, got)
		if got.Queries > tc.limit || got.Queries == 0 || got.Reads+got.Writes > 0 {
			t.Errorf("%s takes %+v, at most %d queries are promised", name, got, tc.limit)
		}
	}
}

// exceeds reports whether anything was used more than the limit says.
func (t tally) exceeds(limit tally) bool {
	s, l := t.store, limit.store
	return s.Reads > l.Reads || s.Writes > l.Writes || s.Commits > l.Commits || s.Queries > l.Queries ||
		t.creates > limit.creates || t.calls > limit.calls
}

// BenchmarkFileCase is one event of each kind, its operations counted.
func BenchmarkFileCase(b *testing.B) {
	for _, o := range occasions {
		b.Run(o.name, func(b *testing.B) {
			f, sum, n := newFiling(b), tally{}, 0
			f.deliver(f.play(occasion{event: group{firing: 1}}, 0))
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				n++
				sum.add(f.counted(f.play(o, n), b.StartTimer, b.StopTimer))
				b.StartTimer()
			}
			sum.report(b, float64(n))
		})
	}
}

func (t *tally) add(more tally) {
	t.store.Reads += more.store.Reads
	t.store.Writes += more.store.Writes
	t.store.Commits += more.store.Commits
	t.store.Queries += more.store.Queries
	t.creates += more.creates
	t.calls += more.calls
}

func (t tally) report(b *testing.B, n float64) {
	for unit, sum := range map[string]int{
		"reads/op": t.store.Reads, "writes/op": t.store.Writes, "commits/op": t.store.Commits, "queries/op": t.store.Queries,
		"creates/op": t.creates, "apicalls/op": t.calls,
	} {
		b.ReportMetric(float64(sum)/n, unit)
	}
}
