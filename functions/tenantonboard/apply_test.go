package tenantonboard

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
)

// TestEach: results in order, a few at a time, one panic spoils nothing else.
func TestEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tenants []Tenant
		for n := range 3 * atATime {
			tenants = append(tenants, Tenant{Key: fmt.Sprintf("t%02d", n)})
		}
		begun := time.Now()
		keys, err := each(tenants, func(t Tenant) (string, error) {
			<-time.After(time.Minute) // virtual
			return t.Key, nil
		})
		if err != nil || len(keys) != len(tenants) || !slices.IsSorted(keys) || time.Since(begun) != 3*time.Minute {
			t.Errorf("%v after %s: %v", keys, time.Since(begun), err)
		}
	})
	three := []Tenant{{Key: "aa"}, {Key: "bb"}, {Key: "cc"}}
	keys, err := each(three, func(t Tenant) (string, error) {
		if t.Key == "bb" {
			_ = strings.Repeat(t.Key, -1) // panics
		}
		return t.Key, nil
	})
	if !fault.Is(err, fault.Bug) || !strings.Contains(err.Error(), "tenant bb panicked") || keys[2] != "cc" {
		t.Errorf("%q, %v", keys, err)
	}
	heals := fault.Wrap(fault.Transient, errors.New("down"), "look")
	_, err = each(three, func(t Tenant) (string, error) {
		return "", map[string]error{"aa": fault.New(fault.Denied, "no"), "bb": heals}[t.Key]
	})
	if err != heals {
		t.Errorf("of an error that heals and one that does not: %v", err)
	}
}

// TestPersons: how far everybody is, by what the run has come to.
func TestPersons(t *testing.T) {
	users := []User{{Email: "Anna@example.com"}, {Email: "bob@example.com"}, {Email: "eve@example.com"}}
	adding := work{Step: Step{Stage: StageUsers}, State: ledger.Succeeded, Result: Result{Refused: map[string]string{"eve@example.com": "unknown"}}}
	waits := []invitee{{Email: "BOB@example.com"}}
	for name, tt := range map[string]struct {
		s    onboarding
		want []standing
	}{
		"just begun":                {onboarding{Mode: Onboarding, Status: Fresh}, []standing{open, open, open}},
		"waiting for a token":       {onboarding{Mode: Onboarding, Status: AwaitingToken}, []standing{open, open, open}},
		"users are over":            {onboarding{Mode: Onboarding, Status: UsersAdded, Following: waits}, []standing{joined, invited, joined}},
		"a later stage failed":      {onboarding{Mode: Onboarding, Status: Failed, Failed: StageIAM, Following: waits}, []standing{joined, invited, joined}},
		"an earlier stage failed":   {onboarding{Mode: Onboarding, Status: Failed, Failed: StageOrganization}, []standing{open, open, open}},
		"somebody was refused":      {onboarding{Mode: Onboarding, Status: Failed, Failed: StageUsers, Work: []work{adding}, Following: waits}, []standing{joined, invited, refused}},
		"the users' stage failed":   {onboarding{Mode: Onboarding, Status: Failed, Failed: StageUsers, Work: []work{adding, {State: ledger.Failed}}}, []standing{open, open, refused}},
		"everybody has been let go": {onboarding{Mode: Offboarding, Status: Offboarded}, []standing{open, open, open}},
	} {
		tt.s.Wanted.Users = users
		var got []standing
		for _, p := range tt.s.persons() {
			got = append(got, p.Standing)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, not %v", name, got, tt.want)
		}
	}
}
