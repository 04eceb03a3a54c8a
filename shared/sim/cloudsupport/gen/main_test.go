package main

import (
	"bytes"
	"os"
	"testing"
)

// The table in the checkout is the one that the document of the module in go.mod gives, byte for byte.
func TestContractIsCurrent(t *testing.T) {
	doc, err := discovery()
	if err != nil {
		t.Fatal(err)
	}
	want, err := generate(doc)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../contract_gen.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("contract_gen.go is stale: run go generate in the folder above")
	}
}

func TestGenerateRefuses(t *testing.T) {
	for name, doc := range map[string]string{
		"not JSON":    `{"id":`,
		"another API": `{"id":"cloudsupport:v1"}`,
	} {
		if _, err := generate([]byte(doc)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
