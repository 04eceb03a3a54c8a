package tenants

import (
	"fmt"
	"slices"
	"strings"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/screen"
	"github.com/providerdesk/providerdesk/shared/ledger"
)

// PrintList shows tenants in a table.
func PrintList(s screen.Screen, all []Standing) {
	if len(all) == 0 {
		s.Line("no tenants")
		return
	}
	rows := make([][]screen.Cell, len(all))
	for i, t := range all {
		rows[i] = []screen.Cell{screen.Plain(t.Tenant), cell(s, t.Status), screen.Plain(s.Time(t.Changed)), screen.Plain(t.Waiting)}
	}
	s.Table([]string{"TENANT", "STATUS", "CHANGED", "WHAT TO DO"}, rows)
}

// PrintOutcome shows how tenants stand, and for each what a person must do.
func PrintOutcome(s screen.Screen, all []Detail) {
	rows := make([][]screen.Cell, len(all))
	for i, d := range all {
		rows[i] = []screen.Cell{screen.Plain(d.Tenant), cell(s, d.Status), screen.Plain(strings.Join(d.Now(), "; "))}
	}
	s.Table([]string{"TENANT", "STATUS", "WHAT TO DO"}, rows)
}

// Now says what a person must do, if anything.
func (d Detail) Now() (all []string) {
	if d.Waiting != "" {
		all = append(all, d.Waiting)
	}
	waiting := 0
	for _, p := range d.People {
		switch i := p.Invitation; {
		case i != nil && i.GivenUp:
			all = append(all, "ask "+p.Email+" to accept, or take them out of the request: the invitation has expired as often as it may")
		case i != nil:
			waiting++
		}
	}
	if waiting > 0 {
		all = append(all, count(waiting, "invitation")+" to be accepted: reminders go out by themselves")
	}
	return all
}

// Print shows everything about a tenant.
func (d Detail) Print(s screen.Screen) {
	s.Facts([][2]string{
		{"tenant", d.Tenant}, {"status", string(d.Status)}, {"run", fmt.Sprintf("%d, %s, by %s", d.Run, d.Mode, d.By)},
		{"organization", d.Organization}, {"begun", s.Time(d.Begun)}, {"changed", s.Time(d.Changed)}, {"plan", d.Plan.Digest},
	}...)
	d.printStages(s)
	d.printPeople(s)
	d.printDrift(s)
	d.printAudit(s)
	if now := d.Now(); len(now) > 0 {
		s.Line("")
		s.Line("%s", s.Bold("What to do"))
		for _, line := range now {
			s.Line("  %s", line)
		}
	}
}

// printStages shows the stages, and below each the steps that it had.
func (d Detail) printStages(s screen.Screen) {
	s.Line("")
	for _, st := range d.Stages() {
		s.Line("%s %s", stateMark(s, st.State), string(st.Name))
		for _, w := range d.Work {
			if w.Step.Stage == st.Name {
				w.print(s)
			}
		}
	}
}

func stateMark(s screen.Screen, state State) screen.Painted {
	switch state {
	case Done:
		return s.Good("✓")
	case Running:
		return s.Bold("▸")
	case Waits:
		return s.Warn("…")
	case Failed:
		return s.Bad("✗")
	}
	return s.Dim("·")
}

func (w Work) print(s screen.Screen) {
	s.Line("    %s %s  %s", painted(s, markOf(w.Step)), w.Step.Text, w.state(s))
	if w.Error != "" {
		s.Line("      %s", w.Error)
	}
	for _, subject := range sorted(w.Result.Refused) {
		s.Line("      %s %s: %s", s.Bad("refused"), subject, w.Result.Refused[subject])
	}
	if w.Result.Left != "" {
		s.Line("      %s", w.Result.Left)
	}
}

// state is how a step stands, and where its record is if a person must look at it.
func (w Work) state(s screen.Screen) screen.Painted {
	switch {
	case w.State == ledger.Succeeded:
		return s.Good(strings.ToLower(string(w.State)))
	case w.open():
		return s.Bold(strings.ToLower(string(w.State)))
	}
	return s.Bad(strings.ToLower(string(w.State)) + ", see ledger show " + w.Effect[:min(12, len(w.Effect))])
}

func sorted(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// printPeople shows everybody who is wanted, with the deadlines of their invitations.
func (d Detail) printPeople(s screen.Screen) {
	if len(d.People) == 0 {
		return
	}
	rows := make([][]screen.Cell, len(d.People))
	for i, p := range d.People {
		rows[i] = []screen.Cell{screen.Plain(p.Email), screen.Plain(p.Standing), screen.Plain(p.note(s))}
		if p.Standing == "refused" {
			rows[i][1].Paint = s.Bad
		}
	}
	s.Line("")
	s.Table([]string{"PERSON", "STANDING", "NOTE"}, rows)
}

func (p Person) note(s screen.Screen) string {
	i := p.Invitation
	if i == nil {
		return p.Why
	}
	note := "invited " + s.Time(i.Since) + ", until " + s.Time(i.Expires)
	if i.Reminded > 0 {
		note += fmt.Sprintf(", reminded %d×", i.Reminded)
	}
	if i.Resent > 0 {
		note += fmt.Sprintf(", sent again %d×", i.Resent)
	}
	if i.GivenUp {
		note += ", given up"
	}
	return note
}

// printDrift shows what has become different since, if that was asked for.
func (d Detail) printDrift(s screen.Screen) {
	if d.Drift == nil {
		return
	}
	s.Line("")
	s.Line("%s", s.Bold("Compared with what is there"))
	for _, step := range d.Drift.Steps {
		s.Line("  %s %s", painted(s, markOf(step)), step.Text)
	}
	for _, why := range d.Drift.Blocks {
		s.Line("  %s %s", painted(s, blocked), why)
	}
	for _, what := range d.Drift.Drift {
		s.Line("  %s %s", s.Dim("drift:"), what)
	}
	if len(d.Drift.Steps)+len(d.Drift.Blocks)+len(d.Drift.Drift) == 0 {
		s.Line("  no difference")
	}
}

// printAudit shows the history, if that was asked for.
func (d Detail) printAudit(s screen.Screen) {
	for _, l := range d.Audit {
		s.Line("")
		s.Line("%s  run %d, %s, by %s", s.Bold(s.Time(l.At)), l.Run, string(l.Status), l.By)
		for _, line := range l.Lines {
			s.Line("  %s", line)
		}
	}
}

// progress is the line of a tenant that moves: how many of its stages are done, which one is under way, and what that does.
func progress(s screen.Screen, d Detail, wide int) screen.Painted {
	all, done, at := d.Stages(), 0, ""
	for _, st := range all {
		switch {
		case st.State == Done:
			done++
		case at == "":
			at = string(st.Name)
		}
	}
	return screen.Join(s.Plain(" "+screen.Pad(d.Tenant, wide)), s.Bar(barWide, done, max(1, len(all))), s.Plain(screen.Pad(at, 12)), s.Dim(d.doing()))
}

// doing is the step that the tenant is at, and how its record stands when that is not simply under way.
func (d Detail) doing() string {
	for _, w := range d.Work {
		switch {
		case !w.open():
		case w.State == ledger.Unknown:
			return w.Step.Text + ": was perhaps done, and is looked for"
		case w.Error != "":
			return w.Step.Text + ": " + w.Error
		default:
			return w.Step.Text
		}
	}
	return ""
}

// widest is how many characters the longest name of tenants takes, within reason.
func widest(all []Detail) (wide int) {
	for _, d := range all {
		wide = max(wide, len(d.Tenant))
	}
	return min(wide, 24)
}
