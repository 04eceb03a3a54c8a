package cloudsupport

import (
	"sync"
	"testing"
)

// Callers at the same time lose nothing and get different ids, events and lists included.
func TestParallel(t *testing.T) {
	d := open(t, Options{Dir: t.TempDir()})
	draft := d.draft("a", "b", "P3")
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for range 5 {
				a := d.send("POST", "/v2/projects/acme-prod/cases", draft)
				if a.status != 200 {
					t.Errorf("%d %v %s", a.status, a.err, a.body)
				}
				d.send("GET", "/v2/projects/acme-prod/cases:search?query=a", "")
				d.send("GET", "/calls", "")
			}
		})
	}
	callers.Wait()
	seen := map[string]bool{}
	for _, c := range d.Cases() {
		seen[c.Name] = true
	}
	if _, counts := d.Calls(); len(seen) != 40 || counts["cases.create"] != 40 {
		t.Errorf("%d cases of %d calls, want 40", len(seen), counts["cases.create"])
	}
}
