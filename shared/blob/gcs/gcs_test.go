package gcs

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/providerdesk/providerdesk/shared/blob"
	"github.com/providerdesk/providerdesk/shared/blob/blobtest"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/gapi"
	"github.com/providerdesk/providerdesk/shared/sim/storage"
)

// serving tells this program, in its environment, to be Cloud Storage with its state in a folder.
const serving = "BLOB_GCS_SERVING"

func TestMain(m *testing.M) {
	if folder := os.Getenv(serving); folder != "" {
		fmt.Fprintln(os.Stderr, serve(folder))
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

const (
	ours = "acme-usage"
	kind = "text/csv"
)

// cloud is Cloud Storage in this process and a bucket in it.
type cloud struct {
	*testing.T
	sim *storage.Server
	blob.Bucket
}

func in(t *testing.T, o storage.Options) cloud {
	t.Helper()
	s, err := storage.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return cloud{t, s, open(t, s)}
}

// open returns a handle that needs no network.
func open(t testing.TB, s *storage.Server) blob.Bucket {
	t.Helper()
	return made(t, Options{Bucket: ours, Prefix: "exports", Transport: gapi.Options{Endpoint: "http://storage.test/", Base: s.Transport(), Backoff: time.Millisecond}})
}

func made(t testing.TB, o Options) blob.Bucket {
	t.Helper()
	b, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// rest counts what is unfinished.
func (c cloud) rest() int {
	n := c.sim.Uploads()
	for _, o := range c.sim.Objects(ours) {
		if strings.Contains(o.Name, blob.Incoming) {
			n++
		}
	}
	return n
}

func TestBucket(t *testing.T) {
	for name, o := range map[string]storage.Options{
		"plain": {RequireToken: false}, "in small steps": {Persist: 3 << 20, Rewrite: 5 << 20, Page: 3},
	} {
		t.Run(name, func(t *testing.T) {
			blobtest.Test(t, func(t *testing.T) blobtest.Place {
				c := in(t, o)
				return blobtest.Place{Gone: true, Rest: c.rest, Open: func() blob.Bucket { return open(t, c.sim) }, Corrupt: func(name string, at int64) {
					if err := c.sim.Corrupt(ours, "exports/"+name, at); err != nil {
						t.Fatal(err)
					}
				}}
			})
		})
	}
}

// Over a network, below a path, with credentials: as the simulators are mounted.
func TestNetwork(t *testing.T) {
	s, err := storage.New(storage.Options{RequireToken: true})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(http.StripPrefix("/sim/storage", s))
	defer web.Close()
	wire := &http.Transport{}
	defer wire.CloseIdleConnections()
	at := func(o gapi.Options) blob.Bucket {
		o.Endpoint, o.Base, o.Backoff = web.URL+"/sim/storage/", wire, time.Millisecond
		return made(t, Options{Bucket: ours, Transport: o})
	}
	c := cloud{t, s, at(gapi.Options{Token: gapi.StaticToken("t")})}
	for _, size := range []int{0, 10, 2*blob.Chunk + 3} {
		c.roundTrip("a b/c=d/"+fmt.Sprint(size), pattern(size))
	}
	if _, err := at(gapi.Options{}).Open(t.Context(), "a"); !fault.Is(err, fault.Denied) {
		t.Errorf("without a token: %v", err)
	}
	if c.rest() != 0 {
		t.Errorf("%d rests", c.rest())
	}
}

// pattern is content of a size.
func pattern(size int) []byte {
	data := make([]byte, size)
	for i := range data {
		data[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return data
}

func (c cloud) roundTrip(name string, data []byte) {
	c.Helper()
	o, err := blob.PutBytes(c.Context(), c, kind, name, data, blob.Absent)
	if err != nil {
		c.Fatal(err)
	}
	got, read, err := blob.ReadAll(c.Context(), c, name, int64(len(data)))
	if err != nil || string(got) != string(data) || read != o {
		c.Fatalf("%d bytes, %+v %v", len(got), read, err)
	}
}

// What others see of an object: its type, its checksum, and which writer it was.
func TestSettings(t *testing.T) {
	c := in(t, storage.Options{})
	for _, size := range []int{10, blob.Chunk + 1} {
		name := fmt.Sprint(size)
		c.roundTrip(name, pattern(size))
		for _, o := range c.sim.Objects(ours) {
			if o.Name == "exports/"+name && (o.Type != kind || len(o.Metadata) != 1 || len(o.Metadata[writer]) < 20 || o.CRC32C != blob.SumOf(pattern(size)).CRC32C) {
				t.Errorf("%+v", o)
			}
		}
	}
	for _, bad := range []string{"", "text", "text/plain\r\nX: y"} {
		if _, err := c.Create(t.Context(), bad); bad != "text" && !fault.Is(err, fault.Invalid) {
			t.Errorf("type %q: %v", bad, err)
		}
	}
}

func TestNew(t *testing.T) {
	for _, o := range []Options{
		{}, {Bucket: "UPPER"}, {Bucket: "a/b"}, {Bucket: "ok-bucket", Prefix: "/a"}, {Bucket: "ok-bucket", Prefix: "a/"}, {Bucket: "ok-bucket", Prefix: strings.Repeat("a/", 200) + "a"},
		{Bucket: "ok-bucket", Transport: gapi.Options{Endpoint: "ftp://x"}},
	} {
		if _, err := New(o); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", o.Bucket, err)
		}
	}
}

// remote is Cloud Storage in a process of its own.
func remote(t testing.TB) blob.Bucket {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), serving+"="+t.TempDir())
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	wire := &http.Transport{}
	t.Cleanup(func() {
		wire.CloseIdleConnections()
		cmd.Process.Kill()
		cmd.Wait() // it was killed
	})
	var address string
	if _, err := fmt.Fscanln(out, &address); err != nil {
		t.Fatal(err)
	}
	return made(t, Options{Bucket: ours, Transport: gapi.Options{Endpoint: "http://" + address, Base: wire}})
}

func serve(folder string) error {
	s, err := storage.New(storage.Options{Dir: folder})
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	return http.Serve(l, s)
}

func TestMemoryIsBounded(t *testing.T) { blobtest.Bounded(t, remote(t)) }

func BenchmarkBucket(b *testing.B) { blobtest.Benchmark(b, remote(b)) }
