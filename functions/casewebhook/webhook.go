package casewebhook

import (
	"bytes"
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
	msgs, note, err := f.understand(r, s)
	if err != nil {
		return run.Response{}, err
	}
	return f.accept(ctx, msgs, note)
}

// understand reads a notification of a sender and returns what is to be published of it, and what else there is to say. Where it was read is
// free again before it is published, so that as many places are in use as notifications are read at a time: they stay in the processor's caches.
func (f *Function) understand(r *http.Request, s sender) (_ []publish.Message, note string, err error) {
	o := f.enter()
	defer f.leave(o)
	if o.body, err = run.ReadBody(r, alert.MaxBody, o.body); err != nil {
		return nil, "", err
	}
	if err := s.verify.Verify(r, o.body); err != nil {
		return nil, "", err
	}
	if err := run.RequireJSON(r); err != nil {
		return nil, "", err
	}
	all, err := f.notices(&o.room, s, alert.Message{Body: o.body, Header: r.Header})
	if err != nil {
		return nil, "", err
	}
	var msgs []publish.Message
	msgs, o.out = messages(all, nil, o.out)
	return msgs, remark(all), nil
}

// notices reads a notification of a sender and notes whose it is, and when it came.
func (f *Function) notices(room *alert.Room, s sender, m alert.Message) ([]alert.Notice, error) {
	all, known, err := room.Notices(s.Source, m)
	if !known {
		return nil, noDecoder(s)
	}
	now, raw := f.Now().UTC(), f.raw(len(all), m.Body)
	for i := range all {
		head := &all[i].Head
		head.Sender, head.Tenant, head.Received, head.Raw = s.Name, s.Tenant, now, raw
	}
	return all, err
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

// accept publishes and answers.
func (f *Function) accept(ctx context.Context, msgs []publish.Message, note string) (run.Response, error) {
	ids := []string{}
	if len(msgs) > 0 {
		var err error
		if ids, err = f.publish(ctx, msgs); err != nil {
			return run.Response{}, err
		}
	}
	return run.Response{Status: http.StatusAccepted, Body: accepted{IDs: ids, Note: note}}, nil
}

// remark is what a sender should hear of what it sent, beside that it was accepted.
func remark(notices []alert.Notice) string {
	if len(notices) == 0 {
		return "it was understood and tells of no alert"
	}
	for i := range notices {
		if notices[i].Head.Test {
			return "a test notification was understood; it opens no case"
		}
	}
	return ""
}

// messages are incidents as they go on topic "alerts", one a message. They are written in room, which is returned, so that each takes as much
// memory as it has and no more.
func messages(notices []alert.Notice, attributes map[string]string, room []byte) (_ []publish.Message, written []byte) {
	msgs := make([]publish.Message, len(notices))
	for i := range notices {
		room = notices[i].Append(room[:0])
		msgs[i] = publish.Message{Topic: TopicAlerts, Data: bytes.Clone(room), Attributes: attributes}
	}
	return msgs, room
}

func (f *Function) publish(ctx context.Context, msgs []publish.Message) ([]string, error) {
	ids, err := f.Publisher.Publish(ctx, msgs...)
	if fault.Is(err, fault.Invalid) {
		return nil, err
	}
	return ids, fault.Wrap(fault.Transient, err, "publish incidents") // whatever it is, the sender must come again
}

// inbox is where a notification is read and its messages are written. The next one is read in the same place, which spares each request half of the
// memory that it would take; nothing of it is left there, and nothing that goes out refers to it.
type inbox struct {
	body []byte
	room alert.Room
	out  []byte // a message
}

// maxKept is the largest body, or message, of which the place is kept.
const maxKept = 64 << 10

func (f *Function) enter() *inbox {
	if o, ok := f.inboxes.Get().(*inbox); ok {
		return o
	}
	return new(inbox)
}

func (f *Function) leave(o *inbox) {
	o.body, o.out = cleared(o.body), cleared(o.out)
	o.room.Clear()
	f.inboxes.Put(o)
}

// cleared forgets what was in a place, down to the last byte, and a large place itself.
func cleared(place []byte) []byte {
	if cap(place) > maxKept {
		return nil
	}
	clear(place[:cap(place)])
	return place
}
