package bench

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/functions/casewebhook"
	"github.com/providerdesk/providerdesk/shared/config"
	"github.com/providerdesk/providerdesk/shared/emulator"
	"github.com/providerdesk/providerdesk/shared/logs"
	"github.com/providerdesk/providerdesk/shared/publish"
	"github.com/providerdesk/providerdesk/shared/publish/localbus"
	"github.com/providerdesk/providerdesk/shared/publish/pubsub"
	"github.com/providerdesk/providerdesk/shared/run"
)

// Of every comparison.
const (
	warmUp  = 5 // rounds that do not count: the emulator translates what is used often while it runs
	rounds  = 21
	stretch = 300 * time.Millisecond // that a side has the machine for itself in a round
)

// side is one of two servers that are compared.
type side struct {
	addr string
	path string
}

// BenchmarkAlertWebhook compares AlertWebhook with a handler that reads the body and publishes it, over HTTP on loopback, with a
// notification of five alerts. Both publish in the same way, but for the first comparison: there each is a process of its own behind the
// framework, and the bare one publishes as the client library does it by default.
func BenchmarkAlertWebhook(b *testing.B) {
	for _, c := range []struct {
		name        string
		sides       func(b *testing.B) (ours, bare side)
		connections int
	}{
		{"functions-on-pubsub-16", processes(comesWith), 16},
		{"functions-on-pubsub-128", processes(comesWith), 128},
		{"functions-on-pubsub-128-both-as-infra-sets-it", processes(deployed), 128},
		{"pubsub", inProcess(onPubSub), 16},
		{"localbus", inProcess(onLocalbus), 16},
		{"publishing-nothing", inProcess(onNothing), 16},
	} {
		b.Run(c.name, func(b *testing.B) {
			ours, bare := c.sides(b)
			var o, by []float64
			for range warmUp {
				load(b, ours, c.connections)
				load(b, bare, c.connections)
			}
			for b.Loop() {
				for range rounds {
					o, by = append(o, load(b, ours, c.connections)), append(by, load(b, bare, c.connections))
				}
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(median(o), "req/s")
			b.ReportMetric(median(by), "bare-req/s")
			b.ReportMetric(median(ratios(o, by)), "ratio")
		})
	}
}

// What Go's runtime is told.
const (
	deployed  = "GOGC=400" // of a function, by infra/modules/target
	comesWith = "GOGC=100" // if nobody says anything
)

// processes are the two as they are deployed, but that the runtime of the bare one is told something else.
func processes(told string) func(*testing.B) (ours, bare side) {
	return func(b *testing.B) (ours, bare side) {
		c := newCloud(b)
		o := c.launch(built(b, buildFunction), "FUNCTION_TARGET=AlertWebhook", deployed)
		by := c.launch(built(b, buildBare), "FUNCTION_TARGET=Bare", told)
		ours, bare = side{o.addr, "/prod-alertmanager"}, side{by.addr, "/"}
		for _, s := range []side{ours, bare} {
			if status, err := ask(s.addr, wire(s.path, notification(0))); status != http.StatusAccepted {
				b.Fatalf("%s answers %d: %v", s.path, status, err)
			}
		}
		return ours, bare
	}
}

// inProcess are the two as handlers on one publisher.
func inProcess(on func(*testing.B) publish.Publisher) func(*testing.B) (ours, bare side) {
	return func(b *testing.B) (ours, bare side) {
		p := on(b)
		return side{serve(b, webhook(b, p)), "/prod-alertmanager"}, side{serve(b, plain(p)), "/"}
	}
}

func serve(b *testing.B, h http.Handler) (addr string) {
	server := httptest.NewServer(h)
	b.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// webhook is AlertWebhook as the framework serves it, with its log.
func webhook(b *testing.B, p publish.Publisher) http.Handler {
	c, err := config.Parse("bench.yaml", []byte(configuration("http://127.0.0.1:1")), environment)
	if err != nil {
		b.Fatal(err)
	}
	f, err := casewebhook.New(b.Context(), casewebhook.Deps{Config: c, Publisher: p})
	if err != nil {
		b.Fatal(err)
	}
	nobody, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { nobody.Close() })
	open := func(context.Context) (run.HTTPHandler, error) { return f.AlertWebhook, nil }
	return run.HTTP("AlertWebhook", open, run.Options{Log: logs.New(nobody, logs.Options{Service: "bench"}), MaxBody: 2 << 20})
}

// plain reads the body and publishes it.
func plain(p publish.Publisher) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if _, err := p.Publish(r.Context(), publish.Message{Topic: casewebhook.TopicAlerts, Data: body}); err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	})
}

func onPubSub(b *testing.B) publish.Publisher {
	host := emulator.PubSub(b)
	makeTopic(b, host)
	p, err := pubsub.OpenEmulator(b.Context(), project, host)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { p.Close() })
	return p
}

func onLocalbus(b *testing.B) publish.Publisher {
	bus, err := localbus.Open(filepath.Join(b.TempDir(), "bus.db"), localbus.Options{Topics: []string{casewebhook.TopicAlerts}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { bus.Close(context.Background()) })
	return bus
}

func onNothing(*testing.B) publish.Publisher { return &counting{} }

// counting gives ids and keeps nothing.
type counting struct{ n atomic.Int64 }

func (c *counting) Publish(_ context.Context, msgs ...publish.Message) ([]string, error) {
	ids := make([]string, len(msgs))
	for i := range ids {
		ids[i] = strconv.FormatInt(c.n.Add(1), 10)
	}
	return ids, nil
}

// load sends requests on so many connections for one stretch and returns how many a second were accepted. Any other answer fails.
func load(b *testing.B, to side, connections int) float64 {
	b.Helper()
	request := wire(to.path, notification(1))
	conns := make([]*caller, connections)
	for i := range conns {
		c, err := dial(to.addr)
		if err != nil {
			b.Fatal(err)
		}
		defer c.Close()
		conns[i] = c
	}
	var all sync.WaitGroup
	var sent atomic.Int64
	began := time.Now()
	for _, c := range conns {
		all.Go(func() {
			for time.Since(began) < stretch {
				if status, err := c.call(request); err != nil || status != http.StatusAccepted {
					b.Errorf("%s answers %d: %v", to.path, status, err)
					return
				}
				sent.Add(1)
			}
		})
	}
	all.Wait()
	return float64(sent.Load()) / time.Since(began).Seconds()
}
