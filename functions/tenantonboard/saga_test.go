package tenantonboard

import "testing"

// TestOnboard takes a tenant from nothing to everything, in order.
func TestOnboard(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, setup{})
		s := w.onboard(acme())
		if s.Status != Invited {
			t.Errorf("the tenant is %s: %s", s.Status, s.Waiting)
		}
		t.Log(w.journal(s))
		_, calls := w.hub.Calls()
		t.Log(calls)
	})
}
