package tenants

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/screen"
	"github.com/providerdesk/providerdesk/functions/tenantonboard"
	"github.com/providerdesk/providerdesk/shared/fault"
)

const (
	lookEvery = 300 * time.Millisecond
	silence   = 5 * time.Minute // of a server, before a person who waits is told: it may be starting again
)

// Follow waits until every tenant rests, or waits for a person, and shows how it goes: on a terminal in its place, elsewhere a line for every
// change. When ctx ends only the waiting ends. The tenants come back in the order of their names given.
func Follow(ctx context.Context, r Remote, names []string, s screen.Screen) ([]Detail, error) {
	f := follower{remote: r, all: make([]Detail, len(names)), show: plainly(s)}
	if s.IsRich() {
		f.show = inPlace(s)
	}
	for i, name := range names {
		f.all[i].Tenant = name
	}
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for answered := time.Now(); ; {
		err := f.look(ctx)
		switch {
		case err == nil:
			answered = time.Now()
		case ctx.Err() != nil || !fault.Healing(err) || time.Since(answered) > silence:
			return f.all, fault.Wrap(fault.Of(err), err, "no longer waiting, while the tenants go on")
		}
		f.show(f.all)
		if !slices.ContainsFunc(f.all, (Detail).moves) {
			return f.all, nil
		}
		select {
		case <-ctx.Done():
		case <-look.C:
		}
	}
}

// follower is what is known of the tenants that somebody waits for.
type follower struct {
	remote Remote
	all    []Detail
	show   func([]Detail)
}

// look asks for those that still move.
func (f *follower) look(ctx context.Context) error {
	for i, d := range f.all {
		if !d.moves() {
			continue
		}
		now, err := f.remote.Detail(ctx, d.Tenant, Of{})
		if err != nil {
			return err
		}
		f.all[i] = now
	}
	return ctx.Err()
}

// Details asks how tenants stand now.
func (r Remote) Details(ctx context.Context, names []string) ([]Detail, error) {
	all := make([]Detail, len(names))
	for i, name := range names {
		var err error
		if all[i], err = r.Detail(ctx, name, Of{}); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// plainly shows a line for every change.
func plainly(s screen.Screen) func([]Detail) {
	said := map[string]string{}
	return func(all []Detail) {
		for _, d := range all {
			if line := d.line(); d.Status != "" && said[d.Tenant] != line {
				said[d.Tenant] = line
				s.Line("%s: %s", d.Tenant, line)
			}
		}
	}
}

// line is how a tenant stands, on one line.
func (d Detail) line() string {
	if d.Waiting != "" {
		return string(d.Status) + ": " + d.Waiting
	}
	return string(d.Status)
}

const (
	mostLines = 12 // of tenants on a terminal
	barWide   = 20
)

// inPlace draws how many tenants rest, and a bar for each of the first ones that do not.
func inPlace(s screen.Screen) func([]Detail) {
	live := s.Live()
	return func(all []Detail) {
		lines := []screen.Painted{overall(s, all)}
		moving := slices.DeleteFunc(slices.Clone(all), func(d Detail) bool { return !d.moves() })
		wide := widest(moving)
		for _, d := range moving[:min(len(moving), mostLines)] {
			lines = append(lines, progress(s, d, wide))
		}
		if more := len(moving) - mostLines; more > 0 {
			lines = append(lines, s.Dim(fmt.Sprintf("  and %d more", more)))
		}
		live.Draw(s.Width(), lines...)
	}
}

// overall is how many tenants there are of each status.
func overall(s screen.Screen, all []Detail) screen.Painted {
	counts, rest := map[tenantonboard.Status]int{}, 0
	for _, d := range all {
		counts[d.Status]++
		if !d.moves() {
			rest++
		}
	}
	var parts []string
	for _, st := range statuses {
		if n := counts[st]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, st))
		}
	}
	return screen.Join(s.Bar(barWide, rest, len(all)), s.Bold(fmt.Sprintf("%d of %s", rest, count(len(all), "tenant"))), s.Dim(strings.Join(parts, ", ")))
}
