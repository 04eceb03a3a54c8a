package tenants

import (
	"fmt"
	"strings"
	"testing"

	"github.com/providerdesk/providerdesk/functions/tenantonboard"
	"github.com/providerdesk/providerdesk/shared/ledger"
)

func work(stage tenantonboard.Stage, state ledger.State) Work {
	return Work{Step: tenantonboard.Step{Stage: stage}, State: state}
}

func standing(status tenantonboard.Status) Standing { return Standing{Tenant: "acme", Status: status} }

func TestStages(t *testing.T) {
	wanted := tenantonboard.Tenant{Users: make([]tenantonboard.User, 1), Google: &tenantonboard.Google{TestCase: true}}
	bare := tenantonboard.Tenant{}
	for name, tc := range map[string]struct {
		d    Detail
		want string
	}{
		"just accepted": {Detail{Standing: standing(tenantonboard.Fresh), Mode: tenantonboard.Onboarding, Wanted: wanted},
			"organization running, users ahead, test case ahead"},
		"people are being added": {Detail{Standing: standing(tenantonboard.TenantCreated), Mode: tenantonboard.Onboarding, Wanted: wanted,
			Work: []Work{work("organization", ledger.Succeeded), work("users", ledger.Unknown)}}, "organization done, users running, test case ahead"},
		"a token is missing": {Detail{Standing: standing(tenantonboard.AwaitingToken), Mode: tenantonboard.Onboarding, Wanted: wanted},
			"organization done, users waits, test case ahead"},
		"ready": {Detail{Standing: standing(tenantonboard.Ready), Mode: tenantonboard.Onboarding, Wanted: wanted}, "organization done, users done, test case done"},
		"invited": {Detail{Standing: standing(tenantonboard.Invited), Mode: tenantonboard.Onboarding, Wanted: wanted},
			"organization done, users done, test case done"},
		"failed at people": {Detail{Standing: standing(tenantonboard.Failed), Mode: tenantonboard.Onboarding, Wanted: wanted, Failed: "users"},
			"organization done, users failed, test case ahead"},
		"failed at a look": {Detail{Standing: standing(tenantonboard.Failed), Mode: tenantonboard.Onboarding, Wanted: wanted, Failed: "test case"},
			"organization done, users done, test case failed"},
		"a parked step": {Detail{Standing: standing(tenantonboard.TenantCreated), Mode: tenantonboard.Onboarding, Wanted: wanted,
			Work: []Work{work("users", ledger.Parked)}}, "organization done, users failed, test case ahead"},
		"nothing but an organization": {Detail{Standing: standing(tenantonboard.Ready), Mode: tenantonboard.Onboarding, Wanted: bare}, "organization done"},
		"a stage that only the plan has": {Detail{Standing: standing(tenantonboard.Fresh), Mode: tenantonboard.Onboarding, Wanted: bare,
			Plan: tenantonboard.Plan{Steps: []tenantonboard.Step{{Stage: "users"}}}}, "organization running, users ahead"},
		"taken out, backwards": {Detail{Standing: standing(tenantonboard.Fresh), Mode: tenantonboard.Offboarding, Wanted: wanted,
			Work: []Work{work("test case", ledger.Succeeded), work("users", ledger.Calling)}}, "test case done, users running, organization ahead"},
		"taken out": {Detail{Standing: standing(tenantonboard.Offboarded), Mode: tenantonboard.Offboarding, Wanted: bare,
			Work: []Work{work("users", ledger.Succeeded)}}, "users done, organization done"},
	} {
		var got []string
		for _, s := range tc.d.Stages() {
			got = append(got, fmt.Sprintf("%s %s", s.Name, s.State))
		}
		if strings.Join(got, ", ") != tc.want {
			t.Errorf("%s: got %s; want %s", name, strings.Join(got, ", "), tc.want)
		}
	}
}

func TestEveryStatusIsKnown(t *testing.T) {
	for _, s := range statuses {
		d := Detail{Standing: standing(s)}
		n := 0
		for _, is := range []bool{d.HasFailed(), d.Waits(), d.moves(), s == tenantonboard.Ready || s == tenantonboard.Invited || s == tenantonboard.Offboarded} {
			if is {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%s is %d things at a time", s, n)
		}
		if got, err := ParseStatus(strings.ToLower(string(s))); err != nil || got != s {
			t.Errorf("%s is read as %s, %v", s, got, err)
		}
	}
	if _, err := ParseStatus("lost"); err == nil {
		t.Error("a status that is none is read")
	}
}
