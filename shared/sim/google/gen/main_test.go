package main

import "testing"

// The tables in the checkout are those that the documents of the module in go.mod give, byte for byte.
func TestContractsAreCurrent(t *testing.T) {
	for _, table := range tables {
		t.Run(table.API, func(t *testing.T) {
			if err := complete(table).Current("../" + table.API + "_gen.go"); err != nil {
				t.Error(err)
			}
		})
	}
}
