package publishtest

import (
	"context"
	"testing"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/publish"
)

func TestKept(t *testing.T) {
	k := &Kept{Topics: []string{"alerts"}, Subscription: "s"}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	good, other := publish.Message{Topic: "alerts", Data: []byte("x"), OrderingKey: "k"}, publish.Message{Topic: "other", Data: []byte("x")}
	for _, tt := range []struct {
		ctx  context.Context
		msgs []publish.Message
		kind fault.Kind
	}{
		{t.Context(), []publish.Message{good}, ""},
		{t.Context(), []publish.Message{good, other}, fault.Missing},
		{t.Context(), []publish.Message{{Topic: "alerts"}}, fault.Invalid},
		{over, []publish.Message{good}, fault.Transient},
	} {
		if _, err := k.Publish(tt.ctx, tt.msgs...); fault.Of(err) != tt.kind {
			t.Errorf("%+v: %v", tt.msgs, err)
		}
	}
	got := k.Take("alerts")
	if len(got) != 1 || got[0].ID != "1" || string(got[0].Data) != "x" || got[0].Subscription != "s" || got[0].OrderingKey != "k" {
		t.Errorf("kept %+v", got)
	}
	if n := len(k.Take("alerts")); n != 0 {
		t.Errorf("%d messages are taken twice", n)
	}
}
