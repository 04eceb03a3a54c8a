package follow_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/store"
	"github.com/providerdesk/providerdesk/shared/store/bolt"
)

// A case that is opened has a thread in each of its rooms; what the desk says comes at once, in order, and the first message shows how it
// stands.
func TestOneCase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{desk: inBoth})
		w.subscribe()
		name := w.open(1)
		w.reply(name, "", "IN_PROGRESS_GOOGLE_SUPPORT")
		w.minutes(2 * time.Minute)
		w.lose()
		w.reply(name, "Have you tried it again?", "ACTION_REQUIRED")
		w.push()
		for _, r := range []*room{w.slack, w.google} {
			space := map[*room]string{w.slack: cases, w.google: space}[r]
			th := w.thread(r, space)
			want := []string{vendor + ": Have you tried it again?", "State: in progress → waiting for us:"}
			if got := th.bodies(); !slices.Equal(got, want) {
				t.Errorf("%s is told %q, want %q", space, got, want)
			}
			if th.root.Title != "Incident 1" || !strings.Contains(fmt.Sprint(th.root.Fields), "waiting for us") || !strings.Contains(fmt.Sprint(th.root.Fields), "Google Cloud Support, ") ||
				!strings.Contains(fmt.Sprint(th.root.Fields), "CET") || len(th.root.Buttons) != 2 || th.root.Link.URL == "" || th.root.Buttons[0].Value != id(name) {
				t.Errorf("the first message shows %+v", th.root)
			}
			if c, err := w.ByThread(t.Context(), th.place); err != nil || c.Name != name {
				t.Errorf("the thread is about %q, %v", c.Name, err)
			}
		}
		w.minutes(30 * time.Minute)
		if got := len(w.thread(w.slack, cases).posts); got != 2 {
			t.Errorf("%d messages after looks with no news, want 2", got)
		}
	})
}

// Five comments on each of a hundred cases come while the push fails and processes die: the reconcile tells them all, once, in order.
func TestReconcile(t *testing.T) { reconcile(t, nil, 100, 20) }

// The same on the embedded store, with fewer.
func TestReconcileOnBolt(t *testing.T) {
	reconcile(t, func(t *testing.T) store.DB {
		db, err := bolt.Open(filepath.Join(t.TempDir(), "store.db"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		return db
	}, 5, 1)
}

func reconcile(t *testing.T, open func(*testing.T) store.DB, count, least int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var db store.DB
		if open != nil {
			db = open(t)
		}
		var mu sync.Mutex
		dice, deaths, dying := rand.New(rand.NewPCG(1, 2)), 0, false
		w := newWorld(t, setup{desk: inSlack, db: db, crash: func(p ledger.Point) {
			mu.Lock()
			defer mu.Unlock()
			if dying && dice.IntN(60) == 0 {
				deaths++
				panic("crash " + p)
			}
		}})
		var names []string
		for i := range count {
			names = append(names, w.open(i))
		}
		w.minutes(15 * time.Minute)
		if n := len(w.slack.threads(cases)); n != count {
			t.Fatalf("%d threads, want %d", n, count)
		}
		mu.Lock()
		dying = true
		mu.Unlock()
		for i := range 5 {
			for k, name := range names {
				w.reply(name, fmt.Sprintf("answer %d", i), "")
				if k%3 == 0 {
					w.slack.arm("post", []string{"lost", "drop", "slow", "throttle", "unsent"}[dice.IntN(5)])
				}
			}
			w.minutes(7 * time.Minute)
		}
		mu.Lock()
		dying = false
		mu.Unlock()
		w.minutes(3 * time.Hour)
		relayed, twice, wrong := 0, 0, 0
		for _, th := range w.slack.threads(cases) {
			var got []string
			for _, p := range th.posts {
				if slices.Contains(got, p.Body) {
					twice++
				}
				got = append(got, p.Body)
			}
			relayed += len(got)
			if !slices.IsSorted(got) {
				wrong++
				t.Errorf("out of order: %q", got)
			}
		}
		t.Logf("%d comments relayed, %d twice, %d threads out of order; %d deaths; effects %v", relayed, twice, wrong, deaths, w.states())
		if relayed != 5*count || twice > 0 || deaths < least || len(w.slack.threads(cases)) != count {
			t.Errorf("relayed %d, twice %d, deaths %d", relayed, twice, deaths)
		}
	})
}
