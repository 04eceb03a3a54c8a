package ledger_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/store"
)

// twice makes an effect whose first call succeeds an hour late, after a second one: two objects.
func (r *rig) twice(kind string) (in ledger.Intent, first chan ledger.Record) {
	r.Helper()
	in, first = r.begin(kind), make(chan ledger.Record, 1)
	r.say(answer{takes: time.Hour})
	go func() { first <- r.do(in) }()
	r.pass(time.Minute)
	r.pass(20 * time.Minute)
	if rec := r.want(in, ledger.Succeeded); rec.Attempt != 2 || rec.Audited {
		r.Fatalf("attempt %d, audited %v", rec.Attempt, rec.Audited)
	}
	return in, first
}

// A second success that arrives late is recorded together with the effect that undoes it, and the sweep carries that out.
func TestLateSecondSuccess(t *testing.T) {
	bubble(t, func(r *rig) {
		in, first := r.twice("marked")
		kept := r.get(in).Result.ID
		before := r.db.count()
		<-first
		rec := r.want(in, ledger.Succeeded)
		if len(rec.Duplicates) != 1 || rec.Result.ID != kept {
			t.Fatalf("duplicates %v, kept %s", rec.Duplicates, rec.Result.ID)
		}
		if ws := r.db.last; r.db.count() != before+1 || len(ws) != 2 || ws[0].Doc.ID != in.ID() || ws[1].Op != store.OpCreate {
			t.Errorf("%d commits, the last of %d writes", r.db.count()-before, len(ws))
		}
		r.want(r.intent("undo", rec.Duplicates[0].ID, rec.Duplicates[0].ID), ledger.Pending)
		r.finish()
		r.want(r.intent("undo", rec.Duplicates[0].ID, rec.Duplicates[0].ID), ledger.Succeeded)
		if open := r.open(rec.Marker); open != 1 || r.undone[kept] {
			t.Errorf("%d open, the kept one undone %v", open, r.undone[kept])
		}
	})
}

// The same object reported twice is no duplicate.
func TestSameSuccessTwice(t *testing.T) {
	bubble(t, func(r *rig) {
		in := r.begin("marked")
		r.say(answer{takes: time.Hour, err: errMaybe})
		done := make(chan ledger.Record)
		go func() { done <- r.do(in) }()
		r.put(marker(in), "one")
		r.pass(time.Minute)
		<-done
		if rec := r.want(in, ledger.Succeeded); len(rec.Duplicates) > 0 {
			t.Errorf("duplicates %v", rec.Duplicates)
		}
	})
}

// The audit finds a twin that nobody reported.
func TestAuditFindsATwin(t *testing.T) {
	bubble(t, func(r *rig) {
		in := r.begin("marked")
		r.say(answer{err: errMaybe})
		r.do(in)
		r.pass(window)
		r.want(in, ledger.Succeeded)
		r.put(marker(in), "ghost")
		r.finish()
		rec := r.want(in, ledger.Succeeded)
		if len(rec.Duplicates) != 1 || rec.Duplicates[0].ID != "ghost" || !rec.Audited || r.open(rec.Marker) != 1 || !r.undone["ghost"] {
			t.Errorf("duplicates %v, audited %v, %d open", rec.Duplicates, rec.Audited, r.open(rec.Marker))
		}
	})
}

// Only what was in doubt is audited, unless the kind wants all of it; never what cannot be asked for.
func TestWhatIsAudited(t *testing.T) {
	for _, tt := range []struct {
		kind    string
		answers []answer
		audits  int
	}{
		{"marked", nil, 0},
		{"marked", []answer{{err: errRefused}}, 0},
		{"marked", []answer{{err: errMaybe, makes: true}}, 0}, // one call, found
		{"marked", []answer{{err: errMaybe}}, 1},
		{"audited", nil, 1},
	} {
		bubble(t, func(r *rig) {
			r.say(tt.answers...)
			in := r.begin(tt.kind)
			r.do(in)
			for r.get(in).State != ledger.Succeeded {
				r.pass(time.Minute)
			}
			before := len(r.finds)
			r.finish()
			if got := len(r.finds) - before; got != tt.audits {
				t.Errorf("%s, %d faults: %d audits, want %d", tt.kind, len(tt.answers), got, tt.audits)
			}
		})
	}
	bubble(t, func(r *rig) { // a blind effect that a person released
		in := r.begin("blind")
		r.say(answer{err: errMaybe})
		r.do(in)
		r.pass(time.Minute)
		r.decide(in, ledger.Approve)
		r.finish()
		if rec := r.want(in, ledger.Succeeded); !rec.Audited || len(r.finds) > 0 {
			t.Errorf("audited %v, %d searches", rec.Audited, len(r.finds))
		}
	})
}

// An audit that fails stays wanted, without standing at the head of every sweep.
func TestAuditFails(t *testing.T) {
	bubble(t, func(r *rig) {
		in := r.begin("audited")
		r.do(in)
		r.findErr = errMaybe
		r.pass(time.Hour)
		rec := r.want(in, ledger.Succeeded)
		if rec.Audited || !rec.NextAt.After(time.Now()) || rec.LastError == "" {
			t.Errorf("audited %v, next %v, last error %q", rec.Audited, rec.NextAt, rec.LastError)
		}
		r.findErr = nil
		r.finish()
		if rec := r.get(in); !rec.Audited || rec.LastError != "" {
			t.Errorf("audited %v, last error %q", rec.Audited, rec.LastError)
		}
	})
}

// What undoes an object may have been asked for before. The fact is recorded all the same.
func TestUndoIsRecordedAlready(t *testing.T) {
	bubble(t, func(r *rig) {
		in := r.begin("marked")
		r.do(r.intent("undo", "second", "second"))
		r.say(answer{err: errMaybe})
		r.do(in)
		r.put(marker(in), "first")
		r.put(marker(in), "second")
		r.pass(time.Minute)
		rec := r.want(in, ledger.Succeeded)
		if rec.Result.ID != "first" || len(rec.Duplicates) != 1 {
			t.Errorf("result %v, duplicates %v", rec.Result, rec.Duplicates)
		}
	})
}

// An undo that cannot be planned does not keep the fact out of the store; somebody is told.
func TestUndoFails(t *testing.T) {
	for name, undo := range map[string]func(string) ([]ledger.Intent, error){
		"error": func(string) ([]ledger.Intent, error) { return nil, errors.New("what now?") },
		"panic": func(string) ([]ledger.Intent, error) { var none []ledger.Intent; return none[:len(specs)], nil },
	} {
		bubble(t, func(r *rig) {
			r.undo = undo
			in := r.begin("marked")
			r.say(answer{err: errMaybe})
			r.do(in)
			r.put(marker(in), "first")
			r.put(marker(in), "second")
			r.pass(time.Minute)
			rec := r.want(in, ledger.Succeeded)
			if !strings.Contains(rec.LastError, "second is not undone") || !strings.Contains(r.log.String(), "waits for a person") {
				t.Errorf("%s: last error %q, log %s", name, rec.LastError, r.log.String())
			}
		})
	}
}

// The same undo twice in one answer is recorded once.
func TestUndoTwiceInOneAnswer(t *testing.T) {
	bubble(t, func(r *rig) {
		r.undo = func(string) ([]ledger.Intent, error) {
			return []ledger.Intent{r.intent("undo", "all", "second"), r.intent("undo", "all", "second")}, nil
		}
		in := r.begin("marked")
		r.say(answer{err: errMaybe})
		r.do(in)
		for _, id := range []string{"first", "second", "third"} {
			r.put(marker(in), id)
		}
		r.pass(time.Minute)
		if rec := r.want(in, ledger.Succeeded); len(rec.Duplicates) != 2 {
			t.Errorf("duplicates %v", rec.Duplicates)
		}
	})
}

// A second object that appears after the first was undone is undone too.
func TestDuplicateOfWhatWasUndone(t *testing.T) {
	bubble(t, func(r *rig) {
		in, first := r.twice("marked")
		undo := r.intent("undo", "by hand", r.get(in).Result.ID)
		r.do(undo)
		if _, err := r.l.Undone(r.Context(), in.ID(), undo.ID()); err != nil {
			t.Fatal(err)
		}
		<-first
		if rec := r.want(in, ledger.Compensated); len(rec.Duplicates) != 1 {
			t.Fatalf("duplicates %v", rec.Duplicates)
		}
		r.finish()
		if n := r.open(marker(in)); n != 0 {
			t.Errorf("%d objects are open", n)
		}
	})
}

// A search that finds everything at the remote neither fills the record nor undoes it all.
func TestSearchFindsEverything(t *testing.T) {
	bubble(t, func(r *rig) {
		in := r.begin("marked")
		r.say(answer{err: errMaybe})
		r.do(in)
		for i := range 5000 {
			r.put(marker(in), fmt.Sprintf("%0200d", i))
		}
		r.pass(time.Minute)
		if rec := r.want(in, ledger.Succeeded); len(rec.Duplicates) != 50 {
			t.Errorf("%d duplicates", len(rec.Duplicates))
		}
		r.finish()
	})
}

// Undone wants both effects to have succeeded, and may be said twice.
func TestUndone(t *testing.T) {
	bubble(t, func(r *rig) {
		in := r.compensated("marked")
		undo := r.intent("undo", "undo one", "")
		if rec, err := r.l.Undone(r.Context(), in.ID(), undo.ID()); err != nil || rec.State != ledger.Compensated || rec.UndoneBy != undo.ID() {
			t.Errorf("again: %s, %v", rec.State, err)
		}
		r.do(r.intent("approved", "two", ""))
		for _, pair := range [][2]ledger.Intent{{r.intent("approved", "two", ""), undo}, {undo, r.intent("approved", "two", "")}, {in, in}} {
			if _, err := r.l.Undone(r.Context(), pair[0].ID(), pair[1].ID()); err == nil {
				t.Error("undone all the same")
			}
		}
		if _, err := r.l.Undone(r.Context(), undo.ID(), "nobody"); err == nil {
			t.Error("undone by nobody")
		}
	})
}
