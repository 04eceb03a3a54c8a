package commands

import (
	"bytes"
	"encoding/json"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/fault"
)

// Topic carries what people and systems ask for, one act a message.
const Topic = "case-commands"

// Message is what travels on Topic. Exactly one of its fields is set.
type Message struct {
	Chat    *chat.Event `json:"chat,omitempty"`
	Request *Request    `json:"request,omitempty"`
}

// Request is what another system asks for in the name of a person.
type Request struct {
	ID        string        `json:"id"` // the system's own: the same id is the same request
	Desk      string        `json:"desk"`
	Case      string        `json:"case,omitempty"` // its number or full name; not of create
	Action    string        `json:"action"`         // comment, priority, subscribe, escalate, close, create
	By        string        `json:"by"`             // the person's e-mail address
	Text      string        `json:"text,omitempty"`
	Title     string        `json:"title,omitempty"`
	Priority  desk.Priority `json:"priority,omitempty"`
	Reason    string        `json:"reason,omitempty"`
	Addresses []string      `json:"addresses,omitempty"`
	Confirmed bool          `json:"confirmed,omitempty"` // the person knows what they do: required where a chat would ask

	Sender string `json:"sender,omitempty"` // set by the receiver
	Tenant string `json:"tenant,omitempty"` // likewise
}

// Limits of a message.
const (
	maxID     = 512 // bytes
	mostFiles = 1000
)

var emailForm = regexp.MustCompile(`^[^@\s]{1,64}@[^@\s]{1,189}$`)

// Encode writes a message.
func Encode(m Message) ([]byte, error) {
	data, err := json.Marshal(m)
	return data, fault.Wrap(fault.Bug, err, "encode a command")
}

// Decode reads a message. An error is fault.Invalid: the message can never succeed.
func Decode(data []byte) (Message, error) {
	var m Message
	if err := strictly(data, &m, "the message is nothing that ChatWebhook or CommentWebhook publishes"); err != nil {
		return Message{}, err
	}
	switch {
	case (m.Chat == nil) == (m.Request == nil):
		return Message{}, invalid("the message is neither of a chat nor of a system, or both")
	case m.Chat != nil:
		return m, checkEvent(*m.Chat)
	}
	return m, m.Request.check()
}

// DecodeRequest reads the body of a request. An error is fault.Invalid with a sentence for who wrote the system.
func DecodeRequest(body []byte) (Request, error) {
	var r Request
	if err := strictly(body, &r, "the body must be one JSON object with id, desk, case, action, by and what the action takes, and nothing else"); err != nil {
		return Request{}, err
	}
	if r.Sender != "" || r.Tenant != "" {
		return Request{}, invalid("sender and tenant are not for a request to say")
	}
	_, err := r.Command()
	if err == nil {
		err = r.check()
	}
	return r, err
}

func strictly(data []byte, into any, sentence string) error {
	if !utf8.Valid(data) {
		return invalid("%s", sentence)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return invalid("%s", sentence)
	}
	if _, err := dec.Token(); err != io.EOF {
		return invalid("%s", sentence)
	}
	return nil
}

func checkEvent(e chat.Event) error {
	switch {
	case e.ID == "" || len(e.ID) > maxID:
		return invalid("the event has no id of at most %d bytes", maxID)
	case e.Place.Platform != chat.Slack && e.Place.Platform != chat.Google:
		return invalid("the event is of no platform that there is")
	case e.Place.Space == "" || len(e.Place.Space)+len(e.Place.Thread) > maxID:
		return invalid("the event happened nowhere")
	case e.Person.ID == "" && e.Kind != chat.Joined:
		return invalid("the event is nobody's")
	case len(e.Files) > mostFiles:
		return invalid("the event has more than %d files", mostFiles)
	}
	switch e.Kind {
	case chat.Command, chat.Message, chat.Click, chat.Joined:
		return nil
	}
	return invalid("the event is of a kind that is not published")
}

func (r Request) check() error {
	switch {
	case r.ID == "" || len(r.ID) > maxID:
		return invalid("id must be 1 to %d bytes, the same for the same request", maxID)
	case !deskForm.MatchString(r.Desk):
		return invalid("desk must be the name of a configured desk")
	case !emailForm.MatchString(r.By):
		return invalid("by must be the e-mail address of a person")
	}
	return nil
}

// Command returns what the request asks for, as the same words in a chat would.
func (r Request) Command() (Command, error) {
	c := Command{Verb: r.Action, Case: r.Case}
	var used Request
	switch r.Action {
	case Comment:
		c.Text, used.Text = r.Text, r.Text
	case Priority:
		c.Priority, used.Priority = r.Priority, r.Priority
	case Subscribe:
		c.Addresses, used.Addresses = r.Addresses, r.Addresses
	case Escalate:
		c.Reason, c.Text, used.Reason, used.Text = r.Reason, r.Text, r.Reason, r.Text
	case Close:
	case Create:
		c.Desk, c.Title, c.Text, c.Priority = r.Desk, r.Title, r.Text, r.Priority
		used.Title, used.Text, used.Priority = r.Title, r.Text, r.Priority
	default:
		return Command{}, invalid("action must be comment, priority, subscribe, escalate, close or create")
	}
	if r.Text != used.Text || r.Title != used.Title || r.Priority != used.Priority || r.Reason != used.Reason || len(r.Addresses) != len(used.Addresses) {
		return Command{}, invalid("the request has a field that %s does not take", r.Action)
	}
	return c.checked()
}

// checked is a command made of fields, held to the rules of one that was written.
func (c Command) checked() (Command, error) {
	if needsCase(c.Verb) != (c.Case != "") || c.Case != "" && !nameForm.MatchString(c.Case) && !numberForm.MatchString(c.Case) {
		return Command{}, invalid("case must be the number or the full name of a case, and is not for create")
	}
	c.Text = strings.TrimSpace(chat.Plain(c.Text))
	written, err := Parse(c.String(), false)
	if err != nil {
		return Command{}, err
	}
	if written.String() != c.String() {
		return Command{}, invalid("a field of the request holds what %s does not take", c.Verb)
	}
	return written, nil
}
