package main

import (
	"bytes"
	"os"
	"testing"

	"github.com/providerdesk/providerdesk/shared/sim/discovery"
)

// The tables in the checkout are those that the documents of the module in go.mod give, byte for byte.
func TestContractsAreCurrent(t *testing.T) {
	for _, table := range tables {
		t.Run(table.API, func(t *testing.T) {
			doc, err := discovery.Document(table.API, table.Version)
			if err != nil {
				t.Fatal(err)
			}
			want, err := complete(table).Generate(doc)
			if err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile("../" + table.API + "_gen.go")
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Error("stale: run go generate in the folder above")
			}
		})
	}
}
