package site

import (
	"context"
	"net/http"
	"time"

	"github.com/providerdesk/providerdesk/shared/publish/localbus"
	"github.com/providerdesk/providerdesk/shared/publish/pubsub"
)

// emulated is the emulator of Pub/Sub. The ticks come from an embedded bus of no topics, because an emulator has no scheduler.
type emulated struct {
	*pubsub.Publisher
	wires  wires
	prefix string // of the URLs that it pushes to
	ticks  *embedded
}

func (s *Site) openPubSub(ctx context.Context, host string) error {
	p, err := pubsub.OpenEmulator(ctx, Project(s.o.Env), host)
	if err != nil {
		return err
	}
	s.onClose(func(context.Context) error { return p.Close() })
	ticks, err := localbus.Open(s.o.Folder.bus(), localbus.Options{Token: func() string { return s.tokens.bus }, Log: s.o.Log, Now: s.o.Now})
	if err != nil {
		return err
	}
	s.onClose(ticks.Close)
	s.bus = &emulated{p, s.wires, s.base + "/push/" + s.tokens.bus, &embedded{ticks, wires{ticks: s.wires.ticks}, s.forget}}
	return nil
}

func (b *emulated) attach(ctx context.Context, handler http.Handler) error {
	spec := pubsub.Spec{Topics: b.wires.topics}
	for _, d := range b.wires.deliveries {
		sub := pubsub.Subscription{
			Name: d.name, Topic: d.topic, URL: b.prefix + d.to, AckDeadline: 180 * time.Second, MinBackoff: 10 * time.Second, MaxBackoff: 600 * time.Second,
			Ordered: d.ordered,
		}
		if d.to != deadLetter {
			sub.MaxAttempts = 20
		}
		spec.Subscriptions = append(spec.Subscriptions, sub)
	}
	if err := b.Ensure(ctx, spec); err != nil {
		return err
	}
	return b.ticks.attach(ctx, handler)
}

// stop ends the ticks. The pushes of the emulator end with the server.
func (b *emulated) stop(ctx context.Context) error { return b.ticks.stop(ctx) }

// status knows no depths: the emulator tells none. Its dead letters are in the ledger.
func (b *emulated) status() (BusStatus, error) {
	st := BusStatus{Kind: "pubsub", Subscriptions: []Subscription{}, Dead: []Letter{}}
	for _, d := range b.wires.deliveries {
		st.Subscriptions = append(st.Subscriptions, Subscription{Name: d.name, Topic: d.topic})
	}
	return st, nil
}
