package publishtest

import (
	"net/http"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/providerdesk/providerdesk/shared/publish"
)

// untilAttempt refuses with refuse until a receiver was called n times, then acknowledges.
func untilAttempt(n int64, refuse func(push, http.ResponseWriter, *http.Request)) func(push, http.ResponseWriter, *http.Request) {
	var calls atomic.Int64
	return func(p push, w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) < n {
			refuse(p, w, r)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

// acknowledges checks each status that should acknowledge. It waits as long as a refused neighbour needs to come back twice: what was not
// acknowledged is back by then.
func acknowledges(f *fixture) {
	probe := newReceiver(untilAttempt(3, status(http.StatusServiceUnavailable)))
	receivers := map[int]*receiver{}
	for _, code := range []int{200, 201, 202, 204} {
		receivers[code] = newReceiver(status(code))
		f.subscribe(f.topic, receivers[code], nil)
	}
	f.subscribe(f.topic, probe, nil)
	f.publish(f.text("x"))
	f.await(probe, 3)
	for code, r := range receivers {
		f.await(r, 1)
		if again := len(r.pushes) > 0; again == slices.Contains(f.Acks, code) {
			f.Errorf("answered %d: delivered again is %v; the subject says that %v acknowledge", code, again, f.Acks)
		}
	}
}

func backsOff(f *fixture) {
	r := newReceiver(untilAttempt(4, status(http.StatusServiceUnavailable)))
	f.subscribe(f.topic, r, nil)
	f.publish(f.text("x"))
	got := f.await(r, 4)
	f.countedFromOne(got)
	first, last := got[1].at.Sub(got[0].at), got[3].at.Sub(got[2].at)
	if first < f.LeastBackoff/2 || last < first*3/2 {
		f.Errorf("it came back after %v, %v and %v", first, got[2].at.Sub(got[1].at), last)
	}
}

// countedFromOne checks the attempts, or that there are none where the subject does not count.
func (f *fixture) countedFromOne(got []push) {
	f.Helper()
	for i, p := range got {
		want := i + 1
		if !f.Counts {
			want = 0
		}
		if p.Attempt != want {
			f.Errorf("push %d says it is attempt %d", i+1, p.Attempt)
		}
		if p.Message.MessageID != got[0].Message.MessageID {
			f.Errorf("push %d has id %q, the first %q", i+1, p.Message.MessageID, got[0].Message.MessageID)
		}
	}
}

func redirects(f *fixture) {
	f.comesBack(status(http.StatusNotModified))
	const aside = "/elsewhere"
	got := f.comesBack(func(_ push, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", aside)
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	if followed := got[1].path == aside; followed != f.FollowsRedirects {
		f.Errorf("the redirect was followed is %v; the subject says %v", followed, f.FollowsRedirects)
	}
}

func panics(f *fixture) {
	f.comesBack(func(push, http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
}

// comesBack checks that an answer brings the message back.
func (f *fixture) comesBack(answer func(push, http.ResponseWriter, *http.Request)) []push {
	f.Helper()
	f.topic = fresh("topic")
	f.Topic(f.T, f.topic)
	r := newReceiver(untilAttempt(2, answer))
	f.subscribe(f.topic, r, func(s *Subscription) { s.AckDeadline = f.LeastAck })
	f.publish(f.text("x"))
	got := f.await(r, 2)
	f.countedFromOne(got)
	return got
}

func outstaysDeadline(f *fixture) {
	got := f.comesBack(func(_ push, _ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-f.ctx.Done():
		}
	})
	// The sender's clock began before the receiver's, by the way of the first push.
	way := f.LeastAck / 20
	if after := got[1].at.Sub(got[0].at); after < f.LeastAck-way {
		f.Errorf("it came back after %v, before the deadline of %v", after, f.LeastAck)
	}
}

// deadLetter uses five attempts, the fewest that Pub/Sub takes.
func deadLetter(f *fixture) {
	const attempts = 5
	failing, dead := newReceiver(status(http.StatusServiceUnavailable)), newReceiver(nil)
	f.subscribe(publish.Dead(f.topic), dead, func(s *Subscription) { s.MaxAttempts = 0 })
	name := f.subscribe(f.topic, failing, func(s *Subscription) { s.MaxAttempts, s.MaxBackoff = attempts, 2*s.MinBackoff })
	m := f.text("doomed")
	m.Attributes = map[string]string{"kept": "yes"}
	f.publish(m)
	letter := f.await(dead, 1)[0].Message
	if string(letter.Data) != "doomed" || letter.Attributes["kept"] != "yes" {
		f.Errorf("the dead letter holds %q and %q", letter.Data, letter.Attributes)
	}
	if len(failing.pushes) != attempts {
		f.Errorf("dead after %d attempts, not %d", len(failing.pushes), attempts)
	}
	f.checkSource(letter.Attributes, name, attempts)
}

func (f *fixture) checkSource(attributes map[string]string, subscription string, attempts int) {
	f.Helper()
	const source = "CloudPubSubDeadLetterSource"
	if got := attributes[source+"DeliveryCount"]; got != strconv.Itoa(attempts) {
		f.Errorf("delivery count %q, not %d", got, attempts)
	}
	if got := attributes[source+"Subscription"]; got != subscription {
		f.Errorf("source subscription %q, not %q", got, subscription)
	}
	if attributes[source+"SubscriptionProject"] == "" {
		f.Error("no source project")
	}
	if _, err := time.Parse(time.RFC3339Nano, attributes[source+"TopicPublishTime"]); err != nil {
		f.Errorf("source publish time: %v", err)
	}
	if got, want := attributes[source+"DeliveryErrorMessage"], map[bool]string{true: "answered 503"}[f.SaysWhy]; got != want {
		f.Errorf("reason %q, want %q", got, want)
	}
}

func slowMessage(f *fixture) {
	const others = 20
	done := make(chan struct{})
	r := newReceiver(func(p push, w http.ResponseWriter, r *http.Request) {
		if string(p.Message.Data) == "slow" {
			select {
			case <-done:
			case <-f.ctx.Done():
			}
		}
		w.WriteHeader(http.StatusNoContent)
	})
	f.subscribe(f.topic, r, nil)
	f.publish(f.text("slow"))
	f.await(r, 1)
	for i := range others {
		f.publish(f.text(strconv.Itoa(i)))
	}
	f.awaitEach(r, others) // while the slow one is still being answered
	close(done)
}

func independent(f *fixture) {
	failing, good := newReceiver(untilAttempt(3, status(http.StatusInternalServerError))), newReceiver(nil)
	f.subscribe(f.topic, failing, nil)
	f.subscribe(f.topic, good, nil)
	f.publish(f.text("x"))
	f.countedFromOne(f.await(failing, 3))
	f.countedFromOne(f.await(good, 1))
	if len(good.pushes) != 0 {
		f.Error("the failures of one subscription repeated the message to the other")
	}
}
