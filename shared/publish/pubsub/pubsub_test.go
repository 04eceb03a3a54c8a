package pubsub

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	library "cloud.google.com/go/pubsub/v2"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"go.uber.org/goleak"
	"google.golang.org/grpc/codes"

	"github.com/providerdesk/providerdesk/shared/emulator"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/publish"
	"github.com/providerdesk/providerdesk/shared/publish/publishtest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("go.opencensus.io/stats/view.(*worker).start")) // started by the library's init
}

const project = "publish-test"

func TestPublishOnEmulator(t *testing.T) {
	publishtest.Test(t, func(t *testing.T) publishtest.Subject {
		p := onEmulator(t)
		return publishtest.Subject{
			Publisher: p,
			Topic: func(t *testing.T, name string) {
				ensure(t, p, Spec{Topics: []string{name}})
			},
			Subscribe: func(t *testing.T, s publishtest.Subscription) { subscribe(t, p, s) },
			// Where the emulator (0.8.20) differs from the service: it leaves deliveryAttempt and orderingKey out, takes 202 for a refusal,
			// follows redirects, and has no dead letters on an ordered subscription, see Ensure.
			Acks: []int{200, 201, 204}, FollowsRedirects: true,
			LeastBackoff: time.Second, LeastAck: 10 * time.Second,
		}
	})
}

func onEmulator(t *testing.T) *Publisher {
	t.Helper()
	p, err := OpenEmulator(t.Context(), project, emulator.PubSub(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shut(t, p) })
	return p
}

func shut(t *testing.T, p *Publisher) {
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

func ensure(t *testing.T, p *Publisher, spec Spec) {
	t.Helper()
	if err := p.Ensure(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
}

func subscribe(t *testing.T, p *Publisher, s publishtest.Subscription) {
	t.Helper()
	server := httptest.NewServer(s.Handler)
	t.Cleanup(server.Close)
	made := Subscription{
		Name: s.Name, Topic: s.Topic, URL: server.URL, AckDeadline: s.AckDeadline,
		MinBackoff: s.MinBackoff, MaxBackoff: s.MaxBackoff, MaxAttempts: s.MaxAttempts, Ordered: s.Ordered,
	}
	ensure(t, p, Spec{Subscriptions: []Subscription{made}})
	t.Cleanup(func() { unsubscribe(t, p, s.Name) })
}

// unsubscribe stops the emulator from pushing to a server that is gone.
func unsubscribe(t *testing.T, p *Publisher, name string) {
	ctx := context.Background()
	c, err := p.subscriptions(ctx)
	if err != nil {
		t.Error(err)
		return
	}
	if err := c.DeleteSubscription(ctx, &pubsubpb.DeleteSubscriptionRequest{Subscription: p.subscriptionName(name)}); err != nil {
		t.Error(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

func TestKinds(t *testing.T) {
	for code, want := range map[codes.Code]fault.Kind{
		codes.NotFound: fault.Missing, codes.PermissionDenied: fault.Denied, codes.Unauthenticated: fault.Denied,
		codes.InvalidArgument: fault.Invalid, codes.ResourceExhausted: fault.Throttled, codes.Unavailable: fault.Transient,
		codes.Internal: fault.Transient, codes.Aborted: fault.Transient, codes.Unknown: fault.Transient,
		codes.FailedPrecondition: fault.Transient, codes.DeadlineExceeded: fault.Transient, codes.Canceled: fault.Transient,
	} {
		t.Run(code.String(), func(t *testing.T) {
			t.Parallel()
			_, p := serve(t, slices.Repeat([]codes.Code{code}, 100)...)
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			start := time.Now()
			_, err := p.Publish(ctx, text("a", "x"))
			if !fault.Is(err, want) {
				t.Errorf("%v, of kind %q, want %q", err, fault.Of(err), want)
			}
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("took %v beyond a deadline of 0.5 s", took)
			}
		})
	}
}

func TestHealsWithinTheDeadline(t *testing.T) {
	s, p := serve(t, codes.Unavailable, codes.Internal)
	if ids, err := p.Publish(t.Context(), text("a", "x")); err != nil || len(ids) != 1 || s.calls != 3 {
		t.Errorf("%q, %v after %d calls", ids, err, s.calls)
	}
}

// TestQuotaIsNotRepeated checks that the caller hears of a quota at once.
func TestQuotaIsNotRepeated(t *testing.T) {
	s, p := serve(t, codes.ResourceExhausted)
	if _, err := p.Publish(t.Context(), text("a", "x")); !fault.Is(err, fault.Throttled) || s.calls != 1 {
		t.Errorf("%v after %d calls", err, s.calls)
	}
}

func TestBatches(t *testing.T) {
	half := make([]byte, publish.MaxData)
	for name, c := range map[string]struct {
		msgs []publish.Message
		want [][]int
	}{
		"none":       {nil, nil},
		"one":        {[]publish.Message{{Topic: "a"}}, [][]int{{0}}},
		"two topics": {[]publish.Message{{Topic: "a"}, {Topic: "b"}, {Topic: "a"}}, [][]int{{0, 2}, {1}}},
		"keys": {[]publish.Message{{Topic: "a", OrderingKey: "k"}, {Topic: "a"}, {Topic: "a", OrderingKey: "l"}, {Topic: "b", OrderingKey: "k"}, {Topic: "a", OrderingKey: "k"}},
			[][]int{{0, 4}, {1}, {2}, {3}}},
		"bytes": {[]publish.Message{{Topic: "a", Data: half}, {Topic: "a", Data: half}, {Topic: "a", Data: half}}, [][]int{{0, 1}, {2}}},
	} {
		var got [][]int
		for _, b := range batches(c.msgs) {
			got = append(got, b.indexes)
		}
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	if got := batches(make([]publish.Message, 2*maxBatch+1)); len(got) != 3 || len(got[2].indexes) != 1 {
		t.Errorf("%d batches of %d messages", len(got), 2*maxBatch+1)
	}
}

// TestSeveralRequests checks the order of the ids when a call needs more than one request.
func TestSeveralRequests(t *testing.T) {
	s, p := serve(t)
	var msgs []publish.Message
	for i := range 2*maxBatch + 500 {
		msgs = append(msgs, text([]string{"a", "b"}[i%2], fmt.Sprint(i)))
	}
	ids, err := p.Publish(t.Context(), msgs...)
	if err != nil || len(ids) != len(msgs) || s.calls != 4 {
		t.Fatalf("%d ids, %v after %d calls", len(ids), err, s.calls)
	}
	for i, id := range ids {
		if m := s.message(t, id); string(m.Data) != fmt.Sprint(i) || m.OrderingKey != "" {
			t.Fatalf("message %d has id %q, which is %v", i, id, m)
		}
	}
}

func TestEnsureIsForTheEmulator(t *testing.T) {
	_, p := serve(t)
	p.emulator = false
	if err := p.Ensure(t.Context(), Spec{Topics: []string{"work"}}); !fault.Is(err, fault.Denied) {
		t.Errorf("Ensure on the service: %v", err)
	}
}

func TestEnsureTwice(t *testing.T) {
	p := onEmulator(t)
	first, second := make(chan struct{}, 1), make(chan struct{}, 1)
	topic := fmt.Sprintf("twice-%d", time.Now().UnixNano())
	for _, got := range []chan struct{}{first, second} {
		server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { got <- struct{}{} }))
		defer server.Close()
		ensure(t, p, Spec{Topics: []string{topic}, Subscriptions: []Subscription{{
			Name: topic, Topic: topic, URL: server.URL, AckDeadline: 10 * time.Second, MinBackoff: time.Second, MaxBackoff: time.Second, MaxAttempts: 5,
		}}})
	}
	defer unsubscribe(t, p, topic)
	if _, err := p.Publish(t.Context(), text(topic, "x")); err != nil {
		t.Fatal(err)
	}
	select {
	case <-second:
	case <-first:
		t.Error("the subscription kept its first receiver")
	case <-time.After(20 * time.Second):
		t.Error("no delivery")
	}
}

func TestOpen(t *testing.T) {
	if _, err := Open(t.Context(), ""); !fault.Is(err, fault.Invalid) {
		t.Errorf("no project: %v", err)
	}
	s, _ := serve(t)
	t.Setenv("PUBSUB_EMULATOR_HOST", s.addr)
	p, err := Open(t.Context(), project)
	if err != nil {
		t.Fatal(err)
	}
	defer shut(t, p)
	if ids, err := p.Publish(t.Context(), text("a", "x")); err != nil || string(s.message(t, ids[0]).Data) != "x" {
		t.Errorf("%q, %v", ids, err)
	}
}

// TestSentAtOnce compares the latency of a single message with that of the library's publisher in its default settings, which waits.
func TestSentAtOnce(t *testing.T) {
	_, p := serve(t)
	ours := median(func() error {
		_, err := p.Publish(t.Context(), text("a", "x"))
		return err
	}, t)
	client, err := library.NewClient(t.Context(), project, p.opts...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	theirs := client.Publisher("a")
	defer theirs.Stop()
	waits := median(func() error {
		_, err := theirs.Publish(t.Context(), &library.Message{Data: []byte("x")}).Get(t.Context())
		return err
	}, t)
	t.Logf("a single message: %v; by the library's publisher %v", ours, waits)
	if ours > waits {
		t.Errorf("a single message takes %v, longer than the %v of a publisher that waits", ours, waits)
	}
}

func median(do func() error, t *testing.T) time.Duration {
	t.Helper()
	var all []time.Duration
	for range 51 {
		start := time.Now()
		if err := do(); err != nil {
			t.Fatal(err)
		}
		all = append(all, time.Since(start))
	}
	slices.Sort(all)
	return all[len(all)/2]
}
