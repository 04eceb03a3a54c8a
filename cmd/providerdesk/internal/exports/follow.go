package exports

import (
	"context"
	"fmt"
	"time"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/screen"
	"github.com/providerdesk/providerdesk/functions/billingexport"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
)

const (
	lookEvery = 300 * time.Millisecond
	silence   = 5 * time.Minute // of a server, before a person who waits is told: it may be starting again
	barWide   = 30
)

// Awaited is a month that somebody waits for.
type Awaited struct {
	Month hub.Period
	Past  string // the last run that is no answer; an end of a later one is
}

// Await says what is an answer to the request that a plan is of. What it needs is in the plan, and not looked at again: a run that begins between
// two looks would be an answer by the one and none by the other, and its end be waited for for ever.
func Await(p billingexport.Plan) (all []Awaited, err error) {
	for _, m := range p.Months {
		month, err := hub.ParsePeriod(m.Month)
		if err != nil {
			return nil, err
		}
		all = append(all, Awaited{month, m.Past})
	}
	return all, nil
}

func in(all []billingexport.Status, month string) (billingexport.Status, bool) {
	for _, s := range all {
		if s.Month == month {
			return s, true
		}
	}
	return billingexport.Status{}, false
}

// answered reports whether what somebody waits for has come.
func (a Awaited) answered(s billingexport.Status) bool {
	return s.Phase == billingexport.Resting && s.Next == nil && s.Ended != nil && s.Ended.Run > a.Past
}

// Follow waits until the months have ended a run that answers, and shows how it goes: on a terminal in its place, elsewhere a line for every
// change. When ctx ends only the waiting ends.
func Follow(ctx context.Context, t Teller, months []Awaited, s screen.Screen) ([]billingexport.Status, error) {
	f := follower{teller: t, months: months, all: make([]billingexport.Status, len(months)), show: plainly(s)}
	if s.IsRich() {
		f.show = inPlace(s)
	}
	for i, a := range months {
		f.all[i].Month = a.Month.String()
	}
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for answered := time.Now(); ; {
		done, err := f.look(ctx)
		switch {
		case err == nil:
			answered = time.Now()
		case ctx.Err() != nil || !fault.Healing(err) || time.Since(answered) > silence:
			return f.all, fault.Wrap(fault.Of(err), err, "no longer waiting, while the export goes on")
		}
		f.show(f.all)
		if done && err == nil {
			return f.all, nil
		}
		select {
		case <-ctx.Done():
		case <-look.C:
		}
	}
}

// follower is what is known of the months that somebody waits for.
type follower struct {
	teller Teller
	months []Awaited
	all    []billingexport.Status
	show   func([]billingexport.Status)
}

// look asks for the months that have not answered yet. Only those that are known are asked for one by one: a refusal would be logged each time.
func (f *follower) look(ctx context.Context) (done bool, err error) {
	known, err := f.teller.List(ctx)
	if err != nil {
		return false, err
	}
	done = true
	for i, a := range f.months {
		s, began := in(known, a.Month.String())
		if !began || a.answered(f.all[i]) {
			done = done && began
			continue
		}
		if s.Phase == billingexport.Planning || s.Phase == billingexport.Working { // a list does not count parts
			if s, err = f.teller.Status(ctx, a.Month); err != nil {
				return false, err
			}
		}
		f.all[i] = s
		done = done && a.answered(s)
	}
	return done, ctx.Err()
}

// plainly shows a line for every change.
func plainly(s screen.Screen) func([]billingexport.Status) {
	said := map[string]string{}
	return func(all []billingexport.Status) {
		for _, m := range all {
			if line := lineOf(m); line != said[m.Month] {
				said[m.Month] = line
				s.Line("%s: %s", m.Month, line)
			}
		}
	}
}

func lineOf(m billingexport.Status) string {
	if m.Phase == "" {
		return "has not begun"
	}
	return fmt.Sprintf("%s, %d of %s", m.Phase, m.Done, count(m.Tenants, "tenant"))
}

// inPlace draws a bar for every month.
func inPlace(s screen.Screen) func([]billingexport.Status) {
	live := s.Live()
	return func(all []billingexport.Status) {
		var lines []screen.Painted
		for _, m := range all {
			lines = append(lines, screen.Join(s.Bold(m.Month), s.Bar(barWide, m.Done, m.Tenants), s.Dim(lineOf(m))))
		}
		live.Draw(s.Width(), lines...)
	}
}

// Checked is what came of a verification.
type Checked struct {
	Checks   int                   `json:"checks"`
	Problems []billingexport.Check `json:"problems"`
}

// Watch makes checks, shows on a terminal how far it is, and says what came of them.
func Watch(checks func(func(billingexport.Check) bool), s screen.Screen) Checked {
	c := Checked{Problems: []billingexport.Check{}}
	live := s.Live()
	for check := range checks {
		c.Checks++
		if check.Problem != "" {
			c.Problems = append(c.Problems, check)
		}
		if s.IsRich() {
			live.Draw(s.Width(), screen.Join(s.Bar(barWide, check.Done, check.Total), s.Plain(fmt.Sprintf("%d of %d", check.Done, check.Total)), s.Dim(check.What)))
		}
	}
	if s.IsRich() {
		live.Draw(s.Width()) // what was said meanwhile says nothing afterwards
	}
	return c
}
