package tenantonboard

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerdesk/providerdesk/functions/tenantonboard/cloud"
	"github.com/providerdesk/providerdesk/shared/ledger"
	simgoogle "github.com/providerdesk/providerdesk/shared/sim/google"
)

func TestDecideEvents(t *testing.T) {
	working := cloud.Subscription{Name: acmeOrg + "/supportEventSubscriptions/1", Topic: acmeTopic, Working: true}
	failing, other := working, working
	failing.Working, failing.Failure = false, "PERMISSION_DENIED"
	other.Name, other.Topic = acmeOrg+"/supportEventSubscriptions/2", acmeTopic+"-2"
	second := working
	second.Name = acmeOrg + "/supportEventSubscriptions/3"
	stop := func(s cloud.Subscription) string { return "events/unsubscribe/" + short(s.Name) }
	for name, c := range map[string]struct {
		have  []cloud.Subscription
		drift int
		steps []string
		leave []string
	}{
		"none":               {steps: []string{"events/subscribe"}},
		"of another topic":   {have: []cloud.Subscription{other}, steps: []string{"events/subscribe"}},
		"works":              {have: []cloud.Subscription{other, working}, leave: []string{stop(working)}},
		"does not work":      {have: []cloud.Subscription{failing}, drift: 1, leave: []string{stop(working)}},
		"twice":              {have: []cloud.Subscription{working, second}, drift: 1, leave: []string{stop(working), stop(second)}},
		"twice, one of them": {have: []cloud.Subscription{failing, second}, drift: 2, leave: []string{stop(working), stop(second)}},
	} {
		t.Run(name, func(t *testing.T) {
			p := decideEvents(acmeOrg, acmeTopic, c.have)
			wantPart(t, p, c.drift, 0, c.steps...)
			if strings.Contains(name, "not work") && !strings.Contains(p.Drift[0], "PERMISSION_DENIED") {
				t.Errorf("the drift does not say why: %s", p.Drift[0])
			}
			p = leaveEvents(acmeOrg, acmeTopic, c.have)
			wantPart(t, p, 0, 0, c.leave...)
			for _, s := range p.Steps {
				if !s.Takes {
					t.Error("an end of a subscription does not say that it takes something away")
				}
			}
		})
	}
}

func TestEventsOfAProject(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Google{Parent: acmeProject, SupportEvents: acmeTopic}, simgoogle.Options{})
		r.wantPart(r.mustLook(StageEvents), 1, 0)
	})
}

// subscriptions returns the names of the topic's subscriptions.
func (r *rig) subscriptions() (names []string) {
	r.Helper()
	all, err := r.Cloud.Subscriptions(r.Context(), acmeOrg)
	r.must(err)
	for _, s := range onTopic(all, acmeTopic) {
		names = append(names, s.Name)
	}
	return names
}

// TestSubscribeOnce shows that a subscription whose answer was lost is found, not made again, and is the run's own.
func TestSubscribeOnce(t *testing.T) {
	for _, fault := range []string{"commit_then_drop", "commit_then_status:504", "garbage", "late:2m"} {
		t.Run(fault, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, Google{Parent: acmeOrg, SupportEvents: acmeTopic}, simgoogle.Options{})
				r.spoil("organizations.supportEventSubscriptions.create", fault)
				r.must(r.carry(StageEvents))
				time.Sleep(time.Hour) // virtual
				_, counts := r.desk.Calls()
				if n := counts["organizations.supportEventSubscriptions.create"]; n != 1 || len(r.subscriptions()) != 1 {
					t.Errorf("%d calls, subscriptions %v", n, r.subscriptions())
				}
				if made := r.s.Work[0].Result.Made; len(made) != 1 || made[0] != r.subscriptions()[0] {
					t.Errorf("made %v", made)
				}
			})
		})
	}
}

// TestSubscriptionOfSomebodyElse shows that one that appears between the look and the call is adopted, and not deleted by an undo.
func TestSubscriptionOfSomebodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Google{Parent: acmeOrg, SupportEvents: acmeTopic}, simgoogle.Options{})
		p := r.mustLook(StageEvents)
		_, _, err := r.Cloud.Subscribe(r.Context(), acmeOrg, acmeTopic)
		r.must(err)
		_, err = r.begin(r.Context(), r.s, p.Steps, ledger.Source{})
		r.must(err)
		r.reread()
		r.must(r.carry(StageEvents))
		r.must(r.takeBack())
		if n := len(r.subscriptions()); n != 1 {
			t.Errorf("%d subscriptions after the undo, want the one that was there", n)
		}
	})
}

// TestSubscribeAsksFirst shows that a question that fails is no doubt about the subscription: it is made a moment later, not after the
// settle window.
func TestSubscribeAsksFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Google{Parent: acmeOrg, SupportEvents: acmeTopic}, simgoogle.Options{})
		p := r.mustLook(StageEvents)
		r.must(r.desk.ArmFault("organizations.supportEventSubscriptions.list", "status:500", 1))
		began := time.Now()
		_, err := r.begin(r.Context(), r.s, p.Steps, ledger.Source{})
		r.must(err)
		r.reread()
		r.must(r.carry(StageEvents))
		if took := time.Since(began); took > 5*time.Minute || len(r.subscriptions()) != 1 {
			t.Errorf("took %s, subscriptions %v", took, r.subscriptions())
		}
	})
}

// TestSecondSubscription shows that one that a request made after everybody had given it up is deleted again.
func TestSecondSubscription(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Google{Parent: acmeOrg, SupportEvents: acmeTopic}, simgoogle.Options{})
		r.spoil("organizations.supportEventSubscriptions.create", "late:20m") // longer than the settle window
		r.must(r.carry(StageEvents))
		for range 120 {
			r.pass()
		}
		if names := r.subscriptions(); len(names) != 1 {
			t.Errorf("subscriptions %v, want one", names)
		}
	})
}
