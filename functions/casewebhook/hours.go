package casewebhook

import (
	"slices"
	"time"

	"github.com/providerdesk/providerdesk/shared/config"
)

// hours are business hours by the clock on a wall, whatever that clock does twice a year.
type hours struct {
	config.Hours
	loc *time.Location
}

// hoursOf returns nil for none: then every hour is one.
func hoursOf(c *config.Hours) (*hours, error) {
	if c == nil {
		return nil, nil
	}
	loc, err := time.LoadLocation(c.TimeZone)
	return &hours{*c, loc}, err
}

// open reports whether a time is a business hour.
func (h *hours) open(t time.Time) bool {
	if h == nil {
		return true
	}
	t = t.In(h.loc)
	clock := time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute
	return slices.Contains(h.Days, t.Weekday()) && h.From <= clock && clock < h.To
}

// opens returns the minute after t in which the business hours begin next. On a day on which the clock leaps over the beginning, they begin
// where it lands.
func (h *hours) opens(t time.Time) time.Time {
	year, month, day := t.In(h.loc).Date()
	for n := range 9 {
		begin := time.Date(year, month, day+n, 0, int(h.From/time.Minute), 0, 0, h.loc)
		for m := -2 * time.Hour; m <= 2*time.Hour; m += time.Minute { // no clock leaps farther
			if at := begin.Add(m); at.After(t) && h.open(at) {
				return at.UTC()
			}
		}
	}
	return time.Time{} // there is a day in each week
}
