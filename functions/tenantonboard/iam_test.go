package tenantonboard

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"

	"google.golang.org/api/googleapi"

	"github.com/providerdesk/providerdesk/functions/tenantonboard/cloud"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/gapi"
	"github.com/providerdesk/providerdesk/shared/ledger"
	simgoogle "github.com/providerdesk/providerdesk/shared/sim/google"
)

const editor = "roles/cloudsupport.techSupportEditor"

func TestPairs(t *testing.T) {
	got := pairs([]Member{
		{Member: "user:a@x.example", Roles: []string{editor, "roles/viewer", editor}},
		{Member: "user:A@x.example", Roles: []string{editor, "roles/editor"}},
	})
	want := []pair{{editor, "user:a@x.example"}, {"roles/viewer", "user:a@x.example"}, {"roles/editor", "user:A@x.example"}}
	if !slices.Equal(got, want) {
		t.Errorf("pairs %v, want %v", got, want)
	}
}

func TestDecideIAM(t *testing.T) {
	when := &cloud.Condition{Title: "now", Expression: "true"}
	one := []pair{{editor, "user:a@x.example"}}
	for name, c := range map[string]struct {
		parent        string
		wanted        []pair
		have          []cloud.Binding
		drift, blocks int
		grant, revoke bool
	}{
		"nothing there":             {wanted: one, grant: true},
		"there":                     {wanted: one, have: []cloud.Binding{{Role: editor, Members: []string{"user:a@x.example"}}}, revoke: true},
		"there in another case":     {wanted: one, have: []cloud.Binding{{Role: editor, Members: []string{"user:A@X.example"}}}, revoke: true},
		"there, in two bindings":    {wanted: one, have: []cloud.Binding{{Role: editor}, {Role: editor, Members: []string{"user:a@x.example"}}}, revoke: true},
		"only on a condition":       {wanted: one, have: []cloud.Binding{{Role: editor, Members: []string{"user:a@x.example"}, Condition: when}}, grant: true},
		"only somebody else's":      {wanted: one, have: []cloud.Binding{{Role: editor, Members: []string{"user:b@x.example"}}}, grant: true},
		"only one that was deleted": {wanted: one, have: []cloud.Binding{{Role: editor, Members: []string{"deleted:user:a@x.example?uid=1"}}}, grant: true},
		"further roles": {wanted: one, grant: true, drift: 1,
			have: []cloud.Binding{{Role: "roles/owner", Members: []string{"user:a@x.example"}}, {Role: "roles/viewer", Members: []string{"user:a@x.example"}}}},
		"a role of organizations, on a project": {wanted: []pair{{ofOrganizations[1], "user:a@x.example"}}, blocks: 1},
		"a role of organizations":               {parent: acmeOrg, wanted: []pair{{ofOrganizations[1], "user:a@x.example"}}, grant: true},
	} {
		if c.parent == "" {
			c.parent = acmeProject
		}
		var steps []string
		if c.grant {
			steps = []string{"iam/grant"}
		}
		t.Run(name, func(t *testing.T) { wantPart(t, decideIAM(c.parent, c.wanted, c.have), c.drift, c.blocks, steps...) })
		steps = nil
		if c.revoke {
			steps = []string{"iam/revoke"}
		}
		t.Run(name+", offboarding", func(t *testing.T) {
			p := leaveIAM(c.parent, c.wanted, c.have)
			wantPart(t, p, 0, 0, steps...)
			for _, s := range p.Steps {
				if !s.Takes {
					t.Error("a revocation does not say that it takes something away")
				}
			}
		})
	}
}

func TestDecideManyPairs(t *testing.T) {
	var wanted []pair
	for i := range maxPairs + 1 {
		wanted = append(wanted, pair{editor, fmt.Sprintf("user:u%d@x.example", i)})
	}
	wantPart(t, decideIAM(acmeProject, wanted, nil), 0, 0, "iam/grant", "iam/grant/2")
}

func TestPolicyFault(t *testing.T) {
	stale := gapi.Fault(&googleapi.Error{Code: http.StatusConflict}, "grant roles")
	refused := gapi.Fault(&googleapi.Error{Code: http.StatusForbidden}, "grant roles")
	cut := gapi.Fault(errors.New("cut off"), "grant roles")
	open := []cloud.Binding{{Role: editor}}
	for name, c := range map[string]struct {
		err    error
		open   []cloud.Binding
		kind   fault.Kind
		unsent bool
	}{
		"others were faster":             {stale, nil, fault.Transient, true},
		"refused":                        {refused, nil, fault.Denied, false},
		"cut off while reading":          {cut, nil, fault.Transient, true},
		"cut off after a write":          {cut, open, fault.Transient, false},
		"refused after a write":          {refused, open, fault.Transient, false},
		"others faster, after our write": {stale, open, fault.Transient, false},
	} {
		if err := policyFault(c.err, c.open); fault.Of(err) != c.kind || fault.IsUnsent(err) != c.unsent {
			t.Errorf("%s: %s, unsent %t; want %s, %t", name, fault.Of(err), fault.IsUnsent(err), c.kind, c.unsent)
		}
	}
}

// TestGrantLeavesOthers shows that a grant and its undo leave alone what was there, conditions and the very same pair included.
func TestGrantLeavesOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := []simgoogle.Binding{
			{Role: editor, Members: []string{"user:old@acme.example"}},
			{Role: "roles/owner", Members: []string{"user:boss@acme.example"}},
			{Role: "roles/viewer", Members: []string{opsGroup}, Condition: &simgoogle.Condition{Title: "day", Expression: "true"}},
		}
		number := "projects/415104041262"
		g := Google{Parent: acmeProject, Members: []Member{
			{Member: opsGroup, Roles: []string{editor, "roles/viewer"}}, {Member: "user:Old@acme.example", Roles: []string{editor}},
		}}
		r := newRig(t, g, simgoogle.Options{Policies: map[string][]simgoogle.Binding{number: before}})
		r.must(r.carry(StageIAM))
		if made := r.s.Work[0].Result.Made; !slices.Equal(made, []string{editor + " " + opsGroup, "roles/viewer " + opsGroup}) {
			t.Errorf("made %v", made)
		}
		r.must(r.takeBack())
		if got := fmt.Sprint(plain(r.google.Policy(acmeProject))); got != fmt.Sprint(plain(before)) {
			t.Errorf("the policy is\n%s\nand was\n%s", got, plain(before))
		}
	})
}

// TestGrantClaims shows which pairs a grant takes for its own: by a first call those that it added, by a further one, and by a search, all that
// were missing when it was decided.
func TestGrantClaims(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Google{Parent: acmeProject}, simgoogle.Options{})
		e, p := grantEffect{r.Function}, policyArgs{acmeProject, []pair{{editor, opsGroup}, {"roles/viewer", opsGroup}}}
		if found, err := e.Find(r.Context(), p, ledger.Token{}, true); err != nil || len(found) > 0 {
			t.Errorf("found %v, %v", found, err)
		}
		_, err := r.Cloud.GrantRoles(r.Context(), acmeProject, policyArgs{Pairs: p.Pairs[1:]}.bindings()) // somebody else, after the look
		r.must(err)
		if found, err := e.Find(r.Context(), p, ledger.Token{}, true); err != nil || len(found) > 0 {
			t.Errorf("half of it is found as all: %v, %v", found, err)
		}
		first, err := e.Call(r.Context(), p, ledger.Token{Attempt: 1})
		r.must(err)
		second, err := e.Call(r.Context(), p, ledger.Token{Attempt: 2})
		r.must(err)
		found, err := e.Find(r.Context(), p, ledger.Token{}, true)
		r.must(err)
		for name, c := range map[string]struct{ got, want []string }{
			"first": {first.Result.Made, []string{editor + " " + opsGroup}}, "second": {second.Result.Made, p.texts()}, "found": {found[0].Result.Made, p.texts()},
		} {
			if !slices.Equal(c.got, c.want) {
				t.Errorf("%s: made %v, want %v", name, c.got, c.want)
			}
		}
	})
}

// plain shows bindings with their conditions' titles.
func plain(all []simgoogle.Binding) (texts []string) {
	for _, b := range all {
		title := ""
		if b.Condition != nil {
			title = b.Condition.Title
		}
		texts = append(texts, fmt.Sprint(b.Role, b.Members, title))
	}
	return texts
}

// TestGrantRefused shows that a member whom IAM does not know fails the step.
func TestGrantRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Google{Parent: acmeProject, Members: []Member{{Member: "user:nobody@acme.example", Roles: []string{editor}}}},
			simgoogle.Options{Strangers: []string{"nobody@acme.example"}})
		if err := r.carry(StageIAM); err == nil || r.s.Work[0].State != ledger.Failed {
			t.Errorf("%v%s", err, r.journal(r.s))
		}
	})
}

// TestGrantOnAnOrganization shows that organizations have policies, too.
func TestGrantOnAnOrganization(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Google{Parent: acmeOrg, Members: []Member{{Member: opsGroup, Roles: ofOrganizations}}}, simgoogle.Options{})
		r.must(r.carry(StageIAM))
		if got := fmt.Sprint(plain(r.google.Policy(acmeOrg))); got != "[roles/cloudsupport.admin[group:ops@acme.example] roles/resourcemanager.organizationViewer[group:ops@acme.example]]" {
			t.Error(got)
		}
	})
}
