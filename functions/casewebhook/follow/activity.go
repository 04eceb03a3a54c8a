package follow

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/publish"
)

// TopicActivity carries everything that happens on cases: CloudEvents in structured mode. An event may come more than once; its id is the
// same each time, and the id of the ledger's effect.
const TopicActivity = "case-activity"

// The types of the events.
const (
	TypeFollowed  = "com.providerdesk.case.followed.v1"  // a case is followed from now on
	TypeCommented = "com.providerdesk.case.commented.v1" // data: author, desk, ours, text
	TypeAttached  = "com.providerdesk.case.attached.v1"  // data: file
	TypeState     = "com.providerdesk.case.state.v1"     // data: was, now
	TypePriority  = "com.providerdesk.case.priority.v1"  // data: was, now
	TypeEscalated = "com.providerdesk.case.escalated.v1" // data: now, "true" or "false"
	TypeReminded  = "com.providerdesk.case.reminded.v1"  // data: text
	TypeProposed  = "com.providerdesk.case.proposed.v1"  // an escalation is proposed; data: text
	TypeClosing   = "com.providerdesk.case.closing.v1"   // a solved and quiet case is being closed; data: text
	TypeAlarm     = "com.providerdesk.alarm.v1"          // the operator is wanted; data: text; no case; on the topic only
)

const kindActivity = "case.activity"

// Activity is the data of an event.
type Activity struct {
	Type      string        `json:"type"` // also the event's
	At        time.Time     `json:"at"`   // when it was noticed; also the event's time
	Tenant    string        `json:"tenant,omitempty"`
	Desk      string        `json:"desk,omitempty"`
	Case      string        `json:"case,omitempty"` // the desk's resource name; also the event's subject
	URL       string        `json:"url,omitempty"`
	Title     string        `json:"title,omitempty"`
	State     desk.State    `json:"state,omitempty"` // of the case after it
	Priority  desk.Priority `json:"priority,omitempty"`
	Escalated bool          `json:"escalated"`
	Detail
}

// Detail is what an event says beside the case.
type Detail struct {
	Author string `json:"author,omitempty"`
	Desk   bool   `json:"byDesk,omitempty"` // the desk's people wrote it
	Ours   bool   `json:"ours,omitempty"`   // this system wrote it
	Text   string `json:"text,omitempty"`
	Cut    bool   `json:"cut,omitempty"` // the text is longer
	File   string `json:"file,omitempty"`
	Was    string `json:"was,omitempty"`
	Now    string `json:"now,omitempty"`
}

// event is a CloudEvent in structured mode.
type cloudEvent struct {
	SpecVersion     string    `json:"specversion"`
	ID              string    `json:"id"`
	Source          string    `json:"source"`
	Type            string    `json:"type"`
	Subject         string    `json:"subject,omitempty"`
	Time            time.Time `json:"time"`
	DataContentType string    `json:"datacontenttype"`
	Data            Activity  `json:"data"`
}

// encode returns the event with the id.
func (a Activity) encode(id string) ([]byte, error) {
	e := cloudEvent{SpecVersion: "1.0", ID: id, Source: "/providerdesk", Type: a.Type, Subject: a.Case, Time: a.At, DataContentType: "application/json", Data: a}
	if a.Desk != "" {
		e.Source += "/desks/" + a.Desk
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(e); err != nil {
		return nil, fault.Wrap(fault.Bug, err, "encode an event")
	}
	return bytes.TrimSpace(b.Bytes()), nil
}

// mostEvent is how large an event may be: receivers of webhooks are promised less than 20 kB.
const mostEvent = 19_000

// fit cuts the text until the event is small enough.
func (a Activity) fit() Activity {
	for {
		data, err := a.encode(strings.Repeat("0", 64))
		if err != nil || len(data) <= mostEvent || a.Text == "" {
			return a
		}
		a.Text, a.Cut = strings.ToValidUTF8(a.Text[:len(a.Text)*9/10], ""), true
	}
}

func (f *Follower) activityOf(c Case, n news) Activity {
	a := Activity{Type: n.Type, At: f.Now().UTC(), Tenant: c.Tenant, Desk: c.Desk, Case: c.Name, URL: c.URL, Title: c.Title,
		State: c.State, Priority: c.Priority, Escalated: c.Escalated, Detail: n.Detail}
	return a.fit()
}

// announce is a piece of news as an event for the topic and for every receiver that wants to hear of the desk, and what is done about it.
func (f *Follower) announce(c Case, n news) ([]ledger.Intent, error) {
	a := f.activityOf(c, n)
	in, err := f.kinds.activity.Intent(c.Tenant, c.id+"/"+n.Key, a)
	if err != nil {
		return nil, err
	}
	all := []ledger.Intent{in.Because(n.Why)}
	for _, h := range f.Config.Webhooks {
		if len(h.Desks) > 0 && !slices.Contains(h.Desks, c.Desk) {
			continue
		}
		to, err := f.kinds.hook.Intent(c.Tenant, h.Name+"/"+c.id+"/"+n.Key, sending{Hook: h.Name, Event: in.ID(), Activity: a})
		if err != nil {
			return nil, err
		}
		all = append(all, to.Because(n.Why))
	}
	if n.End != nil {
		end, err := f.endIntent(c, n, *n.End)
		if err != nil {
			return nil, err
		}
		all = append(all, end)
	}
	return all, nil
}

// published is an event that the topic has.
type published struct{}

type activityEffect struct{ f *Follower }

func (e activityEffect) Call(ctx context.Context, p Activity, t ledger.Token) (ledger.Act[published], error) {
	data, err := p.encode(t.ID)
	if err != nil {
		return ledger.Act[published]{}, err
	}
	ids, err := e.f.Publisher.Publish(ctx, publish.Message{Topic: TopicActivity, Data: data,
		Attributes: map[string]string{"content-type": "application/cloudevents+json", "type": p.Type}})
	if err != nil || len(ids) != 1 {
		return ledger.Act[published]{}, fault.Wrap(fault.Transient, err, "publish an event") // a repeat does no harm
	}
	return ledger.Act[published]{ID: ids[0]}, nil
}

// Find finds nothing: a topic cannot be asked, and consumers know an event by its id.
func (activityEffect) Find(context.Context, Activity, ledger.Token, bool) ([]ledger.Act[published], error) {
	return nil, nil
}
