package tenantonboard

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
	simgoogle "github.com/providerdesk/providerdesk/shared/sim/google"
)

const (
	acmeProject = "projects/acme-prod"
	acmeOrg     = "organizations/123456789012"
	acmeTopic   = "projects/acme-prod/topics/support-events"
	opsGroup    = "group:ops@acme.example"
)

// rig carries one stage of a tenant through the real ledger, in front of the simulators.
type rig struct {
	*world
	s      *onboarding
	doomed bool // the process dies after its next call
}

func newRig(t *testing.T, g Google, o simgoogle.Options) *rig {
	t.Helper()
	r := &rig{s: &onboarding{V: 1, Wanted: Tenant{Key: "acme", Google: &g}, Run: 1, Mode: Onboarding, Status: UsersAdded}}
	r.world = newWorld(t, setup{google: o, crash: r.die})
	return r
}

var errDied = errors.New("the process died")

// die is where a call has been made and what came of it is not recorded.
func (r *rig) die(at ledger.Point) {
	if at == ledger.Called && r.doomed {
		r.doomed = false
		panic(errDied)
	}
}

// living does what a process may die of, and reads what is stored, as the next one does.
func (r *rig) living(do func() error) {
	r.Helper()
	defer func() {
		if p := recover(); p != nil && p != any(errDied) {
			panic(p)
		}
		r.reread()
	}()
	r.must(do())
}

// look looks at a stage as a turn does.
func (r *rig) look(name Stage) (part, error) {
	all := r.stages
	return all[index(all, name)].look(r.Context(), r.s)
}

func (r *rig) mustLook(name Stage) part {
	r.Helper()
	p, err := r.look(name)
	r.must(err)
	return p
}

var errUnsettled = errors.New("the stage does not end")

// carry takes turns on one stage until nothing is left to do, sweeping in virtual time.
func (r *rig) carry(name Stage) error {
	r.Helper()
	for range 200 {
		open, err := r.follow(r.Context(), r.s)
		r.must(err)
		if open {
			r.pass()
			continue
		}
		if w := r.s.failure(); w != nil {
			return fmt.Errorf("%s: %s: %s", w.Step.ID, w.State, w.Error)
		}
		p, err := r.look(name)
		switch {
		case fault.Healing(err):
			r.pass()
		case err != nil || len(p.Steps) == 0:
			return err
		default:
			r.living(func() error {
				_, err := r.begin(r.Context(), r.s, p.Steps, ledger.Source{})
				return err
			})
		}
	}
	return errUnsettled
}

// pass lets a minute go by, and sweeps.
func (r *rig) pass() {
	time.Sleep(time.Minute) // virtual
	_, err := r.Ledger().Sweep(r.Context(), sweepEffects)
	r.must(err)
}

func (r *rig) reread() {
	r.Helper()
	s, err := r.read(r.Context(), r.s.Wanted.Key)
	r.must(err)
	r.s = s
}

// takeBack undoes what the run made.
func (r *rig) takeBack() error {
	r.Helper()
	r.s.Mode, r.s.UndoAt = Undoing, len(r.s.Work)
	for range 200 {
		open, err := r.follow(r.Context(), r.s)
		r.must(err)
		if w := r.s.failure(); w != nil {
			return fmt.Errorf("%s: %s: %s", w.Step.ID, w.State, w.Error)
		}
		switch {
		case open:
			r.pass()
			continue
		case r.s.Status == Undone:
			return nil
		}
		r.living(func() error {
			_, err := r.undo(r.Context(), r.s, ledger.Source{})
			return err
		})
	}
	return errUnsettled
}

// offboard begins a run that takes a stage away, with the plan of it accepted.
func (r *rig) offboard(name Stage) error {
	r.Helper()
	r.s = r.s.next(r.s.Wanted, Offboarding)
	p := r.mustLook(name)
	for _, step := range p.Steps {
		if !step.Takes {
			r.Errorf("step %s takes something away and does not say so", step.ID)
		}
	}
	r.s.Plan.Steps = p.Steps
	return r.carry(name)
}

func ids(p part) (all []string) {
	for _, s := range p.Steps {
		all = append(all, s.ID)
	}
	return all
}

// wanted checks the ids of a share's steps and how many sentences it has.
func (r *rig) wantPart(p part, drift, blocks int, steps ...string) {
	r.Helper()
	wantPart(r.TB, p, drift, blocks, steps...)
}

func wantPart(t testing.TB, p part, drift, blocks int, steps ...string) {
	t.Helper()
	if !slices.Equal(ids(p), steps) || len(p.Drift) != drift || len(p.Blocks) != blocks {
		t.Errorf("steps %q, drift %q, blocks %q; want steps %q, %d drift, %d blocks", ids(p), p.Drift, p.Blocks, steps, drift, blocks)
	}
}

// everyFault is what can happen to a request that changes something.
var everyFault = []string{
	"", "status:500", "status:503", "status:429", "drop", "commit_then_drop", "commit_then_status:500", "commit_then_status:504", "garbage",
	"late:2m", "late_drop:2m", "crash",
}

// scene is a stage with what it is to leave behind.
type scene struct {
	stage Stage
	op    string // that makes
	back  string // that takes back
	g     Google
	there func(r *rig) string // what there is, for comparison
	want  string
	undo  string // what is there after an undo or an offboarding; empty: as before
}

var scenes = []scene{
	{
		stage: StageAPIs, op: "serviceusage.services.batchEnable", back: "serviceusage.services.disable",
		g:    Google{Parent: acmeProject, APIs: []string{"cloudsupport.googleapis.com", "essentialcontacts.googleapis.com"}},
		want: "cloudresourcemanager cloudsupport essentialcontacts serviceusage", undo: "cloudresourcemanager cloudsupport essentialcontacts serviceusage",
		there: func(r *rig) string {
			return strings.ReplaceAll(strings.Join(r.google.EnabledServices("acme-prod"), " "), ".googleapis.com", "")
		},
	},
	{
		stage: StageIAM, op: "cloudresourcemanager.projects.setIamPolicy", back: "cloudresourcemanager.projects.setIamPolicy",
		g: Google{Parent: acmeProject, Members: []Member{
			{Member: opsGroup, Roles: []string{"roles/cloudsupport.techSupportEditor", "roles/viewer"}},
			{Member: "user:Anna@acme.example", Roles: []string{"roles/cloudsupport.techSupportEditor"}},
		}},
		want:  "[{roles/cloudsupport.techSupportEditor [group:ops@acme.example user:anna@acme.example] <nil>} {roles/viewer [group:ops@acme.example] <nil>}]",
		there: func(r *rig) string { return fmt.Sprint(r.google.Policy(acmeProject)) },
	},
	{
		stage: StageContacts, op: "essentialcontacts.projects.contacts.create", back: "essentialcontacts.projects.contacts.delete",
		g:    Google{Parent: acmeProject, Contacts: []Contact{{Email: "Ops@acme.example", Categories: []string{"TECHNICAL", "SECURITY"}}}},
		want: "Ops@acme.example en [SECURITY TECHNICAL];",
		there: func(r *rig) (all string) {
			for _, c := range r.google.Contacts(acmeProject) {
				all += fmt.Sprintf("%s %s %v;", c.Email, c.Language, c.Categories)
			}
			return all
		},
	},
	{
		stage: StageEvents, op: "organizations.supportEventSubscriptions.create", back: "organizations.supportEventSubscriptions.delete",
		g:    Google{Parent: acmeOrg, SupportEvents: acmeTopic},
		want: acmeTopic + " true;",
		there: func(r *rig) (all string) {
			subs, err := r.Cloud.Subscriptions(r.Context(), acmeOrg)
			r.must(err)
			for _, s := range subs {
				all += fmt.Sprintf("%s %t;", s.Topic, s.Working)
			}
			return all
		},
	},
	{
		stage: StageTestCase, op: "cases.create", back: "cases.close",
		g:    Google{Parent: acmeProject, TestCase: true},
		want: "Test issue P4 CLOSED true;", undo: "Test issue P4 CLOSED true;",
		there: func(r *rig) (all string) {
			for _, c := range r.desk.Cases() {
				all += fmt.Sprintf("%s %s %s %t;", c.DisplayName, c.Priority, c.State, c.TestCase)
			}
			return all
		},
	},
}

func (r *rig) spoil(op, fault string) {
	r.Helper()
	switch {
	case fault == "":
	case fault == "crash":
		r.doomed = true
	case strings.HasPrefix(op, "cases.") || strings.HasPrefix(op, "organizations."):
		r.must(r.desk.ArmFault(op, fault, 1))
	default:
		r.must(r.google.ArmFault(op, fault, 1))
	}
}

// TestStagesOnce shows that every stage leaves behind exactly what is wanted, takes back exactly that, and takes it away when a tenant goes,
// whatever happens to the request that makes it or takes it back.
func TestStagesOnce(t *testing.T) {
	leave := map[string]func(*rig, Stage) error{
		"undo":     func(r *rig, _ Stage) error { return r.takeBack() },
		"offboard": (*rig).offboard,
	}
	for _, c := range scenes {
		for _, fault := range everyFault {
			for how, leaving := range leave {
				t.Run(fmt.Sprintf("%s/%s/%s", c.stage, fault, how), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { c.play(t, fault, leaving) })
				})
			}
		}
	}
}

func (c scene) play(t *testing.T, fault string, leaving func(*rig, Stage) error) {
	r := newRig(t, c.g, simgoogle.Options{})
	before := c.there(r)
	r.spoil(c.op, fault)
	r.must(r.carry(c.stage))
	time.Sleep(time.Hour) // virtual: whatever is late comes now
	if got := c.there(r); got != c.want {
		t.Fatalf("there is\n%s\nwant\n%s\n%s", got, c.want, r.journal(r.s))
	}
	r.google.ClearFaults()
	r.desk.ClearFaults()
	r.spoil(c.back, fault)
	r.must(leaving(r, c.stage))
	time.Sleep(time.Hour)
	if c.undo == "" {
		c.undo = before
	}
	if got := c.there(r); got != c.undo {
		t.Errorf("left is\n%s\nwant\n%s\n%s", got, c.undo, r.journal(r.s))
	}
}

// TestStagesSettled shows that a stage that is done has nothing to do, and asks for nothing that nobody wants.
func TestStagesSettled(t *testing.T) {
	for _, c := range scenes {
		t.Run(string(c.stage), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, c.g, simgoogle.Options{})
				r.must(r.carry(c.stage))
				r.s = r.s.next(r.s.Wanted, Onboarding)
				r.wantPart(r.mustLook(c.stage), 0, 0)
				r.s.Wanted.Google = &Google{Parent: c.g.Parent}
				r.wantPart(r.mustLook(c.stage), 0, 0)
				r.s.Wanted.Google = nil
				for _, m := range []Mode{Onboarding, Offboarding} {
					r.s.Mode = m
					r.wantPart(r.mustLook(c.stage), 0, 0)
				}
			})
		})
	}
}

// TestStagesSayNothingPersonal shows that the ids of steps and the errors of stages hold no address.
func TestStagesSayNothingPersonal(t *testing.T) {
	for _, c := range scenes {
		t.Run(string(c.stage), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, c.g, simgoogle.Options{})
				r.spoil(c.op, "status:400")
				if err := r.carry(c.stage); err != nil && strings.Contains(err.Error(), "acme.example") {
					t.Errorf("the error tells an address: %v", err)
				}
				for _, w := range r.s.Work {
					if strings.Contains(strings.ToLower(w.Step.ID), "ops") || strings.Contains(w.Step.ID, "@") {
						t.Errorf("the id tells an address: %s", w.Step.ID)
					}
				}
			})
		})
	}
}

// behindAPIs is what a look meets where nothing is on.
func behindAPIs(t *testing.T) *rig {
	return newRig(t, Google{
		Parent: acmeProject, APIs: []string{"essentialcontacts.googleapis.com"}, Contacts: []Contact{{Email: "ops@acme.example", Categories: []string{"ALL"}}},
	}, simgoogle.Options{RequireEnabled: true})
}

func TestLookBehindAnAPI(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := behindAPIs(t)
		r.s.Status = Fresh
		r.wantPart(r.mustLook(StageContacts), 1, 0, "contacts/create/"+short("ops@acme.example")) // a plan: as if there were none

		r.s.Status, r.s.Changed = GoogleAPIs, time.Now()
		if _, err := r.look(StageContacts); !fault.Is(err, fault.Transient) {
			t.Errorf("an API that the run has just enabled is not waited for: %v", err)
		}
		time.Sleep(settling)
		if _, err := r.look(StageContacts); !fault.Is(err, fault.Denied) || !strings.Contains(err.Error(), "enable it in "+acmeProject) {
			t.Errorf("an API that stays off does not end the run with what to do: %v", err)
		}

		r.s.Changed, r.s.Work = time.Now(), []work{{Result: Result{Refused: map[string]string{"essentialcontacts.googleapis.com": "no billing"}}}}
		if _, err := r.look(StageContacts); !fault.Is(err, fault.Denied) {
			t.Errorf("an API that was refused is waited for: %v", err)
		}

		r.s.Mode = Offboarding
		r.wantPart(r.mustLook(StageContacts), 1, 0)
	})
}

func TestLookWithoutARole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		us := Member{Member: "serviceAccount:us@acme-prod.iam.gserviceaccount.com", Roles: []string{needContacts.Role}}
		r := newRig(t, Google{Parent: acmeProject, Contacts: []Contact{{Email: "ops@acme.example", Categories: []string{"ALL"}}}},
			simgoogle.Options{Denied: []string{"essentialcontacts.contacts.list", "serviceusage.services.list"}})
		r.s.Status = Fresh
		r.wantPart(r.mustLook(StageContacts), 1, 0, "contacts/create/"+short("ops@acme.example"))

		r.s.Wanted.Google.APIs = []string{"run.googleapis.com"}
		if _, err := r.look(StageAPIs); !fault.Is(err, fault.Denied) || !strings.Contains(err.Error(), needServices.Role) {
			t.Errorf("a plan without the role for its first stage: %v", err)
		}

		r.s.Status, r.s.Changed = GoogleIAM, time.Now()
		if _, err := r.look(StageContacts); !fault.Is(err, fault.Denied) || !strings.Contains(err.Error(), needContacts.Role) {
			t.Errorf("a run without the role: %v", err)
		}
		r.s.Wanted.Google.Members = []Member{us}
		if _, err := r.look(StageContacts); !fault.Is(err, fault.Transient) {
			t.Errorf("a role that the run has just granted is not waited for: %v", err)
		}
		time.Sleep(settling)
		if _, err := r.look(StageContacts); !fault.Is(err, fault.Denied) {
			t.Errorf("a role that does not come is waited for without end: %v", err)
		}
	})
}

func TestAsking(t *testing.T) {
	for kind, unsent := range map[fault.Kind]bool{fault.Transient: true, fault.Bug: true, fault.Denied: false, fault.Invalid: false, fault.Missing: false} {
		if got := fault.IsUnsent(asking(fault.New(kind, "it failed"))); got != unsent {
			t.Errorf("a question that failed as %s: unsent is %t", kind, got)
		}
	}
	if !fault.IsUnsent(asking(context.DeadlineExceeded)) || asking(nil) != nil {
		t.Error("a question that ran out of time, or did not fail, is misjudged")
	}
}

// TestFindStates shows that the effects that bring about a state find it when it is there, entirely, and only then.
func TestFindStates(t *testing.T) {
	pair1, pair2 := pair{editor, opsGroup}, pair{"roles/viewer", opsGroup}
	both := policyArgs{acmeProject, []pair{pair1, pair2}}
	for name, c := range map[string]struct {
		half, all func(r *rig) error // towards the state
		find      func(r *rig) ([]ledger.Act[Result], error)
	}{
		"services are on": {
			half: func(r *rig) error { return r.enable("pubsub.googleapis.com") },
			all:  func(r *rig) error { return r.enable("run.googleapis.com") },
			find: func(r *rig) ([]ledger.Act[Result], error) {
				return enableEffect{r.Function}.Find(r.Context(), enableArgs{acmeProject, []string{"pubsub.googleapis.com", "run.googleapis.com"}}, ledger.Token{}, true)
			},
		},
		"roles are revoked": {
			half: func(r *rig) error {
				_, err := r.Cloud.GrantRoles(r.Context(), acmeProject, policyArgs{Pairs: []pair{pair2}}.bindings())
				return err
			},
			all: func(r *rig) error {
				_, err := revokeEffect{r.Function}.Call(r.Context(), both, ledger.Token{})
				return err
			},
			find: func(r *rig) ([]ledger.Act[Result], error) {
				return revokeEffect{r.Function}.Find(r.Context(), both, ledger.Token{}, true)
			},
		},
		"a subscription is deleted": {
			half: func(r *rig) error { _, _, err := r.Cloud.Subscribe(r.Context(), acmeOrg, acmeTopic); return err },
			all: func(r *rig) error {
				_, err := r.Cloud.Unsubscribe(r.Context(), r.subscriptions()[0])
				return err
			},
			find: func(r *rig) ([]ledger.Act[Result], error) {
				name := "organizations/0/supportEventSubscriptions/none"
				if all := r.subscriptions(); len(all) > 0 {
					name = all[0]
				}
				return unsubscribeEffect{r.Function}.Find(r.Context(), unsubscribeArgs{acmeOrg, name}, ledger.Token{}, true)
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, Google{Parent: acmeProject}, simgoogle.Options{})
				r.must(c.half(r))
				if found, err := c.find(r); err != nil || len(found) > 0 {
					t.Errorf("not there yet, and found: %+v, %v", found, err)
				}
				r.must(c.all(r))
				if found, err := c.find(r); err != nil || len(found) != 1 || found[0].ID == "" {
					t.Errorf("there, and not found: %+v, %v", found, err)
				}
			})
		})
	}
}

func (r *rig) enable(service string) error {
	_, err := r.Cloud.EnableServices(r.Context(), acmeProject, []string{service})
	return err
}

// TestOnboardWhereNothingIsOn shows that a tenant whose project has none of the APIs can be planned, and gets what the plan says.
func TestOnboardWhereNothingIsOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{google: simgoogle.Options{RequireEnabled: true}})
		p, err := w.Plan(w.Context(), acme(), Onboarding)
		w.must(err)
		contact := "contacts/create/" + short(acme().Google.Contacts[0].Email)
		for _, id := range []string{"apis/enable/1", "iam/grant", contact, "case/open", "case/close"} {
			if !slices.Contains(ids(part{Steps: p.Steps}), id) {
				t.Errorf("the plan lacks %s: %q", id, ids(part{Steps: p.Steps}))
			}
		}
		if s := w.onboard(acme()); s.Status != Invited || !s.Tested {
			t.Errorf("%s: %s%s", s.Status, s.Waiting, w.journal(s))
		}
		if n := len(w.google.Contacts(acmeProject)); n != 1 {
			t.Errorf("%d contacts", n)
		}
	})
}

// TestOnboardUndone shows that a refusal of the last stage takes back what the run made at Google, and nothing else.
func TestOnboardUndone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{})
		w.must(w.desk.ArmFault("cases.create", "status:403", 1))
		tenant := acme()
		tenant.OnFailure = Undo
		s := w.onboard(tenant)
		if s.Status != Undone || s.Failed != StageTestCase || len(w.google.Contacts(acmeProject)) > 0 || len(w.google.Policy(acmeProject)) > 0 {
			t.Errorf("%s at %s: %s%s", s.Status, s.Failed, s.Waiting, w.journal(s))
		}
		if on := w.google.EnabledServices("acme-prod"); !slices.Contains(on, "essentialcontacts.googleapis.com") {
			t.Errorf("an undo disables APIs: %v", on)
		}
	})
}
