package duckdb

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/providerdesk/providerdesk/functions/billingexport/focus"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
)

// file is one file for DuckDB, and what it should look at.
type file struct {
	Format  revision.Format `json:"format"`
	Path    string          `json:"path"`
	Columns []column        `json:"columns"`
}

type column struct {
	Name  string     `json:"name"`
	Kind  focus.Kind `json:"kind"`
	Scale int32      `json:"scale"`
}

// columns are those of these names, or all.
func columns(names ...string) (all []column) {
	for _, c := range focus.Columns() {
		if len(names) == 0 || slices.Contains(names, c.Name) {
			all = append(all, column{c.Name, c.Kind, c.Scale})
		}
	}
	return all
}

// seen is what DuckDB sees.
type seen struct {
	Version string     `json:"version"`
	Files   []seenFile `json:"files"`
}

type seenFile struct {
	Currencies    []seenCurrency `json:"currencies"`
	Columns       []string       `json:"columns"`       // of Parquet: names and types
	WrongProducts string         `json:"wrongProducts"` // of Parquet: rows in which a price times the quantity is not the cost
	Differ        string         `json:"differ"`        // rows that are not those of the first file, if it was asked to compare them
}

type seenCurrency struct {
	Currency string                `json:"currency"`
	Rows     string                `json:"rows"`
	Figures  map[string]seenFigure `json:"figures"` // by column
}

// seenFigure is what a column comes to: the sum of numbers, the first and last of times in seconds since 1970, how many different SKUs.
type seenFigure struct {
	Nulls  string `json:"nulls"`
	Figure string `json:"figure"`
}

// look lets DuckDB read files.
func look(t *testing.T, modules string, files []file, compareRows bool) seen {
	t.Helper()
	ask, err := json.Marshal(map[string]any{"files": files, "rows": compareRows})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), reading)
	defer cancel()
	script, err := filepath.Abs("read.cjs")
	if err != nil {
		t.Fatal(err)
	}
	node := exec.CommandContext(ctx, "node", script)
	node.Dir = t.TempDir() // where DuckDB puts what does not fit into memory
	node.Env = append(os.Environ(), "NODE_PATH="+modules)
	node.Stdin = bytes.NewReader(ask)
	var said bytes.Buffer
	node.Stderr = &said
	answer, err := node.Output()
	if err != nil {
		t.Fatalf("node read.cjs: %v: %s", err, said.Bytes())
	}
	var got seen
	if err := json.Unmarshal(answer, &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Files) != len(files) {
		t.Fatalf("DuckDB read %d files, want %d", len(got.Files), len(files))
	}
	return got
}
