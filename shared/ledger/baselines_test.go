package ledger_test

import (
	"context"
	"strconv"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
)

// What others do, faithful to the semantics that their documentation and source promise, on the same world: the same crash points, the same
// faults of store and remote, the same deliveries. None of them is told of a marker, because none of them searches.

// row is what a rival remembers of the event, kept in a plain map with the store's latencies and faults.
type row struct {
	state string
	until time.Time // of a lock or an "in progress"
	n     int       // its version
}

type table struct {
	w    *world
	rows map[string]row
}

func newTable(w *world) *table { return &table{w, map[string]row{}} }

func (t *table) get() (row, bool) {
	time.Sleep(7 * time.Millisecond)
	t.w.mu.Lock()
	defer t.w.mu.Unlock()
	r, ok := t.rows["event"]
	return r, ok
}

// put writes when the row is at version n (0: missing, -1: whatever it is). It fails as the scenario says.
func (t *table) put(op string, r row, n int) error {
	time.Sleep(6 * time.Millisecond)
	defer time.Sleep(5 * time.Millisecond)
	if t.w.pop(op, "err") {
		return errStore
	}
	if err := t.apply(r, n); err != nil {
		return err
	}
	if t.w.pop(op, "lost") {
		return errStore
	}
	return nil
}

func (t *table) apply(r row, n int) error {
	t.w.mu.Lock()
	defer t.w.mu.Unlock()
	if cur := t.rows["event"]; n >= 0 && cur.n != n {
		return fault.New(fault.Conflict, "changed")
	}
	r.n = t.rows["event"].n + 1
	t.rows["event"] = r
	return nil
}

func (t *table) delete() {
	t.w.mu.Lock()
	defer t.w.mu.Unlock()
	delete(t.rows, "event")
}

var errAgain = fault.New(fault.Transient, "not acknowledged")

// create is the rivals' call: no marker to speak of and no deadline.
func (w *world) createPlain() (ledger.Outcome, string) {
	w.hook(ledger.Recorded)
	id, err := w.remote.create(context.Background(), "none", time.Time{})
	w.hook(ledger.Called)
	if err == nil {
		return ledger.Executed, id
	}
	return ledger.Ambiguous, ""
}

// naive acts and acknowledges.
func naive(w *world) handler {
	return handler{handle: func() error {
		w.hook(ledger.Decided)
		if o, _ := w.createPlain(); o != ledger.Executed {
			return errAgain
		}
		w.hook(ledger.Settled)
		return nil
	}}
}

// dedupFirst remembers the event's id and then acts: a deduplicating middleware.
func dedupFirst(w *world) handler {
	t := newTable(w)
	return handler{handle: func() error {
		if err := t.put("intent", row{state: "seen"}, 0); fault.Is(err, fault.Conflict) {
			return nil
		} else if err != nil {
			return errAgain
		}
		w.hook(ledger.Decided)
		if o, _ := w.createPlain(); o != ledger.Executed {
			return errAgain
		}
		w.hook(ledger.Settled)
		return nil
	}}
}

// claimed returns the version to write over, 0 for a new row; ok is false when the delivery has its answer already.
func (t *table) claimed(done func(row) bool, lock time.Duration, op string) (n int, answer error, ok bool) {
	r, there := t.get()
	switch {
	case there && done(r):
		return 0, nil, false
	case there && time.Now().Before(r.until):
		return 0, errAgain, false
	}
	if err := t.put(op, row{state: "busy", until: time.Now().Add(lock)}, r.n); err != nil {
		return 0, errAgain, false
	}
	return r.n + 1, nil, true
}

// inProgress is an idempotency utility for serverless handlers: in progress for a while, deleted when the handler fails.
func inProgress(w *world) handler {
	t := newTable(w)
	return handler{handle: func() error {
		if _, answer, ok := t.claimed(func(r row) bool { return r.state == "done" }, time.Minute, "intent"); !ok {
			return answer
		}
		w.hook(ledger.Decided)
		if o, _ := w.createPlain(); o != ledger.Executed {
			t.delete()
			return errAgain
		}
		if t.put("success", row{state: "done"}, -1) != nil {
			return errAgain
		}
		w.hook(ledger.Settled)
		return nil
	}}
}

// actionLog logs the action once and runs it under a lock that expires; done is set for success and failure alike.
func actionLog(w *world) handler {
	t := newTable(w)
	return handler{handle: func() error {
		_ = t.put("intent", row{state: "logged"}, 0) // there already, or logged by the next delivery
		if r, ok := t.get(); !ok {
			return errAgain
		} else if r.state == "logged" || time.Now().After(r.until) {
			if r.state == "done" {
				return nil
			}
		}
		if _, answer, ok := t.claimed(func(r row) bool { return r.state == "done" }, 2*time.Minute, "mark"); !ok {
			return answer
		}
		w.hook(ledger.Decided)
		w.createPlain()
		if t.put("success", row{state: "done"}, -1) != nil {
			return errAgain
		}
		w.hook(ledger.Settled)
		return nil
	}}
}

// checkpoint is a durable-execution step: one owner at a time, the result recorded after success, the step retried on error.
func checkpoint(w *world) handler {
	t := newTable(w)
	return handler{handle: func() error {
		_, answer, ok := t.claimed(func(r row) bool { return r.state == "done" }, time.Minute, "intent")
		if !ok {
			return answer
		}
		w.hook(ledger.Decided)
		if o, _ := w.createPlain(); o != ledger.Executed {
			_ = t.put("release", row{state: "free"}, -1) // the lock expires if this fails
			return errAgain
		}
		for try := range 4 {
			if t.put("success", row{state: "done"}, -1) == nil {
				w.hook(ledger.Settled)
				return nil
			}
			time.Sleep(time.Duration(try) * 200 * time.Millisecond)
		}
		return errAgain
	}}
}

// baselines are the rivals in the order of the table.
var baselines = []struct {
	name string
	mk   strategy
}{
	{"no deduplication", naive},
	{"deduplicate first, by event id", dedupFirst},
	{"in-progress record, deleted on error", inProgress},
	{"action log under a lock", actionLog},
	{"step checkpoint after success", checkpoint},
}

// percent prints n of total.
func percent(n, total int) string {
	return strconv.FormatFloat(100*float64(n)/float64(total), 'f', 1, 64) + " %"
}
