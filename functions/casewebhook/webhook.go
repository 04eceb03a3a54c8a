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
	s, ok := f.senders[path.Base(r.URL.Path)]
	if isHandshake(r, s.Source) {
		return handshake(), nil
	}
	if err := run.RequireMethod(r, methods(s.Source)...); err != nil {
		return run.Response{}, err
	}
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
	incidents, err := decodeAs(s, alert.Message{Body: body, Header: r.Header})
	if err != nil {
		return run.Response{}, err
	}
	f.keepRaw(incidents, body)
	return f.accept(ctx, incidents)
}

// methods are those that senders of a source use: Grafana lets its user choose, and CloudEvents leave it open.
func methods(source string) []string {
	switch source {
	case alert.SourceGrafana, alert.SourceCloudEvents, alert.SourceAny:
		return []string{http.MethodPost, http.MethodPut}
	}
	return []string{http.MethodPost}
}

// isHandshake reports whether a sender of CloudEvents asks, before it sends any, whether it may.
func isHandshake(r *http.Request, source string) bool {
	return r.Method == http.MethodOptions && r.Header.Get("WebHook-Request-Origin") != "" &&
		(source == alert.SourceCloudEvents || source == alert.SourceAny)
}

// handshake says yes to every origin: what is sent is let in by its credentials, not by where it says it comes from. The
// address for a later answer, which a request may name, is never called.
func handshake() run.Response {
	return run.Response{Status: http.StatusOK, Header: http.Header{
		"Allow":                  {"OPTIONS, POST, PUT"},
		"WebHook-Allowed-Origin": {"*"},
		"WebHook-Allowed-Rate":   {"*"},
	}}
}

func (f *Function) accept(ctx context.Context, incidents []alert.Incident) (run.Response, error) {
	now := f.Now().UTC()
	for i := range incidents {
		incidents[i].Received = now
	}
	if len(incidents) == 0 {
		return run.Response{Status: http.StatusAccepted, Body: accepted{IDs: []string{}, Note: "it was understood and tells of no alert"}}, nil
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
