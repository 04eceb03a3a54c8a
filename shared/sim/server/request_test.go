package server

import (
	"net/http"
	"testing"
)

func TestBearer(t *testing.T) {
	for header, want := range map[string]string{"": "", "Bearer": "", "Bearer  ": "", "Basic x": "", "x": "", "Bearer x": "x", "bearer  x ": "x"} {
		rq := &Request{Header: http.Header{"Authorization": {header}}}
		if got := rq.Bearer(); got != want {
			t.Errorf("%q: %q, want %q", header, got, want)
		}
	}
}
