package casewebhook

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/config"
)

// within lowers a grade until the desk's caps allow it, and returns the count that it uses up; nil when its priority has no cap.
func (g grade) within(caps map[string]budget, line int) (grade, *budget) {
	for {
		c, capped := caps[g.Priority]
		switch {
		case !capped:
			return g, nil
		case !c.spent():
			c.Cases++
			return g, &c
		}
		why := fmt.Sprintf("the desk has had its %s of %s until %s, else %s", counted(c.limit, "case"), g.Priority, c.until.Format("2006-01-02 15:04 UTC"), g.said(line))
		g = grade{below(g.Priority), why}
	}
}

// below is the next lower priority; the lowest has no cap, so nobody asks for less.
func below(priority string) string {
	at := slices.Index(config.Priorities[:], priority)
	return config.Priorities[min(at+1, len(config.Priorities)-1)]
}

// capsOf reads the counts that decide on a priority: its own, and as long as one is spent the next lower one's. It reads nothing for a
// priority without a cap, and never returns nil.
func (f *Function) capsOf(ctx context.Context, deskName, priority string, now time.Time) (map[string]budget, error) {
	caps := map[string]budget{}
	for {
		c, capped := f.Config.Desks[deskName].PriorityCaps[priority]
		if !capped {
			return caps, nil
		}
		b, err := f.window(ctx, deskName+"."+strings.ToLower(priority), c, now)
		if err != nil {
			return nil, err
		}
		caps[priority] = b
		if !b.spent() {
			return caps, nil
		}
		priority = below(priority)
	}
}
