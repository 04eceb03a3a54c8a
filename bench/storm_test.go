package bench

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/proctest"
	"github.com/providerdesk/providerdesk/shared/store"
	"github.com/providerdesk/providerdesk/shared/store/bolt"
)

// The storm: so many alerts, in groups of ten, as fast as so many connections can send them.
const (
	stormGroups = 1000
	stormEach   = 10
	stormConns  = 32
	// A sweep that comes while the umbrella case is being opened costs half a minute, because its comment has to wait; the first one
	// comes so long after the start that this is rare.
	sweepEvery = "2s"
)

// storming is "providerdesk up" in a storm.
type storming struct {
	testing.TB
	*process
	data  string // folder
	admin string
}

func newStorming(t testing.TB) *storming {
	t.Helper()
	dir, addr := t.TempDir(), proctest.FreeAddress(t)
	text := strings.Replace(configuration("http://"+addr+"/sim/cloudsupport"), "cases: 1000", "cases: 20", 1)
	file := filepath.Join(dir, "bench.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &storming{TB: t, data: filepath.Join(dir, "data")}
	s.process = start(t, addr, []string{"BENCH_TOKEN=" + token}, built(t, buildCommand),
		"up", "--addr", addr, "--data", s.data, "--config", file, "--sweep-every", sweepEvery)
	s.until("answers", func() bool { return s.get("/healthz", nil) == nil })
	admin, err := os.ReadFile(filepath.Join(s.data, "secrets", "admin"))
	if err != nil {
		t.Fatal(err)
	}
	s.admin = strings.TrimSpace(string(admin))
	return s
}

// until looks at a condition until it holds.
func (s *storming) until(what string, holds func() bool) {
	s.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.Fatalf("not within two minutes: it %s", what)
		}
	}
}

// get reads JSON, or nothing.
func (s *storming) get(path string, into any) error {
	req, err := http.NewRequest(http.MethodGet, "http://"+s.addr+path, nil)
	if err != nil {
		return err
	}
	req.Close = true
	req.Header.Set("Authorization", "Bearer "+s.admin)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s answers %s", path, resp.Status)
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(into)
}

// send sends all groups. Every one must be accepted.
func (s *storming) send() {
	s.Helper()
	var all sync.WaitGroup
	var next atomic.Int64
	began := time.Now().UTC()
	for range stormConns {
		all.Go(func() {
			c, err := dial(s.addr)
			if err != nil {
				s.Error(err)
				return
			}
			defer c.Close()
			for n := next.Add(1); n <= stormGroups; n = next.Add(1) {
				body := group{number: int(n), firing: stormEach, started: began}.body()
				if status, err := c.call(wire("/AlertWebhook/prod-alertmanager", body)); status != http.StatusAccepted {
					s.Errorf("group %d is answered %d: %v", n, status, err)
					return
				}
			}
		})
	}
	all.Wait()
}

// handled waits until the bus has nothing on the way.
func (s *storming) handled() {
	s.Helper()
	var bus struct {
		Subscriptions []struct{ Waiting, Outstanding int }
		Dead          []any
	}
	s.until("has handled everything", func() bool {
		if err := s.get("/api/bus", &bus); err != nil {
			s.Fatal(err)
		}
		left := 0
		for _, sub := range bus.Subscriptions {
			left += sub.Waiting + sub.Outstanding
		}
		return left == 0
	})
	if len(bus.Dead) > 0 {
		s.Errorf("%d dead letters", len(bus.Dead))
	}
}

// filed is a case of the desk with what was said on it.
type filed struct {
	Name, DisplayName, Description string
	comments                       string
}

// cases reads the desk.
func (s *storming) cases() (all []filed) {
	s.Helper()
	const desk = "/sim/cloudsupport/v2/"
	for token := ""; ; {
		var page struct {
			Cases         []filed
			NextPageToken string
		}
		if err := s.get(desk+"projects/acme-prod/cases?pageSize=100&pageToken="+token, &page); err != nil {
			s.Fatal(err)
		}
		all = append(all, page.Cases...)
		if token = page.NextPageToken; token == "" {
			break
		}
	}
	for i := range all {
		for token := ""; ; {
			var page struct {
				Comments      []struct{ Body string }
				NextPageToken string
			}
			if err := s.get(desk+all[i].Name+"/comments?pageSize=100&pageToken="+token, &page); err != nil {
				s.Fatal(err)
			}
			for _, c := range page.Comments {
				all[i].comments += c.Body + "\n"
			}
			if token = page.NextPageToken; token == "" {
				break
			}
		}
	}
	return all
}

var shop = regexp.MustCompile(`namespace=(shop-\d{4})`)

// told counts, for each group, the cases of its own and its lines on the umbrella case.
func told(all []filed) (own, listed map[string]int, umbrellas int) {
	own, listed = map[string]int{}, map[string]int{}
	for _, c := range all {
		if !strings.HasPrefix(c.DisplayName, "Alert storm") {
			own[shop.FindStringSubmatch(c.DisplayName)[1]]++
			continue
		}
		umbrellas++
		for _, m := range shop.FindAllStringSubmatch(c.comments, -1) {
			listed[m[1]]++
		}
	}
	return own, listed, umbrellas
}

// remembered reads the store of the folder, which nobody holds any more, and counts the incidents by namespace.
func (s *storming) remembered() map[string]int {
	s.Helper()
	db, err := bolt.Open(filepath.Join(s.data, "store.db"))
	if err != nil {
		s.Fatal(err)
	}
	defer db.Close()
	known := map[string]int{}
	for after := ""; ; {
		docs, err := db.Query(s.Context(), store.Query{Collection: "incidents", AfterID: after, Limit: 500})
		if err != nil {
			s.Fatal(err)
		}
		if len(docs) == 0 {
			return known
		}
		after = docs[len(docs)-1].ID
		for _, d := range docs {
			var i struct {
				Title  string
				Alerts map[string]any
			}
			if err := json.Unmarshal(d.Data, &i); err != nil || len(i.Alerts) != stormEach {
				s.Errorf("%s remembers %d alerts, want %d: %v", d.Key, len(i.Alerts), stormEach, err)
			}
			known[shop.FindStringSubmatch(i.Title)[1]]++
		}
	}
}

// ceiling is the most memory, in MB, that the command may take in the storm.
const ceiling = 256

// TestStorm: 10,000 alerts in a moment are all accepted and all told to the desk, once, within the budget of cases and of memory.
func TestStorm(t *testing.T) {
	s := newStorming(t)
	began := time.Now()
	s.send()
	accepted := time.Since(began)
	s.handled()
	handled := time.Since(began)
	var own, listed map[string]int
	var umbrellas int
	s.until("has told the desk of every group", func() bool {
		own, listed, umbrellas = told(s.cases())
		return len(own)+len(listed) >= stormGroups
	})
	peak := s.peak()
	t.Logf("%d alerts in %d groups: accepted in %v, handled in %v, all told to the desk in %v; %d cases, %d umbrella, %d listed; peak memory %.0f MB",
		stormGroups*stormEach, stormGroups, accepted.Round(time.Millisecond), handled.Round(time.Millisecond), time.Since(began).Round(time.Millisecond),
		len(own), umbrellas, len(listed), peak)
	s.end()
	if known := s.remembered(); len(known) != stormGroups {
		t.Errorf("%d incidents are remembered, want %d", len(known), stormGroups)
	}
	if umbrellas != 1 || len(own) != 20 {
		t.Errorf("%d umbrella cases and %d others, want 1 and the budget's 20", umbrellas, len(own))
	}
	for n := 1; n <= stormGroups; n++ {
		ns := group{number: n}.namespace()
		if own[ns]+listed[ns] != 1 {
			t.Errorf("%s has %d cases of its own and is listed %d times, want one of the two", ns, own[ns], listed[ns])
		}
	}
	if peak > ceiling {
		t.Errorf("peak memory %.0f MB, more than %d", peak, ceiling)
	}
}

// TestStormInFunction is the storm in FileCase alone: what it keeps on the heap, without what it has stored.
func TestStormInFunction(t *testing.T) {
	f := newFiling(t)
	f.fn.Config.Desks["google"] = withBudget(f.fn.Config.Desks["google"], 20)
	f.deliver(group{number: 0, firing: 1, started: f.now}.message(f.now)) // what is made once, is made
	before := heap()
	var most uint64
	for n := 1; n <= stormGroups; n++ {
		f.deliver(group{number: n, firing: stormEach, started: f.now}.message(f.now))
		if n%100 == 0 {
			most = max(most, heap())
		}
	}
	docs := f.bytes()
	t.Logf("%d alerts in %d groups: %.1f MB of heap in use more, with %.1f MB of documents in the memory store", stormGroups*stormEach, stormGroups,
		float64(most-min(before, most))/(1<<20), float64(docs)/(1<<20))
	if kept := most - min(before, most); kept > uint64(docs)+16<<20 {
		t.Errorf("the function keeps %d MB beside what it stores", (kept-uint64(docs))>>20)
	}
}

func withBudget(d config.Desk, cases int) config.Desk {
	d.Budget.Cases = cases
	return d
}

// heap is what is in use after a collection.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// bytes is how much data the store holds.
func (f *filing) bytes() (n int) {
	for _, collection := range []string{"incidents", "budgets", "effects"} {
		for after := ""; ; {
			docs, err := f.memory.Query(f.Context(), store.Query{Collection: collection, AfterID: after, Limit: 1000})
			f.must(err)
			if len(docs) == 0 {
				break
			}
			after = docs[len(docs)-1].ID
			for _, d := range docs {
				n += len(d.Data)
			}
		}
	}
	return n
}

// BenchmarkStorm is the storm with its figures.
func BenchmarkStorm(b *testing.B) {
	var accepted, handled, peak []float64
	for b.Loop() {
		s := newStorming(b)
		began := time.Now()
		s.send()
		accepted = append(accepted, time.Since(began).Seconds())
		s.handled()
		handled, peak = append(handled, time.Since(began).Seconds()), append(peak, s.peak())
		s.end()
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(accepted), "s-accepted")
	b.ReportMetric(median(handled), "s-handled")
	b.ReportMetric(stormGroups*stormEach/median(handled), "alerts/s")
	b.ReportMetric(median(peak), "peak-MB")
}
