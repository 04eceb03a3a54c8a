package ledger_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/store"
	"github.com/providerdesk/providerdesk/shared/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The rig of the specification: a ledger with one kind of effect for every class, all of them acting on one scripted remote.

// The errors a remote's client gives.
var (
	errMaybe   = fault.New(fault.Transient, "no answer")
	errRefused = fault.Unsent(fault.New(fault.Transient, "connection refused"))
	errInvalid = fault.New(fault.Invalid, "no such priority")
	errExists  = fault.New(fault.Conflict, "exists already")
)

// answer is what the remote does with one call. The zero answer executes it and says so.
type answer struct {
	err    error
	makes  bool          // with err: executed all the same
	takes  time.Duration // before it executes, whatever the caller's context says
	panics any
}

// sent is a call as the remote got it.
type sent struct {
	ledger.Token
	at, ctx time.Time // when, and the deadline of the context
}

// script is a remote that answers as told. Objects are made by calls, or put there by tests.
type script struct {
	mu       sync.Mutex
	now      func() time.Time
	answers  []answer
	calls    []sent
	finds    []ledger.Token
	thorough []bool
	findErr  error
	findTake time.Duration
	panics   bool                // on a search
	objects  map[string][]string // by marker
	undone   map[string]bool
	result   string // of every call
}

func (s *script) say(as ...answer) { s.answers = append(s.answers, as...) }

func (s *script) put(marker, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.objects[marker] = append(s.objects[marker], id)
}

func (s *script) next(ctx context.Context, t ledger.Token) (a answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	end, _ := ctx.Deadline()
	s.calls = append(s.calls, sent{t, s.now(), end})
	if len(s.answers) > 0 {
		a, s.answers = s.answers[0], s.answers[1:]
	}
	return a
}

func (s *script) open(marker string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range s.objects[marker] {
		if !s.undone[id] {
			n++
		}
	}
	return n
}

// making is an effect that makes an object; closing one is an effect of kind "undo".
type making struct {
	s    *script
	undo func(extra string) ([]ledger.Intent, error)
}

type text = ledger.Act[string]

func (m making) Call(ctx context.Context, _ string, t ledger.Token) (text, error) {
	if ctx.Err() != nil || !m.s.now().Before(t.Deadline) {
		return text{}, fault.Unsent(fault.New(fault.Transient, "the deadline is over")) // as shared/gapi refuses to send
	}
	a := m.s.next(ctx, t)
	if a.takes > 0 {
		time.Sleep(a.takes)
	}
	if a.panics != nil {
		panic(a.panics)
	}
	if a.err != nil && !a.makes {
		return text{}, a.err
	}
	m.s.mu.Lock()
	id := fmt.Sprintf("%s/%d", t.Marker[:8], len(m.s.objects[t.Marker])+1)
	m.s.mu.Unlock()
	m.s.put(t.Marker, id)
	return text{ID: id, Result: m.s.result}, a.err
}

func (m making) Find(ctx context.Context, _ string, t ledger.Token, thorough bool) ([]text, error) {
	if m.s.findTake > 0 {
		time.Sleep(m.s.findTake)
	}
	m.s.mu.Lock()
	defer m.s.mu.Unlock()
	m.s.finds, m.s.thorough = append(m.s.finds, t), append(m.s.thorough, thorough)
	if m.s.panics {
		panic("a search with a defect")
	}
	var found []text
	for _, id := range m.s.objects[t.Marker] {
		found = append(found, text{ID: id, Result: id})
	}
	return found, m.s.findErr
}

func (m making) Undo(_ string, _, extra text) ([]ledger.Intent, error) { return m.undo(extra.ID) }

type undoing struct{ s *script }

func (u undoing) Call(_ context.Context, id string, _ ledger.Token) (text, error) {
	u.s.mu.Lock()
	defer u.s.mu.Unlock()
	u.s.undone[id] = true
	return text{ID: id}, nil
}

func (u undoing) Find(context.Context, string, ledger.Token, bool) ([]text, error) { return nil, nil }

// watch is a store that notes how the states of effects change.
type watch struct {
	store.DB
	mu     sync.Mutex
	states map[store.Key]ledger.State
	seen   map[[2]ledger.State]int
	taken  int           // commits
	last   []store.Write // of the last commit taken
}

func (w *watch) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.taken
}

func watched(db store.DB) *watch {
	return &watch{DB: db, states: map[store.Key]ledger.State{}, seen: map[[2]ledger.State]int{}}
}

func (w *watch) Commit(ctx context.Context, ws ...store.Write) ([]store.Version, error) {
	vs, err := w.DB.Commit(ctx, ws...)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err == nil {
		w.taken, w.last = w.taken+1, ws
	}
	for _, write := range ws {
		if err == nil && write.Doc.Collection == ledger.Collection {
			to := ledger.State(write.Doc.State)
			w.seen[[2]ledger.State{w.states[write.Doc.Key], to}]++
			w.states[write.Doc.Key] = to
		}
	}
	return vs, err
}

type rig struct {
	*testing.T
	*script
	mem   *storetest.Memory
	db    *watch
	l     *ledger.Ledger
	kinds map[string]ledger.Kind[string, string]
	log   bytes.Buffer
	crash ledger.Point // panics there once
	skew  time.Duration
	undo  func(extra string) ([]ledger.Intent, error)
}

// specs are the kinds of the rig, each named by what is special about it.
var specs = []ledger.Spec{
	{Kind: "keyed", Class: ledger.Keyed}, {Kind: "natural", Class: ledger.Natural}, {Kind: "desired", Class: ledger.Desired},
	{Kind: "marked", Class: ledger.Marked}, {Kind: "blind", Class: ledger.Blind},
	{Kind: "careful", Class: ledger.Marked, OnNotFound: ledger.Park}, {Kind: "approved", Class: ledger.Marked, Approval: true},
	{Kind: "audited", Class: ledger.Marked, AuditAll: true},
}

// bubble runs f with a rig in virtual time.
func bubble(t *testing.T, f func(r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		mem := storetest.NewMemory(time.Now)
		r := newRig(t, mem)
		r.mem = mem
		f(r)
	})
}

func newRig(t *testing.T, db store.DB) *rig {
	r := &rig{T: t, db: watched(db), kinds: map[string]ledger.Kind[string, string]{}}
	r.script = &script{now: r.clock, objects: map[string][]string{}, undone: map[string]bool{}, result: "made"}
	r.l = ledger.New(r.db, ledger.Options{Now: r.clock, Log: slog.New(slog.NewTextHandler(&locked{w: &r.log}, nil)), Crash: r.at})
	r.undo = func(extra string) ([]ledger.Intent, error) {
		return []ledger.Intent{r.intent("undo", extra, extra)}, nil
	}
	r.register(ledger.Spec{Kind: "undo", Class: ledger.Desired}, undoing{r.script})
	for _, s := range specs {
		r.register(s, making{r.script, func(extra string) ([]ledger.Intent, error) { return r.undo(extra) }})
	}
	return r
}

// locked lets several goroutines write one log.
type locked struct {
	mu sync.Mutex
	w  *bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

func (r *rig) clock() time.Time { return time.Now().Add(r.skew) }

func (r *rig) at(p ledger.Point) {
	if r.crash == p {
		r.crash = ""
		panic(errDied)
	}
}

func (r *rig) register(s ledger.Spec, e ledger.Effect[string, string]) {
	r.Helper()
	k, err := ledger.Register(r.l, s, e)
	if err != nil {
		r.Fatal(err)
	}
	r.kinds[s.Kind] = k
}

func (r *rig) intent(kind, business, payload string) ledger.Intent {
	r.Helper()
	in, err := r.kinds[kind].Intent("acme", business, payload)
	if err != nil {
		r.Fatal(err)
	}
	return in
}

// begin is the intent that most tests are about.
func (r *rig) begin(kind string) ledger.Intent { return r.intent(kind, "one", "do it") }

// do does intents, each of its own business.
func (r *rig) do(in ledger.Intent) ledger.Record {
	r.Helper()
	recs, err := r.l.Do(r.Context(), nil, in)
	if err != nil || len(recs) != 1 {
		r.Fatalf("Do: %d records, %v", len(recs), err)
	}
	return recs[0]
}

// died does an intent in a process that dies at p.
func (r *rig) died(in ledger.Intent, p ledger.Point) {
	r.Helper()
	r.crash = p
	if err := once(func() error { _, err := r.l.Do(r.Context(), nil, in); return err }); err != errDied {
		r.Fatalf("the process lives: %v", err)
	}
}

// pass lets time pass and sweeps.
func (r *rig) pass(d time.Duration) ledger.Swept {
	r.Helper()
	time.Sleep(d)
	s, err := r.l.Sweep(r.Context(), 100)
	if err != nil {
		r.Fatalf("Sweep: %v", err)
	}
	return s
}

// finish sweeps every minute, for two days at most, until nothing is due ever.
func (r *rig) finish() {
	r.Helper()
	for range 48 * 60 {
		if due, err := r.l.Due(r.Context(), r.clock().Add(1000*time.Hour), 1); err != nil || len(due) == 0 {
			return
		}
		r.pass(time.Minute)
	}
	r.Fatal("something is due for ever")
}

func (r *rig) get(in ledger.Intent) ledger.Record {
	r.Helper()
	rec, err := r.l.Get(r.Context(), in.ID())
	if err != nil {
		r.Fatal(err)
	}
	return rec
}

func (r *rig) decide(in ledger.Intent, v ledger.Verdict) ledger.Record {
	r.Helper()
	d := ledger.Decision{Who: "anna", Verdict: v}
	if v == ledger.Adopt {
		d.Object = &ledger.Done{ID: "by hand"}
	}
	rec, err := r.l.Decide(r.Context(), in.ID(), d)
	if err != nil {
		r.Fatalf("Decide: %v", err)
	}
	return rec
}

func (r *rig) want(in ledger.Intent, s ledger.State) ledger.Record {
	r.Helper()
	rec := r.get(in)
	if rec.State != s {
		r.Fatalf("the effect is %s (%s), want %s", rec.State, rec.LastError, s)
	}
	return rec
}

func (r *rig) wantCalls(n int) {
	r.Helper()
	if len(r.calls) != n {
		r.Fatalf("%d calls, want %d", len(r.calls), n)
	}
}

// marker of the record that an intent becomes.
func marker(in ledger.Intent) string { return ledger.Marker(in.ID()) }
