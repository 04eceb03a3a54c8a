package localbus_test

import (
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/providerdesk/providerdesk/shared/publish/localbus"
	"github.com/providerdesk/providerdesk/shared/publish/publishtest"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(crashFile); path != "" {
		os.Exit(crashChild(path))
	}
	goleak.VerifyTestMain(m)
}

func TestPublishInProcess(t *testing.T) {
	publishtest.Test(t, func(t *testing.T) publishtest.Subject {
		return subject(t, func(t *testing.T, s publishtest.Subscription) localbus.Receiver {
			return localbus.Receiver{Handler: s.Handler}
		})
	})
}

func TestPublishOverHTTP(t *testing.T) {
	publishtest.Test(t, func(t *testing.T) publishtest.Subject {
		return subject(t, func(t *testing.T, s publishtest.Subscription) localbus.Receiver {
			server := httptest.NewServer(s.Handler)
			t.Cleanup(server.Close)
			return localbus.Receiver{URL: server.URL + "/push"}
		})
	})
}

func subject(t *testing.T, to func(*testing.T, publishtest.Subscription) localbus.Receiver) publishtest.Subject {
	bus := open(t, filepath.Join(t.TempDir(), "bus"), localbus.Options{})
	return publishtest.Subject{
		Publisher: bus,
		Topic: func(t *testing.T, name string) {
			if err := bus.MakeTopic(name); err != nil {
				t.Fatal(err)
			}
		},
		Subscribe: func(t *testing.T, s publishtest.Subscription) {
			subscribe(t, bus, localbus.Subscription{
				Name: s.Name, Topic: s.Topic, To: to(t, s), AckDeadline: s.AckDeadline,
				MinBackoff: s.MinBackoff, MaxBackoff: s.MaxBackoff, MaxAttempts: s.MaxAttempts, Ordered: s.Ordered,
			})
		},
		Counts: true, SaysKey: true, SaysWhy: true, BuriesOrdered: true, Acks: []int{200, 201, 202, 204},
		LeastBackoff: 100 * time.Millisecond, LeastAck: 250 * time.Millisecond,
	}
}

// open opens a bus that is closed, and must be closed without an error, at the end of the test.
func open(t *testing.T, path string, opt localbus.Options) *localbus.Bus {
	t.Helper()
	bus, err := localbus.Open(path, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shut(t, bus) })
	return bus
}

func shut(t *testing.T, bus *localbus.Bus) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := bus.Close(ctx); err != nil {
		t.Errorf("Close: %v", err)
	}
}

func subscribe(t *testing.T, bus *localbus.Bus, s localbus.Subscription) {
	t.Helper()
	if err := bus.Subscribe(s); err != nil {
		t.Fatal(err)
	}
}
