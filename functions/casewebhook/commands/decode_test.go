package commands

import (
	"reflect"
	"strings"
	"testing"

	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/fault"
)

func TestDecodeRequest(t *testing.T) {
	const good = `{"id":"r1","desk":"google","case":"7","action":"comment","text":"hello","by":"anna@example.com"}`
	r, err := DecodeRequest([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	if c, err := r.Command(); err != nil || !reflect.DeepEqual(c, Command{Verb: Comment, Case: "7", Text: "hello"}) {
		t.Errorf("%+v, %v", c, err)
	}
	for _, tt := range []struct{ old, new, says string }{
		{`"id":"r1",`, "", "id must be"},
		{`"google"`, `"No Desk"`, "desk must be"},
		{`"anna@example.com"`, `"anna"`, "by must be"},
		{`"comment"`, `"reboot"`, "action must be"},
		{`"comment"`, `"close"`, "does not take"},
		{`"case":"7",`, "", "case must be"},
		{`"7"`, `"7 8"`, "case must be"},
		{`"text":"hello"`, `"text":" "`, "no text"},
		{`"text"`, `"txt"`, "and nothing else"},
		{`"id"`, `"sender":"x","id"`, "not for a request"},
		{`}`, `}{}`, "and nothing else"},
		{`hello`, "\xff", "and nothing else"},
		{`"action":"comment","text":"hello"`, `"action":"priority","priority":"P9"`, "P0, P1"},
		{`"action":"comment","text":"hello"`, `"action":"priority","priority":"P1 x"`, "do not understand"},
		{`"action":"comment","text":"hello"`, `"action":"subscribe","addresses":["a b"]`, "e-mail"},
		{`"action":"comment","text":"hello"`, `"action":"escalate","reason":"NONE","text":"x"`, "BUSINESS_IMPACT"},
		{`"case":"7","action":"comment","text":"hello"`, `"action":"create","title":" ","text":"x"`, "no title"},
		{`"case":"7","action":"comment","text":"hello"`, `"action":"create","title":"a\nb","text":"x"`, "holds what create does not take"},
	} {
		body := strings.Replace(good, tt.old, tt.new, 1)
		if _, err := DecodeRequest([]byte(body)); !fault.Is(err, fault.Invalid) || !strings.Contains(fault.Public(err), tt.says) {
			t.Errorf("%s: %v; want %q", body, err, tt.says)
		}
	}
}

// FuzzDecode: whatever is on the topic, nothing panics, and what is understood is written so that it is read as the same.
func FuzzDecode(f *testing.F) {
	event, err := Encode(Message{Chat: &chat.Event{ID: "slack:1", Kind: chat.Message, Place: chat.Place{Platform: chat.Slack, Space: "C1", Thread: "1.2"},
		Person: chat.Person{ID: "U1"}, Text: "close #7", Files: []chat.File{{Name: "a.png", Ref: "F1"}}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(event)
	f.Add([]byte(`{"request":{"id":"1","desk":"hub","case":"7","action":"close","by":"a@example.com","sender":"tool"}}`))
	f.Add([]byte(`{"request":{"id":"1","desk":"hub","action":"create","title":"a","text":"b\\\"","by":"a@example.com"}}`))
	f.Add([]byte(`{"chat":{"id":"","kind":"handshake"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Decode(data)
		if err != nil {
			if !fault.Is(err, fault.Invalid) || fault.Public(err) == "" {
				t.Errorf("%q: %v", data, err)
			}
			return
		}
		written, err := Encode(m)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Decode(written)
		if err != nil {
			t.Fatalf("%q is written %q: %v", data, written, err)
		}
		rewritten, err := Encode(again)
		if err != nil || string(rewritten) != string(written) {
			t.Errorf("%q is written %q and then %q, %v", data, written, rewritten, err)
		}
		if m.Request == nil {
			return
		}
		if c, err := m.Request.Command(); err == nil {
			if same, err := Parse(c.String(), false); err != nil || !reflect.DeepEqual(same, c) {
				t.Errorf("%+v is written %q and read %+v, %v", c, c.String(), same, err)
			}
		}
	})
}
