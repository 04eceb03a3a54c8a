package cloud

import (
	"testing"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/sim/google"
)

func TestEnabledServices(t *testing.T) {
	in(t, google.Options{Enabled: map[string][]string{"acme-prod": {"run.googleapis.com"}}}, func(w world) {
		on, err := w.EnabledServices(w.Context(), project)
		w.check(err)
		if !on["run.googleapis.com"] || on["pubsub.googleapis.com"] {
			t.Errorf("on: %v", on)
		}
		_, err = w.EnabledServices(w.Context(), "projects/x/services/y")
		w.fails(err, fault.Invalid)
	})
}

// TestWhyDenied shows that the two refusals that have nothing to do with what was asked for are told apart, and from all others.
func TestWhyDenied(t *testing.T) {
	for name, c := range map[string]struct {
		o            google.Options
		arm          string
		off, lacking bool
		want         fault.Kind
	}{
		"off":       {o: google.Options{RequireEnabled: true}, off: true, want: fault.Denied},
		"lacking":   {o: google.Options{Denied: []string{"essentialcontacts.contacts.list"}}, lacking: true, want: fault.Denied},
		"otherwise": {arm: "status:403", want: fault.Denied},
		"broken":    {arm: "status:500", want: fault.Transient},
	} {
		in(t, c.o, func(w world) {
			if c.arm != "" {
				w.arm("essentialcontacts.projects.contacts.list", c.arm)
			}
			_, err := w.Contacts(w.Context(), project)
			w.fails(err, c.want)
			if IsDisabled(err) != c.off || LacksPermission(err) != c.lacking {
				t.Errorf("%s: off %t, lacking %t: %v", name, IsDisabled(err), LacksPermission(err), err)
			}
		})
	}
	if IsDisabled(nil) || LacksPermission(nil) {
		t.Error("a success is a refusal")
	}
}
