package exports

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/screen"
	"github.com/providerdesk/providerdesk/functions/billingexport"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
)

var october = hub.Period{Year: 2026, Month: time.October}

func noEnv(string) (string, bool) { return "", false }

// moving is a teller that answers in turn, the last answer again and again. An error is one, too.
type moving struct {
	book
	answers []any
}

func (m *moving) next() (s billingexport.Status, err error) {
	a := m.answers[0]
	if len(m.answers) > 1 {
		m.answers = m.answers[1:]
	}
	if err, ok := a.(error); ok {
		return s, err
	}
	return a.(billingexport.Status), nil
}

func (m *moving) List(context.Context) ([]billingexport.Status, error) {
	s, err := m.next()
	if err != nil || s.Month == "" {
		return nil, err
	}
	m.status = map[string]billingexport.Status{s.Month: s}
	return []billingexport.Status{s}, nil
}

func run1(phase billingexport.Phase, run string, done int) billingexport.Status {
	return billingexport.Status{Month: "2026-10", Phase: phase, Run: run, Tenants: 2, Done: done}
}

func rested(run, ended string) billingexport.Status {
	s := run1(billingexport.Resting, run, 2)
	s.Ended = &billingexport.Ended{Run: ended, Revision: 1, State: revision.Published}
	return s
}

// What is waited for: the end of a run later than the plan's last one that is no answer, with nothing to come after it.
func TestWhatIsWaitedFor(t *testing.T) {
	more := rested("r2", "r2")
	more.Next = &billingexport.Request{}
	busy := rested("r2", "r1")
	busy.Phase = billingexport.Working
	for name, tc := range map[string]struct {
		past    string
		yes, no []billingexport.Status // answers it, or not
	}{
		"any run":       {"", []billingexport.Status{rested("r1", "r1")}, []billingexport.Status{{}, run1("planning", "r1", 0), run1("finishing", "r1", 2), busy, more}},
		"a run after 1": {"r1", []billingexport.Status{rested("r2", "r2"), rested("r3", "r3")}, []billingexport.Status{rested("r1", "r1"), busy, more}},
		"a run after 2": {"r2", []billingexport.Status{rested("r3", "r3")}, []billingexport.Status{rested("r2", "r2"), busy}},
	} {
		all, err := Await(billingexport.Plan{Months: []billingexport.MonthPlan{{Month: "2026-10", Past: tc.past}}})
		if err != nil || len(all) != 1 || all[0].Month != october {
			t.Fatalf("%s: %+v, %v", name, all, err)
		}
		for _, s := range tc.yes {
			if !all[0].answered(s) {
				t.Errorf("%s: not answered by %+v", name, s)
			}
		}
		for _, s := range tc.no {
			if all[0].answered(s) {
				t.Errorf("%s: answered by %+v", name, s)
			}
		}
	}
}

// A server that starts again is waited for; one that says no is not, nor one that is silent for too long. Off a terminal each change is a line.
func TestWaitingOutlivesTheServer(t *testing.T) {
	down := fault.New(fault.Transient, "not yet")
	follow := func(ctx context.Context, answers ...any) (string, error) {
		var b bytes.Buffer
		_, err := Follow(ctx, &moving{answers: answers}, []Awaited{{Month: october}}, screen.New(&b, noEnv, time.UTC))
		return b.String(), err
	}
	synctest.Test(t, func(t *testing.T) {
		said, err := follow(t.Context(), billingexport.Status{}, down, run1("working", "r1", 1), down, rested("r1", "r1"))
		if want := "2026-10: has not begun\n2026-10: working, 1 of 2 tenants\n2026-10: resting, 2 of 2 tenants\n"; err != nil || said != want {
			t.Errorf("said %q, %v", said, err)
		}
		if _, err := follow(t.Context(), fault.New(fault.Denied, "no")); !fault.Is(err, fault.Denied) || !strings.Contains(err.Error(), "while the export goes on") {
			t.Errorf("a refusal: %v", err)
		}
		began := time.Now()
		if _, err := follow(t.Context(), down); !fault.Is(err, fault.Transient) || time.Since(began) < silence || time.Since(began) > silence+time.Minute {
			t.Errorf("silence of %v: %v", time.Since(began), err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if _, err := follow(ctx, run1("working", "r1", 1)); err == nil || ctx.Err() == nil {
			t.Errorf("called off: %v", err)
		}
	})
}

// On a terminal a bar is drawn in its place.
func TestABarForEachMonth(t *testing.T) {
	var b bytes.Buffer
	show := inPlace(screen.Rich(&b, time.UTC))
	show([]billingexport.Status{run1("working", "r1", 1)})
	show([]billingexport.Status{run1("resting", "r1", 2)})
	for _, want := range []string{strings.Repeat("█", 15), strings.Repeat("░", 15), strings.Repeat("█", 30), "\x1b[1A\x1b[J", "1 of 2 tenants"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in %q", want, b.String())
		}
	}
}

// Of a verification nothing stays on the terminal but what the caller says; a pipe sees nothing of it at all.
func TestWatch(t *testing.T) {
	checks := func(yield func(billingexport.Check) bool) {
		_ = yield(billingexport.Check{What: "a", Done: 1, Total: 2}) && yield(billingexport.Check{What: "b", Problem: "differs", Done: 2, Total: 2})
	}
	var rich, plain bytes.Buffer
	for _, s := range []screen.Screen{screen.Rich(&rich, time.UTC), screen.New(&plain, noEnv, time.UTC)} {
		if c := Watch(checks, s); c.Checks != 2 || len(c.Problems) != 1 || c.Problems[0].What != "b" {
			t.Errorf("came to %+v", c)
		}
	}
	if !strings.Contains(rich.String(), "2 of 2") || !strings.HasSuffix(rich.String(), "\x1b[1A\x1b[J") || plain.Len() != 0 {
		t.Errorf("left %q and %q", rich.String(), plain.String())
	}
}
