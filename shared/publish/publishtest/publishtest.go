// Package publishtest is the suite that every implementation of publish.Publisher passes, with the deliveries that follow a Publish: there
// is a subtest for each sentence of package publish.
//
// The suite runs against real time, because Pub/Sub does; where a broker has a shortest ack deadline it is waited for once, with the other
// subtests in parallel.
package publishtest

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/publish"
)

// Subject is a broker under test. Its subtests share nothing but the broker: each has topics of its own.
type Subject struct {
	Publisher publish.Publisher
	// Topic makes a topic and its dead-letter topic.
	Topic func(t *testing.T, name string)
	// Subscribe makes a push subscription and starts its deliveries.
	Subscribe func(t *testing.T, s Subscription)

	// What the implementation states about itself; the suite checks that it is true.
	Counts           bool          // a push says which attempt it is
	SaysKey          bool          // a push says the ordering key
	SaysWhy          bool          // a dead letter says why the last attempt failed
	BuriesOrdered    bool          // an ordered subscription gives up; otherwise a message comes until it is acknowledged
	Acks             []int         // which of 200, 201, 202 and 204 acknowledge: all of them, if it does what Pub/Sub documents
	FollowsRedirects bool          // not what Pub/Sub documents
	LeastBackoff     time.Duration // the shortest that it keeps to
	LeastAck         time.Duration // the shortest ack deadline that it takes
}

// Subscription is what the suite asks for.
type Subscription struct {
	Name        string
	Topic       string
	Handler     http.Handler
	AckDeadline time.Duration
	MinBackoff  time.Duration
	MaxBackoff  time.Duration
	MaxAttempts int // 0: it never gives up; only on a dead-letter topic
	Ordered     bool
}

// patience is how long the suite waits for what must happen.
const patience = 50 * time.Second

// Test runs the suite. open is called once for each subtest.
func Test(t *testing.T, open func(t *testing.T) Subject) {
	for _, c := range []struct {
		name string
		test func(*fixture)
	}{
		{"a message arrives as it was published", arrivesIntact},
		{"each subscription of a topic gets each message", fansOut},
		{"ids are in the order of the messages", idsInOrder},
		{"publishing nothing does nothing", publishesNothing},
		{"an unknown topic is missing", unknownTopic},
		{"a message outside the limits is invalid", outsideLimits},
		{"an ended context is transient", endedContext},
		{"many publishers lose nothing", manyPublishers},
		{"a push has the shape of Pub/Sub's", pushShape},
		{"a 2xx ends the deliveries", acknowledges},
		{"a refusal brings the message back, later each time", backsOff},
		{"a redirect is a refusal", redirects},
		{"a panic is a refusal", panics},
		{"no answer before the deadline brings the message back", outstaysDeadline},
		{"after the last attempt it goes to the dead-letter topic", deadLetter},
		{"a slow message delays no other", slowMessage},
		{"subscriptions count independently", independent},
		{"a message keeps its ordering key", keepsKey},
		{"a message waits for the earlier ones of its key", waitsForEarlier},
		{"the messages of one call keep the order of the arguments", orderOfArguments},
		{"a dead letter frees its key", deadLetterFreesKey},
		{"a message holds up no other key", otherKeys},
		{"an answer after the deadline does not free the key", lateAnswer},
		{"a subscription that is not ordered holds up nothing", notOrdered},
		{"many keys keep their order under failures", manyKeys},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(newFixture(t, open(t)))
		})
	}
}

// fixture is one subtest's topic on the subject.
type fixture struct {
	*testing.T
	Subject
	ctx   context.Context
	topic string
}

func newFixture(t *testing.T, s Subject) *fixture {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	f := &fixture{T: t, Subject: s, ctx: ctx, topic: fresh("topic")}
	s.Topic(t, f.topic)
	return f
}

// subscribe attaches a receiver to topic with all the time to answer and the shortest back-off that the subject takes, changed by adjust.
func (f *fixture) subscribe(topic string, r *receiver, adjust func(*Subscription)) string {
	f.Helper()
	s := Subscription{
		Name: fresh("sub"), Topic: topic, Handler: r, AckDeadline: patience,
		MinBackoff: f.LeastBackoff, MaxBackoff: 8 * f.LeastBackoff, MaxAttempts: 20,
	}
	if adjust != nil {
		adjust(&s)
	}
	f.Subject.Subscribe(f.T, s)
	return s.Name
}

func (f *fixture) publish(msgs ...publish.Message) []string {
	f.Helper()
	ids, err := f.Publisher.Publish(f.ctx, msgs...)
	if err != nil {
		f.Fatalf("Publish: %v", err)
	}
	return ids
}

func (f *fixture) text(s string) publish.Message {
	return publish.Message{Topic: f.topic, Data: []byte(s)}
}

// await waits for n pushes of r and returns them in the order of their arrival.
func (f *fixture) await(r *receiver, n int) []push {
	f.Helper()
	var got []push
	for len(got) < n {
		select {
		case p := <-r.pushes:
			got = append(got, p)
		case <-f.ctx.Done():
			f.Fatalf("%d pushes of %d after %v", len(got), n, patience)
		}
	}
	return got
}
