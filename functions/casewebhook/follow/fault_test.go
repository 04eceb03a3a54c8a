package follow_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/store"
	"github.com/providerdesk/providerdesk/shared/store/storetest"
)

// scenario is a case that is opened and answered three times, with one fault of the desk, a chat or the store in one phase, one death of the
// process in the same phase, and a pattern of delivery.
type scenario struct {
	phase string // "root" or "answers"
	where string // the desk's op, or "post", "find", "edit" of the chat, or "commit" of the store
	fault string
	crash ledger.Point
	twice bool
}

func scenarios() (all []scenario) {
	faults := map[string][]string{
		"cases.get":              {"status:500", "status:429", "status:503", "drop", "garbage", "delay:40s"},
		"cases.comments.list":    {"status:500", "status:429", "status:503", "drop", "garbage", "delay:40s"},
		"cases.attachments.list": {"status:500", "drop", "garbage"},
		"post":                   {"drop", "lost", "slow", "late", "unsent", "throttle"},
		"edit":                   {"drop", "lost", "throttle"},
		"commit":                 {"1", "2", "3", "4"},
	}
	points := append([]ledger.Point{""}, ledger.Points[:]...)
	for _, phase := range []string{"root", "answers"} {
		for _, where := range []string{"cases.get", "cases.comments.list", "cases.attachments.list", "post", "edit", "commit"} {
			for _, f := range faults[where] {
				for i, p := range points {
					all = append(all, scenario{phase, where, f, p, i%2 == 0 != (phase == "root")})
				}
			}
		}
	}
	return all
}

// Whatever fails and dies: each room has one thread, with each comment once and in order, and nothing is left to do.
func TestOnceUnderFaults(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // a bubble runs one goroutine at a time
	all := scenarios()
	if len(all) < 500 {
		t.Fatalf("%d scenarios, want at least 500", len(all))
	}
	deaths, bad, played := 0, 0, 0
	for i, s := range all {
		if i%stride != 0 {
			continue
		}
		played++
		synctest.Test(t, func(t *testing.T) {
			died, wrong := play(t, s)
			deaths += died
			if wrong != "" {
				bad++
				t.Errorf("%+v: %s", s, wrong)
			}
		})
		if bad > 5 {
			t.Fatal("and more")
		}
	}
	t.Logf("%d of %d scenarios: %d wrong, %d deaths", played, len(all), bad, deaths)
}

// shaky is a store whose commits fail when that is armed: done and not acknowledged, or not done.
type shaky struct {
	store.DB
	mu   sync.Mutex
	next int // the commit that fails; 0: none
	done bool
}

func (s *shaky) Commit(ctx context.Context, writes ...store.Write) ([]store.Version, error) {
	s.mu.Lock()
	s.next--
	fails, done := s.next == 0, s.done
	s.mu.Unlock()
	if fails && !done {
		return nil, fault.New(fault.Transient, "the store is away")
	}
	vs, err := s.DB.Commit(ctx, writes...)
	if fails {
		return nil, fault.New(fault.Transient, "the store does not answer")
	}
	return vs, err
}

func play(t *testing.T, s scenario) (deaths int, wrong string) {
	var mu sync.Mutex
	var armed ledger.Point
	db := &shaky{DB: storetest.NewMemory(time.Now), done: s.twice}
	w := newWorld(t, setup{desk: inBoth, db: db, crash: func(p ledger.Point) {
		mu.Lock()
		defer mu.Unlock()
		if p == armed {
			armed, deaths = "", deaths+1
			panic("crash " + p)
		}
	}})
	w.subscribe()
	arm := func(phase string) {
		if phase != s.phase {
			return
		}
		mu.Lock()
		armed = s.crash
		mu.Unlock()
		switch s.where {
		case "post", "find", "edit":
			w.slack.arm(s.where, s.fault)
			w.slack.arm("find", "drop")
		case "commit":
			db.mu.Lock()
			fmt.Sscan(s.fault, &db.next)
			db.mu.Unlock()
		default:
			if err := w.sim.ArmFault(s.where, s.fault, 1); err != nil {
				t.Fatal(err)
			}
		}
	}
	name := w.open(1)
	arm("root")
	w.reply(name, "answer 0", "")
	w.deliver(s.twice)
	w.minutes(40 * time.Minute)
	arm("answers")
	for i := 1; i < 4; i++ {
		w.reply(name, fmt.Sprintf("answer %d", i), "")
		w.deliver(s.twice)
	}
	w.minutes(2 * time.Hour)
	return deaths, w.verdict("answer 0", "answer 1", "answer 2", "answer 3")
}

// deliver pushes the desk's events until they are acknowledged; twice: two copies at once, and a third one later.
func (w *world) deliver(twice bool) {
	w.mu.Lock()
	all := w.events
	w.events = nil
	w.mu.Unlock()
	for _, e := range all {
		once := func() {
			for w.alive(func() error { return w.CaseUpdate(w.Context(), e) }) != nil {
				time.Sleep(10 * time.Second)
			}
		}
		if twice {
			var wg sync.WaitGroup
			wg.Go(once)
			wg.Go(once)
			wg.Wait()
		}
		once()
	}
}

func paris(t testing.TB) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// verdict reads the rooms: one thread in each, that is known, with these bodies; and that nothing is left to do.
func (w *world) verdict(want ...string) string {
	for _, at := range []chat.Place{{Platform: chat.Slack, Space: cases}, {Platform: chat.Google, Space: space}} {
		r := map[chat.Platform]*room{chat.Slack: w.slack, chat.Google: w.google}[at.Platform]
		all := r.threads(at.Space)
		if len(all) != 1 {
			return fmt.Sprintf("%d threads in %s, effects %v", len(all), at.Space, w.states())
		}
		var got []string
		for _, p := range all[0].posts {
			got = append(got, p.Body)
		}
		if !slices.Equal(got, want) {
			return fmt.Sprintf("%s reads %q, effects %v", at.Space, got, w.states())
		}
		if c, err := w.ByThread(w.Context(), all[0].place); err != nil || c.Name == "" {
			return fmt.Sprintf("the thread in %s is about %q, %v", at.Space, c.Name, err)
		}
		if shows := fmt.Sprint(all[0].root.Fields); !strings.Contains(shows, w.last.In(paris(w)).Format("15:04 MST")) {
			return "the first message shows " + shows
		}
		if _, err := w.ByThread(w.Context(), chat.Place{Platform: at.Platform, Space: at.Space, Thread: "another"}); !fault.Is(err, fault.Missing) {
			return fmt.Sprintf("another thread: %v", err)
		}
	}
	for state := range w.states() {
		if !strings.HasSuffix(state, " "+string(ledger.Succeeded)) {
			return fmt.Sprintf("effects %v", w.states())
		}
	}
	return ""
}
