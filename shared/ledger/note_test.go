package ledger_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/logs"
)

// events are those that the ledger has logged about effects of a kind, in their order.
func (r *rig) events(kind string) (all []string) {
	for line := range strings.Lines(r.log.String()) {
		_, event, ok := strings.Cut(line, "event=")
		if ok && strings.Contains(line, " kind="+kind+" ") {
			all = append(all, strings.Fields(event)[0])
		}
	}
	return all
}

func (r *rig) wantEvents(kind string, want ...logs.Event) {
	r.Helper()
	texts := make([]string, len(want))
	for i, e := range want {
		texts[i] = string(e)
	}
	if got := r.events(kind); !slices.Equal(got, texts) {
		r.Errorf("logged %v, want %v\n%s", got, want, &r.log)
	}
}

// Whatever becomes of an effect is logged once, when it is recorded.
func TestEvents(t *testing.T) {
	lost := answer{err: fault.Wrap(fault.Transient, errors.New("no answer"), "call"), makes: true}
	for name, tc := range map[string]struct {
		kind    string
		answers []answer
		crash   ledger.Point
		want    []logs.Event
	}{
		"it is done":                   {kind: "marked", want: []logs.Event{logs.EffectSucceeded}},
		"it is refused for now":        {kind: "marked", answers: []answer{{err: fault.New(fault.Throttled, "later")}}, want: []logs.Event{logs.EffectSucceeded}},
		"it is refused for good":       {kind: "marked", answers: []answer{{err: fault.New(fault.Invalid, "never")}}, want: []logs.Event{logs.EffectFailed}},
		"its answer is lost":           {kind: "marked", answers: []answer{lost}, want: []logs.Event{logs.EffectUnknown, logs.EffectLostAck}},
		"its caller dies after it":     {kind: "marked", crash: ledger.Called, want: []logs.Event{logs.EffectAdopted}},
		"it must not be done in doubt": {kind: "blind", answers: []answer{lost}, want: []logs.Event{logs.EffectUnknown, logs.EffectParked}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(r *rig) {
				r.answers = tc.answers
				in := r.begin(tc.kind)
				if tc.crash != "" {
					r.died(in, tc.crash)
				} else {
					r.do(in)
				}
				r.finish()
				r.wantEvents(tc.kind, tc.want...)
			})
		})
	}
}

// What was done twice is logged once for each object too many, however often it is seen.
func TestDuplicatesAreLogged(t *testing.T) {
	bubble(t, func(r *rig) {
		in := r.begin("audited")
		r.do(in)
		rec := r.get(in)
		r.put(rec.Marker, "a second one")
		r.finish()
		r.wantEvents("audited", logs.EffectSucceeded, logs.EffectDuplicate)
		if _, err := r.l.Visit(context.Background(), in.ID()); err != nil {
			t.Fatal(err)
		}
		r.wantEvents("audited", logs.EffectSucceeded, logs.EffectDuplicate)
	})
}

// An event that is parked again is not counted again.
func TestParkedEventIsLoggedOnce(t *testing.T) {
	bubble(t, func(r *rig) {
		r.parkEvent()
		r.parkEvent()
		r.wantEvents(ledger.KindEvent, logs.EffectParked)
	})
}

// Every sweep says how old the oldest effect is that is not finished: not one that waits for its time, and none of another process's.
func TestSweepSaysHowOldTheOldestIs(t *testing.T) {
	bubble(t, func(r *rig) {
		line := func(after time.Duration, want string) {
			t.Helper()
			before := r.log.Len()
			r.pass(after)
			if got := r.log.String()[before:]; !strings.Contains(got, "event=sweep") || !strings.Contains(got, want+"\n") {
				t.Errorf("logged %q, want %q", got, want)
			}
		}
		line(0, "oldest_seconds=0")
		r.do(r.intent("marked", "later", "").At(r.clock().Add(30 * time.Minute)))
		r.foreign("ff", r.clock(), "{}")
		r.foreign("unreadable", r.clock().Add(50*time.Minute), "{")
		line(0, "oldest_seconds=0")
		r.answers = slices.Repeat([]answer{{err: fault.New(fault.Throttled, "later")}}, 100)
		r.do(r.begin("keyed"))
		line(20*time.Minute, "due=1 unfinished=2 pending=2 calling=0 unknown=0 oldest_seconds=1200")
		line(20*time.Minute, "oldest_seconds=2400")
	})
}
