package google

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/chat"
)

// dialect in which Chat speaks to us.
type dialect int

const (
	interaction dialect = iota + 1
	addOn
)

// dialectOf tells the dialect by what stands at the top.
func dialectOf(body []byte) (dialect, error) {
	var top struct {
		Type   json.RawMessage
		Chat   json.RawMessage
		Common json.RawMessage `json:"commonEventObject"`
	}
	if err := json.Unmarshal(body, &top); err != nil {
		return 0, invalid("the body is no JSON object")
	}
	typed, added := there(top.Type), there(top.Chat) || there(top.Common)
	switch {
	case typed && added:
		return 0, invalid("the event is in both dialects of Google Chat")
	case typed:
		return interaction, nil
	case added:
		return addOn, nil
	}
	return 0, invalid("the event has neither type nor chat")
}

func there(raw json.RawMessage) bool { return len(raw) > 0 && !bytes.Equal(raw, []byte("null")) }

// act is what happened, in whichever dialect it was told, with nothing in it that nobody needs.
type act struct {
	kind       string // as interaction events have it
	at         time.Time
	user       user
	space      space
	message    message
	command    int    // of a quick command or a slash command, 0: none
	how        string // of a command: SLASH_COMMAND, QUICK_COMMAND, MESSAGE_ACTION
	function   string
	parameters map[string]string
	dialog     bool
}

type user struct{ Name, DisplayName, Type string }

type space struct{ Name, Type, SpaceType string }

func (s space) direct() bool { return s.Type == "DM" || s.SpaceType == "DIRECT_MESSAGE" }

type message struct {
	Name         string
	Sender       user
	CreateTime   string
	Text         string
	ArgumentText *string
	Thread       struct{ Name string }
	Space        space
	SlashCommand *struct{}
	Annotations  []struct{ Type string }
	MatchedURL   *struct{} `json:"matchedUrl"`
	Attachment   []attachment
}

type attachment struct {
	ContentName, ContentType string
	AttachmentDataRef        struct{ ResourceName string }
}

type metadata struct {
	AppCommandID   int    `json:"appCommandId"`
	AppCommandType string `json:"appCommandType"`
}

// told is an interaction event.
type told struct {
	Type      string
	EventTime string
	User      user
	Space     space
	Message   message
	Action    struct {
		ActionMethodName string
		Parameters       []struct{ Key, Value string }
	}
	Common        common
	Metadata      metadata `json:"appCommandMetadata"`
	IsDialogEvent bool
}

type common struct {
	InvokedFunction string
	Parameters      map[string]string
}

// added is the event of an add-on.
type added struct {
	Common common `json:"commonEventObject"`
	Chat   struct {
		User      user
		Space     space
		EventTime string
		Message   *payload `json:"messagePayload"`
		Command   *payload `json:"appCommandPayload"`
		Button    *payload `json:"buttonClickedPayload"`
		Added     *payload `json:"addedToSpacePayload"`
		Removed   *payload `json:"removedFromSpacePayload"`
		Widget    *payload `json:"widgetUpdatedPayload"`
	}
}

type payload struct {
	Message       message
	Space         space
	Metadata      metadata `json:"appCommandMetadata"`
	IsDialogEvent bool
}

// read reads a request in either dialect.
func read(body []byte) (act, error) {
	d, err := dialectOf(body)
	if err != nil {
		return act{}, err
	}
	if d == interaction {
		return readTold(body)
	}
	return readAdded(body)
}

func readTold(body []byte) (act, error) {
	var t told
	if err := json.Unmarshal(body, &t); err != nil || t.Type == "" {
		return act{}, invalid("the event has fields of other types than Google Chat's")
	}
	a := act{
		kind: t.Type, user: t.User, space: t.Space, message: t.Message, command: t.Metadata.AppCommandID, how: t.Metadata.AppCommandType,
		function: t.Common.InvokedFunction, parameters: t.Common.Parameters, dialog: t.IsDialogEvent,
	}
	if a.function == "" {
		a.function = t.Action.ActionMethodName
	}
	if a.parameters == nil {
		a.parameters = map[string]string{}
		for _, p := range t.Action.Parameters {
			a.parameters[p.Key] = p.Value
		}
	}
	return a.completed(t.EventTime)
}

// kinds are the kinds of the payloads of an add-on's event, of which there must be one. None is an event of a newer kind.
func (t added) kinds() (kind string, p *payload, n int) {
	for _, c := range []struct {
		kind string
		p    *payload
	}{
		{"MESSAGE", t.Chat.Message}, {"APP_COMMAND", t.Chat.Command}, {"CARD_CLICKED", t.Chat.Button},
		{"ADDED_TO_SPACE", t.Chat.Added}, {"REMOVED_FROM_SPACE", t.Chat.Removed}, {"WIDGET_UPDATED", t.Chat.Widget},
	} {
		if c.p != nil {
			kind, p, n = c.kind, c.p, n+1
		}
	}
	return kind, p, n
}

func readAdded(body []byte) (act, error) {
	var t added
	if err := json.Unmarshal(body, &t); err != nil {
		return act{}, invalid("the event has fields of other types than Google Chat's")
	}
	kind, p, n := t.kinds()
	switch n {
	case 0:
		kind, p = "unknown", &payload{}
	case 1:
	default:
		return act{}, invalid("the event has more than one payload")
	}
	a := act{
		kind: kind, user: t.Chat.User, space: p.Space, message: p.Message, command: p.Metadata.AppCommandID, how: p.Metadata.AppCommandType,
		function: t.Common.InvokedFunction, parameters: t.Common.Parameters, dialog: p.IsDialogEvent,
	}
	a.space = a.space.or(t.Chat.Space)
	return a.completed(t.Chat.EventTime)
}

// or fills what a space lacks: the same space stands in an event more than once, not everywhere complete.
func (s space) or(other space) space {
	if s.Name == "" {
		return other
	}
	if s.Name == other.Name && !s.direct() {
		s.Type, s.SpaceType = other.Type, other.SpaceType
	}
	return s
}

// completed takes what an event leaves out from its message.
func (a act) completed(eventTime string) (act, error) {
	a.space = a.space.or(a.message.Space)
	if a.user.Name == "" {
		a.user = a.message.Sender
	}
	if eventTime == "" && a.kind == "MESSAGE" {
		eventTime = a.message.CreateTime
	}
	if eventTime == "" {
		return a, nil
	}
	t, err := time.Parse(time.RFC3339Nano, eventTime)
	if err != nil {
		return act{}, invalid("eventTime is no time with its zone")
	}
	a.at = t.UTC()
	return a, nil
}

// files of a message. One in Drive has no Ref.
func (m message) files() []chat.File {
	var out []chat.File
	for _, a := range m.Attachment {
		ref := a.AttachmentDataRef.ResourceName
		if !mediaForm.MatchString(ref) || strings.Contains(ref, "..") {
			ref = ""
		}
		out = append(out, chat.File{Name: chat.Line(a.ContentName, 255), Type: a.ContentType, Ref: ref})
	}
	return out
}
