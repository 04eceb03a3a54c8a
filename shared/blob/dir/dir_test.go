package dir

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/providerdesk/providerdesk/shared/blob"
	"github.com/providerdesk/providerdesk/shared/blob/blobtest"
	"github.com/providerdesk/providerdesk/shared/fault"
)

func TestMain(m *testing.M) {
	if folder := os.Getenv(victim); folder != "" {
		fmt.Fprintln(os.Stderr, write(context.Background(), folder))
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

func open(t testing.TB, folder string) blob.Bucket {
	t.Helper()
	b, err := New(folder)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func flip(t testing.TB, path string, at int64) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[at] ^= 1
	if err := errors.Join(os.WriteFile(path, data, 0o600), os.Chtimes(path, info.ModTime(), info.ModTime())); err != nil {
		t.Fatal(err)
	}
}

func TestBucket(t *testing.T) {
	blobtest.Test(t, func(t *testing.T) blobtest.Place {
		folder := filepath.Join(t.TempDir(), "not", "there yet")
		return blobtest.Place{
			Open:    func() blob.Bucket { return open(t, folder) },
			Corrupt: func(name string, at int64) { flip(t, filepath.Join(folder, name), at) },
			Rest: func() int {
				rests, err := os.ReadDir(filepath.Join(folder, blob.Incoming))
				if err != nil {
					t.Fatal(err)
				}
				return len(rests)
			},
		}
	})
}

func TestMemoryIsBounded(t *testing.T) { blobtest.Bounded(t, open(t, t.TempDir())) }

func BenchmarkBucket(b *testing.B) { blobtest.Benchmark(b, open(b, b.TempDir())) }

const text = "text/plain"

func put(t *testing.T, b blob.Bucket, name, data string, at blob.Generation) blob.Object {
	t.Helper()
	o, err := blob.PutBytes(t.Context(), b, text, name, []byte(data), at)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// An object is a plain file for other programs, and there is one checksum for each, also after many generations.
func TestFiles(t *testing.T) {
	folder := t.TempDir()
	b := open(t, folder)
	at := blob.Absent
	for i := range 5 {
		at = put(t, b, "a/month=2026-10/b.csv", fmt.Sprint(i), at).Generation
	}
	if data, err := os.ReadFile(filepath.Join(folder, "a", "month=2026-10", "b.csv")); string(data) != "4" || err != nil {
		t.Errorf("%q %v", data, err)
	}
	if all, err := filepath.Glob(filepath.Join(folder, sums, "*", "*")); len(all) != 1 || err != nil {
		t.Errorf("%d checksums, %v", len(all), err)
	}
}

// What did not come by a commit, or was touched afterwards, is no object: it is not listed and not read.
func TestForeignFiles(t *testing.T) {
	folder := t.TempDir()
	b := open(t, folder)
	put(t, b, "touched", "x", blob.Absent)
	later := time.Now().Add(time.Hour)
	if err := errors.Join(os.WriteFile(filepath.Join(folder, "foreign"), []byte("x"), 0o600), os.Chtimes(filepath.Join(folder, "touched"), later, later)); err != nil {
		t.Fatal(err)
	}
	put(t, b, "ours", "x", blob.Absent)
	for _, name := range []string{"foreign", "touched"} {
		if _, err := b.Open(t.Context(), name); !fault.Is(err, fault.Bug) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := blob.PutBytes(t.Context(), b, text, name, nil, blob.Absent); !fault.Is(err, fault.Conflict) {
			t.Errorf("%s is replaced: %v", name, err)
		}
	}
	if list, err := b.List(t.Context(), "", "", 9); len(list) != 1 || list[0].Name != "ours" || err != nil {
		t.Errorf("%+v %v", list, err)
	}
}

// A name that is a folder in another name cannot be had, in either order, and nothing is changed by trying.
func TestNamesThatAreFolders(t *testing.T) {
	b := open(t, t.TempDir())
	put(t, b, "a", "file", blob.Absent)
	put(t, b, "b/c", "file", blob.Absent)
	for _, name := range []string{"a/x", "a/x/y", "b"} {
		if _, err := blob.PutBytes(t.Context(), b, text, name, nil, blob.Absent); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := b.Open(t.Context(), name); !fault.Is(err, fault.Missing) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What a writer that died left is removed after a day, and not before.
func TestSweep(t *testing.T) {
	folder := t.TempDir()
	open(t, folder)
	for name, age := range map[string]time.Duration{"old": 25 * time.Hour, "young": 23 * time.Hour} {
		path, at := filepath.Join(folder, blob.Incoming, name), time.Now().Add(-age)
		if err := errors.Join(os.WriteFile(path, nil, 0o600), os.Chtimes(path, at, at)); err != nil {
			t.Fatal(err)
		}
	}
	open(t, folder)
	if rests, err := os.ReadDir(filepath.Join(folder, blob.Incoming)); len(rests) != 1 || rests[0].Name() != "young" || err != nil {
		t.Errorf("%v %v", rests, err)
	}
}

// A file cut short or grown is as bad as one with another byte.
func TestLength(t *testing.T) {
	folder := t.TempDir()
	b := open(t, folder)
	for name, size := range map[string]int64{"cut": 5, "grown": 15} {
		put(t, b, name, "ten bytes.", blob.Absent)
		r, err := b.Open(t.Context(), name) // before the damage: the length was another
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(folder, name)
		info, _ := os.Stat(path)
		if err := errors.Join(os.Truncate(path, size), os.Chtimes(path, info.ModTime(), info.ModTime())); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(r); !errors.Is(err, blob.ErrCorrupt) {
			t.Errorf("%s while it is read: %v", name, err)
		}
		r.Close()
		if _, _, err := blob.ReadAll(t.Context(), b, name, 99); !errors.Is(err, blob.ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNew(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{"", file, filepath.Join(file, "below")} {
		if _, err := New(folder); err == nil || strings.Contains(err.Error(), file) && folder != "" {
			t.Errorf("%q: %v", folder, err)
		}
	}
}

// The clock may stand still or run backwards: a generation comes after the one that it replaces.
func TestClock(t *testing.T) {
	b := open(t, t.TempDir()).(bucket)
	now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	b.now = func() time.Time { return now }
	at := put(t, b, "a", "", blob.Absent).Generation
	for range 3 {
		now = now.Add(-time.Second)
		o := put(t, b, "a", "", at)
		if o.Generation <= at {
			t.Fatalf("%d after %d", o.Generation, at)
		}
		at = o.Generation
	}
}
