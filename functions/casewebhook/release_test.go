package casewebhook_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerdesk/providerdesk/functions/casewebhook"
	"github.com/providerdesk/providerdesk/shared/alert"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/store"
)

// board is where notices are told in tests, as an effect like any other.
type board struct {
	mu   sync.Mutex
	kind ledger.Kind[string, string]
	told map[string]string // by key
}

func (b *board) Call(_ context.Context, text string, t ledger.Token) (ledger.Act[string], error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.told[t.ID] += text
	return ledger.Act[string]{ID: t.ID}, nil
}

func (b *board) Find(context.Context, string, ledger.Token, bool) ([]ledger.Act[string], error) {
	return nil, nil
}

// notices is the hook: its intents are recorded together with what they tell.
func (b *board) notices(t testing.TB) func(*world) func(context.Context, string, string) []ledger.Intent {
	return func(*world) func(context.Context, string, string) []ledger.Intent {
		return func(_ context.Context, text, key string) []ledger.Intent {
			in, err := b.kind.Intent("", key, text)
			if err != nil {
				t.Error(err)
			}
			return []ledger.Intent{in}
		}
	}
}

// stormy is a world with a board of notices.
func stormy(t testing.TB, s setup) (*world, *board) {
	b := &board{told: map[string]string{}}
	s.notices = b.notices(t)
	w := newWorld(t, s)
	var err error
	if b.kind, err = ledger.Register(w.Ledger(), ledger.Spec{Kind: "test.notice", Class: ledger.Natural}, ledger.Effect[string, string](b)); err != nil {
		t.Fatal(err)
	}
	return w, b
}

// known counts the alerts that the store knows of, and the incidents.
func (w *world) known() (alerts, incidents int) {
	w.Helper()
	docs, err := w.db.Query(w.Context(), store.Query{Collection: "incidents", Limit: 1000})
	if err != nil {
		w.Fatal(err)
	}
	for _, d := range docs {
		var i struct{ Alerts map[string]any }
		if err := json.Unmarshal(d.Data, &i); err != nil {
			w.Fatal(err)
		}
		alerts += len(i.Alerts)
	}
	return alerts, len(docs)
}

// nextHour is the beginning of a budget's window.
func nextHour() { time.Sleep(time.Until(time.Now().Truncate(time.Hour).Add(time.Hour))) }

// 10,000 alerts of 40 incidents within a minute, in 400 messages that come in any order and at once, and a budget of 5 cases: 5 cases, one
// umbrella, one notice, nothing lost; then a person releases what was held back.
func TestStormOfTenThousandAlerts(t *testing.T) {
	const incidents, messages, each = 40, 10, 25
	synctest.Test(t, func(t *testing.T) {
		nextHour()
		w, told := stormy(t, setup{desk: stormBudget, quiet: true})
		began := time.Now()
		w.flood(rand.New(rand.NewPCG(2, 3)), incidents*messages, func(n int) alert.Incident {
			return group(cluster(n%incidents), alerts(each*(1+n/incidents), began)...)
		})
		if took := time.Since(began); took > time.Minute {
			t.Errorf("the storm took %v", took)
		}
		w.sweepFor(10 * time.Minute)
		own, umbrellas := w.split()
		listed := rows(umbrellas, "firing")
		known, count := w.known()
		if len(own) != 5 || len(umbrellas) != 1 || len(listed) != incidents-5 || known != incidents*messages*each || count != incidents {
			t.Fatalf("%d own cases, %d umbrellas, %d listed; %d alerts of %d incidents are known", len(own), len(umbrellas), len(listed), known, count)
		}
		for _, c := range own {
			if _, at, _ := strings.Cut(c.title, "cluster="); listed[at] > 0 {
				t.Errorf("%s has a case and is listed too", at)
			}
		}
		for s, n := range w.states() {
			if !strings.HasSuffix(s, " SUCCEEDED") {
				t.Errorf("%d effects are %s", n, s)
			}
		}
		if len(told.told) != 1 {
			t.Errorf("%d notices: %q", len(told.told), told.told)
		}
		for _, text := range told.told {
			if strings.Count(text, "Alert storm: desk google has had its budget of 5 cases since") != 1 || !strings.Contains(text, "cases release --desk google") {
				t.Errorf("the notice says\n%s", text)
			}
		}
		t.Logf("%d alerts of %d incidents in %d messages: %d own cases, %d umbrella, %d listed, %d notice, %d creates",
			known, incidents, incidents*messages, len(own), len(umbrellas), len(listed), len(told.told), w.calls("cases.create"))
		w.releaseTwice(began, incidents-5)
	})
}

// releaseTwice has two people release everything at the same time.
func (w *world) releaseTwice(began time.Time, want int) {
	w.Helper()
	var wg sync.WaitGroup
	var mu sync.Mutex
	got := map[string]int{}
	for _, who := range []string{"anna@example.com", "bob@example.com"} {
		wg.Go(func() {
			for {
				all, err := w.Release(w.Context(), who, casewebhook.Held{Desk: "google"})
				mu.Lock()
				for _, r := range all {
					got[r.Incident]++
				}
				mu.Unlock()
				if err == nil {
					return
				}
				if !fault.Healing(err) {
					w.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	w.sweepFor(5 * time.Minute)
	own, umbrellas := w.split()
	if len(own) != 5+want || len(got) != want || w.calls("cases.create") != 6+want {
		w.Fatalf("%d own cases, %d released, %d creates", len(own), len(got), w.calls("cases.create"))
	}
	for id, n := range got {
		if n != 1 {
			w.Errorf("%s was released %d times", id, n)
		}
	}
	told := 0
	for _, body := range umbrellas[0].comments {
		if strings.HasPrefix(body, "Released by ") {
			told += strings.Count(body, "\n- [critical] HighLatency: cluster=")
		}
	}
	released := own[5:]
	for _, c := range released {
		if !strings.Contains(c.description, "Released from an alert storm by ") || !strings.Contains(c.description, "listed on case "+umbrellas[0].name) ||
			!strings.Contains(c.description, "What fires (") || c.priority != "P2" {
			w.Fatalf("a released case says\n%s", c.description)
		}
	}
	if told != want {
		w.Errorf("%d are told on the umbrella case, want %d", told, want)
	}
	_, at, _ := strings.Cut(released[0].title, "cluster=")
	w.file(group(at, append(alerts(250, began), firing("later", time.Now()))...))
	own, _ = w.split()
	if c := own[5].comments; len(c) != 1 || !strings.HasPrefix(c[0], "News: ") {
		w.Errorf("news of a released incident are not told on its own case: %q", c)
	}
	w.Logf("released by two at once: %d cases, %d told on the umbrella case", len(released), told)
}

// What a release does with each kind of incident and of request.
func TestRelease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nextHour()
		w := newWorld(t, setup{desk: "budget: {cases: 1, per: 1h}", quiet: true})
		began := time.Now()
		for n := range 4 {
			w.file(group(cluster(n), firing("a", began)))
		}
		w.file(group(cluster(3), ended(firing("a", began), time.Now())))
		release := func(which casewebhook.Held) []string {
			t.Helper()
			all, err := w.Release(t.Context(), " anna ", which)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, r := range all {
				if r.Case == "" || r.Desk != "google" || r.Tenant != "acme" || r.Effect == "" {
					t.Errorf("%+v", r)
				}
				names = append(names, r.Title[len(r.Title)-4:])
			}
			slices.Sort(names)
			return names
		}
		w.sweepFor(2 * time.Minute) // some are listed, one is not yet
		w.file(group(cluster(4), firing("a", began)))
		if got := release(casewebhook.Held{Incident: w.incident(cluster(1))}); !slices.Equal(got, []string{"c001"}) {
			t.Errorf("of one incident: %q", got)
		}
		for name, id := range map[string]string{"released already": w.incident(cluster(1)), "with a case of its own": w.incident(cluster(0)), "that ended": w.incident(cluster(3))} {
			if got := release(casewebhook.Held{Incident: id}); len(got) != 0 {
				t.Errorf("of one %s: %q", name, got)
			}
		}
		if got := release(casewebhook.Held{All: true}); !slices.Equal(got, []string{"c002", "c004"}) {
			t.Errorf("of all: %q", got)
		}
		if got := release(casewebhook.Held{Desk: "google"}); len(got) != 0 {
			t.Errorf("of a desk, again: %q", got)
		}
		w.sweepFor(3 * time.Minute)
		if own, _ := w.split(); len(own) != 4 {
			t.Errorf("%d own cases", len(own))
		}
		for name, tt := range map[string]struct {
			who   string
			which casewebhook.Held
			want  fault.Kind
		}{
			"nobody's":                {" ", casewebhook.Held{All: true}, fault.Invalid},
			"a long name's":           {strings.Repeat("a", 201), casewebhook.Held{All: true}, fault.Invalid},
			"of nothing":              {"anna", casewebhook.Held{}, fault.Invalid},
			"of two things":           {"anna", casewebhook.Held{All: true, Desk: "google"}, fault.Invalid},
			"of a desk that is none":  {"anna", casewebhook.Held{Desk: "bing"}, fault.Missing},
			"of an unknown incident":  {"anna", casewebhook.Held{Incident: strings.Repeat("0", 64)}, fault.Missing},
			"of an id that is no id":  {"anna", casewebhook.Held{Incident: "a/b"}, fault.Invalid},
			"of an id that is no id2": {"anna", casewebhook.Held{Incident: ".."}, fault.Invalid},
		} {
			if _, err := w.Release(t.Context(), tt.who, tt.which); !fault.Is(err, tt.want) {
				t.Errorf("a release %s: %v", name, err)
			}
		}
	})
}

// A release is told only on an umbrella case that is open, and dies and comes back like anything else.
func TestReleaseUnderFaults(t *testing.T) {
	for _, tt := range []struct {
		name   string
		crash  ledger.Point
		fault  string
		closed bool
	}{{name: "a closed umbrella", closed: true}, {name: "a lost answer", fault: "commit_then_drop"}, {name: "a refusal", fault: "status:503"},
		{name: "dies before it is recorded", crash: ledger.Decided}, {name: "dies when it is recorded", crash: ledger.Recorded}, {name: "dies in the end", crash: ledger.Settled}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				nextHour()
				armed := ledger.Point("")
				w := newWorld(t, setup{desk: "budget: {cases: 1, per: 1h}", quiet: true, crash: func(p ledger.Point) {
					if p == armed && p != "" {
						armed = ""
						panic("crash " + p)
					}
				}})
				began := time.Now()
				for n := range 4 {
					w.file(group(cluster(n), firing("a", began)))
				}
				w.sweepFor(3 * time.Minute)
				if _, umbrellas := w.split(); tt.closed {
					w.call(http.MethodPost, "/v2/"+umbrellas[0].name+":close", "{}")
				}
				if armed = tt.crash; tt.fault != "" {
					w.arm("cases.create", tt.fault, 1)
				}
				release := func() (err error) {
					defer func() {
						if p := recover(); p != nil {
							err = fmt.Errorf("died: %v", p)
						}
					}()
					_, err = w.Release(t.Context(), "anna", casewebhook.Held{All: true})
					return err
				}
				for release() != nil {
				}
				w.sweepFor(time.Hour)
				own, umbrellas := w.split()
				told := 0
				for _, body := range umbrellas[0].comments {
					told += strings.Count(body, "Released by anna")
				}
				if want := map[bool]int{false: 1}[tt.closed]; len(own) != 4 || len(umbrellas) != 1 || told != want {
					t.Errorf("%d own cases, %d umbrellas, told %d times; effects %v", len(own), len(umbrellas), told, w.states())
				}
				for s, n := range w.states() {
					if !strings.HasSuffix(s, " SUCCEEDED") {
						t.Errorf("%d effects are %s", n, s)
					}
				}
			})
		})
	}
}

// incident returns the id of a cluster's incident.
func (w *world) incident(key string) string {
	w.Helper()
	docs, err := w.db.Query(w.Context(), store.Query{Collection: "incidents", Limit: 1000})
	if err != nil {
		w.Fatal(err)
	}
	for _, d := range docs {
		var i struct{ Key string }
		if err := json.Unmarshal(d.Data, &i); err == nil && i.Key == key {
			return d.ID
		}
	}
	w.Fatalf("no incident %s", key)
	return ""
}
