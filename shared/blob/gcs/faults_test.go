package gcs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/providerdesk/providerdesk/shared/blob"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/gapi"
	"github.com/providerdesk/providerdesk/shared/sim/storage"
)

// before is a transport that does something before the n-th request, from 0.
type before struct {
	next http.RoundTripper
	do   func(n int)
	sent int
}

func (b *before) RoundTrip(r *http.Request) (*http.Response, error) {
	b.do(b.sent)
	b.sent++
	return b.next.RoundTrip(r)
}

// through is a bucket in a new simulator behind a transport of the test's.
func through(t *testing.T, o storage.Options, wrap func(s *storage.Server) http.RoundTripper) cloud {
	t.Helper()
	c := in(t, o)
	c.Bucket = made(t, Options{Bucket: ours, Prefix: "exports", Transport: gapi.Options{Endpoint: "http://storage.test", Base: wrap(c.sim)}})
	return c
}

// faults are what may happen to one request.
var faults = []string{
	"commit_then_drop", "commit_then_status:500", "commit_then_status:502", "commit_then_status:503", "garbage", // executed, and we do not hear of it
	"drop", "status:500", "status:502", "status:503", "status:429", "status:408", // not executed
	"late:2s", "late_drop:90s", // executed when we have tried again already
}

// Each request of a commit meets each fault. The commit succeeds all the same, there is one object with our bytes, it was made once, and nothing
// unfinished is left.
func TestEveryRequestMeetsEveryFault(t *testing.T) {
	runs := 0
	for _, c := range []struct {
		size     int
		at       bool // replaces an object
		requests int
		faults   []string
	}{{5, false, 1, faults}, {5, true, 1, faults}, {blob.Chunk + 1, false, 5, faults}, {2*blob.Chunk + 7, true, 6, []string{"commit_then_drop", "late_drop:90s"}}} {
		data := pattern(c.size)
		for n := range c.requests {
			for _, f := range c.faults {
				runs++
				synctest.Test(t, func(t *testing.T) { meet(t, data, c.at, n, c.requests, f) })
			}
		}
	}
	t.Logf("%d commits", runs)
}

func meet(t *testing.T, data []byte, replaces bool, n, requests int, f string) {
	var wire *before
	c := through(t, storage.Options{}, func(s *storage.Server) http.RoundTripper {
		wire = &before{next: s.Transport(), do: func(int) {}}
		return wire
	})
	at, made := blob.Absent, 1
	if replaces {
		o, err := blob.PutBytes(t.Context(), c, kind, "a", []byte("old"), blob.Absent)
		if err != nil {
			t.Fatal(err)
		}
		at, made = o.Generation, 2
	}
	wire.sent, wire.do = 0, func(i int) {
		if i == n {
			if err := c.sim.ArmFault("*", f, 1); err != nil {
				t.Error(err)
			}
		}
	}
	o, err := blob.PutBytes(t.Context(), c, kind, "a", data, at)
	if err != nil || o.Bytes != int64(len(data)) {
		t.Errorf("request %d of %d, %s: %+v %v", n, requests, f, o, err)
	}
	if wire.sent < requests {
		t.Errorf("only %d requests", wire.sent)
	}
	time.Sleep(time.Hour) // what is late comes
	got, there, err := blob.ReadAll(t.Context(), c, "a", int64(len(data)))
	if err != nil || string(got) != string(data) || there != o {
		t.Errorf("request %d of %d, %s: %d bytes, %+v %v, want %+v", n, requests, f, len(got), there, err, o)
	}
	generations := map[string]bool{}
	for _, o := range c.sim.History(ours) {
		if o.Name == "exports/a" {
			generations[fmt.Sprint(o.Generation)] = true
		}
	}
	if len(generations) != made {
		t.Errorf("request %d of %d, %s: made %d times", n, requests, f, len(generations))
	}
	if rest := c.rest(); rest != 0 && !lateMakes(f, n, requests) {
		t.Errorf("request %d of %d, %s: %d rests", n, requests, f, rest)
	}
}

// lateMakes reports whether a late request leaves a rest that nobody can know of: a session that is begun when we have begun another.
func lateMakes(f string, n, requests int) bool {
	lost := strings.HasPrefix(f, "late") || strings.HasPrefix(f, "commit_then") || f == "garbage"
	return lost && requests > 1 && n == 0
}

// Two faults after each other, the second for the next request, which is a look or another try. The commit succeeds or is in doubt, and what it
// says is there is there, once.
func TestTwoFaults(t *testing.T) {
	succeeded := 0
	for _, first := range faults {
		for _, second := range append([]string{"cut:20"}, faults...) {
			synctest.Test(t, func(t *testing.T) {
				c := in(t, storage.Options{})
				for _, f := range []string{first, second} {
					if err := c.sim.ArmFault("*", f, 1); err != nil {
						t.Fatal(err)
					}
				}
				o, err := blob.PutBytes(t.Context(), c, kind, "a", pattern(5), blob.Absent)
				time.Sleep(time.Hour)
				made := c.sim.History(ours)
				switch {
				case err == nil && (len(made) != 1 || made[0].Generation != int64(o.Generation)):
					t.Errorf("%s, %s: made %+v", first, second, made)
				case err == nil:
					succeeded++
				case !fault.Is(err, fault.Transient), len(made) > 1:
					t.Errorf("%s, %s: %v, made %+v", first, second, err, made)
				}
			})
		}
	}
	t.Logf("%d succeeded, %d in doubt", succeeded, len(faults)*(len(faults)+1)-succeeded)
}

// What does not pass ends as Transient, after a few tries, with nothing of ours there when nothing was executed.
func TestOutage(t *testing.T) {
	for _, op := range []string{"storage.objects.insert", "storage.uploads.start", "storage.uploads.chunk", "storage.objects.rewrite"} {
		for _, f := range []string{"drop", "status:503", "status:429"} {
			synctest.Test(t, func(t *testing.T) {
				c := in(t, storage.Options{})
				if err := c.sim.ArmFault(op, f, 1000); err != nil {
					t.Fatal(err)
				}
				size := blob.Chunk + 1
				if op == "storage.objects.insert" {
					size = 1
				}
				_, err := blob.PutBytes(t.Context(), c, kind, "a", pattern(size), blob.Absent)
				if want := map[bool]fault.Kind{true: fault.Throttled, false: fault.Transient}[f == "status:429"]; !fault.Is(err, want) {
					t.Errorf("%s %s: %v", op, f, err)
				}
				if _, counts := c.sim.Calls(); counts[op] > tries {
					t.Errorf("%s %s: %d calls", op, f, counts[op])
				}
				if len(c.sim.Objects(ours)) != 0 || c.rest() != 0 {
					t.Errorf("%s %s: %+v, %d rests", op, f, c.sim.Objects(ours), c.rest())
				}
			})
		}
	}
}

// A conflict is certain when all our attempts were refused. When one of them got no answer, ours may have been there in between.
func TestConflictInDoubt(t *testing.T) {
	for f, want := range map[string]fault.Kind{"": fault.Conflict, "status:429": fault.Conflict, "drop": fault.Transient, "status:503": fault.Transient} {
		for op, size := range map[string]int{"storage.objects.insert": 2, "storage.objects.rewrite": blob.Chunk + 1} {
			synctest.Test(t, func(t *testing.T) {
				c := in(t, storage.Options{})
				if _, err := blob.PutBytes(t.Context(), c, kind, "a", []byte("somebody's"), blob.Absent); err != nil {
					t.Fatal(err)
				}
				if f != "" {
					if err := c.sim.ArmFault(op, f, 1); err != nil {
						t.Fatal(err)
					}
				}
				if _, err := blob.PutBytes(t.Context(), c, kind, "a", pattern(size), blob.Absent); !fault.Is(err, want) {
					t.Errorf("%s %s: %v", op, f, err)
				}
				if _, err := blob.PutOnce(t.Context(), c, kind, "a", []byte("somebody's")); err != nil {
					t.Errorf("%s %s: the same bytes: %v", op, f, err)
				}
			})
		}
	}
}

// When nobody can look, a conflict is not certain either: the 412 may be the answer to our own object.
func TestConflictUnseen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := in(t, storage.Options{})
		if _, err := blob.PutBytes(t.Context(), c, kind, "a", nil, blob.Absent); err != nil {
			t.Fatal(err)
		}
		if err := c.sim.ArmFault("storage.objects.get", "status:500", 1000); err != nil {
			t.Fatal(err)
		}
		if _, err := blob.PutBytes(t.Context(), c, kind, "a", nil, blob.Absent); !fault.Is(err, fault.Transient) {
			t.Error(err)
		}
	})
}

// A reader whose connection breaks goes on from where it was, three times for a range.
func TestReaderResumes(t *testing.T) {
	const size = 2*most + 5
	data := pattern(size)
	for _, tt := range []struct {
		faults string
		want   fault.Kind
	}{
		{"cut:1", ""}, {"cut:1000 cut:70000 cut:4194300", ""}, {"drop status:503 status:429 cut:9", ""}, {"garbage", ""}, {"status:500 cut:5 garbage", ""},
		{"cut:1 cut:1 cut:1 cut:1", fault.Transient}, {"status:500 status:500 status:500 status:500", fault.Transient}, {"status:403", fault.Denied},
	} {
		for skip := range 3 {
			synctest.Test(t, func(t *testing.T) {
				c := in(t, storage.Options{})
				if _, err := blob.PutBytes(t.Context(), c, kind, "a", data, blob.Absent); err != nil {
					t.Fatal(err)
				}
				arm := func() {
					for f := range strings.FieldsSeq(tt.faults) {
						if err := c.sim.ArmFault("storage.objects.download", f, 1); err != nil {
							t.Fatal(err)
						}
					}
				}
				if skip == 0 {
					arm()
				}
				r, err := c.Open(t.Context(), "a")
				got := make([]byte, 0, size)
				if err == nil && skip > 0 {
					got = append(got, make([]byte, skip*most)...)
					_, err = io.ReadFull(r, got)
					arm()
				}
				if err == nil {
					var rest []byte
					rest, err = io.ReadAll(r)
					got = append(got, rest...)
				}
				if tt.want == "" && (err != nil || string(got) != string(data)) || tt.want != "" && !fault.Is(err, tt.want) || errors.Is(err, io.EOF) {
					t.Errorf("%s in range %d: %d bytes, %v", tt.faults, skip, len(got), err)
				}
			})
		}
	}
}

// altered changes answers on their way.
type altered struct {
	next http.RoundTripper
	by   func(r *http.Request, resp *http.Response)
}

func (a altered) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := a.next.RoundTrip(r)
	if err == nil {
		a.by(r, resp)
	}
	return resp, err
}

// Answers that cannot be are no success, and end.
func TestImpossibleAnswers(t *testing.T) {
	arrives := func(text string) func(*http.Request, *http.Response) {
		return func(r *http.Request, resp *http.Response) {
			if resp.StatusCode == http.StatusPermanentRedirect {
				resp.Header.Set("Range", text)
			}
		}
	}
	body := func(path, old, new string) func(*http.Request, *http.Response) {
		return func(r *http.Request, resp *http.Response) {
			if strings.HasPrefix(r.URL.Path, path) && resp.StatusCode == http.StatusOK {
				data, _ := io.ReadAll(resp.Body)
				resp.Body = io.NopCloser(strings.NewReader(strings.ReplaceAll(string(data), old, new)))
			}
		}
	}
	small, large := 9, blob.Chunk+1
	for name, c := range map[string]struct {
		size int
		by   func(*http.Request, *http.Response)
		want fault.Kind
	}{
		"more has arrived than was sent":  {large, arrives("bytes=0-99999999"), fault.Transient},
		"not from the beginning":          {large, arrives("bytes=5-9"), fault.Transient},
		"nothing ever arrives":            {large, arrives(""), fault.Transient},
		"no range":                        {large, arrives("all of it"), fault.Transient},
		"a session elsewhere":             {large, func(_ *http.Request, r *http.Response) { r.Header.Set("Location", "http://evil.test/?upload_id=1") }, fault.Transient},
		"no session":                      {large, func(_ *http.Request, r *http.Response) { r.Header.Del("Location") }, fault.Transient},
		"the object has other bytes":      {small, body("/upload/", `"crc32c":"`, `"crc32c":"x`), fault.Bug},
		"the object has another size":     {small, body("/upload/", `"size":"9"`, `"size":"8"`), fault.Bug},
		"the object has no generation":    {small, body("/upload/", `"generation"`, `"g"`), ""}, // in doubt, it is looked up
		"the copy has other bytes":        {large, body("/storage/", `"crc32c":"`, `"crc32c":"x`), fault.Bug},
		"a rewrite that does not go on":   {large, body("/storage/", `"done":true`, `"done":false,"rewriteToken":""`), ""}, // it is done nevertheless
		"a chunk that makes an object":    {2 * large, func(_ *http.Request, r *http.Response) { finish(r) }, fault.Transient},
		"a session that is over":          {2 * large, func(q *http.Request, r *http.Response) { gone(q, r) }, fault.Transient},
		"content that is said to be bad":  {small, func(q *http.Request, r *http.Response) { refuse(q, r) }, fault.Bug},
		"an object under some other name": {small, body("/upload/", `"name":"exports/`, `"name":"imports/`), ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := through(t, storage.Options{}, func(s *storage.Server) http.RoundTripper { return altered{s.Transport(), c.by} })
				_, err := blob.PutBytes(t.Context(), b, kind, "a", pattern(c.size), blob.Absent)
				if fault.Of(err) != c.want {
					t.Errorf("%q: %v", fault.Of(err), err)
				}
				if err != nil && (strings.Contains(err.Error(), "upload_id") || strings.Contains(err.Error(), "test")) {
					t.Errorf("an address is in it: %v", err)
				}
			})
		})
	}
}

func replace(r *http.Response, code int, text string) {
	r.StatusCode, r.Body = code, io.NopCloser(strings.NewReader(text))
}

func finish(r *http.Response) {
	if r.StatusCode == http.StatusPermanentRedirect {
		replace(r, 200, "{}")
	}
}

func gone(q *http.Request, r *http.Response) {
	if q.Method == http.MethodPut {
		replace(r, 410, "")
	}
}

func refuse(q *http.Request, r *http.Response) {
	if q.Method == http.MethodPost {
		replace(r, 400, "")
	}
}

// A listing that goes round in circles, or that names what is not there, ends as an error.
func TestEndlessListing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := through(t, storage.Options{}, func(s *storage.Server) http.RoundTripper {
			return altered{s.Transport(), func(q *http.Request, r *http.Response) {
				if q.Method == http.MethodGet {
					replace(r, 200, `{"nextPageToken":"again"}`)
				}
			}}
		})
		if _, err := c.List(t.Context(), "", "", 5); !fault.Is(err, fault.Transient) {
			t.Error(err)
		}
	})
}

// What a writer has begun it ends even when its context has ended already.
func TestAbortAfterTheContext(t *testing.T) {
	c := in(t, storage.Options{})
	ctx, stop := context.WithCancel(t.Context())
	w, err := c.Create(ctx, kind)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(pattern(blob.Chunk + 1)); err != nil || c.rest() != 1 {
		t.Fatal(err, c.rest())
	}
	stop()
	if _, err := w.Write(pattern(blob.Chunk)); !fault.Is(err, fault.Transient) {
		t.Errorf("%v", err)
	}
	if _, err := w.Commit(t.Context(), "a", blob.Absent); !fault.Is(err, fault.Transient) {
		t.Errorf("it commits half of it: %v", err)
	}
	if c.rest() != 0 || len(c.sim.Objects(ours)) != 0 {
		t.Errorf("%d rests", c.rest())
	}
}

// Bytes that were taken back are not read any more, by whoever still has the request.
func TestLoan(t *testing.T) {
	data := make([]byte, 1<<20)
	for range 50 {
		l := &loan{bytes: data}
		var reading sync.WaitGroup
		started := make(chan struct{})
		reading.Go(func() {
			p := make([]byte, 100)
			close(started)
			for {
				if _, err := l.Read(p); err != nil {
					return
				}
			}
		})
		<-started
		l.take()
		clear(data) // under the race detector this is the test
		reading.Wait()
		if _, err := l.Read(make([]byte, 1)); err == nil || errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
	}
}

func FuzzArrived(f *testing.F) {
	for _, s := range []string{"", "bytes=0-5", "0-5", "bytes=1-5", "bytes=0-99999999999999999999", "bytes=0-", "bytes=0--1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if n, err := arrived(s); err == nil && (n < 0 || n == 0 && s != "" || n > 1e18) {
			t.Errorf("%q is %d", s, n)
		}
	})
}

// Whatever an answer says, an upload stays where uploads go.
func FuzzSessionURL(f *testing.F) {
	const ours = "http://storage.test/upload/storage/v1/b/acme-usage/o"
	for _, s := range []string{
		ours + "?upload_id=1", ours, "http://storage.test/upload/storage/v1/b/other/o?upload_id=1", "//storage.test/x", "http://x@storage.test/", "",
		"http://storage.test/resumable/upload/storage/v1/b/acme-usage/o?upload_id=1", "https://storage.test/upload/storage/v1/b/acme-usage/o?upload_id=1",
	} {
		f.Add(s)
	}
	b := made(f, Options{Bucket: "acme-usage", Transport: gapi.Options{Endpoint: "http://storage.test"}}).(*bucket)
	f.Fuzz(func(t *testing.T, s string) {
		got, err := b.sessionURL(s)
		if err == nil && !strings.HasPrefix(got, ours+"?") && !strings.HasPrefix(got, strings.Replace(ours, "/upload", "/resumable/upload", 1)+"?") {
			t.Errorf("%q", got)
		}
	})
}
