package billingexport

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
)

func TestMonthsOf(t *testing.T) {
	for _, c := range []struct {
		q      Request
		window int
		want   string
	}{
		{Request{}, 3, "[2026-08 2026-09 2026-10] [2026-06 2026-07]"},
		{Request{}, 5, "[2026-06 2026-07 2026-08 2026-09 2026-10] []"},
		{Request{Months: []string{"2026-11", "2019-01", "2026-11"}}, 3, "[2019-01 2026-11] []"},
	} {
		l, err := monthsOf(c.q, c.window, morning)
		if got := fmt.Sprint(l.Always, l.IfUnpublished); err != nil || got != c.want {
			t.Errorf("%+v: %s, %v", c.q, got, err)
		}
	}
	for _, bad := range []string{"2026-12", "2026-1", ""} {
		if _, err := monthsOf(Request{Months: []string{bad}}, 3, morning); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if old(hub.Period{Year: 2026, Month: 6}, morning) || !old(hub.Period{Year: 2026, Month: 5}, morning) {
		t.Error("the hub's window")
	}
}

func TestBeginning(t *testing.T) {
	all, coke, both, archive := Request{}, Request{Tenants: []string{"coke"}}, Request{Tenants: []string{"coke", "lorem"}}, Request{Archive: true}
	at := func(minute int) time.Time { return morning.Add(time.Duration(minute) * time.Minute) }
	for _, c := range []struct {
		name    string
		phase   Phase
		run     Request
		begun   int // minute, -1: never
		next    *Request
		q       Request
		asked   int
		want    begin
		because string
	}{
		{"never exported", Resting, all, -1, nil, all, 0, beginRun, "it is due"},
		{"a later request", Resting, all, 0, nil, all, 1, beginRun, "it is due"},
		{"the same request, delivered again", Resting, all, 0, nil, all, 0, beginJoin, "answered"},
		{"an earlier one, delivered late", Resting, all, 5, nil, coke, 3, beginJoin, "answered"},
		{"an earlier one that was not covered", Resting, coke, 5, nil, all, 3, beginRun, "it is due"},
		{"under way, the same", Working, all, 0, nil, all, 3, beginJoin, "under way"},
		{"under way, fewer", Finishing, both, 0, nil, coke, 3, beginJoin, "under way"},
		{"under way, more", Working, coke, 0, nil, both, 3, beginAfter, "of other tenants"},
		{"under way, all", Planning, both, 0, nil, all, 3, beginAfter, "of other tenants"},
		{"under way, from the archive", Working, archive, 0, nil, all, 3, beginAfter, "other"},
		{"remembered already", Working, coke, 0, &all, both, 3, beginJoin, "under way"},
		{"remembered, but earlier", Working, coke, 0, &all, both, 9, beginAfter, "under way"},
	} {
		m := &month{Phase: c.phase, Request: c.run, Next: c.next}
		if c.begun >= 0 {
			m.Run = runName(at(c.begun))
		}
		if c.next != nil {
			m.NextRun = runName(at(5))
		}
		got, because := beginning(m, c.q, at(c.asked))
		if got != c.want || !strings.Contains(because, c.because) {
			t.Errorf("%s: %s, %s", c.name, got, because)
		}
	}
}

// Who waits for the answer to a request waits for the end of a run after this one.
func TestPast(t *testing.T) {
	first, second := runName(morning), runName(morning.Add(time.Hour))
	for _, c := range []struct {
		name  string
		phase Phase
		run   string // the newest
		ended string // the last one that ended
		do    begin
		want  string
	}{
		{"never exported", Resting, "", "", beginRun, ""},
		{"after one that has ended", Resting, first, first, beginRun, first},
		{"answered already", Resting, second, second, beginJoin, ""},
		{"one under way, the first", Working, first, "", beginJoin, ""},
		{"one under way", Planning, second, first, beginJoin, first},
		{"after one under way", Finishing, second, first, beginAfter, second},
		{"after one under way, the first", Working, first, "", beginAfter, first},
	} {
		m := &month{Phase: c.phase, Run: c.run}
		if c.ended != "" {
			m.Ended = &Ended{Run: c.ended}
		}
		if got := m.past(c.do); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestWith(t *testing.T) {
	a, b := Request{Tenants: []string{"a", "b"}, Archive: true}, Request{Tenants: []string{"b", "c"}, By: "anna"}
	if got := fmt.Sprint(a.with(b)); got != "{[] [a b c] false anna}" {
		t.Error(got)
	}
	if got := a.with(Request{}); len(got.Tenants) > 0 || !got.covers(Request{Tenants: []string{"z"}}) {
		t.Error(got)
	}
}

// Later runs have later names, whatever the clocks of those who ask.
func TestStart(t *testing.T) {
	m := &month{}
	last := ""
	for _, minute := range []int{0, 5, 5, 3, -60, 6} {
		m.start(Request{}, morning.Add(time.Duration(minute)*time.Minute), "a test")
		if m.Run <= last || aRun(m.Run) != "" || !beginOf(m.Run).Equal(m.Begun) {
			t.Errorf("%s after %s, begun %v", m.Run, last, m.Begun)
		}
		last = m.Run
	}
}

func TestPatience(t *testing.T) {
	if pause(1) != 30*time.Second || pause(2) != time.Minute || pause(30) != 15*time.Minute {
		t.Error(pause(1), pause(2), pause(30))
	}
	p := &part{Tried: morning, Attempts: 29}
	for after, want := range map[time.Duration]bool{0: false, 6*time.Hour - 1: false, 6 * time.Hour: true} {
		if p.hopeless(morning.Add(after)) != want {
			t.Error(after)
		}
	}
	p.Attempts = 30
	if !p.hopeless(morning) {
		t.Error("thirty attempts")
	}
	if (&part{}).hopeless(morning) {
		t.Error("never tried")
	}
}

func TestShort(t *testing.T) {
	for _, s := range []string{"", "short", strings.Repeat("é", 400), strings.Repeat("x", 499) + "é…"} {
		if got := short(s, maxError); len(got) > 503 || !utf8.ValidString(got) || len(s) <= 500 && got != s || !strings.HasPrefix(s, strings.TrimSuffix(got, "…")) {
			t.Errorf("%d bytes: %q", len(s), got)
		}
	}
}
