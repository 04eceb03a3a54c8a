package localbus_test

import (
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/publish"
	"github.com/providerdesk/providerdesk/shared/publish/localbus"
)

// mortal subscribes a receiver that fails once for good while ill is set.
func mortal(t *testing.T, bus *localbus.Bus, ill *atomic.Bool) *recorder {
	r := &recorder{answer: func(w http.ResponseWriter, _ *http.Request) {
		if ill.Load() {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}}
	s := worker(r)
	s.MaxAttempts = 1
	subscribe(t, bus, s)
	return r
}

func TestReplay(t *testing.T) {
	inBubble(t, func(t *testing.T, bus *localbus.Bus) {
		var ill atomic.Bool
		ill.Store(true)
		r := mortal(t, bus, &ill)
		if _, err := bus.Publish(t.Context(), publish.Message{Topic: "work", Data: []byte("x"), Attributes: map[string]string{"a": "b"}}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		l := onlyLetter(t, bus)
		if len(l.Attributes) != 1 || l.Attributes["a"] != "b" {
			t.Errorf("attributes %q", l.Attributes)
		}
		ill.Store(false)
		id, err := bus.Replay(t.Context(), l.ID, time.Hour)
		if err != nil || id == "" || id == l.MessageID {
			t.Fatalf("Replay: %q, %v", id, err)
		}
		synctest.Wait()
		equal(t, "a replay begins to count anew", r.tries, []int{1, 1})
		checkEmpty(t, bus)
		if _, err := bus.Replay(t.Context(), l.ID, time.Hour); !fault.Is(err, fault.Missing) {
			t.Errorf("a second replay: %v", err)
		}
	})
}

// TestReplayGuard checks that a replay does not make a message young again.
func TestReplayGuard(t *testing.T) {
	inBubble(t, func(t *testing.T, bus *localbus.Bus) {
		var ill atomic.Bool
		ill.Store(true)
		mortal(t, bus, &ill)
		send(t, bus, "x")
		elapse(40 * time.Minute)
		if _, err := bus.Replay(t.Context(), onlyLetter(t, bus).ID, time.Hour); err != nil {
			t.Fatal(err)
		}
		elapse(40 * time.Minute)
		l := onlyLetter(t, bus)
		if _, err := bus.Replay(t.Context(), l.ID, time.Hour); !fault.Is(err, fault.Conflict) {
			t.Errorf("a replay after 80 minutes: %v", err)
		}
		onlyLetter(t, bus)
		if err := bus.Discard(t.Context(), l.ID); err != nil {
			t.Error(err)
		}
		if left, err := bus.Dead("work", 10); err != nil || len(left) != 0 {
			t.Errorf("letters left %+v, %v", left, err)
		}
	})
}

func TestLettersThatAreNot(t *testing.T) {
	inBubble(t, func(t *testing.T, bus *localbus.Bus) {
		for _, id := range []string{"", "1", "-1", "x", "18446744073709551616"} {
			if _, err := bus.Replay(t.Context(), id, time.Hour); !fault.Is(err, fault.Missing) {
				t.Errorf("Replay(%q): %v", id, err)
			}
			if err := bus.Discard(t.Context(), id); !fault.Is(err, fault.Missing) {
				t.Errorf("Discard(%q): %v", id, err)
			}
		}
		if _, err := bus.Dead("nowhere", 1); !fault.Is(err, fault.Missing) {
			t.Errorf("Dead: %v", err)
		}
		if _, err := bus.Messages("nowhere", 1); !fault.Is(err, fault.Missing) {
			t.Errorf("Messages: %v", err)
		}
	})
}

func TestForgedSource(t *testing.T) {
	inBubble(t, func(t *testing.T, bus *localbus.Bus) {
		var ill atomic.Bool
		ill.Store(true)
		mortal(t, bus, &ill)
		seen := make(chan string, 1)
		subscribe(t, bus, localbus.Subscription{Name: "parker", Topic: publish.Dead("work"), To: localbus.Receiver{
			Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				seen <- attributeOf(r, localbus.SourceSubscription)
			})}})
		forged := publish.Message{Topic: "work", Attributes: map[string]string{localbus.SourceSubscription: "somebody else"}}
		if _, err := bus.Publish(t.Context(), forged); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := <-seen; got != "worker" {
			t.Errorf("the dead letter says it comes from %q", got)
		}
	})
}
