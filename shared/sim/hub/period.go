package hub

import (
	"net/http"
	"strconv"
	"time"
)

// month counts the months since year 0.
type month int

func monthOf(t time.Time) month { return month(t.Year()*12 + int(t.Month()) - 1) }

func (m month) start() time.Time {
	return time.Date(int(m)/12, time.Month(int(m)%12+1), 1, 0, 0, 0, 0, time.UTC)
}

func (m month) String() string { return m.start().Format("2006-01") }

// period is the months that a request is about, the last one exclusive.
type period struct{ first, end month }

const mostMonths = 6

var zones = map[string]*time.Location{
	"UTC":    time.UTC,
	"UTC-12": time.FixedZone("UTC-12", -12*3600),
	"UTC+14": time.FixedZone("UTC+14", 14*3600),
}

// period reads startTime and endTime. Without both it is the current month, without endTime everything up to it.
func (tx *tx) period(rq *request) (period, error) {
	zone := zones[tx.switches.Zone]
	current := monthOf(rq.at.In(zone))
	from, to := rq.Query.Get("startTime"), rq.Query.Get("endTime")
	if from == "" && to == "" {
		return period{current, current + 1}, nil
	}
	if from == "" {
		return period{}, invalid("startTime", "endTime needs startTime.")
	}
	start, err := tx.moment(rq, "startTime", from)
	if err != nil {
		return period{}, err
	}
	p := period{monthOf(start.In(zone)), current}
	if to != "" {
		end, err := tx.moment(rq, "endTime", to)
		if err != nil {
			return period{}, err
		}
		if end.Before(start) {
			return period{}, invalid("endTime", "The value is before startTime.")
		}
		p.end = tx.rounded(end.In(zone))
	}
	return tx.bounded(rq, p, current)
}

// moment reads a time of which the guide does not say whether it is in seconds or milliseconds.
func (tx *tx) moment(rq *request, name, value string) (time.Time, error) {
	n, err := strconv.ParseInt(value, 10, 64)
	seconds := n < 1e11
	switch {
	case err != nil || n >= 1e17:
		return time.Time{}, invalid(name, "The value must be a UNIX epoch timestamp.")
	case tx.switches.Unit == "strict" && ((rq.route.Op == "usage.report") != seconds || n >= 1e14):
		return time.Time{}, invalid(name, "The value is in the wrong unit.")
	case tx.switches.Unit == "chaos" || !seconds && n < 1e14:
		return time.UnixMilli(n).UTC(), nil
	case seconds:
		return time.Unix(n, 0).UTC(), nil
	}
	return time.UnixMicro(n).UTC(), nil
}

// rounded is the month that a period ends before.
func (tx *tx) rounded(end time.Time) month {
	m := monthOf(end)
	if tx.switches.Rounding == "nearest" {
		begin, next := wall(end, m), wall(end, m+1)
		if next.Sub(end) < end.Sub(begin) {
			return m + 1
		}
	}
	return m
}

// wall is the beginning of a month in the zone of a time.
func wall(t time.Time, m month) time.Time {
	return time.Date(int(m)/12, time.Month(int(m)%12+1), 1, 0, 0, 0, 0, t.Location())
}

// bounded holds a period against the six months, and against what can be there at all.
func (tx *tx) bounded(rq *request, p period, current month) (period, error) {
	if tx.switches.Unit == "chaos" && p.end < firstMonth {
		return period{firstMonth, firstMonth}, nil // 1970: nobody notices
	}
	p.first = max(p.first, firstMonth)
	p.end = max(p.first, min(p.end, current+1))
	if rq.route.Op == "usage.file" && !tx.switches.WindowOnFile {
		return p, nil
	}
	if p.end-p.first > mostMonths || p.first < current-mostMonths {
		if tx.switches.OutOfWindow == "empty" {
			return period{p.first, p.first}, nil
		}
		f := fail(http.StatusBadRequest, "OUT_OF_WINDOW", "startTime: Usage is there for up to six months.")
		f.Fields = []string{"startTime"}
		return p, f
	}
	return p, nil
}

// firstMonth is before any usage.
const firstMonth = month(2018 * 12)
