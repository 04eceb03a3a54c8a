package pubsub

import (
	"context"
	"fmt"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/publish"
)

func keyed(key, s string) publish.Message {
	m := text("a", s)
	m.OrderingKey = key
	return m
}

// arrived returns the texts of each key in the order in which the service took them.
func (s *service) arrived() map[string][]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string][]string{}
	for _, m := range s.sent {
		all[m.OrderingKey] = append(all[m.OrderingKey], string(m.Data))
	}
	return all
}

// TestKeysApart checks the ids of a call with several keys, none of which may share a request.
func TestKeysApart(t *testing.T) {
	s, p := serve(t)
	var msgs []publish.Message
	for i := range 2*maxBatch + 500 {
		msgs = append(msgs, keyed([]string{"", "k", "l"}[i%3], fmt.Sprint(i)))
	}
	ids, err := p.Publish(t.Context(), msgs...)
	if err != nil || len(ids) != len(msgs) || s.calls != 3 {
		t.Fatalf("%d ids, %v after %d calls", len(ids), err, s.calls)
	}
	for i, id := range ids {
		if m := s.message(t, id); string(m.Data) != fmt.Sprint(i) || m.OrderingKey != msgs[i].OrderingKey {
			t.Fatalf("message %d has id %q, which is %v", i, id, m)
		}
	}
	if len(p.lanes) != 0 {
		t.Errorf("%d lanes are kept with nobody on them", len(p.lanes))
	}
}

// TestOrderSurvivesTheLanes publishes in sequence for each of many keys, beside messages without one, while the service fails now and then.
func TestOrderSurvivesTheLanes(t *testing.T) {
	const keys, each = 20, 50
	s, p := serve(t, slices.Repeat([]codes.Code{codes.Unavailable, codes.Internal}, 20)...)
	var all sync.WaitGroup
	for k := range keys {
		for _, key := range []string{fmt.Sprint("key ", k), ""} {
			all.Go(func() {
				for i := range each {
					if _, err := p.Publish(t.Context(), keyed(key, fmt.Sprintf("%03d a", i)), keyed(key, fmt.Sprintf("%03d b", i))); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	all.Wait()
	inversions, got := 0, s.arrived()
	for k := range keys {
		texts := got[fmt.Sprint("key ", k)]
		if len(texts) != 2*each {
			t.Errorf("%d messages of key %d", len(texts), k)
		}
		for i := 1; i < len(texts); i++ {
			if texts[i] < texts[i-1] {
				inversions++
			}
		}
	}
	t.Logf("%d messages over %d keys in %d requests: %d inversions", 2*keys*each, keys, s.calls, inversions)
	if inversions > 0 || len(got[""]) != 2*keys*each {
		t.Errorf("%d inversions, %d messages without a key", inversions, len(got[""]))
	}
}

// TestSplitCallKeepsItsOrder publishes in one call what needs three requests.
func TestSplitCallKeepsItsOrder(t *testing.T) {
	s, p := serve(t, codes.Unavailable)
	var msgs []publish.Message
	for i := range 2*maxBatch + 1 {
		msgs = append(msgs, keyed("k", fmt.Sprintf("%04d", i)))
	}
	if _, err := p.Publish(t.Context(), msgs...); err != nil {
		t.Fatal(err)
	}
	if texts := s.arrived()["k"]; len(texts) != len(msgs) || !slices.IsSorted(texts) {
		t.Errorf("%d messages of %d, in their order is %v", len(texts), len(msgs), slices.IsSorted(texts))
	}
}

// TestAFailureHoldsUpNoKey checks that the error is told and the next call of the key goes.
func TestAFailureHoldsUpNoKey(t *testing.T) {
	s, p := serve(t, codes.PermissionDenied, codes.ResourceExhausted)
	for _, want := range []fault.Kind{fault.Denied, fault.Throttled} {
		if _, err := p.Publish(t.Context(), keyed("k", "lost")); !fault.Is(err, want) {
			t.Errorf("%v, want kind %q", err, want)
		}
	}
	if _, err := p.Publish(t.Context(), keyed("k", "kept")); err != nil {
		t.Error(err)
	}
	if got := s.arrived()["k"]; !slices.Equal(got, []string{"kept"}) {
		t.Errorf("arrived %q", got)
	}
}

// TestLaneOfAKey checks that calls leave one after the other, in the order of their coming, also past one that gives up on the way.
func TestLaneOfAKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		road := &road{}
		l := (&Publisher{}).newLane(way{"a", "k"})
		l.send = road.send
		var all sync.WaitGroup
		for i := range 5 {
			patience := time.Hour
			switch i {
			case 0: // gives up while its request is under way
				patience = latency / 2
			case 2: // gives up while it waits
				patience = latency / 4
			}
			all.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				r := passenger(fmt.Sprint(i))
				if ids, err := l.publish(ctx, r); (err == nil) != (patience == time.Hour) || err == nil && !own(r, ids) {
					t.Errorf("call %d: %q, %v", i, ids, err)
				}
			})
			synctest.Wait()
		}
		all.Wait()
		if road.most != 1 || fmt.Sprint(road.sizes) != "[1 3]" || !slices.Equal(road.took, []string{"1", "3", "4"}) {
			t.Errorf("%d requests at a time, of %v messages, took %q", road.most, road.sizes, road.took)
		}
	})
}

// TestEnsureCannotChangeTheOrder checks that a subscription does not silently stay without its order.
func TestEnsureCannotChangeTheOrder(t *testing.T) {
	p := onEmulator(t)
	server := httptest.NewServer(nil)
	defer server.Close()
	topic := fmt.Sprintf("order-%d", time.Now().UnixNano())
	spec := func(ordered bool) Spec {
		return Spec{Topics: []string{topic}, Subscriptions: []Subscription{{
			Name: topic, Topic: topic, URL: server.URL, AckDeadline: 10 * time.Second, MinBackoff: time.Second, MaxBackoff: time.Second, MaxAttempts: 5, Ordered: ordered,
		}}}
	}
	ensure(t, p, spec(true))
	defer unsubscribe(t, p, topic)
	ensure(t, p, spec(true))
	if err := p.Ensure(t.Context(), spec(false)); !fault.Is(err, fault.Conflict) {
		t.Errorf("another order: %v", err)
	}
}
