package pubsub

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"

	"github.com/providerdesk/providerdesk/shared/fault"
)

const latency = 10 * time.Millisecond

var poison = []byte("poison")

// road stands for the service behind a lane: a request takes a time, refuses poison, and a message's id is its data.
type road struct {
	mu       sync.Mutex
	sizes    []int // messages of each request
	underWay int
	most     int
	took     []string // the messages that were not refused, in the order of their requests
}

func (r *road) send(ctx context.Context, msgs []*pubsubpb.PubsubMessage) ([]string, error) {
	r.begin(len(msgs))
	defer r.end()
	select {
	case <-time.After(latency):
	case <-ctx.Done():
		return nil, fault.Wrap(fault.Transient, ctx.Err(), "publish")
	}
	var ids []string
	for _, m := range msgs {
		if bytes.Equal(m.Data, poison) {
			return nil, fault.New(fault.Invalid, "refused")
		}
		ids = append(ids, string(m.Data))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.took = append(r.took, ids...)
	return ids, nil
}

func (r *road) begin(msgs int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sizes = append(r.sizes, msgs)
	r.underWay++
	r.most = max(r.most, r.underWay)
}

func (r *road) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.underWay--
}

func passenger(texts ...string) *rider {
	r := &rider{turn: make(chan turn, 1)}
	for _, s := range texts {
		r.msgs = append(r.msgs, &pubsubpb.PubsubMessage{Data: []byte(s)})
		r.bytes += len(s)
	}
	return r
}

// own reports whether the ids are those of the rider's messages.
func own(r *rider, ids []string) bool {
	if len(ids) != len(r.msgs) {
		return false
	}
	for i, m := range r.msgs {
		if ids[i] != string(m.Data) {
			return false
		}
	}
	return true
}

func TestLaneAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		road := &road{}
		l := &lane{send: road.send, most: maxUnderWay}
		began := time.Now()
		r := passenger("a", "b")
		if ids, err := l.publish(t.Context(), r); err != nil || !own(r, ids) {
			t.Errorf("%q, %v", ids, err)
		}
		if took := time.Since(began); took != latency {
			t.Errorf("took %v, more than its own request", took)
		}
	})
}

// TestLaneTogether checks that a hundred callers at once need three requests, and none waits for more than two.
func TestLaneTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		road := &road{}
		l := &lane{send: road.send, most: maxUnderWay}
		began := time.Now()
		var all sync.WaitGroup
		for i := range 100 {
			all.Go(func() {
				r := passenger(fmt.Sprintf("%d-1", i), fmt.Sprintf("%d-2", i))
				if ids, err := l.publish(t.Context(), r); err != nil || !own(r, ids) {
					t.Errorf("%q, %v", ids, err)
				}
			})
		}
		all.Wait()
		if fmt.Sprint(road.sizes) != "[2 2 196]" || time.Since(began) != 2*latency {
			t.Errorf("requests of %v messages in %v", road.sizes, time.Since(began))
		}
	})
}

func TestFitting(t *testing.T) {
	many := func(n, msgs, bytes int) []*rider {
		all := make([]*rider, n)
		for i := range all {
			all[i] = &rider{msgs: make([]*pubsubpb.PubsubMessage, msgs), bytes: bytes}
		}
		return all
	}
	for name, c := range map[string]struct {
		riders []*rider
		want   int
	}{
		"all":               {many(10, 10, 100), 10},
		"a thousand":        {many(1001, 1, 1), 1000},
		"by messages":       {many(3, 400, 1), 2},
		"by bytes":          {many(3, 1, 4<<20), 2},
		"one that is large": {many(2, 1, 10<<20), 1},
	} {
		if got := fitting(c.riders); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

// TestLaneFailsEachAlone checks that one caller's message that is refused is that caller's alone.
func TestLaneFailsEachAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		road := &road{}
		l := &lane{send: road.send, most: maxUnderWay}
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				r := passenger(fmt.Sprint(i))
				if i%7 == 3 {
					r = passenger(string(poison))
				}
				ids, err := l.publish(t.Context(), r)
				if refused := i%7 == 3; refused != fault.Is(err, fault.Invalid) || !refused && !own(r, ids) {
					t.Errorf("caller %d: %q, %v", i, ids, err)
				}
			})
		}
		all.Wait()
		if l.underWay != 0 || len(l.waiting) != 0 {
			t.Errorf("%d under way and %d waiting at the end", l.underWay, len(l.waiting))
		}
	})
}

// TestLaneLeave checks that a caller that waits hears of its own deadline at once, and the others of nothing.
func TestLaneLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		road := &road{}
		l := &lane{send: road.send, most: maxUnderWay}
		var all sync.WaitGroup
		for range maxUnderWay {
			all.Go(func() { l.publish(t.Context(), passenger("first")) })
		}
		synctest.Wait()
		impatient, cancel := context.WithTimeout(t.Context(), latency/2)
		defer cancel()
		all.Go(func() {
			began := time.Now()
			if _, err := l.publish(impatient, passenger("impatient")); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != latency/2 {
				t.Errorf("%v after %v", err, time.Since(began))
			}
		})
		synctest.Wait()
		all.Go(func() {
			r := passenger("patient")
			if ids, err := l.publish(t.Context(), r); err != nil || !own(r, ids) {
				t.Errorf("%q, %v", ids, err)
			}
		})
		all.Wait()
		if fmt.Sprint(road.sizes) != "[1 1 1]" {
			t.Errorf("requests of %v messages", road.sizes)
		}
	})
}

// TestLaneUnderCancellation checks, with callers that come and give up at random, the very moment of their turn included, that everybody
// hears in time, nobody of another's messages, and nobody of another's deadline.
func TestLaneUnderCancellation(t *testing.T) {
	for seed := range uint64(1000) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			road := &road{}
			l := &lane{send: road.send, most: maxUnderWay}
			var all sync.WaitGroup
			for i := range 60 {
				comes, patience := time.Duration(random.IntN(40))*time.Millisecond, time.Duration(1+random.IntN(40))*time.Millisecond
				all.Go(func() {
					time.Sleep(comes) // virtual
					ctx, cancel := context.WithTimeout(t.Context(), patience)
					defer cancel()
					r := passenger(fmt.Sprint(i))
					began := time.Now()
					ids, err := l.publish(ctx, r)
					switch took := time.Since(began); {
					case took > patience:
						t.Errorf("seed %d: took %v with patience for %v", seed, took, patience)
					case err != nil && took < patience:
						t.Errorf("seed %d: %v after %v of %v", seed, err, took, patience)
					case err == nil && !own(r, ids):
						t.Errorf("seed %d: got %q", seed, ids)
					}
				})
			}
			all.Wait()
			if l.underWay != 0 || len(l.waiting) != 0 {
				t.Errorf("seed %d: %d under way and %d waiting at the end", seed, l.underWay, len(l.waiting))
			}
		})
	}
}
