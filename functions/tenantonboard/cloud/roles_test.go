package cloud

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/sim/google"
)

const (
	opRead  = "cloudresourcemanager.projects.getIamPolicy"
	opWrite = "cloudresourcemanager.projects.setIamPolicy"
)

var until = Condition{Title: "until", Expression: `request.time < timestamp("2030-01-01T00:00:00Z")`}

// before is a policy with a condition, a deleted member and an address in capitals.
func before() google.Options {
	return google.Options{Policies: map[string][]google.Binding{number: {
		{Role: "roles/viewer", Members: []string{"user:Alice@Example.com", "deleted:user:bob@example.com?uid=123"}},
		{Role: "roles/viewer", Members: []string{"group:ops@example.com"}, Condition: &google.Condition{Title: until.Title, Expression: until.Expression}},
	}}}
}

// text is a policy as one line, in order.
func text(bindings []Binding) string {
	var all []string
	for _, b := range bindings {
		condition := ""
		if b.Condition != nil {
			condition = "?" + b.Condition.Title
		}
		for _, m := range b.Members {
			all = append(all, strings.TrimPrefix(b.Role, "roles/")+condition+"="+m)
		}
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

func (w world) policy() string {
	w.Helper()
	p, err := w.Bindings(w.Context(), project)
	w.check(err)
	return text(p)
}

const was = "viewer=deleted:user:bob@example.com?uid=123 viewer=user:alice@example.com viewer?until=group:ops@example.com"

func TestGrantAndRevoke(t *testing.T) {
	in(t, before(), func(w world) {
		want := []Binding{
			{Role: "roles/viewer", Members: []string{"user:ALICE@example.com", "user:Bob@example.com"}},
			{Role: "roles/viewer", Members: []string{"user:carol@example.com"}, Condition: &until},
			{Role: "roles/cloudsupport.techSupportEditor", Members: []string{"user:Dan@Example.com", "user:dan@example.com"}},
		}
		added, err := w.GrantRoles(w.Context(), project, want)
		w.check(err)
		if got := text(added); got != "cloudsupport.techSupportEditor=user:Dan@Example.com viewer=user:Bob@example.com viewer?until=user:carol@example.com" {
			t.Errorf("added %s", got)
		}
		if got := w.policy(); got != "cloudsupport.techSupportEditor=user:dan@example.com viewer=deleted:user:bob@example.com?uid=123 viewer=user:alice@example.com "+
			"viewer=user:bob@example.com viewer?until=group:ops@example.com viewer?until=user:carol@example.com" {
			t.Errorf("policy %s", got)
		}
		again, err := w.GrantRoles(w.Context(), project, want)
		w.check(err)
		if len(again) != 0 || w.calls(opWrite) != 1 {
			t.Errorf("a repeat added %v with %d writes", again, w.calls(opWrite))
		}
		removed, err := w.RevokeRoles(w.Context(), project, added)
		w.check(err)
		if got := w.policy(); got != was || len(removed) != 3 || w.calls(opWrite) != 2 {
			t.Errorf("removed %s, left %s", text(removed), got)
		}
		removed, err = w.RevokeRoles(w.Context(), project, added)
		w.check(err)
		if len(removed) != 0 || w.calls(opWrite) != 2 {
			t.Errorf("a repeat removed %v", removed)
		}
	})
}

// Eight writers at once on one conditional policy: every binding is there, the condition too, and each knows what it added.
func TestConcurrentWriters(t *testing.T) {
	t.Run("in virtual time", func(t *testing.T) {
		in(t, before(), func(w world) {
			w.check(w.google.ArmFault(opWrite, "delay:50ms", 64)) // everybody reads before anybody has written
			concurrent(w)
		})
	})
	t.Run("on a network", func(t *testing.T) {
		w := onNetwork(t, before())
		w.jitter = func() float64 { return 0.05 } // as short as it gets: real time passes
		concurrent(w)
	})
}

func concurrent(w world) {
	const writers = 8
	results := make([]string, writers)
	errs := make([]error, writers)
	var all sync.WaitGroup
	for i := range writers {
		all.Go(func() {
			b := Binding{Role: "roles/editor", Members: []string{fmt.Sprintf("user:w%d@example.com", i)}}
			if i%2 == 1 {
				b.Condition = &until
			}
			added, err := w.GrantRoles(w.Context(), project, []Binding{b})
			results[i], errs[i] = text(added), err
		})
	}
	all.Wait()
	want := strings.Fields(was)
	for i := range writers {
		w.check(errs[i])
		want = append(want, results[i])
		if !strings.HasSuffix(results[i], fmt.Sprintf("=user:w%d@example.com", i)) {
			w.Errorf("writer %d added %q", i, results[i])
		}
	}
	slices.Sort(want)
	if got := w.policy(); got != strings.Join(want, " ") {
		w.Errorf("policy  %s\nwant %s", got, strings.Join(want, " "))
	}
	collisions := 0
	log, _ := w.google.Calls()
	for _, c := range log {
		if c.Op == opWrite && c.Status == 409 {
			collisions++
		}
	}
	w.Logf("%d writers: %d reads, %d writes, %d of them stale", writers, w.calls(opRead), w.calls(opWrite), collisions)
}

// A write whose fate is open is not sent again: the policy is read and merged anew, and what was added counts as ours.
func TestGrantUnderFaults(t *testing.T) {
	grant := []Binding{{Role: "roles/editor", Members: []string{"user:e@example.com"}}}
	for _, tt := range []struct {
		op, fault string
		writes    int
		kind      fault.Kind
	}{
		{opWrite, "commit_then_drop", 1, ""}, {opWrite, "commit_then_status:500", 1, ""}, {opWrite, "garbage", 1, ""},
		{opWrite, "drop", 2, ""}, {opWrite, "status:503", 2, ""}, {opWrite, "status:409", 2, ""},
		{opWrite, "status:429", 1, fault.Throttled}, {opWrite, "status:403", 1, fault.Denied}, {opRead, "status:500", 0, fault.Transient},
	} {
		in(t, before(), func(w world) {
			w.arm(tt.op, tt.fault)
			added, err := w.GrantRoles(w.Context(), project, grant)
			if fault.Of(err) != tt.kind || w.calls(opWrite) != tt.writes || (err == nil) != (text(added) == "editor=user:e@example.com") {
				t.Errorf("%s: %v, %d writes, added %v", tt.fault, err, w.calls(opWrite), added)
			}
			_, err = w.GrantRoles(w.Context(), project, grant)
			w.check(err)
			if got := w.policy(); got != "editor=user:e@example.com "+was {
				t.Errorf("%s: %s", tt.fault, got)
			}
		})
	}
}

func TestGrantGivesUp(t *testing.T) {
	in(t, before(), func(w world) {
		w.check(w.google.ArmFault(opWrite, "status:409", 100))
		added, err := w.GrantRoles(w.Context(), project, []Binding{{Role: "roles/editor", Members: []string{"user:e@example.com"}}})
		w.fails(err, fault.Conflict)
		if w.calls(opWrite) != maxWrites || len(added) != 0 {
			t.Errorf("%d writes, added %v", w.calls(opWrite), added)
		}
	})
}

// A failed precondition is a conflict too, but none that reading again can heal.
func TestGrantRefused(t *testing.T) {
	in(t, google.Options{Strangers: []string{"nobody@example.com"}}, func(w world) {
		_, err := w.GrantRoles(w.Context(), project, []Binding{{Role: "roles/owner", Members: []string{"user:a@example.com"}}})
		w.fails(err, fault.Conflict)
		_, err = w.GrantRoles(w.Context(), project, []Binding{{Role: "roles/viewer", Members: []string{"user:nobody@example.com"}}})
		w.fails(err, fault.Invalid)
		if strings.Contains(err.Error(), "nobody@") || w.calls(opWrite) != 2 {
			t.Errorf("%v after %d writes", err, w.calls(opWrite))
		}
	})
}

func TestGrantOnAnOrganizationAndAFolder(t *testing.T) {
	in(t, google.Options{Folders: []string{"77"}}, func(w world) {
		for _, resource := range []string{org, "folders/77"} {
			role := []Binding{{Role: "roles/essentialcontacts.admin", Members: []string{"group:ops@example.com"}}}
			_, err := w.GrantRoles(w.Context(), resource, role)
			w.check(err)
			there, err := w.Bindings(w.Context(), resource)
			w.check(err)
			if text(there) != "essentialcontacts.admin=group:ops@example.com" {
				t.Errorf("%s: %s", resource, text(there))
			}
			_, err = w.RevokeRoles(w.Context(), resource, role)
			w.check(err)
			if left := w.google.Policy(resource); len(left) != 0 {
				t.Errorf("left %v", left)
			}
		}
	})
}
