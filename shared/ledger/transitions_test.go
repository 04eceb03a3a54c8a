package ledger_test

import (
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/ledger"
)

// triggers are all that move a record.
var triggers = []string{"intent", "mark", "success", "refusal", "rejection", "doubt", "search", "exhaustion", "audit", "approval", "adoption",
	"veto", "undo", "wait"}

// drives says for every line of the state machine how the public API takes a record along it.
var drives = map[ledger.Move]func(r *rig){
	{From: "", By: "intent", To: ledger.Pending}:    func(r *rig) { r.do(r.begin("approved")) },
	{From: "", By: "mark", To: ledger.Calling}:      func(r *rig) { r.do(r.begin("marked")) },
	{From: "", By: "exhaustion", To: ledger.Parked}: func(r *rig) { r.parkEvent() },

	{From: ledger.Pending, By: "mark", To: ledger.Calling}: func(r *rig) {
		r.do(r.begin("marked").At(time.Now().Add(time.Minute)))
		r.pass(time.Minute)
	},
	{From: ledger.Pending, By: "wait", To: ledger.Pending}: func(r *rig) {
		r.do(r.begin("approved"))
		r.do(r.intent("marked", "two", "").After(r.begin("approved").ID()))
		r.pass(0)
	},
	{From: ledger.Pending, By: "search", To: ledger.Pending}: func(r *rig) {
		r.released()
		r.findErr = errMaybe
		r.pass(0)
	},
	{From: ledger.Pending, By: "success", To: ledger.Succeeded}: func(r *rig) {
		in := r.released()
		r.put(marker(in), "late")
		r.pass(0)
	},
	{From: ledger.Pending, By: "exhaustion", To: ledger.Parked}: func(r *rig) {
		r.say(answer{err: errInvalid})
		r.do(r.begin("marked"))
		r.do(r.intent("marked", "two", "").After(r.begin("marked").ID()))
		r.pass(0)
	},
	{From: ledger.Pending, By: "approval", To: ledger.Pending}: func(r *rig) {
		r.do(r.begin("approved"))
		r.decide(r.begin("approved"), ledger.Approve)
	},
	{From: ledger.Pending, By: "veto", To: ledger.Failed}: func(r *rig) {
		r.do(r.begin("approved"))
		r.decide(r.begin("approved"), ledger.Veto)
	},

	{From: ledger.Calling, By: "success", To: ledger.Succeeded}: func(r *rig) { r.do(r.begin("marked")) },
	{From: ledger.Calling, By: "refusal", To: ledger.Pending}:   func(r *rig) { r.say(answer{err: errRefused}); r.do(r.begin("marked")) },
	{From: ledger.Calling, By: "rejection", To: ledger.Failed}:  func(r *rig) { r.say(answer{err: errInvalid}); r.do(r.begin("marked")) },
	{From: ledger.Calling, By: "doubt", To: ledger.Unknown}:     func(r *rig) { r.say(answer{err: errMaybe}); r.do(r.begin("marked")) },
	{From: ledger.Calling, By: "search", To: ledger.Unknown}: func(r *rig) {
		r.died(r.begin("marked"), ledger.Recorded)
		r.pass(time.Minute)
	},
	{From: ledger.Calling, By: "mark", To: ledger.Calling}: func(r *rig) {
		r.died(r.begin("marked"), ledger.Recorded)
		r.pass(20 * time.Minute)
	},
	{From: ledger.Calling, By: "exhaustion", To: ledger.Parked}: func(r *rig) {
		r.died(r.begin("blind"), ledger.Recorded)
		r.pass(time.Minute)
	},

	{From: ledger.Unknown, By: "success", To: ledger.Succeeded}: func(r *rig) {
		r.say(answer{err: errMaybe, makes: true})
		r.do(r.begin("marked"))
		r.pass(time.Minute)
	},
	{From: ledger.Unknown, By: "search", To: ledger.Unknown}: func(r *rig) {
		r.say(answer{err: errMaybe})
		r.do(r.begin("marked"))
		r.pass(time.Minute)
	},
	{From: ledger.Unknown, By: "mark", To: ledger.Calling}: func(r *rig) {
		r.say(answer{err: errMaybe})
		r.do(r.begin("marked"))
		r.pass(20 * time.Minute)
	},
	{From: ledger.Unknown, By: "exhaustion", To: ledger.Parked}: func(r *rig) { r.parked() },

	{From: ledger.Parked, By: "success", To: ledger.Succeeded}: func(r *rig) { r.zombie(func() {}) },
	{From: ledger.Parked, By: "approval", To: ledger.Pending}:  func(r *rig) { r.released() },
	{From: ledger.Parked, By: "adoption", To: ledger.Succeeded}: func(r *rig) {
		r.decide(r.parked(), ledger.Adopt)
	},
	{From: ledger.Parked, By: "veto", To: ledger.Failed}: func(r *rig) { r.decide(r.parked(), ledger.Veto) },

	{From: ledger.Failed, By: "success", To: ledger.Succeeded}: func(r *rig) {
		r.zombie(func() { r.decide(r.begin("blind"), ledger.Veto) })
	},
	{From: ledger.Failed, By: "approval", To: ledger.Pending}: func(r *rig) {
		r.say(answer{err: errInvalid})
		r.do(r.begin("marked"))
		r.decide(r.begin("marked"), ledger.Approve)
	},

	{From: ledger.Succeeded, By: "audit", To: ledger.Succeeded}: func(r *rig) {
		r.do(r.begin("audited"))
		r.pass(time.Hour)
	},
	{From: ledger.Succeeded, By: "undo", To: ledger.Compensated}: func(r *rig) { r.compensated("marked") },
	{From: ledger.Compensated, By: "audit", To: ledger.Compensated}: func(r *rig) {
		r.compensated("audited")
		r.pass(time.Hour)
	},
}

// parked takes a careful effect to PARKED.
func (r *rig) parked() ledger.Intent {
	r.Helper()
	r.say(answer{err: errMaybe})
	r.do(r.begin("careful"))
	r.pass(20 * time.Minute)
	r.want(r.begin("careful"), ledger.Parked)
	return r.begin("careful")
}

// released takes a careful effect to PENDING with a doubtful past.
func (r *rig) released() ledger.Intent {
	r.Helper()
	in := r.parked()
	r.decide(in, ledger.Approve)
	return in
}

// zombie makes a blind call that succeeds after everybody has given it up; meanwhile happens when it is PARKED.
func (r *rig) zombie(meanwhile func()) {
	r.Helper()
	r.say(answer{takes: time.Hour})
	done := make(chan ledger.Record)
	go func() { done <- r.do(r.begin("blind")) }()
	r.pass(10 * time.Minute)
	r.want(r.begin("blind"), ledger.Parked)
	meanwhile()
	<-done
	r.want(r.begin("blind"), ledger.Succeeded)
}

// compensated does an effect and undoes it.
func (r *rig) compensated(kind string) ledger.Intent {
	r.Helper()
	in := r.begin(kind)
	undo := r.intent("undo", "undo one", r.do(in).Result.ID)
	r.do(undo)
	if _, err := r.l.Undone(r.Context(), in.ID(), undo.ID()); err != nil {
		r.Fatal(err)
	}
	return in
}

func (r *rig) parkEvent() ledger.Record {
	r.Helper()
	rec, err := r.l.Park(r.Context(), "acme", "event 7", "no incident in it", []byte("what?"), ledger.Source{Event: "7"})
	if err != nil {
		r.Fatal(err)
	}
	return rec
}

// Every line of the state machine is driven through the public API, and seen in the store.
func TestTransitions(t *testing.T) {
	seen := 0
	for _, m := range ledger.Moves() {
		if t.Run(string(m.From)+" "+m.By+" "+string(m.To), func(t *testing.T) {
			drive, ok := drives[m]
			if !ok {
				t.Fatal("nothing drives this move")
			}
			bubble(t, func(r *rig) {
				drive(r)
				if r.db.seen[[2]ledger.State{m.From, m.To}] == 0 {
					t.Errorf("not seen among %v", r.db.seen)
				}
			})
		}) {
			seen++
		}
	}
	if n := len(ledger.Moves()); len(drives) != n {
		t.Errorf("%d moves are driven, %d allowed", len(drives), n)
	}
	t.Logf("%d/%d moves driven and seen", seen, len(ledger.Moves()))
}

// All other transitions are refused.
func TestTransitionsRefused(t *testing.T) {
	allowed := map[ledger.Move]bool{}
	for m := range drives {
		allowed[m] = true
	}
	refused := 0
	for _, from := range append([]ledger.State{""}, ledger.States[:]...) {
		for _, by := range triggers {
			for _, to := range ledger.States {
				m := ledger.Move{From: from, By: by, To: to}
				if ledger.Allowed(m) != allowed[m] {
					t.Errorf("%v: allowed %v", m, !allowed[m])
				}
				if !allowed[m] {
					refused++
				}
			}
		}
	}
	t.Logf("%d of %d transitions are refused", refused, 8*len(triggers)*7)
}
