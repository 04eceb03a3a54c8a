package ledger_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/emulator"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/store"
	"github.com/providerdesk/providerdesk/shared/store/bolt"
	"github.com/providerdesk/providerdesk/shared/store/firestore"
	"github.com/providerdesk/providerdesk/shared/store/storetest"
)

// What the ledger asks of its store.
func TestCost(t *testing.T) {
	db := storetest.Counted(storetest.NewMemory(time.Now))
	r := newRig(t, db)
	in := r.begin("marked")
	r.do(in)
	happy := db.Counts()
	db.Reset()
	if _, err := r.l.Visit(t.Context(), in.ID()); err != nil {
		t.Fatal(err)
	}
	terminal := db.Counts()
	db.Reset()
	r.do(in)
	t.Logf("happy path %+v; visit of a terminal record %+v; duplicate delivery %+v", happy, terminal, db.Counts())
	if happy != (storetest.Counts{Writes: 2, Commits: 2}) {
		t.Errorf("the happy path costs %+v", happy)
	}
	if terminal != (storetest.Counts{Reads: 1}) {
		t.Errorf("a visit of a terminal record costs %+v", terminal)
	}
	if again := db.Counts(); again != (storetest.Counts{Reads: 1, Writes: 1, Commits: 1}) {
		t.Errorf("a duplicate delivery costs %+v", again)
	}
}

// applied counts the writes that a store took; a conflict takes none.
type applied struct {
	store.DB
	writes atomic.Int64
}

func (a *applied) Commit(ctx context.Context, ws ...store.Write) ([]store.Version, error) {
	vs, err := a.DB.Commit(ctx, ws...)
	if err == nil {
		a.writes.Add(int64(len(ws)))
	}
	return vs, err
}

// stores are those that effects are kept in.
func stores(t *testing.T, f func(t *testing.T, db store.DB)) {
	t.Run("memory", func(t *testing.T) { f(t, storetest.NewMemory(time.Now)) })
	t.Run("bolt", func(t *testing.T) { f(t, openBolt(t)) })
	t.Run("firestore", func(t *testing.T) {
		host := emulator.Firestore(t)
		db, err := firestore.Open(t.Context(), firestore.Options{Project: fmt.Sprintf("ledger-%d", time.Now().UnixNano()), Emulator: host})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		f(t, db)
	})
}

func openBolt(t testing.TB) store.DB {
	t.Helper()
	db, err := bolt.Open(filepath.Join(t.TempDir(), "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// A thousand events, each delivered three times, among sixty-four workers.
func TestDuplicateDeliveries(t *testing.T) {
	const keys, deliveries, workers = 1000, 3, 64
	stores(t, func(t *testing.T, db store.DB) {
		writes := &applied{DB: db}
		r := newRig(t, writes)
		events := make(chan int)
		var wg sync.WaitGroup
		start := time.Now()
		for range workers {
			wg.Go(func() {
				for i := range events {
					in, err := r.kinds["marked"].Intent("acme", fmt.Sprint(i), "")
					if err != nil {
						t.Error(err)
						continue
					}
					if _, err := r.l.Do(t.Context(), nil, in); err != nil {
						t.Error(err)
					}
				}
			})
		}
		for i := range keys * deliveries {
			events <- i % keys
		}
		close(events)
		wg.Wait()
		took := time.Since(start)
		perKey := float64(writes.writes.Load()) / keys
		t.Logf("%d deliveries: %d effects, %.2f writes per key, %.0f deliveries/s", keys*deliveries, len(r.calls), perKey, keys*deliveries/took.Seconds())
		if len(r.calls) != keys || len(r.objects) != keys || perKey > 3.1 {
			t.Errorf("%d calls, %d objects, %.2f writes per key", len(r.calls), len(r.objects), perKey)
		}
	})
}

func TestConcurrentDo(t *testing.T) {
	stores(t, func(t *testing.T, db store.DB) {
		r := newRig(t, db)
		in := r.begin("marked")
		var wg sync.WaitGroup
		start := make(chan struct{})
		for range 32 {
			wg.Go(func() {
				<-start
				if _, err := r.l.Do(t.Context(), nil, in); err != nil {
					t.Error(err)
				}
			})
		}
		began := time.Now()
		close(start)
		wg.Wait()
		t.Logf("32 callers of one effect: %d call, %v", len(r.calls), time.Since(began).Round(time.Millisecond))
		r.wantCalls(1)
		r.want(in, ledger.Succeeded)
	})
}

func benchmarkDo(b *testing.B, db store.DB) {
	l := ledger.New(db, ledger.Options{})
	s := &script{now: time.Now, undone: map[string]bool{}}
	k, err := ledger.Register[string, string](l, ledger.Spec{Kind: "bench", Class: ledger.Desired}, undoing{s})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		in, err := k.Intent("acme", fmt.Sprint(i), fmt.Sprint(i))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := l.Do(b.Context(), nil, in); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDoMemory(b *testing.B) { benchmarkDo(b, storetest.NewMemory(time.Now)) }

func BenchmarkDoBolt(b *testing.B) { benchmarkDo(b, openBolt(b)) }
