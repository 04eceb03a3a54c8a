package publishtest

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/providerdesk/providerdesk/shared/publish"
)

func ordered(s *Subscription) { s.Ordered = true }

func (f *fixture) keyed(key, text string) publish.Message {
	m := f.text(text)
	m.OrderingKey = key
	return m
}

// expect waits for as many pushes as there are texts and checks that they are these, in this order.
func (f *fixture) expect(r *receiver, texts ...string) []push {
	f.Helper()
	all := f.await(r, len(texts))
	var got []string
	for _, p := range all {
		got = append(got, string(p.Message.Data))
	}
	if !slices.Equal(got, texts) {
		f.Errorf("delivered %q, want %q", got, texts)
	}
	return all
}

// refusing refuses each text so many times and acknowledges everything else.
func refusing(times map[string]int) func(push, http.ResponseWriter, *http.Request) {
	var mu sync.Mutex
	return func(p push, w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		text := string(p.Message.Data)
		if times[text]--; times[text] >= 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

func keepsKey(f *fixture) {
	for _, adjust := range []func(*Subscription){nil, ordered} {
		f.topic = fresh("topic")
		f.Topic(f.T, f.topic)
		r := newReceiver(nil)
		f.subscribe(f.topic, r, adjust)
		keys := []string{"", "thread", "é\"<&>\n\u2028", strings.Repeat("k", publish.MaxOrderingKey)}
		for _, key := range keys {
			f.publish(f.keyed(key, "x"))
			f.checkKey(f.await(r, 1)[0], key)
		}
	}
}

// checkKey checks the ordering key of a push, or that there is none where the subject does not say it.
func (f *fixture) checkKey(p push, key string) {
	f.Helper()
	if !f.SaysKey {
		key = ""
	}
	if got := p.Message.OrderingKey; got != key {
		f.Errorf("ordering key %.20q arrived, want %.20q", got, key)
	}
}

func waitsForEarlier(f *fixture) {
	r := newReceiver(refusing(map[string]int{"1": 2}))
	f.subscribe(f.topic, r, ordered)
	for _, text := range []string{"1", "2", "3"} {
		f.publish(f.keyed("k", text))
	}
	got := f.expect(r, "1", "1", "1", "2", "3")
	f.countedFromOne(got[:3])
	f.countedFromOne(got[3:4])
	f.countedFromOne(got[4:])
}

func orderOfArguments(f *fixture) {
	r := newReceiver(refusing(map[string]int{"b": 1}))
	f.subscribe(f.topic, r, ordered)
	f.publish(f.keyed("k", "a"), f.keyed("k", "b"), f.keyed("k", "c"), f.keyed("k", "d"))
	f.expect(r, "a", "b", "b", "c", "d")
}

// deadLetterFreesKey uses five attempts, the fewest that Pub/Sub takes.
func deadLetterFreesKey(f *fixture) {
	const attempts = 5
	r, dead := newReceiver(refusing(map[string]int{"1": attempts})), newReceiver(nil)
	f.subscribe(publish.Dead(f.topic), dead, func(s *Subscription) { s.MaxAttempts = 0 })
	f.subscribe(f.topic, r, func(s *Subscription) { s.MaxAttempts, s.MaxBackoff, s.Ordered = attempts, s.MinBackoff, true })
	f.publish(f.keyed("k", "1"))
	f.publish(f.keyed("k", "2"))
	f.expect(r, "1", "1", "1", "1", "1")
	if !f.BuriesOrdered {
		f.expect(r, "1", "2")
		return
	}
	f.expect(r, "2")
	f.checkKey(f.expect(dead, "1")[0], "k")
}

// stuck answers the text 1 when done is closed, and everything else at once.
func (f *fixture) stuck(done <-chan struct{}) func(push, http.ResponseWriter, *http.Request) {
	return func(p push, w http.ResponseWriter, _ *http.Request) {
		if string(p.Message.Data) == "1" {
			select {
			case <-done:
			case <-f.ctx.Done():
			}
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

func otherKeys(f *fixture) {
	const others = 20
	done := make(chan struct{})
	r := newReceiver(f.stuck(done))
	f.subscribe(f.topic, r, ordered)
	f.publish(f.keyed("k", "1"), f.keyed("k", "2"))
	f.expect(r, "1")
	for i := range others {
		f.publish(f.keyed(fmt.Sprint("other ", i), fmt.Sprint("with ", i)))
		f.publish(f.text(fmt.Sprint("without ", i)))
	}
	if got := f.awaitEach(r, 2*others); got["2"] > 0 { // while the first is still being answered
		f.Error("the second came before the first was answered")
	}
	close(done)
	f.expect(r, "2")
}

func lateAnswer(f *fixture) {
	var calls atomic.Int64
	r := newReceiver(func(_ push, w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) == 1 {
			select {
			case <-r.Context().Done():
			case <-f.ctx.Done():
			}
		}
		w.WriteHeader(http.StatusNoContent)
	})
	f.subscribe(f.topic, r, func(s *Subscription) { s.AckDeadline, s.Ordered = f.LeastAck, true })
	f.publish(f.keyed("k", "1"), f.keyed("k", "2"))
	f.expect(r, "1", "1", "2")
}

func notOrdered(f *fixture) {
	done := make(chan struct{})
	defer close(done)
	r := newReceiver(f.stuck(done))
	f.subscribe(f.topic, r, nil)
	f.publish(f.keyed("k", "1"))
	f.expect(r, "1")
	f.publish(f.keyed("k", "2"))
	f.expect(r, "2")
}

// tally sees for each key which message has its turn.
type tally struct {
	mu         sync.Mutex
	random     *rand.Rand
	next       map[string]int // number of the first that is not acknowledged
	left       int
	all        chan struct{} // closed when all are acknowledged
	refused    int
	repeated   int
	inversions int
}

// deliver takes the message n of a key and reports whether it is acknowledged: one in twenty is not.
func (t *tally) deliver(key string, n int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case n > t.next[key]:
		t.inversions++
	case n < t.next[key]:
		t.repeated++
		return true
	}
	if t.random.IntN(20) == 0 {
		t.refused++
		return false
	}
	t.next[key] = max(t.next[key], n+1)
	if t.left--; t.left == 0 {
		close(t.all)
	}
	return true
}

func (t *tally) answer(p push, w http.ResponseWriter, _ *http.Request) {
	var key string
	var n int
	if _, err := fmt.Sscan(string(p.Message.Data), &key, &n); err != nil || !t.deliver(key, n) {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func manyKeys(f *fixture) {
	const keys, each = 50, 40
	t := &tally{random: rand.New(rand.NewPCG(1, 2)), next: map[string]int{}, left: keys * each, all: make(chan struct{})}
	f.subscribe(f.topic, newReceiver(t.answer), ordered)
	var publishers sync.WaitGroup
	for k := range keys {
		publishers.Go(func() { f.publishOneKey(fmt.Sprint("key-", k), each) })
	}
	publishers.Wait()
	select {
	case <-t.all:
	case <-f.ctx.Done():
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	f.Logf("%d messages over %d keys: %d refused, %d repeated, %d not acknowledged, %d inversions",
		keys*each, keys, t.refused, t.repeated, t.left, t.inversions)
	if t.inversions > 0 || t.left > 0 || t.refused == 0 {
		f.Error("want none unacknowledged, no inversion, and some refused")
	}
}

// publishOneKey publishes n messages of one key in their order, by calls of one and of two messages.
func (f *fixture) publishOneKey(key string, n int) {
	for i := 0; i < n; i += 4 {
		for _, call := range [][]int{{i}, {i + 1, i + 2}, {i + 3}} {
			var msgs []publish.Message
			for _, number := range call {
				msgs = append(msgs, f.keyed(key, fmt.Sprint(key, " ", number)))
			}
			if _, err := f.Publisher.Publish(f.ctx, msgs...); err != nil {
				f.Errorf("Publish: %v", err)
			}
		}
	}
}
