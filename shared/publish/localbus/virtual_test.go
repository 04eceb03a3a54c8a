package localbus_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerdesk/providerdesk/shared/publish"
	"github.com/providerdesk/providerdesk/shared/publish/localbus"
)

// recorder is a receiver that keeps when it was called, on the bubble's clock, and answers with answer.
type recorder struct {
	answer http.HandlerFunc

	mu    sync.Mutex
	at    []time.Time
	tries []int
	auth  []string
}

func (r *recorder) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	var body struct {
		Attempt int `json:"deliveryAttempt"`
	}
	_ = json.NewDecoder(req.Body).Decode(&body) // a tick has none
	r.mu.Lock()
	r.at = append(r.at, time.Now())
	r.tries = append(r.tries, body.Attempt)
	r.auth = append(r.auth, req.Header.Get("Authorization"))
	r.mu.Unlock()
	r.answer(w, req)
}

func (r *recorder) seconds(since time.Time) []float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []float64
	for _, at := range r.at {
		all = append(all, at.Sub(since).Seconds())
	}
	return all
}

func refuse(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }
func accept(http.ResponseWriter, *http.Request)     {}

// dataOf returns the data of a push.
func dataOf(r *http.Request) string {
	var body struct{ Message struct{ Data []byte } }
	raw, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.Unmarshal(raw, &body)
	}
	if err != nil {
		return err.Error()
	}
	return string(body.Message.Data)
}

// inBubble runs a test in virtual time on a bus with a topic "work" and no jitter.
func inBubble(t *testing.T, test func(t *testing.T, bus *localbus.Bus)) {
	path := filepath.Join(t.TempDir(), "bus")
	synctest.Test(t, func(t *testing.T) {
		test(t, open(t, path, still()))
	})
}

func still() localbus.Options {
	return localbus.Options{Topics: []string{"work"}, Rand: func() float64 { return 0 }}
}

func send(t *testing.T, bus *localbus.Bus, text string) string {
	t.Helper()
	ids, err := bus.Publish(t.Context(), publish.Message{Topic: "work", Data: []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	return ids[0]
}

func worker(h http.Handler) localbus.Subscription {
	return localbus.Subscription{Name: "worker", Topic: "work", To: localbus.Receiver{Handler: h}}
}

func elapse(d time.Duration) {
	time.Sleep(d) // virtual
	synctest.Wait()
}

func equal[T comparable](t *testing.T, what string, got, want []T) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %v, want %v", what, got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("%s: %v, want %v", what, got, want)
		}
	}
}

func TestBackoffScheduleAndDeadLetter(t *testing.T) {
	inBubble(t, func(t *testing.T, bus *localbus.Bus) {
		r := &recorder{answer: refuse}
		subscribe(t, bus, worker(r))
		start := time.Now()
		id := send(t, bus, "doomed")
		elapse(3 * time.Hour)
		// 10 s doubling to 600 s: twenty attempts, the last after 10+20+40+80+160+320 s and thirteen times 600 s.
		equal(t, "attempts at", r.seconds(start), []float64{
			0, 10, 30, 70, 150, 310, 630, 1230, 1830, 2430, 3030, 3630, 4230, 4830, 5430, 6030, 6630, 7230, 7830, 8430,
		})
		var counted []int
		for i := range 20 {
			counted = append(counted, i+1)
		}
		equal(t, "deliveryAttempt", r.tries, counted)
		l := onlyLetter(t, bus)
		if l.Reason != "answered 503" || l.Attempts != 20 || l.MessageID != id || string(l.Data) != "doomed" || l.Subscription != "worker" {
			t.Errorf("dead letter %+v", l)
		}
		if d := l.Died.Sub(start); d != 8430*time.Second || !l.Published.Equal(start) {
			t.Errorf("published at %v, died after %v", l.Published, d)
		}
		checkEmpty(t, bus)
	})
}

func onlyLetter(t *testing.T, bus *localbus.Bus) localbus.Letter {
	t.Helper()
	letters, err := bus.Dead("work", 10)
	if err != nil || len(letters) != 1 {
		t.Fatalf("dead letters %+v, %v; want one", letters, err)
	}
	return letters[0]
}

func checkEmpty(t *testing.T, bus *localbus.Bus) {
	t.Helper()
	held, err := bus.Messages("work", 10)
	if err != nil || len(held) != 0 {
		t.Errorf("messages held %+v, %v; want none", held, err)
	}
	if d, err := bus.Depth("worker"); err != nil || d != (localbus.Depth{}) {
		t.Errorf("depth %+v, %v; want none", d, err)
	}
}

func TestNoAnswerByTheDeadline(t *testing.T) {
	for name, wait := range map[string]http.HandlerFunc{
		"heeds its context": func(w http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			w.WriteHeader(http.StatusGatewayTimeout)
		},
		"answers too late": func(http.ResponseWriter, *http.Request) { time.Sleep(200 * time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, bus *localbus.Bus) {
				r := &recorder{answer: wait}
				s := worker(r)
				s.MaxAttempts = 3
				subscribe(t, bus, s)
				start := time.Now()
				send(t, bus, "x")
				elapse(time.Hour)
				equal(t, "attempts at", r.seconds(start), []float64{0, 180 + 10, 180 + 10 + 180 + 20})
				if l := onlyLetter(t, bus); l.Reason != "no answer in 3m0s" || l.Attempts != 3 {
					t.Errorf("dead letter %+v", l)
				}
			})
		})
	}
}

func TestReasons(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"status":  {refuse, "answered 503"},
		"3xx":     {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusFound) }, "answered 302"},
		"206":     {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusPartialContent) }, "answered 206"},
		"panic":   {func(http.ResponseWriter, *http.Request) { panic("with data of the message") }, "the receiver panicked"},
		"early":   {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(102); w.WriteHeader(500) }, "answered 500"},
		"changed": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500); w.WriteHeader(200) }, "answered 500"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, bus *localbus.Bus) {
				s := worker(c.answer)
				s.MaxAttempts = 1
				subscribe(t, bus, s)
				send(t, bus, "x")
				synctest.Wait()
				if l := onlyLetter(t, bus); l.Reason != c.want {
					t.Errorf("reason %q, want %q", l.Reason, c.want)
				}
			})
		})
	}
}

func TestFanOutCountsIndependently(t *testing.T) {
	inBubble(t, func(t *testing.T, bus *localbus.Bus) {
		bad, good := &recorder{answer: refuse}, &recorder{answer: accept}
		first, second := worker(bad), worker(good)
		second.Name = "other"
		first.MaxAttempts = 3
		subscribe(t, bus, first)
		subscribe(t, bus, second)
		send(t, bus, "x")
		elapse(15 * time.Second)
		held, err := bus.Messages("work", 10)
		if err != nil || len(held) != 1 || len(held[0].Waits) != 1 || held[0].Waits[0].Attempts != 2 || held[0].Waits[0].Reason != "answered 503" {
			t.Errorf("held %+v, %v", held, err)
		}
		elapse(time.Hour)
		equal(t, "attempts of the failing one", bad.tries, []int{1, 2, 3})
		equal(t, "attempts of the other", good.tries, []int{1})
		onlyLetter(t, bus)
		checkEmpty(t, bus)
	})
}

func TestOutstandingIsBounded(t *testing.T) {
	inBubble(t, func(t *testing.T, bus *localbus.Bus) {
		r := &recorder{answer: func(http.ResponseWriter, *http.Request) { time.Sleep(time.Minute) }}
		subscribe(t, bus, worker(r))
		start := time.Now()
		for range 40 {
			send(t, bus, "x")
		}
		elapse(time.Second)
		if d, err := bus.Depth("worker"); err != nil || d != (localbus.Depth{Waiting: 24, Outstanding: 16}) {
			t.Errorf("depth %+v, %v", d, err)
		}
		elapse(time.Hour)
		perMinute := map[float64]int{}
		for _, s := range r.seconds(start) {
			perMinute[s]++
		}
		if len(perMinute) != 3 || perMinute[0] != 16 || perMinute[60] != 16 || perMinute[120] != 8 {
			t.Errorf("deliveries by second %v", perMinute)
		}
	})
}

func TestDeadLetterTopicTriesForEver(t *testing.T) {
	inBubble(t, func(t *testing.T, bus *localbus.Bus) {
		s := worker(&recorder{answer: refuse})
		s.MaxAttempts = 1
		subscribe(t, bus, s)
		parker := &recorder{answer: refuse}
		subscribe(t, bus, localbus.Subscription{
			Name: "parker", Topic: publish.Dead("work"), To: localbus.Receiver{Handler: parker}, MaxAttempts: 1,
		})
		send(t, bus, "x")
		elapse(2 * time.Hour)
		if n := len(parker.tries); n < 15 || parker.tries[n-1] != n {
			t.Errorf("attempts %v", parker.tries)
		}
		onlyLetter(t, bus)
	})
}

// TestRestart checks that attempts and due times outlive the bus, and that messages wait for their receiver.
func TestRestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bus")
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		r := &recorder{answer: refuse}
		first := open(t, path, still())
		subscribe(t, first, worker(r))
		send(t, first, "x")
		elapse(12 * time.Second) // two attempts, the third due at 30 s
		shut(t, first)

		second := open(t, path, still())
		send(t, second, "while no receiver is attached")
		elapse(time.Second)
		subscribe(t, second, worker(r))
		elapse(time.Minute)
		equal(t, "attempts at", r.seconds(start), []float64{0, 10, 13, 23, 30, 43, 70})
		equal(t, "deliveryAttempt", r.tries, []int{1, 2, 1, 2, 3, 3, 4})
	})
}

func TestClockSetBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bus")
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{answer: refuse}
		fast := still()
		fast.Now = func() time.Time { return time.Now().Add(1000 * time.Hour) }
		first := open(t, path, fast)
		subscribe(t, first, worker(r))
		send(t, first, "x")
		synctest.Wait()
		shut(t, first)

		subscribe(t, open(t, path, still()), worker(r))
		elapse(601 * time.Second)
		equal(t, "deliveryAttempt", r.tries, []int{1, 2})
	})
}

func TestCloseDrains(t *testing.T) {
	inBubble(t, func(t *testing.T, bus *localbus.Bus) {
		r := &recorder{answer: func(http.ResponseWriter, *http.Request) { time.Sleep(30 * time.Second) }}
		subscribe(t, bus, worker(r))
		send(t, bus, "x")
		synctest.Wait()
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := bus.Close(ctx); err != nil || time.Since(start) != 30*time.Second {
			t.Errorf("Close: %v after %v", err, time.Since(start))
		}
	})
}

func TestCloseCancels(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bus")
	synctest.Test(t, func(t *testing.T) {
		bus := open(t, path, still())
		s := worker(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
		s.MaxAttempts = 2
		subscribe(t, bus, s)
		send(t, bus, "x")
		synctest.Wait()
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if err := bus.Close(ctx); err != nil || time.Since(start) != 5*time.Second {
			t.Errorf("Close: %v after %v", err, time.Since(start))
		}
		if _, err := bus.Publish(t.Context(), publish.Message{Topic: "work", Data: []byte("x")}); err == nil {
			t.Error("a closed bus takes messages")
		}

		again := open(t, path, still())
		subscribe(t, again, worker(http.HandlerFunc(accept)))
		held, err := again.Messages("work", 1)
		if err != nil || len(held) != 1 || held[0].Waits[0].Attempts != 1 || held[0].Waits[0].Reason != "the bus was closed before the answer" {
			t.Errorf("held %+v, %v", held, err)
		}
		elapse(time.Minute)
		checkEmpty(t, again)
	})
}

func TestCloseLeavesTheStubborn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bus")
	synctest.Test(t, func(t *testing.T) {
		bus, err := localbus.Open(path, still())
		if err != nil {
			t.Fatal(err)
		}
		subscribe(t, bus, worker(&recorder{answer: func(http.ResponseWriter, *http.Request) { time.Sleep(time.Hour) }}))
		send(t, bus, "x")
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := bus.Close(ctx); err == nil {
			t.Error("Close says that all receivers have returned")
		}
		elapse(time.Hour) // the receiver's
	})
}

func TestTicks(t *testing.T) {
	inBubble(t, func(t *testing.T, bus *localbus.Bus) {
		start := time.Now() // a full minute: the bubble begins at midnight
		quick := &recorder{answer: accept}
		slow := &recorder{answer: func(http.ResponseWriter, *http.Request) { time.Sleep(150 * time.Second) }}
		for name, r := range map[string]*recorder{"quick": quick, "slow": slow} {
			if err := bus.Every(name, time.Minute, localbus.Receiver{Handler: r}); err != nil {
				t.Fatal(err)
			}
		}
		elapse(8*time.Minute + time.Second)
		equal(t, "quick", quick.seconds(start), []float64{60, 120, 180, 240, 300, 360, 420, 480})
		equal(t, "slow: not overlapped, not queued", slow.seconds(start), []float64{60, 240, 420})
		elapse(99 * time.Second) // the slow one is between two ticks
	})
}

func TestTickRequest(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bus")
	synctest.Test(t, func(t *testing.T) {
		opt := still()
		opt.Token = func() string { return "let-me-in" }
		bus := open(t, path, opt)
		var header http.Header
		r := &recorder{answer: func(_ http.ResponseWriter, r *http.Request) { header = r.Header.Clone() }}
		if err := bus.Every("sweep", time.Minute, localbus.Receiver{Handler: r, URL: "/SweepCases"}); err != nil {
			t.Fatal(err)
		}
		subscribe(t, bus, worker(r))
		elapse(time.Minute)
		if header.Get("X-CloudScheduler-JobName") != "sweep" || header.Get("X-CloudScheduler-ScheduleTime") != "2000-01-01T00:01:00Z" {
			t.Errorf("headers %v", header)
		}
		send(t, bus, "x")
		synctest.Wait()
		equal(t, "bearer of tick and push", r.auth, []string{"Bearer let-me-in", "Bearer let-me-in"})
	})
}

func TestTickPublishes(t *testing.T) {
	inBubble(t, func(t *testing.T, bus *localbus.Bus) {
		start := time.Now()
		r := &recorder{answer: accept}
		subscribe(t, bus, worker(r))
		if err := bus.EveryPublish("export", time.Hour, publish.Message{Topic: "work", Data: []byte("{}")}); err != nil {
			t.Fatal(err)
		}
		elapse(3 * time.Hour)
		equal(t, "ticks", r.seconds(start), []float64{3600, 7200, 10800})
	})
}
