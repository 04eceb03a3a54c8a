package main

import "testing"

// The table in the checkout is the one that the document of the module in go.mod gives, byte for byte.
func TestContractIsCurrent(t *testing.T) {
	if err := table.Current("../" + output); err != nil {
		t.Error(err)
	}
}
