package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/store"
	"github.com/providerdesk/providerdesk/shared/store/storetest"
)

// The world of a scenario: a store and a remote desk that fail as told, and deliveries that repeat until they are acknowledged. All of it
// lives in virtual time.

// object is what the remote made of one create.
type object struct {
	id, marker string
	visible    time.Time // in the search
	undone     bool
}

// remote is a desk without idempotency keys whose search lags. Every create takes two seconds.
type remote struct {
	mu      sync.Mutex
	objects []*object
	calls   int
	faults  []string      // of the next creates
	lag     time.Duration // of the search
}

// The faults of a create: what the caller sees, and whether the remote executed it.
var apiFaults = []string{
	"ok", "refused", "429", // certainly not executed
	"503",                     // not executed, but the caller cannot know
	"exec503", "exec-timeout", // executed, the answer is lost
	"late48s", "late330s", // executed so long after the request began, when the caller has given up
}

func (r *remote) create(ctx context.Context, marker string, deadline time.Time) (string, error) {
	if !deadline.IsZero() && !time.Now().Before(deadline) {
		return "", fault.Unsent(fault.New(fault.Transient, "the deadline is over"))
	}
	f := r.next()
	time.Sleep(2 * time.Second)
	switch f {
	case "refused":
		return "", fault.Unsent(fault.New(fault.Transient, "connection refused"))
	case "429":
		return "", fault.New(fault.Throttled, "slow down")
	case "503":
		return "", fault.New(fault.Transient, "unavailable")
	case "exec503":
		r.execute(marker)
		return "", fault.New(fault.Transient, "unavailable")
	case "exec-timeout":
		r.execute(marker)
		time.Sleep(28 * time.Second)
		return "", fault.New(fault.Transient, "no answer")
	case "late48s", "late330s":
		after, _ := time.ParseDuration(f[len("late"):])
		time.AfterFunc(after, func() { r.execute(marker) })
		time.Sleep(28 * time.Second)
		return "", fault.New(fault.Transient, "no answer")
	}
	return r.execute(marker), nil
}

func (r *remote) next() (f string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls++
	if len(r.faults) > 0 {
		f, r.faults = r.faults[0], r.faults[1:]
	}
	return f
}

func (r *remote) execute(marker string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	o := &object{id: fmt.Sprintf("case-%d", len(r.objects)+1), marker: marker, visible: time.Now().Add(r.lag)}
	r.objects = append(r.objects, o)
	return o.id
}

func (r *remote) search(marker string) (ids []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, o := range r.objects {
		if o.marker == marker && !time.Now().Before(o.visible) {
			ids = append(ids, o.id)
		}
	}
	return ids
}

func (r *remote) close(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, o := range r.objects {
		o.undone = o.undone || o.id == id
	}
}

func (r *remote) open() (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, o := range r.objects {
		if !o.undone {
			n++
		}
	}
	return n
}

// opening is the effect under test: create one object.
type opening struct {
	r    *remote
	undo func(extra string) (ledger.Intent, error)
}

func (o opening) Call(ctx context.Context, _ string, t ledger.Token) (ledger.Act[string], error) {
	id, err := o.r.create(ctx, t.Marker, t.Deadline)
	return ledger.Act[string]{ID: id, Result: id}, err
}

func (o opening) Find(ctx context.Context, _ string, t ledger.Token, thorough bool) ([]ledger.Act[string], error) {
	time.Sleep(300 * time.Millisecond)
	var acts []ledger.Act[string]
	for _, id := range o.r.search(t.Marker) {
		acts = append(acts, ledger.Act[string]{ID: id, Result: id})
	}
	return acts, ctx.Err()
}

func (o opening) Undo(_ string, _, extra ledger.Act[string]) ([]ledger.Intent, error) {
	in, err := o.undo(extra.ID)
	return []ledger.Intent{in}, err
}

// closing undoes a duplicate.
type closing struct{ r *remote }

func (c closing) Call(_ context.Context, id string, _ ledger.Token) (ledger.Act[string], error) {
	c.r.close(id)
	return ledger.Act[string]{ID: id}, nil
}

func (c closing) Find(context.Context, string, ledger.Token, bool) ([]ledger.Act[string], error) {
	return nil, nil
}

// scenario is what goes wrong, and how the event is delivered.
type scenario struct {
	crash   ledger.Point // the process dies here, once
	stall   ledger.Point // or stops here, once, and goes on as a zombie
	stalled time.Duration
	api     string // fault of the first create
	store   string // fault of one kind of commit
	deliver string
	lag     time.Duration
}

func (s scenario) String() string {
	return fmt.Sprintf("crash=%q stall=%q/%s api=%s store=%s deliver=%s lag=%s", s.crash, s.stall, s.stalled, s.api, s.store, s.deliver, s.lag)
}

// deliveries are the first deliveries of the event; each is repeated until it is acknowledged.
var deliveries = map[string][]time.Duration{
	"one":   {0},
	"three": {0, 0, 3 * time.Millisecond},
	"two":   {0, 50 * time.Millisecond},
	"late":  {0, 2 * time.Hour},
}

// storeFaults are queues of faults by the kind of commit: "lost" is applied and not acknowledged, "err" not applied.
var storeFaults = map[string]map[string][]string{
	"ok":              {},
	"intent-lost":     {"intent": {"lost"}},
	"intent-err":      {"intent": {"err"}},
	"mark-lost":       {"mark": {"lost"}},
	"mark-err":        {"mark": {"err"}},
	"success-lost":    {"success": {"lost"}},
	"success-err":     {"success": {"err"}},
	"success-outage":  {"success": repeat("err", 40)},
	"everything-lost": {"intent": {"lost"}, "mark": {"lost"}, "success": {"lost"}, "other": {"lost"}},
}

func repeat(s string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = s
	}
	return all
}

type world struct {
	*remote
	db     *storetest.Memory
	hook   func(ledger.Point) // crash or stall
	mu     sync.Mutex
	faults map[string][]string // of commits
}

// errStore is an outage of the store; errDied ends a delivery as a crash does.
var (
	errStore = fault.New(fault.Transient, "store unavailable")
	errDied  = errors.New("the process died")
)

func newWorld(faults map[string][]string, rem *remote) *world {
	w := &world{remote: rem, db: storetest.NewMemory(time.Now), faults: map[string][]string{}, hook: func(ledger.Point) {}}
	for op, q := range faults {
		w.faults[op] = append([]string(nil), q...)
	}
	w.db.OnGet = func(store.Key) error { time.Sleep(7 * time.Millisecond); return nil }
	w.db.Before = func(_ context.Context, ws []store.Write) error {
		time.Sleep(6 * time.Millisecond)
		if w.pop(op(ws), "err") {
			return fault.Unsent(errStore)
		}
		return nil
	}
	w.db.After = func(_ context.Context, ws []store.Write) error {
		time.Sleep(5 * time.Millisecond)
		if w.pop(op(ws), "lost") {
			return errStore
		}
		return nil
	}
	return w
}

// op names a commit by what it does to the effect.
func op(ws []store.Write) string {
	switch w := ws[0]; {
	case w.Op == store.OpCreate:
		return "intent"
	case w.Doc.State == string(ledger.Calling):
		return "mark"
	case w.Doc.State == string(ledger.Succeeded):
		return "success"
	}
	return "other"
}

// pop takes the next fault of op when it is the wanted one; a fault of the other sort waits for its turn.
func (w *world) pop(op, want string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	q := w.faults[op]
	if len(q) == 0 || q[0] != want {
		if want == "lost" && len(q) > 0 && q[0] == "" {
			w.faults[op] = q[1:] // a commit that goes well
		}
		return false
	}
	w.faults[op] = q[1:]
	return true
}

// once runs f as one delivery: a crash inside it ends it without an acknowledgement.
func once(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			if e, ok := p.(error); !ok || !errors.Is(e, errDied) {
				panic(p)
			}
			err = errDied
		}
	}()
	return f()
}

// deliver hands the event to f until it is acknowledged: again 10 s after a refusal, twice as long each time, and again while f still runs
// when it has not answered within a minute.
func (w *world) deliver(wg *sync.WaitGroup, first time.Duration, f func() error) (acked func() bool) {
	var ok bool
	wg.Go(func() {
		time.Sleep(first)
		for back := 10 * time.Second; !ok; back = min(2*back, 10*time.Minute) {
			answer := make(chan error, 1)
			wg.Go(func() { answer <- once(f) })
			timer := time.NewTimer(time.Minute)
			select {
			case err := <-answer:
				ok = err == nil
			case <-timer.C:
			}
			timer.Stop()
			if !ok {
				time.Sleep(back)
			}
		}
	})
	return func() bool { return ok }
}

// sweep runs a sweep whenever something is due, at the earliest instant, until nothing ever will be. A sweep that stalls is left alone
// after a minute and the next one begins, as a scheduler does.
func (w *world) sweep(l *ledger.Ledger) {
	var wg sync.WaitGroup
	defer wg.Wait()
	for range 5000 {
		docs, err := w.db.Query(context.Background(), store.Query{Collection: ledger.Collection, DueBy: time.Now().Add(1000 * time.Hour), Limit: 1})
		if err != nil || len(docs) == 0 {
			return
		}
		time.Sleep(max(time.Until(docs[0].Due), time.Second))
		done := make(chan error, 1)
		wg.Go(func() { _, err := l.Sweep(context.Background(), 50); done <- err }) // a failed or crashed visit is the next sweep's
		timer := time.NewTimer(time.Minute)
		select {
		case <-done:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// newLedger returns a ledger on db whose one kind opens objects at the remote.
func (w *world) newLedger(db store.DB, settle time.Duration, s ledger.Spec, wrap func(ledger.Effect[string, string]) ledger.Effect[string, string]) (*ledger.Ledger, func() (ledger.Intent, error)) {
	l := ledger.New(db, ledger.Options{Settle: settle, Crash: func(p ledger.Point) { w.hook(p) }, Log: slog.New(slog.DiscardHandler)})
	closer := must(ledger.Register(l, ledger.Spec{Kind: "object.close", Class: ledger.Desired}, ledger.Effect[string, string](closing{w.remote})))
	effect := ledger.Effect[string, string](opening{w.remote, func(id string) (ledger.Intent, error) { return closer.Intent("acme", id, id) }})
	if wrap != nil {
		effect = wrap(effect)
	}
	s.Kind, s.Class = "object.open", ledger.Marked
	open := must(ledger.Register(l, s, effect))
	return l, func() (ledger.Intent, error) { return open.Intent("acme", "incident-1", "open it") }
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// verdict is how a scenario ended.
type verdict struct {
	objects, open, calls int
	state                ledger.State
	known                int // duplicates that the ledger recorded
	acked                bool
	took                 time.Duration // until the first acknowledgement
}

func (v verdict) lost() bool { return v.objects == 0 && v.state != ledger.Parked }

// handler is one way to handle a delivery; finish is what its platform runs beside the deliveries, nil if nothing.
type handler struct {
	handle func() error
	finish func()
}

// strategy builds a handler in a world.
type strategy func(w *world) handler

// play runs one scenario in virtual time.
func play(t *testing.T, mk strategy, s scenario) (v verdict) {
	synctest.Test(t, func(t *testing.T) {
		rem := &remote{lag: s.lag, faults: []string{s.api}}
		w := newWorld(storeFaults[s.store], rem)
		var mu sync.Mutex
		done := false
		w.hook = func(p ledger.Point) {
			mu.Lock()
			hit := !done && (p == s.crash || p == s.stall)
			done = done || hit
			mu.Unlock()
			switch {
			case hit && p == s.crash:
				panic(errDied)
			case hit:
				time.Sleep(s.stalled)
			}
		}
		v = w.run(mk, deliveries[s.deliver])
	})
	return v
}

// run delivers the event at the given times, waits until everybody is done and everything late has happened, and looks at the remote.
func (w *world) run(mk strategy, at []time.Duration) verdict {
	h := mk(w)
	start := time.Now()
	var wg sync.WaitGroup
	var first time.Duration
	var once sync.Once
	for _, d := range at {
		w.deliver(&wg, d, func() error {
			err := h.handle()
			if err == nil {
				once.Do(func() { first = time.Since(start) })
			}
			return err
		})
	}
	if h.finish != nil {
		wg.Go(func() { time.Sleep(time.Minute); h.finish() })
	}
	wg.Wait()
	time.Sleep(2 * time.Hour)
	if h.finish != nil {
		h.finish()
	}
	open := w.remote.open()
	w.remote.mu.Lock()
	v := verdict{objects: len(w.objects), open: open, calls: w.calls, acked: true, took: first}
	w.remote.mu.Unlock()
	if d, err := w.db.Get(context.Background(), store.Key{Collection: ledger.Collection, ID: ledger.ID("object.open", "acme", "incident-1")}); err == nil {
		v.state = ledger.State(d.State)
		r := must(ledger.New(w.db, ledger.Options{}).Get(context.Background(), d.ID))
		v.known = len(r.Duplicates)
	}
	return v
}

// theLedger is the strategy under test.
func theLedger(settle time.Duration, s ledger.Spec) strategy {
	return mutant(settle, s, nil, nil)
}

// mutant is the ledger with one of its safety devices taken out, by a store or an effect that does not have it.
func mutant(settle time.Duration, s ledger.Spec, db func(store.DB) store.DB, wrap func(ledger.Effect[string, string]) ledger.Effect[string, string]) strategy {
	return func(w *world) handler {
		under := store.DB(w.db)
		if db != nil {
			under = db(under)
		}
		l, intent := w.newLedger(under, settle, s, wrap)
		return handler{
			handle: func() error {
				in, err := intent()
				if err != nil {
					return err
				}
				_, err = l.Do(context.Background(), nil, in)
				return err
			},
			finish: func() { w.sweep(l) },
		}
	}
}
