package cloud

import (
	"testing"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/sim/google"
)

const topic = "projects/acme-prod/topics/support-events"

func TestSubscriptionLife(t *testing.T) {
	in(t, google.Options{}, func(w world) {
		ctx := w.Context()
		made, created, err := w.Subscribe(ctx, org, topic)
		w.check(err)
		there, again, err := w.Subscribe(ctx, org, topic)
		w.check(err)
		got, err := w.Subscription(ctx, made.Name)
		w.check(err)
		if !created || again || there != made || got != made || !made.Working || made.Topic != topic {
			t.Errorf("made %+v %v, there %+v %v, got %+v", made, created, there, again, got)
		}
		for _, want := range []bool{true, false} {
			if removed, err := w.Unsubscribe(ctx, made.Name); err != nil || removed != want {
				t.Errorf("removed %v %v, want %v", removed, err, want)
			}
		}
		if all, err := w.Subscriptions(ctx, org); err != nil || len(all) != 0 {
			t.Errorf("left %v %v", all, err)
		}
	})
}

// After an unknown outcome the topic is found again.
func TestSubscribeUnderFaults(t *testing.T) {
	for _, f := range []string{"drop", "commit_then_drop", "commit_then_status:500", "garbage"} {
		in(t, google.Options{}, func(w world) {
			w.check(w.support.ArmFault("organizations.supportEventSubscriptions.create", f, 1))
			_, _, err := w.Subscribe(w.Context(), org, topic)
			w.fails(err, fault.Transient)
			_, _, err = w.Subscribe(w.Context(), org, topic)
			w.check(err)
			if all, err := w.Subscriptions(w.Context(), org); err != nil || len(all) != 1 {
				t.Errorf("%s: %d subscriptions %v", f, len(all), err)
			}
		})
	}
}

func TestSubscriptionsOnManyPages(t *testing.T) {
	w := onNetwork(t, google.Options{})
	for i := range 12 {
		_, created, err := w.Subscribe(t.Context(), org, topic+string(rune('a'+i)))
		w.check(err)
		if !created {
			t.Error("not created")
		}
	}
	if all, err := w.Subscriptions(t.Context(), org); err != nil || len(all) != 12 {
		t.Errorf("%d subscriptions %v", len(all), err)
	}
}
