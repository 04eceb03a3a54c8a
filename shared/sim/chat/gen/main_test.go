package main

import (
	"bytes"
	"os"
	"testing"

	"github.com/providerdesk/providerdesk/shared/sim/discovery"
)

// The tables in the checkout are those that the document of the module in go.mod gives, byte for byte.
func TestContractIsCurrent(t *testing.T) {
	doc, err := discovery.Document(table.API, table.Version)
	if err != nil {
		t.Fatal(err)
	}
	want, err := table.Generate(doc)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../" + output)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("stale: run go generate in the folder above")
	}
}
