package tenantonboard

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerdesk/providerdesk/functions/tenantonboard/cloud"
	"github.com/providerdesk/providerdesk/shared/ledger"
	simgoogle "github.com/providerdesk/providerdesk/shared/sim/google"
)

const opsMail = "ops@acme.example"

func TestDecideContacts(t *testing.T) {
	create, change, remove := "contacts/create/"+short(opsMail), "contacts/change/"+short(opsMail), "contacts/remove/"+short(opsMail)
	there := func(language string, valid bool, categories ...string) []cloud.Contact {
		return []cloud.Contact{{Email: "Ops@ACME.example", Language: language, Valid: valid, Categories: categories}}
	}
	for name, c := range map[string]struct {
		wanted []Contact
		have   []cloud.Contact
		drift  int
		steps  []string
		leave  []string
	}{
		"nothing wanted":      {have: there("en", true, "ALL")},
		"missing":             {wanted: []Contact{{Email: opsMail, Categories: []string{"ALL"}}}, steps: []string{create}},
		"somebody else":       {wanted: []Contact{{Email: opsMail, Categories: []string{"ALL"}}}, have: []cloud.Contact{{Email: "x@acme.example"}}, steps: []string{create}},
		"as wanted":           {wanted: []Contact{{Email: opsMail, Categories: []string{"ALL"}}}, have: there("en", true, "ALL"), leave: []string{remove}},
		"in another order":    {wanted: []Contact{{Email: opsMail, Categories: []string{"LEGAL", "BILLING"}}}, have: there("en", true, "BILLING", "LEGAL"), leave: []string{remove}},
		"named twice":         {wanted: []Contact{{Email: opsMail, Categories: []string{"LEGAL", "LEGAL"}}}, have: there("en", true, "LEGAL"), leave: []string{remove}},
		"another category":    {wanted: []Contact{{Email: opsMail, Categories: []string{"LEGAL"}}}, have: there("en", true, "BILLING"), steps: []string{change}, leave: []string{remove}},
		"one category more":   {wanted: []Contact{{Email: opsMail, Categories: []string{"LEGAL"}}}, have: there("en", true, "BILLING", "LEGAL"), steps: []string{change}, leave: []string{remove}},
		"another language":    {wanted: []Contact{{Email: opsMail, Categories: []string{"ALL"}, Language: "fr"}}, have: there("en", true, "ALL"), steps: []string{change}, leave: []string{remove}},
		"not valid any more":  {wanted: []Contact{{Email: opsMail, Categories: []string{"ALL"}}}, have: there("en", false, "ALL"), drift: 1, leave: []string{remove}},
		"invalid and changed": {wanted: []Contact{{Email: opsMail, Categories: []string{"ALL"}}}, have: there("de", false, "ALL"), drift: 1, steps: []string{change}, leave: []string{remove}},
	} {
		t.Run(name, func(t *testing.T) {
			wantPart(t, decideContacts(acmeProject, c.wanted, c.have), c.drift, 0, c.steps...)
			p := leaveContacts(acmeProject, c.wanted, c.have)
			wantPart(t, p, 0, 0, c.leave...)
			for _, s := range p.Steps {
				if !s.Takes {
					t.Error("a removal does not say that it takes something away")
				}
			}
		})
	}
}

// contacts returns what the simulator has of the project.
func (r *rig) contacts() (all []contact) {
	for _, c := range r.google.Contacts(acmeProject) {
		all = append(all, contact{c.Email, sortedOnce(c.Categories), c.Language})
	}
	return all
}

func sameContacts(t *testing.T, when string, got []contact, want ...contact) {
	t.Helper()
	if !slices.EqualFunc(got, want, func(a, b contact) bool { return a.Email == b.Email && a.is(b) }) {
		t.Errorf("%s: contacts %v, want %v", when, got, want)
	}
}

// seed makes a contact that was there before.
func (r *rig) seed(c contact) {
	r.Helper()
	_, _, err := r.Cloud.AddContact(r.Context(), acmeProject, c.cloud())
	r.must(err)
}

// TestChangeContact shows that a contact that is there is changed once whatever happens, keeps its address, and is set back by an undo.
func TestChangeContact(t *testing.T) {
	before := contact{"Ops@acme.example", []string{"BILLING"}, "de"}
	for _, fault := range everyFault {
		t.Run(fault, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, Google{Parent: acmeProject, Contacts: []Contact{{Email: opsMail, Categories: []string{"LEGAL", "ALL"}, Language: "fr"}}}, simgoogle.Options{})
				r.seed(before)
				r.spoil("essentialcontacts.projects.contacts.patch", fault)
				r.must(r.carry(StageContacts))
				time.Sleep(time.Hour) // virtual: whatever is late comes now
				if len(r.s.Work) != 1 {
					t.Errorf("%d steps, want 1:%s", len(r.s.Work), r.journal(r.s))
				}
				sameContacts(t, "changed", r.contacts(), contact{"Ops@acme.example", []string{"ALL", "LEGAL"}, "fr"})
				r.must(r.takeBack())
				sameContacts(t, "set back", r.contacts(), before)
			})
		})
	}
}

// TestContactOfSomebodyElse shows that a contact that appears between the look and the call is adopted, and not taken away by an undo.
func TestContactOfSomebodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Google{Parent: acmeProject, Contacts: []Contact{{Email: opsMail, Categories: []string{"ALL"}}}}, simgoogle.Options{})
		p := r.mustLook(StageContacts)
		r.seed(contact{opsMail, []string{"ALL"}, "en"})
		_, err := r.begin(r.Context(), r.s, p.Steps, ledger.Source{})
		r.must(err)
		r.reread()
		r.must(r.carry(StageContacts))
		if w := r.s.Work[0]; w.State != ledger.Succeeded || w.Result.Name == "" || len(w.Result.Made) > 0 {
			t.Errorf("%+v", w)
		}
		r.must(r.takeBack())
		sameContacts(t, "undone", r.contacts(), contact{opsMail, []string{"ALL"}, "en"})
	})
}

// TestContactClaims shows that a contact that a search meets is the call's, and one that a further call meets somebody else's: it is made only
// when the calls before have certainly done nothing.
func TestContactClaims(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Google{Parent: acmeProject}, simgoogle.Options{})
		e, p := contactEffect{r.Function}, contactArgs{acmeProject, contact{opsMail, []string{"ALL"}, "en"}}
		for attempt, made := range [][]string{{opsMail}, nil} {
			act, err := e.Call(r.Context(), p, ledger.Token{Attempt: attempt + 1})
			if r.must(err); !slices.Equal(act.Result.Made, made) {
				t.Errorf("call %d made %v", attempt+1, act.Result.Made)
			}
		}
		if found, err := e.Find(r.Context(), p, ledger.Token{}, true); err != nil || len(found) != 1 || !slices.Equal(found[0].Result.Made, []string{opsMail}) {
			t.Errorf("found %+v, %v", found, err)
		}
	})
}

// TestContactDomain shows that an address that the organization's policy forbids fails the step, without telling it.
func TestContactDomain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Google{Parent: acmeProject, Contacts: []Contact{{Email: opsMail, Categories: []string{"ALL"}}}}, simgoogle.Options{ContactDomains: []string{"other.example"}})
		if err := r.carry(StageContacts); err == nil || r.s.Work[0].State != ledger.Failed {
			t.Errorf("%v%s", err, r.journal(r.s))
		}
	})
}

// TestManyContacts shows that a stage goes on beyond what one turn begins.
func TestManyContacts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := Google{Parent: acmeProject}
		for i := range 3*maxBegun + 1 {
			g.Contacts = append(g.Contacts, Contact{Email: "c" + string(rune('a'+i)) + "@acme.example", Categories: []string{"ALL"}})
		}
		r := newRig(t, g, simgoogle.Options{})
		r.must(r.carry(StageContacts))
		if n := len(r.contacts()); n != len(g.Contacts) {
			t.Errorf("%d contacts, want %d", n, len(g.Contacts))
		}
		r.must(r.takeBack())
		sameContacts(t, "undone", r.contacts())
	})
}
