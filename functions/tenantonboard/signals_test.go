package tenantonboard

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/providerdesk/providerdesk/shared/store/storetest"
)

// TestEndsAreLogged: the end of a run is logged once, with what the tenant is then.
func TestEndsAreLogged(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, setup{})
		var log bytes.Buffer
		w.deps = func(d *Deps) { d.Log = slog.New(slog.NewTextHandler(&log, nil)) }
		w.open(nil)
		s := w.onboard(acme())
		w.deliver("acme") // comes again, and ends nothing
		want := fmt.Sprintf("event=tenant.ended tenant=acme run=%d mode=%s status=%s\n", s.Run, s.Mode, s.Status)
		if got := strings.Count(log.String(), "event=tenant.ended"); got != 1 || !strings.Contains(log.String(), want) {
			t.Errorf("%d ends, want one: %q in\n%s", got, want, &log)
		}
	})
}

// TestIdleSweep: a minute in which nothing happens costs three queries that find nothing.
func TestIdleSweep(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, setup{})
		w.db.Reset()
		if _, err := w.sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		got := w.db.Counts()
		t.Logf("%+v", got)
		if got != (storetest.Counts{Queries: 3}) {
			t.Errorf("took %+v", got)
		}
	})
}
