package records_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/cmd/providerdesk/internal/records"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/store/storetest"
)

// remoteOf is a remote that does what it is told once, has no time, or shows a second object to whoever searches.
type remoteOf struct{ busy, twin bool }

func (e remoteOf) Call(_ context.Context, p string, _ ledger.Token) (ledger.Act[string], error) {
	if e.busy {
		return ledger.Act[string]{}, fault.New(fault.Throttled, "later")
	}
	return ledger.Act[string]{ID: p}, nil
}

func (e remoteOf) Find(_ context.Context, p string, _ ledger.Token, _ bool) ([]ledger.Act[string], error) {
	found := []ledger.Act[string]{{ID: p}}
	if e.twin {
		found = append(found, ledger.Act[string]{ID: p + "-again"})
	}
	return found, nil
}

func TestStatus(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	now := func() time.Time { return at }
	l := ledger.New(storetest.NewMemory(now), ledger.Options{Now: now})
	do := func(k ledger.Kind[string, string], n int, and func(ledger.Intent) ledger.Intent) {
		t.Helper()
		in, err := k.Intent("acme", fmt.Sprint(n), fmt.Sprint(n))
		if err == nil {
			_, err = l.Do(t.Context(), nil, and(in))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	kind := func(s ledger.Spec, e remoteOf) ledger.Kind[string, string] {
		t.Helper()
		s.Class = ledger.Marked
		k, err := ledger.Register[string, string](l, s, e)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	plain := func(in ledger.Intent) ledger.Intent { return in }
	read := func(few bool) records.Status {
		t.Helper()
		s, err := records.ReadStatus(t.Context(), l, now(), few)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	done, busy := kind(ledger.Spec{Kind: "done"}, remoteOf{}), kind(ledger.Spec{Kind: "busy"}, remoteOf{busy: true})
	wanted, twin := kind(ledger.Spec{Kind: "wanted", Approval: true}, remoteOf{}), kind(ledger.Spec{Kind: "twin", AuditAll: true}, remoteOf{twin: true})

	for n := range 250 { // more than a page
		do(done, n, plain)
	}
	if s := read(false); s.NeedsPerson() || s.Records != 250 || s.Kinds["done"][ledger.Succeeded] != 250 || s.Oldest != nil || s.OldestSeconds != 0 {
		t.Errorf("of what is done: %+v", s)
	}
	do(busy, 1, plain)
	at = at.Add(time.Minute)
	do(busy, 2, plain)
	do(done, 1000, func(in ledger.Intent) ledger.Intent { return in.At(at.Add(time.Hour)) })
	at = at.Add(time.Minute)
	if s := read(false); s.NeedsPerson() || s.OldestSeconds != 120 || s.Oldest.Kind != "busy" || s.Kinds["busy"][ledger.Pending] != 2 {
		t.Errorf("of what waits: %+v", s)
	}
	do(wanted, 1, plain)
	if s := read(true); !s.NeedsPerson() || len(s.Approvals) != 1 || s.OldestSeconds != 120 || s.Records != 4 {
		t.Errorf("of what wants approval: %+v", s)
	}
	do(twin, 1, plain)
	at = at.Add(2 * ledger.DefaultSettle)
	if _, err := l.Sweep(t.Context(), 100); err != nil {
		t.Fatal(err)
	}
	if s := read(false); s.Duplicates != 1 || len(s.Twins) != 1 || s.Twins[0].Kind != "twin" {
		t.Errorf("of what was done twice: %+v", s)
	}
	if s := read(true); s.Duplicates != 0 {
		t.Errorf("of what is unfinished: %+v", s)
	}
	at = at.Add(25 * time.Hour)
	if s := read(false); s.Duplicates != 1 || len(s.Twins) != 0 {
		t.Errorf("a day after it came to light: %+v", s)
	}
	if _, err := l.Park(t.Context(), "", "an event", "nobody can read it", nil, ledger.Source{}); err != nil {
		t.Fatal(err)
	}
	if s := read(true); len(s.Parked) != 1 || s.Parked[0].Reason != "nobody can read it" {
		t.Errorf("of what is parked: %+v", s)
	}
}

// A book that cannot be read is no empty one.
func TestStatusOfABookThatFails(t *testing.T) {
	l := newLedger(t, 1)
	if _, err := records.ReadStatus(t.Context(), remote(t, l, "wrong"), time.Now(), false); !fault.Is(err, fault.Denied) {
		t.Errorf("%v", err)
	}
}
