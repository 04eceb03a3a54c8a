package localbus_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/publish"
	"github.com/providerdesk/providerdesk/shared/publish/localbus"
)

func attributeOf(r *http.Request, name string) string {
	var body struct {
		Message struct{ Attributes map[string]string }
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		return err.Error()
	}
	return body.Message.Attributes[name]
}

func TestRefusals(t *testing.T) {
	inBubble(t, func(t *testing.T, bus *localbus.Bus) {
		to := localbus.Receiver{Handler: http.HandlerFunc(accept)}
		good := worker(to.Handler)
		subscribe(t, bus, good)
		if err := bus.MakeTopic("other"); err != nil {
			t.Fatal(err)
		}
		change := func(f func(*localbus.Subscription)) localbus.Subscription {
			s := good
			s.Name = "new"
			f(&s)
			return s
		}
		for name, c := range map[string]struct {
			err  error
			want fault.Kind
		}{
			"attached already": {bus.Subscribe(good), fault.Conflict},
			"no such topic":    {bus.Subscribe(change(func(s *localbus.Subscription) { s.Topic = "nowhere" })), fault.Missing},
			"no name":          {bus.Subscribe(change(func(s *localbus.Subscription) { s.Name = "" })), fault.Invalid},
			"bad name":         {bus.Subscribe(change(func(s *localbus.Subscription) { s.Name = "a/b" })), fault.Invalid},
			"no receiver":      {bus.Subscribe(change(func(s *localbus.Subscription) { s.To = localbus.Receiver{} })), fault.Invalid},
			"not http":         {bus.Subscribe(change(func(s *localbus.Subscription) { s.To = localbus.Receiver{URL: "ftp://x/"} })), fault.Invalid},
			"not a URL":        {bus.Subscribe(change(func(s *localbus.Subscription) { s.To.URL = "%" })), fault.Invalid},
			"back-off":         {bus.Subscribe(change(func(s *localbus.Subscription) { s.MinBackoff = time.Hour })), fault.Invalid},
			"negative":         {bus.Subscribe(change(func(s *localbus.Subscription) { s.MaxAttempts = -1 })), fault.Invalid},
			"another topic":    {bus.Subscribe(change(func(s *localbus.Subscription) { s.Name, s.Topic = "worker", "other" })), fault.Conflict},
			"topic name":       {bus.MakeTopic("a b"), fault.Invalid},
			"tick never":       {bus.Every("t", 0, to), fault.Invalid},
			"tick to nobody":   {bus.Every("t", time.Hour, localbus.Receiver{}), fault.Invalid},
			"tick of nothing":  {bus.EveryPublish("t", time.Hour, publish.Message{Topic: "work"}), fault.Invalid},
		} {
			if !fault.Is(c.err, c.want) {
				t.Errorf("%s: %v of kind %q, want %q", name, c.err, fault.Of(c.err), c.want)
			}
		}
		if err := bus.Every("twice", time.Hour, to); err != nil {
			t.Error(err)
		}
		if err := bus.Every("twice", time.Hour, to); !fault.Is(err, fault.Conflict) {
			t.Errorf("a tick twice: %v", err)
		}
		if _, err := bus.Depth("nobody"); !fault.Is(err, fault.Missing) {
			t.Errorf("depth of nobody: %v", err)
		}
	})
}

// TestAllOrNone checks that messages of one call share their fate, and that a refusal does not harm those committed with it.
func TestAllOrNone(t *testing.T) {
	inBubble(t, func(t *testing.T, bus *localbus.Bus) {
		s := worker(http.HandlerFunc(refuse))
		s.Outstanding = 1
		subscribe(t, bus, s)
		var all sync.WaitGroup
		for i := range 32 {
			all.Go(func() {
				good := publish.Message{Topic: "work", Data: []byte(fmt.Sprint(i))}
				if i%2 == 0 {
					send(t, bus, fmt.Sprint(i))
				} else if _, err := bus.Publish(t.Context(), good, publish.Message{Topic: "nowhere", Data: []byte("x")}); !fault.Is(err, fault.Missing) {
					t.Errorf("a missing topic: %v", err)
				}
			})
		}
		all.Wait()
		held, err := bus.Messages("work", 100)
		if err != nil || len(held) != 16 {
			t.Errorf("%d messages held, %v; want 16", len(held), err)
		}
	})
}

func TestOneProcessAtATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bus")
	open(t, path, localbus.Options{})
	if _, err := localbus.Open(path, localbus.Options{}); !fault.Is(err, fault.Transient) {
		t.Errorf("the file was opened twice: %v", err)
	}
}

// TestThroughput checks that concurrent publishers share the disk's syncs.
func TestThroughput(t *testing.T) {
	const publishers, each = 64, 32
	bus := open(t, filepath.Join(t.TempDir(), "bus"), localbus.Options{Topics: []string{"work"}})
	var delivered sync.WaitGroup
	delivered.Add(publishers * each)
	subscribe(t, bus, worker(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { delivered.Done() })))
	start := time.Now()
	var all sync.WaitGroup
	for range publishers {
		all.Go(func() {
			for range each {
				send(t, bus, "x")
			}
		})
	}
	all.Wait()
	took := time.Since(start)
	delivered.Wait()
	t.Logf("%d publishes by %d publishers in %v: %.0f a second; delivered in %v", publishers*each, publishers, took,
		publishers*each/took.Seconds(), time.Since(start))
	if took > time.Minute {
		t.Errorf("%d publishes took %v", publishers*each, took)
	}
}

func TestNobodyAtTheURL(t *testing.T) {
	bus := open(t, filepath.Join(t.TempDir(), "bus"), localbus.Options{Topics: []string{"work"}})
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	dead := make(chan string, 1)
	subscribe(t, bus, localbus.Subscription{Name: "parker", Topic: publish.Dead("work"), To: localbus.Receiver{
		Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { dead <- attributeOf(r, localbus.SourceDeliveryError) })}})
	subscribe(t, bus, localbus.Subscription{Name: "worker", Topic: "work", To: localbus.Receiver{URL: gone.URL}, MaxAttempts: 1})
	send(t, bus, "x")
	if reason := <-dead; !strings.HasPrefix(reason, "no connection: ") {
		t.Errorf("reason %q", reason)
	}
}

func BenchmarkPublish(b *testing.B) {
	bus, err := localbus.Open(filepath.Join(b.TempDir(), "bus"), localbus.Options{Topics: []string{"work"}})
	if err != nil {
		b.Fatal(err)
	}
	if err := bus.Subscribe(worker(http.HandlerFunc(accept))); err != nil {
		b.Fatal(err)
	}
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := bus.Publish(context.Background(), publish.Message{Topic: "work", Data: []byte("x")}); err != nil {
				b.Error(err)
			}
		}
	})
	if err := bus.Close(context.Background()); err != nil {
		b.Error(err)
	}
}
