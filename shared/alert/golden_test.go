package alert

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGolden decodes every file of testdata; the golden file beside it shows the whole incident.
func TestGolden(t *testing.T) {
	for _, source := range formatsAndEvents() {
		decode, ok := byName(source)
		if !ok {
			t.Fatalf("no decoder for %s", source)
		}
		files, _ := filepath.Glob(filepath.Join("testdata", source, "*.json"))
		if len(files) == 0 {
			t.Fatalf("no test data for %s", source)
		}
		for _, file := range files {
			t.Run(source+"/"+filepath.Base(file), func(t *testing.T) { golden(t, decode, file) })
		}
	}
}

// formatsAndEvents are the sources with test data of their own: all but any.
func formatsAndEvents() []string { return append(formats(), SourceCloudEvents) }

func golden(t *testing.T, decode bodyDecoder, file string) {
	list, err := decode(readFile(t, file))
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range list {
		checkIncident(t, in)
	}
	got := indented(t, list)
	want := strings.TrimSuffix(file, ".json") + ".golden"
	if *update {
		if err := os.WriteFile(want, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(got, readFile(t, want)) {
		t.Errorf("%s differs; got:\n%s", want, got)
	}
}

func indented(t *testing.T, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
