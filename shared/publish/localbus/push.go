package localbus

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// pushBody is what Pub/Sub posts to a push endpoint.
type pushBody struct {
	Message      pushMessage `json:"message"`
	Subscription string      `json:"subscription"`
	Attempt      int         `json:"deliveryAttempt"`
}

// pushMessage has two names of the id and the time, as the service sends them.
type pushMessage struct {
	Data         []byte            `json:"data,omitempty"`
	Attributes   map[string]string `json:"attributes,omitempty"`
	OrderingKey  string            `json:"orderingKey,omitempty"`
	MessageID    string            `json:"messageId"`
	MessageID2   string            `json:"message_id"`
	PublishTime  string            `json:"publishTime"`
	PublishTime2 string            `json:"publish_time"`
}

// acks are the answers that acknowledge a push.
var acks = []int{http.StatusProcessing, http.StatusOK, http.StatusCreated, http.StatusAccepted, http.StatusNoContent}

// push posts a message to the receiver and returns why it is not acknowledged, "" if it is.
func (q *queue) push(d delivery) (reason string) {
	ctx, cancel := context.WithTimeout(context.Background(), q.sub.AckDeadline) // not of a caller: nobody waits for a delivery
	defer cancel()
	req, err := q.request(ctx, d)
	if err != nil {
		return short("the request cannot be built: " + err.Error())
	}
	select {
	case reason = <-q.bus.call(q.sub.To, req):
		if reason == "" || ctx.Err() == nil {
			return reason
		}
	case <-ctx.Done():
	case <-q.bus.halt:
		return "the bus was closed before the answer"
	}
	return fmt.Sprintf("no answer in %v", q.sub.AckDeadline)
}

func (q *queue) request(ctx context.Context, d delivery) (*http.Request, error) {
	id, published := messageID(d.ID), d.Published.UTC().Format(time.RFC3339Nano)
	body, err := json.Marshal(pushBody{
		Message: pushMessage{
			Data: d.Data, Attributes: d.Attributes, OrderingKey: d.Key,
			MessageID: id, MessageID2: id, PublishTime: published, PublishTime2: published,
		},
		Subscription: fullName(q.bus.opt.Project, q.sub.Name),
		Attempt:      d.attempt,
	})
	if err != nil {
		return nil, err
	}
	return q.bus.post(ctx, q.sub.To, body)
}

func fullName(project, subscription string) string {
	return "projects/" + project + "/subscriptions/" + subscription
}

func (b *Bus) post(ctx context.Context, to Receiver, body []byte) (*http.Request, error) {
	target := to.URL
	if target == "" {
		target = "http://localbus/"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if b.opt.Token != nil {
		req.Header.Set("Authorization", "Bearer "+b.opt.Token())
	}
	return req, nil
}

// call sends the request in a goroutine of its own, because a receiver may outstay its deadline, and sends the reason of a failure or "".
func (b *Bus) call(to Receiver, req *http.Request) <-chan string {
	transport := b.opt.Transport
	if to.Handler != nil {
		transport = inProcess{to.Handler}
	}
	answer := make(chan string, 1)
	b.calls.Go(func() {
		reason := "the receiver panicked"
		defer func() { // runs for Goexit too, which recover does not see
			if recover() != nil { // what it says may hold data of the message: only where goes to the log
				b.opt.Log.Error("a receiver panicked", "stack", string(debug.Stack()))
			}
			answer <- reason
		}()
		reason = roundTrip(transport, req)
	})
	return answer
}

func roundTrip(transport http.RoundTripper, req *http.Request) (reason string) {
	res, err := transport.RoundTrip(req) // no client around it: a redirect is not followed, it is a refusal
	if err != nil {
		return short("no connection: " + err.Error())
	}
	defer res.Body.Close()
	if _, err := io.CopyN(io.Discard, res.Body, 64<<10); err != nil && err != io.EOF {
		return short("the answer broke off: " + err.Error())
	}
	if !slices.Contains(acks, res.StatusCode) {
		return fmt.Sprintf("answered %d", res.StatusCode)
	}
	return ""
}

// short keeps a reason fit for a list and an attribute.
func short(reason string) string { return strings.ToValidUTF8(reason[:min(len(reason), 200)], "") }
