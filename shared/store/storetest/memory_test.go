package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func openMemory(*testing.T) Subject {
	m, i := NewMemory(time.Now), &Injector{}
	m.Before, m.After, m.OnGet = i.Before, i.After, i.OnGet
	return Subject{DB: m, Inject: i.Inject}
}

func TestMemory(t *testing.T) { Test(t, openMemory) }

func TestCounted(t *testing.T) {
	Test(t, func(t *testing.T) Subject {
		s := openMemory(t)
		s.DB = Counted(s.DB)
		return s
	})

	c := Counted(NewMemory(time.Now))
	v, err := c.Commit(t.Context(), store.Create(doc("a", "1")), store.Create(doc("b", "1")))
	if err != nil {
		t.Fatal(err)
	}
	c.Commit(t.Context(), store.Replace(doc("a", "2"), v[0]))
	c.Get(t.Context(), key("a"))
	c.Get(t.Context(), key("missing"))
	c.Query(t.Context(), store.Query{Collection: "things", Limit: 1})
	if got, want := c.Counts(), (Counts{Reads: 2, Writes: 3, Commits: 2, Queries: 1}); got != want {
		t.Errorf("counts %+v, want %+v", got, want)
	}
	c.Reset()
	if got := c.Counts(); got != (Counts{}) {
		t.Errorf("counts %+v after a reset", got)
	}
}

// TestReadBackWaitsInVirtualTime shows the pauses between the looks for an own write, and that they end with the context.
func TestReadBackWaitsInVirtualTime(t *testing.T) {
	for _, test := range []struct {
		failing int // looks that fail
		limit   time.Duration
		waits   time.Duration
		kind    fault.Kind
	}{
		{0, time.Second, 0, ""},
		{1, time.Second, 20 * time.Millisecond, ""},
		{3, time.Second, 420 * time.Millisecond, ""},
		{4, time.Second, 420 * time.Millisecond, fault.Transient},
		{3, 50 * time.Millisecond, 50 * time.Millisecond, fault.Transient},
	} {
		t.Run(fmt.Sprintf("%d looks fail within %v", test.failing, test.limit), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := openMemory(t)
				ctx, cancel := context.WithTimeout(t.Context(), test.limit)
				defer cancel()
				start := time.Now()
				s.Inject(Fault{Code: Unavailable, Applied: true, Reads: test.failing})
				_, err := s.DB.Commit(ctx, store.Create(doc("a", "1")))
				if got := fault.Of(err); got != test.kind {
					t.Errorf("error is of kind %q, want %q: %v", got, test.kind, err)
				}
				if got := time.Since(start); got != test.waits {
					t.Errorf("waits %v, want %v", got, test.waits)
				}
			})
		})
	}
}

func TestCertainErrorsAreNotReadBack(t *testing.T) {
	m := NewMemory(time.Now)
	m.OnGet = func(store.Key) error { t.Error("read back"); return nil }
	m.Before = func(context.Context, []store.Write) error {
		return fault.Unsent(fault.Wrap(fault.Transient, errors.New("no connection"), "dial"))
	}
	if _, err := m.Commit(t.Context(), store.Create(doc("a", "1"))); !fault.IsUnsent(err) {
		t.Errorf("error is not certain: %v", err)
	}
	m.Before = nil
	if _, err := m.Commit(t.Context(), store.Delete(key("a"), "1")); !fault.Is(err, fault.Conflict) || !fault.IsUnsent(err) {
		t.Errorf("conflict is not certain: %v", err)
	}
}

func BenchmarkMemory(b *testing.B) {
	m := NewMemory(time.Now)
	for i := range b.N {
		v, err := m.Commit(b.Context(), store.Create(doc(fmt.Sprint(i), "1")))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := m.Commit(b.Context(), store.Replace(doc(fmt.Sprint(i), "2"), v[0])); err != nil {
			b.Fatal(err)
		}
	}
}
