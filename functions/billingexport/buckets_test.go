package billingexport

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/blob"
	"github.com/providerdesk/providerdesk/shared/blob/dir"
	"github.com/providerdesk/providerdesk/shared/blob/gcs"
	"github.com/providerdesk/providerdesk/shared/gapi"
	"github.com/providerdesk/providerdesk/shared/sim/storage"
)

// listed is every object of a bucket and its checksum, but for what says when a run asked.
func listed(t *testing.T, b blob.Bucket) map[string]string {
	all := map[string]string{}
	for o, err := range blob.All(context.Background(), b, "") {
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(o.Name, "/fetched/") {
			all[o.Name] = o.CRC32C
		}
	}
	return all
}

// TestBuckets: a directory and Cloud Storage come to hold what the bucket of the other tests does.
func TestBuckets(t *testing.T) {
	folder := t.TempDir()
	for name, open := range map[string]func(*testing.T) (blob.Bucket, error){
		"memory": func(*testing.T) (blob.Bucket, error) { return nil, nil },
		"dir":    func(*testing.T) (blob.Bucket, error) { return dir.New(folder) },
		"gcs": func(t *testing.T) (blob.Bucket, error) {
			s, err := storage.New(storage.Options{Page: 7})
			if err != nil {
				return nil, err
			}
			t.Cleanup(func() { s.Close() })
			return gcs.New(gcs.Options{Bucket: "acme-usage", Prefix: "export", Transport: gapi.Options{Base: s.Transport(), Token: gapi.StaticToken("t"), Backoff: time.Millisecond}})
		},
	} {
		var want, got map[string]string
		bubble(t, func(t *testing.T) {
			w := newWorld(t, hubOptions)
			for w.advance() {
			}
			want = w.snapshot()
		})
		bubble(t, func(t *testing.T) {
			w := newWorld(t, hubOptions)
			b, err := open(t)
			w.must(err)
			if b == nil {
				b = w.bucket
			}
			w.deps = func(p *process, d *Deps) { d.Bucket = mortalBucket{p, b} }
			w.start()
			for w.advance() {
			}
			checks, err := w.p.Verify(t.Context(), october, 0)
			w.must(err)
			for c := range checks {
				if c.Problem != "" {
					t.Errorf("%s: %s: %s", name, c.What, c.Problem)
				}
			}
			got = listed(t, b)
		})
		for object, sum := range want {
			if got[object] != sum {
				t.Errorf("%s: %s is missing or another one", name, object)
			}
		}
		if len(got) != len(want) {
			t.Errorf("%s: %d objects, not %d", name, len(got), len(want))
		}
	}
}
