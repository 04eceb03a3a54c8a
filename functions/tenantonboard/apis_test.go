package tenantonboard

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/providerdesk/providerdesk/functions/tenantonboard/cloud"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
	simgoogle "github.com/providerdesk/providerdesk/shared/sim/google"
)

func someServices(n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprintf("s%02d.googleapis.com", i))
	}
	return names
}

func TestDecideAPIs(t *testing.T) {
	on := func(names ...string) map[string]bool {
		m := map[string]bool{}
		for _, n := range names {
			m[n] = true
		}
		return m
	}
	for name, c := range map[string]struct {
		wanted  []string
		on      map[string]bool
		refused map[string]string
		chunks  []int
	}{
		"nothing wanted":           {},
		"all are on":               {wanted: someServices(3), on: on(someServices(3)...)},
		"some are on":              {wanted: someServices(3), on: on(someServices(2)...), chunks: []int{1}},
		"a request is full":        {wanted: someServices(20), chunks: []int{20}},
		"one more than a request":  {wanted: someServices(21), chunks: []int{20, 1}},
		"many":                     {wanted: someServices(45), on: on("s00.googleapis.com"), chunks: []int{20, 20, 4}},
		"the refused are left out": {wanted: someServices(3), refused: map[string]string{"s01.googleapis.com": "no"}, chunks: []int{2}},
		"only refused are missing": {wanted: someServices(1), refused: map[string]string{"s00.googleapis.com": "no"}},
	} {
		p := decideAPIs(acmeProject, c.wanted, c.on, c.refused)
		var chunks []int
		for n, s := range p.Steps {
			a, err := argsOf[enableArgs](s.Args)
			if err != nil || s.ID != fmt.Sprintf("apis/enable/%d", n+1) || a.Project != acmeProject || s.Takes {
				t.Errorf("%s: step %+v, %v", name, s, err)
			}
			chunks = append(chunks, len(a.Services))
			for _, service := range a.Services {
				if c.on[service] || c.refused[service] != "" {
					t.Errorf("%s: %s is asked for", name, service)
				}
			}
		}
		if !slices.Equal(chunks, c.chunks) {
			t.Errorf("%s: chunks %v, want %v", name, chunks, c.chunks)
		}
	}
}

func TestEnabling(t *testing.T) {
	no, open := fault.New(fault.Conflict, "no billing"), fault.New(fault.Transient, "cut off")
	report := []cloud.Service{{Name: "a", State: cloud.AlreadyOn}, {Name: "b", State: cloud.Enabled}, {Name: "c", State: cloud.Refused, Err: no}}
	r, err := enabling(acmeProject, report)
	if err != nil || !slices.Equal(r.Made, []string{"b"}) || !maps.Equal(r.Refused, map[string]string{"c": "Google refused: no billing"}) {
		t.Errorf("made %v, refused %v, %v", r.Made, r.Refused, err)
	}
	if _, err = enabling(acmeProject, append(report, cloud.Service{Name: "d", State: cloud.Unknown, Err: open})); !errors.Is(err, open) {
		t.Errorf("one that is open does not leave the effect open: %v", err)
	}
}

// TestAPIsRefused shows that the one bad API is named, the others are enabled, and it is not asked for again.
func TestAPIsRefused(t *testing.T) {
	for _, why := range []simgoogle.Refusal{simgoogle.NoBilling, simgoogle.NotAllowed, simgoogle.InOperation} {
		t.Run(string(why), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, Google{Parent: acmeProject, APIs: []string{"pubsub.googleapis.com", "run.googleapis.com", "vision.googleapis.com"}},
					simgoogle.Options{Refused: map[string]simgoogle.Refusal{"run.googleapis.com": why}})
				r.must(r.carry(StageAPIs))
				if got := slices.Collect(maps.Keys(r.s.refused())); !slices.Equal(got, []string{"run.googleapis.com"}) {
					t.Errorf("refused: %v", r.s.refused())
				}
				on := r.google.EnabledServices("acme-prod")
				if !slices.Contains(on, "pubsub.googleapis.com") || !slices.Contains(on, "vision.googleapis.com") || slices.Contains(on, "run.googleapis.com") {
					t.Errorf("on: %v", on)
				}
				if len(r.s.Work) != 1 {
					t.Errorf("%d steps, want 1:%s", len(r.s.Work), r.journal(r.s))
				}
			})
		})
	}
}

// TestAPIsDenied shows that an account without the right fails the step, with the role in the sentence, instead of blaming every API.
func TestAPIsDenied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Google{Parent: acmeProject, APIs: []string{"pubsub.googleapis.com", "run.googleapis.com"}},
			simgoogle.Options{Denied: []string{"serviceusage.services.enable"}})
		err := r.carry(StageAPIs)
		if err == nil || !strings.Contains(err.Error(), string(ledger.Failed)) || !strings.Contains(err.Error(), needServices.Role) || len(r.s.refused()) > 0 {
			t.Errorf("%v; refused %v", err, r.s.refused())
		}
	})
}

func TestAPIsOfAnOrganizationAndOfAnOffboarding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Google{Parent: acmeOrg, APIs: []string{"pubsub.googleapis.com"}}, simgoogle.Options{})
		r.wantPart(r.mustLook(StageAPIs), 0, 1)
		r.s.Mode, r.s.Wanted.Google.Parent = Offboarding, acmeProject
		r.wantPart(r.mustLook(StageAPIs), 1, 0)
	})
}

// TestManyAPIs shows that a project gets more APIs than one request takes.
func TestManyAPIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := simgoogle.Services()[:70]
		r := newRig(t, Google{Parent: acmeProject, APIs: all}, simgoogle.Options{})
		r.must(r.carry(StageAPIs))
		on := r.google.EnabledServices("acme-prod")
		for _, name := range all {
			if !slices.Contains(on, name) {
				t.Errorf("%s is not on", name)
			}
		}
	})
}
