// Package blobtest is the suite of blob.Bucket, a subtest for every sentence of its contract, and a bucket in memory for the tests of those who
// use one.
//
// An implementation runs [Test] with its [Place]. What only it can do (lose an acknowledgement on the wire, break an upload in the middle, be
// killed) it tests beside the suite.
package blobtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/providerdesk/providerdesk/shared/blob"
	"github.com/providerdesk/providerdesk/shared/fault"
)

// Place is where a bucket is.
type Place struct {
	Open    func() blob.Bucket          // another handle of the same bucket, as another process has it
	Corrupt func(name string, at int64) // makes one byte of what is stored another one
	Rest    func() int                  // how much that is unfinished lies about
	Gone    bool                        // of a large generation that is replaced the rest cannot be read: its reader fails
}

const kind = "text/plain; charset=utf-8"

// bench is one bucket under test.
type bench struct {
	*testing.T
	blob.Bucket
	place Place
}

// Test runs the suite. Each subtest gets an empty place.
func Test(t *testing.T, place func(t *testing.T) Place) {
	for _, test := range []struct {
		name string
		run  func(b bench)
	}{
		{"nothing has a name before Commit, and an abort leaves nothing", abortion},
		{"Commit with Absent makes the object only if there is none", absent},
		{"Commit with a Generation replaces exactly that one", exchange},
		{"32 commits with Absent at once: one wins", race},
		{"32 writers that count by compare-and-swap lose no count", count},
		{"bytes come back as they were written, whatever the size", sizes},
		{"the checksums are those of the bytes", checksums},
		{"a reader reads one generation, whatever is committed meanwhile", steady},
		{"a reader ends with an error when the bytes are not those that were written", corruption},
		{"Open and List see every commit that returned, through every handle", visible},
		{"List is ordered by name and comes in pages", pages},
		{"List and Stat tell a name from one that it begins", prefixes},
		{"names that are taken and names that are not", names},
		{"a writer ends once", ends},
		{"a context that has ended commits nothing", late},
		{"Once takes the object that is there if it is the same", once},
		{"ReadAll takes no more than its limit", limited},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := place(t)
			test.run(bench{t, p.Open(), p})
		})
	}
}

func (b bench) writer(data []byte) blob.Writer {
	b.Helper()
	w, err := b.Create(b.Context(), kind)
	if err != nil {
		b.Fatal(err)
	}
	for len(data) > 0 { // in pieces of an odd size, as they come
		n := min(len(data), 100_003)
		if _, err := w.Write(data[:n]); err != nil {
			b.Fatal(err)
		}
		data = data[n:]
	}
	return w
}

func (b bench) put(name, text string, at blob.Generation) blob.Object {
	b.Helper()
	o, err := blob.PutBytes(b.Context(), b, kind, name, []byte(text), at)
	if err != nil {
		b.Fatalf("put %q: %v", name, err)
	}
	return o
}

func (b bench) holds(name, text string) blob.Object {
	b.Helper()
	data, o, err := blob.ReadAll(b.Context(), b, name, 1<<30)
	if err != nil || string(data) != text {
		b.Errorf("%q holds %.40q, %v; want %.40q", name, data, err, text)
	}
	return o
}

func (b bench) names(prefix, after string, limit int) []string {
	b.Helper()
	list, err := b.List(b.Context(), prefix, after, limit)
	if err != nil {
		b.Fatal(err)
	}
	names := make([]string, len(list))
	for i, o := range list {
		names[i] = o.Name
	}
	return names
}

func (b bench) fails(err error, want fault.Kind) {
	b.Helper()
	if !fault.Is(err, want) {
		b.Errorf("%v is %q, want %q", err, fault.Of(err), want)
	}
}

// noise is the same bytes for the same size, and does not repeat itself.
func noise(n int64) []byte {
	r := rand.NewChaCha8([32]byte{byte(n), byte(n >> 8), byte(n >> 16)})
	data := make([]byte, n)
	r.Read(data)
	return data
}

func abortion(b bench) {
	for _, size := range []int64{3, blob.Chunk + 1} {
		w := b.writer(noise(size))
		if got := b.names(fmt.Sprint(size), "", 9); len(got) != 0 {
			b.Errorf("%q has a name already", got)
		}
		w.Abort()
		if got := b.names(fmt.Sprint(size), "", 9); len(got) != 0 || b.place.Rest() != 0 {
			b.Errorf("%q and %d rests after the abort", got, b.place.Rest())
		}
		w = b.writer(noise(size))
		if _, err := w.Commit(b.Context(), fmt.Sprint(size), blob.Absent); err != nil || b.place.Rest() != 0 {
			b.Errorf("%v, %d rests after the commit", err, b.place.Rest())
		}
		w = b.writer(noise(size))
		if _, err := w.Commit(b.Context(), "a//b", blob.Absent); !fault.Is(err, fault.Invalid) || b.place.Rest() != 0 {
			b.Errorf("%v, %d rests after the refusal", err, b.place.Rest())
		}
	}
}

func absent(b bench) {
	for _, size := range []int64{3, blob.Chunk + 1} {
		name := fmt.Sprint(size)
		first := b.put(name, "first", blob.Absent)
		if first.Generation == blob.Absent || first.Name != name || first.Bytes != 5 || first.Created.IsZero() {
			b.Errorf("%+v", first)
		}
		_, err := b.writer(noise(size)).Commit(b.Context(), name, blob.Absent)
		b.fails(err, fault.Conflict)
		if o := b.holds(name, "first"); o != first {
			b.Errorf("%+v became %+v", first, o)
		}
		_, err = b.writer([]byte("first")).Commit(b.Context(), name, blob.Absent) // the same bytes, but not ours
		b.fails(err, fault.Conflict)
		if n := b.place.Rest(); n != 0 {
			b.Errorf("%d rests", n)
		}
	}
}

func exchange(b bench) {
	for _, size := range []int64{3, blob.Chunk + 1} {
		name, next := fmt.Sprint("x", size), noise(size)
		w := b.writer(next)
		_, err := w.Commit(b.Context(), name, 77)
		b.fails(err, fault.Conflict)
		first := b.put(name, "first", blob.Absent)
		second, err := b.writer(next).Commit(b.Context(), name, first.Generation)
		if err != nil || second.Generation == first.Generation || second.Bytes != size {
			b.Fatalf("%+v %v", second, err)
		}
		for _, at := range []blob.Generation{first.Generation, blob.Absent, second.Generation + 1, -1, 1<<63 - 1} {
			_, err := b.writer([]byte("third")).Commit(b.Context(), name, at)
			b.fails(err, fault.Conflict)
		}
		b.holds(name, string(next))
	}
}

const crowd = 32

// together runs something in many goroutines, each with a handle of its own.
func (b bench) together(do func(i int, bucket blob.Bucket)) {
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range crowd {
		bucket := b.place.Open()
		all.Go(func() {
			<-start
			do(i, bucket)
		})
	}
	close(start)
	all.Wait()
}

func race(b bench) {
	var won atomic.Int32
	var winner atomic.Value
	b.together(func(i int, bucket blob.Bucket) {
		o, err := blob.PutBytes(b.Context(), bucket, kind, "race", []byte(fmt.Sprint("runner ", i)), blob.Absent)
		switch {
		case err == nil:
			won.Add(1)
			winner.Store([2]string{fmt.Sprint("runner ", i), fmt.Sprint(o.Generation)})
		case !fault.Is(err, fault.Conflict):
			b.Error(err)
		}
	})
	if won.Load() != 1 {
		b.Fatalf("%d won", won.Load())
	}
	w := winner.Load().([2]string)
	if o := b.holds("race", w[0]); fmt.Sprint(o.Generation) != w[1] {
		b.Errorf("generation %d, the winner was told %s", o.Generation, w[1])
	}
}

func count(b bench) {
	b.put("count", "", blob.Absent)
	seen := make([]blob.Generation, crowd)
	b.together(func(i int, bucket blob.Bucket) {
		for {
			data, o, err := blob.ReadAll(b.Context(), bucket, "count", crowd)
			if err == nil {
				o, err = blob.PutBytes(b.Context(), bucket, kind, "count", append(data, 'x'), o.Generation)
			}
			if seen[i] = o.Generation; err == nil {
				return
			}
			if !fault.Is(err, fault.Conflict) {
				b.Error(err)
				return
			}
		}
	})
	b.holds("count", strings.Repeat("x", crowd))
	slices.Sort(seen)
	if len(slices.Compact(seen)) != crowd {
		b.Errorf("a generation was used twice: %v", seen)
	}
}

func sizes(b bench) {
	for _, size := range []int64{0, 1, blob.Chunk - 1, blob.Chunk, blob.Chunk + 1, 2 * blob.Chunk, 3*blob.Chunk + 7} {
		data := noise(size)
		w := b.writer(data)
		o, err := w.Commit(b.Context(), fmt.Sprintf("size/%010d", size), blob.Absent)
		if err != nil || o.Bytes != size || o.CRC32C != w.Sum().CRC32C {
			b.Fatalf("%d bytes: %+v %v", size, o, err)
		}
		got, read, err := blob.ReadAll(b.Context(), b, o.Name, size)
		if err != nil || !bytes.Equal(got, data) || read != o {
			b.Errorf("%d bytes came back as %d, %+v %v", size, len(got), read, err)
		}
	}
}

func checksums(b bench) {
	w := b.writer([]byte("123456789"))
	want := blob.Sum{SHA256: "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225", CRC32C: "4waSgw==", Bytes: 9}
	if got := w.Sum(); got != want {
		b.Errorf("%+v", got)
	}
	o, err := w.Commit(b.Context(), "digits", blob.Absent)
	if err != nil || o.CRC32C != want.CRC32C || w.Sum() != want {
		b.Errorf("%+v %v", o, err)
	}
}

func steady(b bench) {
	for _, size := range []int64{100, blob.Chunk + 5} {
		name, old := fmt.Sprint("steady", size), noise(size)
		first, err := b.writer(old).Commit(b.Context(), name, blob.Absent)
		if err != nil {
			b.Fatal(err)
		}
		r, err := b.Open(b.Context(), name)
		if err != nil {
			b.Fatal(err)
		}
		b.put(name, "new", first.Generation)
		read, err := io.ReadAll(r)
		if complete := len(read) == len(old); !bytes.HasPrefix(old, read) || (err == nil) != complete || complete == (b.place.Gone && size > blob.Chunk) {
			b.Errorf("%d bytes, %v", len(read), err)
		}
		if err != nil {
			b.fails(err, fault.Conflict)
		}
		if r.Object() != first || r.Close() != nil {
			b.Errorf("%+v", r.Object())
		}
		b.holds(name, "new")
	}
}

func corruption(b bench) {
	for _, size := range []int64{1, 1000, blob.Chunk + 1} {
		for _, at := range slices.Compact([]int64{0, size - 1}) {
			name := fmt.Sprintf("spoilt/%d-%d", size, at)
			if _, err := b.writer(noise(size)).Commit(b.Context(), name, blob.Absent); err != nil {
				b.Fatal(err)
			}
			b.place.Corrupt(name, at)
			r, err := b.Open(b.Context(), name)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, r); !errors.Is(err, blob.ErrCorrupt) {
				b.Errorf("%s: %v", name, err)
			}
			if n, err := r.Read(make([]byte, 1)); n != 0 || err == nil || errors.Is(err, io.EOF) {
				b.Errorf("%s: it goes on with %d bytes, %v", name, n, err)
			}
			r.Close()
		}
	}
}

func visible(b bench) {
	other := bench{b.T, b.place.Open(), b.place}
	at := blob.Absent
	for i := range 20 {
		o := b.put("seen", fmt.Sprint(i), at)
		other.holds("seen", fmt.Sprint(i))
		list, err := other.List(b.Context(), "", "", 9)
		if err != nil || len(list) != 1 || list[0] != o {
			b.Fatalf("%+v %v, want %+v", list, err, o)
		}
		if there, found, err := blob.Stat(b.Context(), other, "seen"); there != o || !found || err != nil {
			b.Fatalf("%+v %v %v", there, found, err)
		}
		at = o.Generation
	}
	_, err := other.Open(b.Context(), "unseen")
	b.fails(err, fault.Missing)
	_, err = other.Open(b.Context(), "seen/below")
	b.fails(err, fault.Missing)
}

func pages(b bench) {
	var want []string
	for _, n := range rand.Perm(25) {
		name := fmt.Sprintf("raw/month=2026-%02d/org=o %d/a.csv", 1+n/5, n%5)
		b.put(name, name, blob.Absent)
		want = append(want, name)
	}
	for _, name := range []string{"raw-/x", "raw.z", "raw/month=2026-01.json", "raw/month=2026-01-/x", "zz"} { // all of them sort around a slash
		b.put(name, name, blob.Absent)
		want = append(want, name)
	}
	slices.Sort(want)
	for _, limit := range []int{1, 2, 7, 30, 31} {
		var got []string
		for after := ""; ; after = got[len(got)-1] {
			page := b.names("", after, limit)
			if got = append(got, page...); len(page) < limit {
				break
			}
		}
		if !slices.Equal(got, want) {
			b.Fatalf("in pages of %d: %q", limit, got)
		}
	}
	var all []string
	for o, err := range blob.All(b.Context(), b, "raw/month=2026-02/") {
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, o.Name)
	}
	if len(all) != 5 || !slices.IsSorted(all) {
		b.Errorf("%q", all)
	}
	for range blob.All(b.Context(), b, "raw/") {
		break
	}
	if got := b.names("", "", 0); len(got) != 0 {
		b.Errorf("%q of none", got)
	}
}

func prefixes(b bench) {
	for _, name := range []string{"a/b", "a/bc", "a/b-", "ab"} {
		b.put(name, name, blob.Absent)
	}
	for _, c := range []struct{ prefix, after, want string }{
		{"a/b", "", "a/b a/b- a/bc"}, {"a/", "a/b", "a/b- a/bc"}, {"a", "a/bc", "ab"}, {"a/b", "z", ""}, {"a/b", "a", "a/b a/b- a/bc"}, {"b", "", ""},
		{"a/b/", "", ""}, {"incoming/", "", ""}, {"..", "", ""}, {"/", "", ""},
	} {
		if got := strings.Join(b.names(c.prefix, c.after, 9), " "); got != c.want {
			b.Errorf("%q after %q: %q, want %q", c.prefix, c.after, got, c.want)
		}
	}
	for name, want := range map[string]bool{"a/b": true, "a/": false, "a/b-": true, "ab": true, "a/c": false, "abc": false, "a": false} {
		_, found, err := blob.Stat(b.Context(), b, name)
		if found != want || name != "a/" && err != nil {
			b.Errorf("%q: %v %v", name, found, err)
		}
	}
}

// good and bad are names for every implementation.
var (
	good = []string{
		"a", "raw/month=2026-10/org=9d96 48/usage.csv", "x.y..z", "b/.b", "Ä/日本.json", "100% #?&+;,~'\"\\[]{}|<>*:", "incoming2/x", "b/incoming/x",
		strings.Repeat(strings.Repeat("n", 199)+"/", 3) + strings.Repeat("n", 100),
	}
	bad = []string{
		"", "/", "/a", "a/", "a//b", ".", "..", "a/..", "a/../b", "./a", "a/.", ".lock", ".sums/x", "a\x00b", "a\nb", "a\x7f", "\xff", "incoming", "incoming/x",
		"a\u0085b", strings.Repeat("n", blob.MaxName+1), strings.Repeat("n", 256),
	}
)

func names(b bench) {
	for _, name := range good {
		b.put(name, name, blob.Absent)
		b.holds(name, name)
	}
	want := slices.Sorted(slices.Values(good))
	if got := b.names("", "", 99); !slices.Equal(got, want) {
		b.Errorf("%q", got)
	}
	for _, name := range bad {
		_, err := b.writer([]byte("x")).Commit(b.Context(), name, blob.Absent)
		b.fails(err, fault.Invalid)
		_, err = b.Open(b.Context(), name)
		b.fails(err, fault.Invalid)
	}
	if got := b.names("", "", 99); !slices.Equal(got, want) {
		b.Errorf("%q after the bad ones", got)
	}
}

func ends(b bench) {
	for _, size := range []int64{4, blob.Chunk + 4} {
		w := b.writer(noise(size))
		if _, err := w.Commit(b.Context(), fmt.Sprint(size), blob.Absent); err != nil {
			b.Fatal(err)
		}
		w.Abort()
		if _, err := w.Write([]byte("more")); err == nil {
			b.Error("it takes more")
		}
		if _, err := w.Commit(b.Context(), "second", blob.Absent); err == nil {
			b.Error("it commits again")
		}
		b.holds(fmt.Sprint(size), string(noise(size)))
		w = b.writer(noise(size))
		w.Abort()
		w.Abort()
		if _, err := w.Commit(b.Context(), "aborted", blob.Absent); err == nil {
			b.Error("it commits what was aborted")
		}
		if _, found, err := blob.Stat(b.Context(), b, "aborted"); found || err != nil {
			b.Error(found, err)
		}
	}
}

func late(b bench) {
	ctx, stop := context.WithCancel(b.Context())
	w, err := b.Create(ctx, kind)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := w.Write([]byte("late")); err != nil {
		b.Fatal(err)
	}
	stop()
	_, err = w.Commit(ctx, "late", blob.Absent)
	b.fails(err, fault.Transient)
	_, err = b.Open(ctx, "late")
	b.fails(err, fault.Transient)
	_, err = b.List(ctx, "", "", 9)
	b.fails(err, fault.Transient)
	if _, found, err := blob.Stat(b.Context(), b, "late"); found || err != nil {
		b.Error(found, err)
	}
}

func once(b bench) {
	for _, size := range []int64{5, blob.Chunk + 1} {
		name, data := fmt.Sprint("once/", size), noise(size)
		first, err := blob.Once(b.Context(), b, b.writer(data), name)
		if err != nil {
			b.Fatal(err)
		}
		again, err := blob.Once(b.Context(), b, b.writer(data), name)
		if err != nil || again != first {
			b.Errorf("%+v %v", again, err)
		}
		data[2] ^= 1
		_, err = blob.Once(b.Context(), b, b.writer(data), name)
		b.fails(err, fault.Conflict)
	}
	if o, err := blob.PutOnce(b.Context(), b, kind, "once/5", noise(5)); err != nil || o.Bytes != 5 {
		b.Errorf("%+v %v", o, err)
	}
}

func limited(b bench) {
	b.put("limited", "twelve bytes", blob.Absent)
	if data, o, err := blob.ReadAll(b.Context(), b, "limited", 12); string(data) != "twelve bytes" || o.Bytes != 12 || err != nil {
		b.Errorf("%q %+v %v", data, o, err)
	}
	_, _, err := blob.ReadAll(b.Context(), b, "limited", 11)
	b.fails(err, fault.Invalid)
	_, _, err = blob.ReadAll(b.Context(), b, "nothing", 11)
	b.fails(err, fault.Missing)
}

// Bounded writes 256 MiB and reads them again. All that is allocated from the first byte to the end of it, and not only at a time, is held against
// three chunks. Whatever serves the bucket must be another process.
func Bounded(t *testing.T, bucket blob.Bucket) {
	const total = 256 << 20
	piece := noise(1 << 20)
	written := allocated(func() {
		w, err := bucket.Create(t.Context(), kind)
		if err != nil {
			t.Fatal(err)
		}
		for range total / len(piece) {
			if _, err := w.Write(piece); err != nil {
				t.Fatal(err)
			}
		}
		if o, err := w.Commit(t.Context(), "large", blob.Absent); err != nil || o.Bytes != total {
			t.Fatalf("%+v %v", o, err)
		}
	})
	read := allocated(func() {
		r, err := bucket.Open(t.Context(), "large")
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, r, make([]byte, 32<<10))
		if err = errors.Join(err, r.Close()); err != nil || n != total {
			t.Fatal(n, err)
		}
	})
	t.Logf("%d MiB: %.1f MiB allocated to write, %.1f to read", total>>20, float64(written)/(1<<20), float64(read)/(1<<20))
	if written > 3*blob.Chunk || read > 3*blob.Chunk {
		t.Errorf("more than %d MiB", 3*blob.Chunk>>20)
	}
}

func allocated(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// Benchmark writes and reads objects of 1 KiB, 1 MiB and 64 MiB.
func Benchmark(b *testing.B, bucket blob.Bucket) {
	for _, size := range []int64{1 << 10, 1 << 20, 64 << 20} {
		data := noise(size)
		n := 0
		b.Run(fmt.Sprintf("write/%dKiB", size>>10), func(b *testing.B) {
			b.SetBytes(size)
			b.ReportAllocs()
			for b.Loop() {
				n++
				if _, err := blob.PutBytes(b.Context(), bucket, kind, fmt.Sprintf("bench/%d/%d", size, n), data, blob.Absent); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("read/%dKiB", size>>10), func(b *testing.B) {
			b.SetBytes(size)
			b.ReportAllocs()
			for b.Loop() {
				r, err := bucket.Open(b.Context(), fmt.Sprintf("bench/%d/%d", size, n))
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, r); err != nil {
					b.Fatal(err)
				}
				r.Close()
			}
		})
	}
}
