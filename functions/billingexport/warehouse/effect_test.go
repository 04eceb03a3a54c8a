package warehouse

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/sim/bigquery"
	"github.com/providerdesk/providerdesk/shared/store"
	"github.com/providerdesk/providerdesk/shared/store/storetest"
)

// process is one that loads: a ledger of its own on the store of all.
type process struct {
	*world
	Kind
	l *ledger.Ledger
}

func (w *world) process(db store.DB, crash func(ledger.Point)) process {
	w.Helper()
	l := ledger.New(db, ledger.Options{Crash: crash})
	k, err := Register(l, w.warehouse(nil))
	w.must(err)
	return process{w, k, l}
}

var errDied = errors.New("the process died")

// publishes records the loads of a revision, as the function does once it is published, and says whether the process survived that.
func (p process) publishes(m hub.Period, rev int) (err error) {
	defer func() {
		if r := recover(); r != nil {
			if r != any(errDied) {
				panic(r)
			}
			err = errDied
		}
	}()
	intents, err := p.Intents(p.Context(), m, revision.Provider, rev)
	if err != nil {
		return err
	}
	_, err = p.l.Do(p.Context(), nil, intents...)
	return err
}

// record is that of a revision's load.
func (p process) record(m hub.Period, rev int) ledger.Record {
	p.Helper()
	r, err := p.l.Get(p.Context(), loadID(m, revision.Provider, rev))
	p.must(err)
	return r
}

// finish sweeps until a load has ended, and approves it when it failed or was parked, as a person would; so many times at most.
func (p process) finish(m hub.Period, rev, approvals int) ledger.Record {
	p.Helper()
	for range 2000 {
		r := p.record(m, rev)
		switch r.State {
		case ledger.Succeeded:
			return r
		case ledger.Failed, ledger.Parked:
			if approvals--; approvals < 0 {
				return r
			}
			_, err := p.l.Decide(p.Context(), r.ID, ledger.Decision{Who: "anna", Verdict: ledger.Approve})
			p.must(err)
		default:
			p.pass(max(time.Second, time.Until(r.NextAt)))
		}
		_, _ = p.l.Sweep(p.Context(), 100) // a death in it is one of the visitor, and what it left is seen by the next
	}
	p.Fatalf("the load of revision %d does not end: %+v", rev, p.record(m, rev))
	return ledger.Record{}
}

// The load of a revision is an effect: recorded once, whose result tells the figures.
func TestEffect(t *testing.T) {
	in(t, bigquery.Options{JobPolls: 1 << 20, JobTime: 20 * time.Minute}, func(w *world) {
		p := w.process(storetest.NewMemory(time.Now), nil)
		w.publish(september, 1, 0, costs{"a": {"1", "2"}})
		w.must(p.publishes(september, 1))
		if r := p.record(september, 1); r.State != ledger.Pending || r.Doubts != 0 || r.LastKind != string(fault.Transient) {
			t.Errorf("while the jobs run the record is %s with %d doubts: %s", r.State, r.Doubts, r.LastError)
		}
		r := p.finish(september, 1, 0)
		a, err := p.Result(r)
		if w.must(err); a.Result.Current.Rows != 2 || a.Result.Ledger.Rows != 2 || !strings.HasPrefix(a.ID, "2026-09/provider/") {
			t.Errorf("%+v", a)
		}
		if r.Doubts != 0 || r.Attempt > 10 {
			t.Errorf("%d calls, %d doubts", r.Attempt, r.Doubts)
		}
		w.want(september, costs{"a": {"1", "2"}}, 2)
		p.must(p.publishes(september, 1))
		if n := w.calls("jobs.insert"); n != 2 {
			t.Errorf("%d jobs", n)
		}
	})
}

// Revisions that nobody recorded are loaded before the one that follows them, in their order; what is recorded is not recorded again.
func TestEarlierRevisions(t *testing.T) {
	in(t, bigquery.Options{}, func(w *world) {
		p := w.process(storetest.NewMemory(time.Now), nil)
		w.publish(september, 1, 0, costs{"a": {"1"}})
		w.publish(september, 4, 1, costs{"a": {"2"}}, "-1", "2")
		w.publish(september, 5, 4, costs{"a": {"4"}}, "-2", "4")
		w.must(p.publishes(september, 5))
		p.finish(september, 5, 0)
		w.want(september, costs{"a": {"4"}}, 5)
		w.publish(september, 6, 5, costs{"a": {"4"}, "b": {"1"}}, "1")
		intents, err := p.Intents(w.Context(), september, revision.Provider, 6)
		if w.must(err); len(intents) != 1 {
			t.Errorf("%d intents for one revision", len(intents))
		}
		w.must(p.publishes(september, 6))
		p.finish(september, 6, 0)
		w.want(september, costs{"a": {"4"}, "b": {"1"}}, 6)
		v, err := w.sim.Table("billing.focus_provider_ledger")
		if w.must(err); len(v.Jobs) != 4 {
			t.Errorf("appended by %v", v.Jobs)
		}
	})
}

// A newer revision waits for an older one whose load takes long, and the older one never has the last word.
func TestOrder(t *testing.T) {
	in(t, bigquery.Options{}, func(w *world) {
		p := w.process(storetest.NewMemory(time.Now), nil)
		w.publish(september, 1, 0, costs{"a": {"1"}})
		w.publish(september, 2, 1, costs{"a": {"2"}}, "-1", "2")
		w.sim.FailJobs("backendError", 8)
		w.must(p.publishes(september, 1))
		w.must(p.publishes(september, 2))
		if n := w.calls("jobs.insert"); n > 2 {
			t.Errorf("%d jobs before the first revision is loaded", n)
		}
		p.finish(september, 2, 0)
		w.want(september, costs{"a": {"2"}}, 3)
	})
}

// A file that BigQuery refuses is told to a person, and what follows it waits.
func TestRefusedFile(t *testing.T) {
	in(t, bigquery.Options{JobPolls: -1}, func(w *world) {
		p := w.process(storetest.NewMemory(time.Now), nil)
		w.publish(september, 1, 0, costs{"a": {"1"}})
		w.publish(september, 2, 1, costs{"a": {"2"}}, "-1", "2")
		w.bucket.put(revision.PartFolder(september, "a", "digest-a-1")+revision.FocusFile(revision.Provider, revision.Parquet), []byte("PAR1"))
		w.must(p.publishes(september, 2))
		if r := p.finish(september, 1, 2); r.State != ledger.Failed || r.LastKind != string(fault.Invalid) {
			t.Errorf("%s: %s", r.State, r.LastError)
		}
		if r := p.finish(september, 2, 0); r.State != ledger.Parked {
			t.Errorf("the one after it is %s", r.State)
		}
		if n := w.calls("jobs.insert"); n != 1 {
			t.Errorf("%d jobs", n)
		}
	})
}

// A manifest that is not the one that was published is loaded by nobody.
func TestChangedManifest(t *testing.T) {
	in(t, bigquery.Options{}, func(w *world) {
		w.publish(september, 1, 0, costs{"a": {"1"}})
		e := Effect{w.Warehouse}
		_, err := e.Call(w.Context(), Publication{Month: "2026-09", Lens: revision.Provider, Revision: 1, Manifest: strings.Repeat("0", 64)}, ledger.Token{})
		w.fails(err, fault.Invalid)
		_, err = e.Find(w.Context(), Publication{Month: "September", Lens: revision.Provider, Revision: 1}, ledger.Token{}, true)
		w.fails(err, fault.Invalid)
		_, err = e.Call(w.Context(), Publication{Month: "2026-09", Lens: revision.Provider, Revision: 7}, ledger.Token{})
		w.fails(err, fault.Missing)
	})
}
