package casewebhook

import (
	"context"
	"net/http"
	"path"

	"github.com/providerdesk/providerdesk/shared/alert"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/publish"
	"github.com/providerdesk/providerdesk/shared/run"
)

// accepted is the answer to a notification that is durable now.
type accepted struct {
	IDs  []string `json:"ids"` // of the messages
	Note string   `json:"note,omitempty"`
}

// AlertWebhook takes a notification in: POST /{sender}. It answers 202 when every incident in it is durable on topic "alerts", and 503 when
// that failed, so that the sender comes again; a repeat does no harm.
func (f *Function) AlertWebhook(ctx context.Context, r *http.Request) (run.Response, error) {
	if err := run.RequireMethod(r, http.MethodPost); err != nil {
		return run.Response{}, err
	}
	s, ok := f.senders[path.Base(r.URL.Path)]
	if !ok || s.verify == nil {
		return run.Response{}, fault.New(fault.Missing, "no sender of this name is configured; the URL ends in the name of one of the configuration's senders")
	}
	body, err := run.Body(r, alert.MaxBody)
	if err != nil {
		return run.Response{}, err
	}
	if err := s.verify.Verify(r, body); err != nil {
		return run.Response{}, err
	}
	if err := run.RequireJSON(r); err != nil {
		return run.Response{}, err
	}
	incidents, err := decodeAs(s, body)
	if err != nil {
		return run.Response{}, err
	}
	return f.accept(ctx, incidents)
}

func (f *Function) accept(ctx context.Context, incidents []alert.Incident) (run.Response, error) {
	now := f.Now().UTC()
	for i := range incidents {
		incidents[i].Received = now
	}
	ids, err := f.publish(ctx, incidents, nil)
	if err != nil {
		return run.Response{}, err
	}
	return run.Response{Status: http.StatusAccepted, Body: accepted{IDs: ids, Note: note(incidents)}}, nil
}

func note(incidents []alert.Incident) string {
	for _, in := range incidents {
		if in.Test {
			return "a test notification was understood; it opens no case"
		}
	}
	return ""
}

// usualAlert is a little more than what an alert takes in a message, and what the incident around its alerts takes, in bytes.
const usualAlert = 1 << 10

// publish puts incidents on topic "alerts", one a message.
func (f *Function) publish(ctx context.Context, incidents []alert.Incident, attributes map[string]string) ([]string, error) {
	msgs := make([]publish.Message, len(incidents))
	for i, in := range incidents {
		data := in.Append(make([]byte, 0, usualAlert*(1+len(in.Alerts))))
		msgs[i] = publish.Message{Topic: TopicAlerts, Data: data, Attributes: attributes}
	}
	ids, err := f.Publisher.Publish(ctx, msgs...)
	if fault.Is(err, fault.Invalid) {
		return nil, err
	}
	return ids, fault.Wrap(fault.Transient, err, "publish incidents") // whatever it is, the sender must come again
}
