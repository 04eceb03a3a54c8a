//go:build unix

package installed

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// Secret reads what the installation made for itself.
func (s *Site) Secret(name string) string {
	s.Helper()
	text, err := os.ReadFile(filepath.Join(s.data(), "secrets", name))
	if err != nil {
		s.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// Record is an effect of the ledger.
type Record struct {
	Kind, State, LastError string
	Duplicates             []any
}

// Records are all effects.
func (s *Site) Records() []Record {
	s.Helper()
	var book struct{ Records []Record }
	if err := s.Get("/api/ledger?limit=1000", s.Secret("admin"), &book); err != nil {
		s.Fatal(err)
	}
	return book.Records
}

// Unfinished lists the effects that are no success.
func (s *Site) Unfinished() (list []string) {
	s.Helper()
	for _, r := range s.Records() {
		if r.State != "SUCCEEDED" {
			list = append(list, r.Kind+" "+r.State+" "+r.LastError)
		}
	}
	return list
}

// CheckLedger sees that everything succeeded and nothing happened twice. It returns how many effects of a kind there are.
func (s *Site) CheckLedger() map[string]int {
	s.Helper()
	kinds := map[string]int{}
	for _, r := range s.Records() {
		kinds[r.Kind]++
		if r.State != "SUCCEEDED" || len(r.Duplicates) > 0 {
			s.Errorf("%s: %s, %d duplicates, %s", r.Kind, r.State, len(r.Duplicates), r.LastError)
		}
	}
	return kinds
}

// Get reads JSON from an address of the installation.
func (s *Site) Get(path, token string, into any) error {
	status, answer, err := s.Send(http.MethodGet, path, token, nil)
	switch {
	case err != nil:
		return err
	case status != http.StatusOK:
		return fmt.Errorf("GET %s answers %d: %s", path, status, answer)
	}
	return json.Unmarshal(answer, into)
}

// Send sends a request on a connection of its own: the process may have been another one the last time. It outlives the test's own end, when a
// failure is explained.
func (s *Site) Send(method, path, token string, body []byte) (status int, answer []byte, err error) {
	req, err := http.NewRequestWithContext(context.WithoutCancel(s.Context()), method, "http://"+s.Addr+path, strings.NewReader(string(body)))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+token)
	r, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		return 0, nil, err
	}
	defer r.Body.Close()
	answer, err = io.ReadAll(r.Body)
	return r.StatusCode, answer, err
}
