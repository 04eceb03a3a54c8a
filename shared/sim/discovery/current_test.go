package discovery

import (
	"os"
	"path/filepath"
	"testing"
)

// A file is current as it was written, and no longer once a byte of it is another.
func TestCurrent(t *testing.T) {
	table := Table{API: "recommender", Version: "v1", Package: "p", Methods: []string{"recommender.projects.locations.recommenders.recommendations.list"}}
	file := filepath.Join(t.TempDir(), "contract_gen.go")
	if table.Current(file) == nil {
		t.Error("there is no file")
	}
	if err := table.Write(file); err != nil {
		t.Fatal(err)
	}
	if err := table.Current(file); err != nil {
		t.Errorf("just written: %v", err)
	}
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(src, '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
	if table.Current(file) == nil {
		t.Error("a line more")
	}
	table.Version = "v0"
	if table.Current(file) == nil || table.Write(file) == nil {
		t.Error("there is no such version")
	}
}
