package tenants

import (
	"fmt"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/screen"
	"github.com/providerdesk/providerdesk/functions/tenantonboard"
)

// mark says in one character what a step does.
type mark string

const (
	creates mark = "+"
	changes mark = "~"
	takes   mark = "-"
	blocked mark = "!"
)

// Totals are what plans come to.
type Totals struct {
	Create  int `json:"create"`
	Change  int `json:"change"`
	Take    int `json:"take"`
	Blocked int `json:"blocked"` // reasons
	Drift   int `json:"drift"`
}

// Sum counts what plans would do.
func Sum(all []Planned) (t Totals) {
	for _, p := range all {
		for _, s := range p.Plan.Steps {
			switch markOf(s) {
			case creates:
				t.Create++
			case changes:
				t.Change++
			case takes:
				t.Take++
			}
		}
		t.Blocked += len(p.Plan.Blocks)
		t.Drift += len(p.Plan.Drift)
	}
	return t
}

// Nothing reports whether the plans have nothing to do and nothing in their way.
func (t Totals) Nothing() bool { return t.Create+t.Change+t.Take+t.Blocked == 0 }

func (t Totals) String() string {
	return fmt.Sprintf("%d to create, %d to change, %d to take away, %d blocked, %d drift", t.Create, t.Change, t.Take, t.Blocked, t.Drift)
}

// modifying are the kinds of effects that change what is there.
var modifying = map[string]bool{"tenant.update": true, "tenant.roles": true, "google.contact.change": true, "google.case.close": true}

func markOf(s tenantonboard.Step) mark {
	switch {
	case s.Takes:
		return takes
	case modifying[s.Kind]:
		return changes
	}
	return creates
}

// PrintPlans shows plans: what would be done, in its order, by stage; what stands in the way; what differs and is left alone.
func PrintPlans(s screen.Screen, all []Planned) {
	for _, p := range all {
		printPlan(s, p)
	}
	s.Line("%s: %s", s.Bold(count(len(all), "tenant")), Sum(all).String())
}

func printPlan(s screen.Screen, p Planned) {
	s.Line("%s  %s", s.Bold(p.Tenant), s.Dim(string(p.Status)))
	var stage tenantonboard.Stage
	for _, step := range p.Plan.Steps {
		if step.Stage != stage {
			stage = step.Stage
			s.Line("  %s", string(stage))
		}
		s.Line("    %s %s", painted(s, markOf(step)), step.Text)
	}
	for _, why := range p.Plan.Blocks {
		s.Line("  %s blocked: %s", painted(s, blocked), why)
	}
	for _, d := range p.Plan.Drift {
		s.Line("  %s %s", s.Dim("drift:"), d)
	}
	if len(p.Plan.Steps)+len(p.Plan.Blocks) == 0 {
		s.Line("  nothing to do")
	}
	s.Line("  %s", s.Dim("plan "+p.Plan.Digest))
	s.Line("")
}

func painted(s screen.Screen, m mark) screen.Painted {
	switch m {
	case creates:
		return s.Good(string(m))
	case changes:
		return s.Warn(string(m))
	}
	return s.Bad(string(m))
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
