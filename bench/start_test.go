package bench

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/emulator"
	"github.com/providerdesk/providerdesk/shared/proctest"
	"github.com/providerdesk/providerdesk/shared/publish/pubsub"
	"github.com/providerdesk/providerdesk/shared/sim/cloudsupport"
)

const project = "bench"

// cloud is what functions on their own need around them: the emulators, a desk, a configuration.
type cloud struct {
	testing.TB
	env []string
}

func newCloud(t testing.TB) *cloud {
	t.Helper()
	host := emulator.PubSub(t)
	makeTopic(t, host)
	desk, err := cloudsupport.New(cloudsupport.Options{})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(desk)
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "bench.yaml")
	if err := os.WriteFile(file, []byte(configuration(server.URL)), 0o600); err != nil {
		t.Fatal(err)
	}
	return &cloud{t, []string{"FIRESTORE_EMULATOR_HOST=" + emulator.Firestore(t), "PUBSUB_EMULATOR_HOST=" + host, "GOOGLE_CLOUD_PROJECT=" + project,
		"PROVIDERDESK_CONFIG=" + file, "BENCH_TOKEN=" + token, "LOCAL_ONLY=true"}}
}

func makeTopic(t testing.TB, host string) {
	t.Helper()
	p, err := pubsub.OpenEmulator(t.Context(), project, host)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := p.Ensure(t.Context(), pubsub.Spec{Topics: []string{"alerts"}}); err != nil {
		t.Fatal(err)
	}
}

// launch starts a program on a free port.
func (c *cloud) launch(program string, env ...string) *process {
	c.Helper()
	addr := proctest.FreeAddress(c)
	_, port, _ := net.SplitHostPort(addr)
	return start(c, addr, append(append([]string{"PORT=" + port}, c.env...), env...), program)
}

// runner is a program whose start is measured, and the first request it gets.
type runner struct {
	name    string
	build   func() (string, error)
	env     []string
	path    string
	body    func(n int) []byte
	want    int      // status
	against []string // runners
}

var runners = []runner{
	{"bare", buildBare, []string{"FUNCTION_TARGET=Bare", "BARE_FIRESTORE=1"}, "/", notification, 202, nil},
	{"bare-at-once", buildBare, []string{"FUNCTION_TARGET=Bare", "BARE_FIRESTORE=1", "BARE_AT_ONCE=1"}, "/", notification, 202, nil},
	{"bare-without-firestore-at-once", buildBare, []string{"FUNCTION_TARGET=Bare", "BARE_AT_ONCE=1"}, "/", notification, 202, nil},
	{"AlertWebhook", buildFunction, []string{"FUNCTION_TARGET=AlertWebhook", deployed}, "/prod-alertmanager", notification, 202,
		[]string{"bare", "bare-at-once", "bare-without-firestore-at-once"}},
	{"FileCase", buildFunction, []string{"FUNCTION_TARGET=FileCase", deployed}, "/", push, 200, []string{"bare", "bare-at-once"}},
}

func notification(n int) []byte { return group{number: n, firing: 5, started: time.Now().UTC()}.body() }

// push is a Pub/Sub push of a new incident.
func push(n int) []byte {
	g := group{number: n, firing: 5, started: time.Now().UTC()}
	b, _ := json.Marshal(fields{"subscription": "projects/bench/subscriptions/alerts-filecase", "deliveryAttempt": 1, "message": fields{
		"messageId": fmt.Sprint(n), "publishTime": time.Now().UTC(), "data": g.message(time.Now().UTC())}})
	return b
}

// sample is one start: milliseconds to the first answer, and MB at that moment.
type sample struct{ ms, mb []float64 }

// first starts a program and asks until it answers.
func (c *cloud) first(r runner, n int) (ms, mb float64) {
	c.Helper()
	program, request := built(c, r.build), wire(r.path, r.body(n))
	began := time.Now()
	p := c.launch(program, r.env...)
	defer p.end()
	status, err := ask(p.addr, request)
	took := time.Since(began)
	if err != nil || status != r.want {
		c.Fatalf("%s answered %d: %v", r.name, status, err)
	}
	return float64(took.Microseconds()) / 1000, p.peak()
}

// ask sends a request as soon as somebody listens.
func ask(addr string, request []byte) (int, error) {
	conn, err := dial(addr)
	for deadline := time.Now().Add(20 * time.Second); err != nil && time.Now().Before(deadline); conn, err = dial(addr) {
		time.Sleep(200 * time.Microsecond)
	}
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	return conn.call(request)
}

// starts is how often each program is started; they take turns.
const starts = 15

// BenchmarkStart is the time from the start of a process to its first answer.
func BenchmarkStart(b *testing.B) {
	c, seen := newCloud(b), map[string]*sample{}
	for _, r := range runners {
		seen[r.name] = &sample{}
		c.first(r, 1_000_000) // from the disk
	}
	incident := 0
	for b.Loop() {
		for range starts {
			for _, r := range runners {
				incident++
				ms, mb := c.first(r, incident)
				seen[r.name].ms, seen[r.name].mb = append(seen[r.name].ms, ms), append(seen[r.name].mb, mb)
			}
		}
	}
	b.ReportMetric(0, "ns/op")
	for _, r := range runners {
		s := seen[r.name]
		b.ReportMetric(median(s.ms), r.name+"-ms")
		b.ReportMetric(median(s.mb), r.name+"-MB")
		for _, other := range r.against {
			b.ReportMetric(median(ratios(s.ms, seen[other].ms)), r.name+"/"+other)
		}
	}
}
