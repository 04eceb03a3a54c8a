package localbus_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerdesk/providerdesk/shared/publish"
	"github.com/providerdesk/providerdesk/shared/publish/localbus"
)

// diary is a receiver that notes each push as "second text attempt" and refuses the texts that are ill.
type diary struct {
	start time.Time
	ill   map[string]bool

	mu    sync.Mutex
	notes []string
}

func newDiary(ill ...string) *diary {
	d := &diary{start: time.Now(), ill: map[string]bool{}}
	for _, text := range ill {
		d.ill[text] = true
	}
	return d
}

func (d *diary) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Message         struct{ Data []byte }
		DeliveryAttempt int
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		body.Message.Data = []byte(err.Error())
	}
	text := string(body.Message.Data)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.notes = append(d.notes, fmt.Sprintf("%.0f %s %d", time.Since(d.start).Seconds(), text, body.DeliveryAttempt))
	if d.ill[text] {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
}

func (d *diary) heal(text string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.ill, text)
}

func inOrder(h http.Handler) localbus.Subscription {
	s := worker(h)
	s.Ordered = true
	return s
}

// line publishes texts with one key, each by a call of its own.
func line(t *testing.T, bus *localbus.Bus, key string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if _, err := bus.Publish(t.Context(), publish.Message{Topic: "work", Data: []byte(text), OrderingKey: key}); err != nil {
			t.Fatal(err)
		}
	}
}

func depth(t *testing.T, bus *localbus.Bus, want localbus.Depth) {
	t.Helper()
	if d, err := bus.Depth("worker"); err != nil || d != want {
		t.Errorf("depth %+v, %v; want %+v", d, err, want)
	}
}

// TestBackoffHoldsUpItsKey checks that the next message of a key starts the moment the first is acknowledged, and others at once.
func TestBackoffHoldsUpItsKey(t *testing.T) {
	inBubble(t, func(t *testing.T, bus *localbus.Bus) {
		d := newDiary("a1")
		subscribe(t, bus, inOrder(d))
		line(t, bus, "a", "a1", "a2", "a3")
		elapse(time.Second)
		line(t, bus, "b", "b1")
		line(t, bus, "", "c1")
		elapse(time.Second)
		depth(t, bus, localbus.Depth{Waiting: 3})
		elapse(10 * time.Second)
		d.heal("a1")
		elapse(time.Minute)
		equal(t, "pushes", d.notes, []string{"0 a1 1", "1 b1 1", "1 c1 1", "10 a1 2", "30 a1 3", "30 a2 1", "30 a3 1"})
		checkEmpty(t, bus)
	})
}

// TestHeldMessagesTakeNoPlace checks that those who wait for their key do not count as outstanding.
func TestHeldMessagesTakeNoPlace(t *testing.T) {
	inBubble(t, func(t *testing.T, bus *localbus.Bus) {
		r := &recorder{answer: func(http.ResponseWriter, *http.Request) { time.Sleep(time.Minute) }}
		s := inOrder(r)
		s.Outstanding = 2
		subscribe(t, bus, s)
		start := time.Now()
		line(t, bus, "a", "a1", "a2", "a3")
		line(t, bus, "b", "b1")
		synctest.Wait()
		depth(t, bus, localbus.Depth{Waiting: 2, Outstanding: 2})
		elapse(time.Hour)
		equal(t, "pushes at", r.seconds(start), []float64{0, 0, 60, 120})
		checkEmpty(t, bus)
	})
}

func TestDeadLetterFreesTheKeyAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, bus *localbus.Bus) {
		d := newDiary("a1")
		s := inOrder(d)
		s.MaxAttempts = 2
		subscribe(t, bus, s)
		line(t, bus, "a", "a1", "a2")
		elapse(time.Minute)
		equal(t, "pushes", d.notes, []string{"0 a1 1", "10 a1 2", "10 a2 1"})
		l := onlyLetter(t, bus)
		if l.OrderingKey != "a" || string(l.Data) != "a1" {
			t.Errorf("dead letter %+v", l)
		}
		line(t, bus, "a", "a3", "a4")
		d.heal("a1")
		if _, err := bus.Replay(t.Context(), l.ID, time.Hour); err != nil {
			t.Fatal(err)
		}
		elapse(time.Minute)
		equal(t, "a replay comes last", d.notes[3:], []string{"60 a3 1", "60 a4 1", "60 a1 1"})
		checkEmpty(t, bus)
	})
}

// TestOrderOutlivesTheBus closes the bus while the first is in back-off: attempts, due times and the line are there again.
func TestOrderOutlivesTheBus(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bus")
	synctest.Test(t, func(t *testing.T) {
		d := newDiary("a1")
		first := open(t, path, still())
		subscribe(t, first, inOrder(d))
		line(t, first, "a", "a1", "a2")
		elapse(12 * time.Second)
		shut(t, first)

		second := open(t, path, still())
		line(t, second, "a", "a3")
		subscribe(t, second, inOrder(d))
		line(t, second, "a", "a4")
		line(t, second, "b", "b1")
		elapse(time.Second)
		depth(t, second, localbus.Depth{Waiting: 4})
		held, err := second.Messages("work", 1)
		if err != nil || len(held) != 1 || held[0].OrderingKey != "a" || held[0].Waits[0].Attempts != 2 {
			t.Errorf("held %+v, %v", held, err)
		}
		d.heal("a1")
		elapse(time.Minute)
		equal(t, "pushes", d.notes, []string{"0 a1 1", "10 a1 2", "12 b1 1", "30 a1 3", "30 a2 1", "30 a3 1", "30 a4 1"})
		checkEmpty(t, second)
	})
}

// TestExhaustedAtRestart checks that a message that lost its last attempt with its process frees its key without a delivery.
func TestExhaustedAtRestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bus")
	synctest.Test(t, func(t *testing.T) {
		d := newDiary("a1")
		first := open(t, path, still())
		subscribe(t, first, inOrder(d))
		line(t, first, "a", "a1", "a2")
		elapse(time.Second)
		shut(t, first)

		second := open(t, path, still())
		s := inOrder(d)
		s.MaxAttempts = 1
		subscribe(t, second, s)
		elapse(time.Minute)
		equal(t, "pushes", d.notes, []string{"0 a1 1", "10 a2 1"})
		if l := onlyLetter(t, second); string(l.Data) != "a1" || l.Attempts != 1 {
			t.Errorf("dead letter %+v", l)
		}
		depth(t, second, localbus.Depth{})
	})
}

// TestBecomesOrdered checks that a subscription that was not ordered is from its next Subscribe on, whatever was tried before.
func TestBecomesOrdered(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bus")
	synctest.Test(t, func(t *testing.T) {
		d := newDiary("a1", "a2")
		first := open(t, path, still())
		subscribe(t, first, worker(d))
		line(t, first, "a", "a1", "a2")
		elapse(time.Second)
		shut(t, first)

		second := open(t, path, still())
		subscribe(t, second, inOrder(d))
		elapse(15 * time.Second)
		d.heal("a1")
		d.heal("a2")
		elapse(time.Minute)
		slices.Sort(d.notes[:2])
		equal(t, "pushes", d.notes, []string{"0 a1 1", "0 a2 1", "10 a1 2", "30 a1 3", "30 a2 2"})
	})
}
