package hub

import (
	"errors"
	"strconv"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// Errors of reports, found with errors.Is. An ErrOutOfWindow and an ErrPeriodMismatch must never be read as "no usage".
var (
	ErrOutOfWindow    = errors.New("the month is outside of what the hub reports")
	ErrPeriodMismatch = errors.New("the hub's report is not about the month that was asked for")
	ErrForeign        = errors.New("the hub's report is about an organization that was not asked for")
)

// Window is how many closed months the hub reports, beside the current one: "up to six months" with the current one among them.
const Window = 5

// Period is a calendar month in UTC. The zero value is no month.
type Period struct {
	Year  int
	Month time.Month
}

// PeriodOf returns the month that t is in.
func PeriodOf(t time.Time) Period {
	t = t.UTC()
	return Period{t.Year(), t.Month()}
}

// ParsePeriod reads a month like 2026-09. Anything else is fault.Invalid.
func ParsePeriod(s string) (Period, error) {
	t, err := time.Parse("2006-01", s)
	if err != nil || t.Year() < 1970 {
		return Period{}, fault.New(fault.Invalid, "a month is written like 2026-09")
	}
	return PeriodOf(t), nil
}

func (p Period) String() string { return p.Start().Format("2006-01") }

// Start is the first moment of the month.
func (p Period) Start() time.Time { return time.Date(p.Year, p.Month, 1, 0, 0, 0, 0, time.UTC) }

// End is the first moment after the month.
func (p Period) End() time.Time { return p.Add(1).Start() }

// Add returns the month n months later.
func (p Period) Add(n int) Period {
	return PeriodOf(time.Date(p.Year, p.Month+time.Month(n), 1, 0, 0, 0, 0, time.UTC))
}

// Contains reports whether t is in the month.
func (p Period) Contains(t time.Time) bool { return !t.Before(p.Start()) && t.Before(p.End()) }

// check refuses what is no month, and a month that the hub cannot report at now: one that has not begun, and, unless it is wanted all the
// same, one before the window.
func (p Period) check(now time.Time, archive bool) error {
	current := PeriodOf(now)
	switch {
	case p.Month < time.January || p.Month > time.December || p.Year < 1970 || p.Year > 2999:
		return fault.New(fault.Invalid, "a report is about one month")
	case p.Start().After(current.Start()):
		return fault.Wrap(fault.Invalid, ErrOutOfWindow, "ask for a month that has not begun")
	case !archive && p.old(now):
		return fault.Wrap(fault.Invalid, ErrOutOfWindow, "ask for a month that closed too long ago")
	}
	return nil
}

// old reports whether the month is before the window.
func (p Period) old(now time.Time) bool { return p.Start().Before(PeriodOf(now).Add(-Window).Start()) }

// Unit is the unit of startTime and endTime. The guide's example of the JSON report has seconds, that of the CSV file milliseconds.
type Unit string

const (
	AnyUnit      Unit = "" // that of the endpoint's own example; the other one if the first proves wrong
	Seconds      Unit = "s"
	Milliseconds Unit = "ms"
)

func (u Unit) other() Unit {
	if u == Seconds {
		return Milliseconds
	}
	return Seconds
}

// bounds are startTime and endTime that mean the month under every reading of the guide: noon on the first of the month and noon on the
// first of the next. Rounded down both are the first of their months, and the end excluded that is the month; rounded to the first and last
// day of the nearest month, the end half a day into the next month is the last day of this one; and noon is the same day in every
// time zone. An end at 23:59:59 on the last day would be rounded down to the start: an empty range.
func (p Period) bounds(u Unit) (start, end string) {
	const noon = 12 * time.Hour
	text := func(t time.Time) string {
		if u == Seconds {
			return strconv.FormatInt(t.Unix(), 10)
		}
		return strconv.FormatInt(t.UnixMilli(), 10)
	}
	return text(p.Start().Add(noon)), text(p.End().Add(noon))
}
