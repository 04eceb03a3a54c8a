package billingexport

import (
	"slices"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
)

// look is the months that a request may mean.
type look struct {
	Always        []hub.Period // looked at whatever became of them
	IfUnpublished []hub.Period // looked at as long as they were never published
}

// monthsOf returns the months that a request means, oldest first.
func monthsOf(q Request, window int, now time.Time) (l look, err error) {
	current := hub.PeriodOf(now)
	for _, text := range q.Months {
		p, err := hub.ParsePeriod(text)
		if err != nil {
			return l, err
		}
		if p.Start().After(current.Start()) {
			return l, fault.New(fault.Invalid, "%s has not begun: nothing can be exported of it", p)
		}
		l.Always = append(l.Always, p)
	}
	if len(q.Months) > 0 {
		slices.SortFunc(l.Always, func(a, b hub.Period) int { return a.Start().Compare(b.Start()) })
		l.Always = slices.Compact(l.Always)
		return l, nil
	}
	for back := max(window, hub.Window); back >= 1; back-- {
		if back <= window {
			l.Always = append(l.Always, current.Add(-back))
		} else {
			l.IfUnpublished = append(l.IfUnpublished, current.Add(-back))
		}
	}
	return l, nil
}

// old reports whether the hub reports a month no more at now.
func old(p hub.Period, now time.Time) bool {
	return p.Start().Before(hub.PeriodOf(now).Add(-hub.Window).Start())
}

// old reports whether the hub did not report the month any more when the run began.
func (m *month) old() bool { return old(m.period(), m.Begun) }

// aMonth says what is wrong with a month as it is written.
func aMonth(s string) string {
	if _, err := hub.ParsePeriod(s); err != nil {
		return "is written like 2026-09"
	}
	return ""
}
