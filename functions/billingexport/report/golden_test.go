package report

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
)

var update = flag.Bool("update", false, "write the golden files")

// outputs are everything that the package writes, by the name of its golden file.
func outputs(t testing.TB) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	write := func(name string, to func(io.Writer) error) {
		t.Helper()
		var b bytes.Buffer
		if err := to(&b); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all[name] = b.Bytes()
	}
	for name, p := range cases() {
		write(name+".html", func(w io.Writer) error { return Write(w, p) })
	}
	first := statement()
	first.State, first.Since, first.Revision, first.Lens, first.Issuer = revision.Published, 0, 1, revision.Tenant, "Contoso Cloud"
	first.Tenants = first.Tenants[:1]
	first.Tenants[0].Compared = false
	none := Statement{Month: october, Lens: revision.Provider, Revision: 1, State: revision.Preliminary, AsOf: asOfDay}
	for name, s := range map[string]Statement{"all": statement(), "all-first": first, "all-none": none} {
		write(name+".html", func(w io.Writer) error { return Overview(w, s) })
		write(name+".json", func(w io.Writer) error {
			e := json.NewEncoder(w)
			e.SetIndent("", "  ")
			e.SetEscapeHTML(false)
			return e.Encode(Summary(s))
		})
	}
	write("summary.csv", func(w io.Writer) error { return CSV(w, statement(), first, none) })
	return all
}

func TestGolden(t *testing.T) {
	for name, got := range outputs(t) {
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what it was: go test -update, and look at the difference", name)
		}
	}
	files, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	if all := outputs(t); len(files) != len(all) {
		t.Errorf("%d golden files of %d outputs", len(files), len(all))
	}
}

// The same facts are the same bytes, in whatever order maps give them.
func TestTheSameBytesAgain(t *testing.T) {
	want := outputs(t)
	for range 2 {
		for name, got := range outputs(t) {
			if !bytes.Equal(got, want[name]) {
				t.Errorf("%s differs from run to run", name)
			}
		}
	}
}

// A page that could not be written is an error.
func TestWriteFails(t *testing.T) {
	for size := range 3 {
		w := &full{room: size * 3000}
		if err := Write(w, ordinary()); err == nil {
			t.Errorf("room for %d bytes, and no error", w.room)
		}
		if err := CSV(&full{}, statement()); err == nil {
			t.Error("no room for the summary, and no error")
		}
	}
}

type full struct{ room int }

func (f *full) Write(p []byte) (int, error) {
	if len(p) > f.room {
		return f.room, io.ErrShortWrite
	}
	f.room -= len(p)
	return len(p), nil
}
