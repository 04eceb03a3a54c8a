package casewebhook_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerdesk/providerdesk/shared/alert"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/store"
	"github.com/providerdesk/providerdesk/shared/store/bolt"
	"github.com/providerdesk/providerdesk/shared/store/storetest"
)

const stormBudget = "budget: {cases: 5, per: 1h}"

func cluster(n int) string { return fmt.Sprintf("c%03d", n) }

// flood files incidents of its clusters in random order, concurrently.
func (w *world) flood(r *rand.Rand, n int, of func(int) alert.Incident) {
	todo := make(chan int, n)
	for _, i := range r.Perm(n) {
		todo <- i
	}
	close(todo)
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			for i := range todo {
				w.insist(fmt.Sprint("m", i), of(i), false)
			}
		})
	}
	wg.Wait()
}

// split tells the storm's umbrella cases from the others.
func (w *world) split() (own, umbrellas []shownCase) {
	for _, c := range w.cases() {
		if strings.HasPrefix(c.title, "Alert storm") {
			umbrellas = append(umbrellas, c)
		} else {
			own = append(own, c)
		}
	}
	return own, umbrellas
}

// rows counts in the comments of cases the lines that list a cluster.
func rows(in []shownCase, word string) map[string]int {
	all := map[string]int{}
	for _, c := range in {
		for _, body := range c.comments {
			for line := range strings.Lines(body) {
				if _, at, ok := strings.Cut(line, "cluster="); ok && strings.HasPrefix(line, "- [") && strings.Contains(line, ": "+word) {
					all[at[:4]]++
				}
			}
		}
	}
	return all
}

func TestStorm(t *testing.T) {
	const incidents = 300
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Now().Truncate(time.Hour).Add(time.Hour)))
		w := newWorld(t, setup{desk: stormBudget, quiet: true})
		began := time.Now()
		w.flood(rand.New(rand.NewPCG(1, 1)), incidents, func(n int) alert.Incident { return group(cluster(n), firing("a", began)) })
		w.sweepFor(10 * time.Minute)
		own, umbrellas := w.split()
		listed := rows(umbrellas, "firing")
		if len(own) != 5 || len(umbrellas) != 1 || len(listed) != incidents-5 {
			t.Fatalf("%d own cases, %d umbrellas, %d listed", len(own), len(umbrellas), len(listed))
		}
		held := ""
		for n := range incidents {
			if c := cluster(n); listed[c] > 1 {
				t.Errorf("%s is listed %d times", c, listed[c])
			} else if listed[c] == 1 {
				held = c
			}
		}
		t.Logf("%d incidents: %d own cases, 1 umbrella with %d comments, %d listed once, %d creates", incidents, len(own), len(umbrellas[0].comments), len(listed), w.calls("cases.create"))

		w.file(group(held, ended(firing("a", began), time.Now())))
		w.sweepFor(5 * time.Minute)
		if _, umbrellas = w.split(); rows(umbrellas, "resolved")[held] != 1 {
			t.Error("the end of a held incident is not listed")
		}
		time.Sleep(time.Hour)
		w.file(group("next", firing("a", time.Now())))
		if own, umbrellas = w.split(); len(own) != 6 || len(umbrellas) != 1 {
			t.Errorf("in the next window %d own cases and %d umbrellas", len(own), len(umbrellas))
		}
		w.file(group(held, firing("a", time.Now())))
		w.sweepFor(2 * time.Minute)
		if own, _ = w.split(); len(own) != 7 || len(own[6].comments) != 0 {
			t.Errorf("a held incident that fires again has no case of its own, or is listed on it: %d own", len(own))
		}
	})
}

// People close the umbrella while the storm goes on: what still waits gets another one, what has ended is left alone.
func TestClosedUmbrella(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Now().Truncate(time.Hour).Add(time.Hour)))
		w := newWorld(t, setup{desk: "budget: {cases: 1, per: 1h}"})
		began := time.Now()
		for n := range 3 {
			w.file(group(cluster(n), firing("a", began)))
		}
		w.sweepFor(3 * time.Minute)
		_, umbrellas := w.split()
		w.call(http.MethodPost, "/v2/"+umbrellas[0].name+":close", "{}")
		w.file(group(cluster(1), ended(firing("a", began), time.Now())))
		w.sweepFor(3 * time.Minute)
		if _, umbrellas = w.split(); len(umbrellas) != 1 {
			t.Fatalf("an end alone opens another umbrella: %d", len(umbrellas))
		}
		w.file(group(cluster(3), firing("a", began)))
		w.sweepFor(3 * time.Minute)
		w.file(group(cluster(4), firing("a", began)))
		w.sweepFor(3 * time.Minute)
		_, umbrellas = w.split()
		if len(umbrellas) != 2 {
			t.Fatalf("%d umbrellas, want the closed one and its successor", len(umbrellas))
		}
		if got := rows(umbrellas[1:], "firing"); len(got) != 2 || got["c003"] != 1 || got["c004"] != 1 {
			t.Errorf("the successor lists %v", got)
		}
		for s, n := range w.states() {
			if !strings.HasSuffix(s, "SUCCEEDED") {
				t.Errorf("%d effects are %s", n, s)
			}
		}
	})
}

// Held incidents of thousands of alerts do not fit into one commit together, and are listed all the same.
func TestHeldIncidentsThatAreLarge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{desk: "budget: {cases: 1, per: 24h}", quiet: true})
		began := time.Now()
		alerts := make([]alert.Alert, 4000)
		for i := range alerts {
			alerts[i] = firing(fmt.Sprintf("%016x", i), began)
		}
		for n := range 60 {
			w.file(group(cluster(n), alerts...))
		}
		if failed := w.sweepFor(10 * time.Minute); failed > 0 {
			t.Errorf("%d sweeps fail", failed)
		}
		if _, umbrellas := w.split(); len(rows(umbrellas, "firing")) != 59 {
			t.Errorf("%d listed of 59", len(rows(umbrellas, "firing")))
		}
	})
}

func TestAThousandDeliveries(t *testing.T) {
	for _, tt := range []struct {
		name string
		open func(t *testing.T) store.DB
	}{
		{"memory", func(*testing.T) store.DB { return storetest.NewMemory(time.Now) }},
		{"bolt", func(t *testing.T) store.DB {
			db, err := bolt.Open(filepath.Join(t.TempDir(), "db"))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { db.Close() })
			return db
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, setup{db: tt.open(t), quiet: true})
			e := message(t, "m", group("eu", firing("a", time.Now())))
			began := time.Now()
			var wg sync.WaitGroup
			for range 1000 {
				wg.Go(func() {
					for try := 0; ; try++ {
						err := w.deliver(e)
						if err == nil {
							return
						}
						if !fault.Healing(err) || try > 10 {
							t.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			w.one()
			if n := w.calls("cases.create"); n != 1 {
				t.Errorf("%d calls of cases.create", n)
			}
			t.Logf("1,000 concurrent deliveries in %v: 1 case, 1 create", time.Since(began).Round(time.Millisecond))
		})
	}
}

func TestCost(t *testing.T) {
	w := newWorld(t, setup{desk: "budget: {cases: 100, per: 1h}"})
	in := group("eu", firing("a", time.Now()))
	w.file(in)
	fresh, calls := w.db.Counts(), w.allCalls()
	if fresh.Writes > 4 || w.calls("cases.create") != 1 {
		t.Errorf("a new case costs %+v and %d creates", fresh, w.calls("cases.create"))
	}
	w.db.Reset()
	in.Received = in.Received.Add(time.Hour)
	w.file(in)
	repeat := w.db.Counts()
	if repeat != (storetest.Counts{Reads: 1}) || w.allCalls() != calls {
		t.Errorf("a plain repeat costs %+v and %d calls", repeat, w.allCalls()-calls)
	}
	t.Logf("new case: %+v, %d creates of %d calls; plain repeat: %+v, 0 calls", fresh, w.calls("cases.create"), calls, repeat)
}

func BenchmarkFileCase(b *testing.B) {
	w := newWorld(b, setup{quiet: true})
	ctx, now := context.Background(), time.Now()
	b.Run("new", func(b *testing.B) {
		b.ReportAllocs()
		for n := 0; b.Loop(); n++ {
			if err := w.FileCase(ctx, message(b, "m", group(fmt.Sprint(b.N, "/", n), firing("a", now)))); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("repeat", func(b *testing.B) {
		e := message(b, "m", group("eu", firing("a", now)))
		b.ReportAllocs()
		for b.Loop() {
			if err := w.FileCase(ctx, e); err != nil {
				b.Fatal(err)
			}
		}
	})
}
