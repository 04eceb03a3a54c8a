package slack

import (
	"cmp"
	"encoding/json"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/chat"
)

const maxChallenge = 256

// notice is what the Events API sends.
type notice struct {
	Type       string
	Challenge  string
	Team       string `json:"team_id"`
	Enterprise string `json:"enterprise_id"`
	ID         string `json:"event_id"`
	Time       int64  `json:"event_time"`
	Event      json.RawMessage
}

func (n notice) team() string { return cmp.Or(n.Team, n.Enterprise) }

func (f *Front) notice(body []byte) (chat.Event, error) {
	var n notice
	if err := json.Unmarshal(body, &n); err != nil {
		return chat.Event{}, invalid("the body is no notice of an event")
	}
	switch n.Type {
	case "":
		return chat.Event{}, invalid("a notice has a type")
	case "url_verification":
		if n.Challenge == "" || len(n.Challenge) > maxChallenge {
			return chat.Event{}, invalid("a handshake has a challenge of at most 256 bytes")
		}
		return chat.Event{Kind: chat.Handshake, Challenge: n.Challenge}, nil
	case "event_callback":
		return f.happened(n)
	case "app_rate_limited":
		return ignored("Slack holds events back: there are too many of them"), nil
	}
	return ignored("no event that we know"), nil
}

// happening is the event inside a notice.
type happening struct {
	Type, Subtype, Channel, User, Text, TS string

	ChannelType string `json:"channel_type"`
	Thread      string `json:"thread_ts"`
	Bot         string `json:"bot_id"`
	Hidden      bool
	Files       []file
}

func (f *Front) happened(n notice) (chat.Event, error) {
	var kind struct{ Type, Subtype string }
	if err := json.Unmarshal(n.Event, &kind); err != nil || kind.Type == "" {
		return chat.Event{}, invalid("event is no JSON object with a type")
	}
	if n.ID == "" || len(n.ID) > 100 {
		return chat.Event{}, invalid("a notice of an event has event_id")
	}
	e, err := f.read(n, kind.Type, kind.Subtype)
	if err != nil {
		return chat.Event{}, err
	}
	e.ID = cmp.Or(e.ID, identity("event", n.team(), n.ID))
	if e.At.IsZero() && n.Time > 0 {
		e.At = time.Unix(n.Time, 0).UTC()
	}
	return e, nil
}

// read reads the events that are something to us. What they are is decided before the rest of an event is looked at: its fields have other
// types in other events.
func (f *Front) read(n notice, kind, subtype string) (chat.Event, error) {
	var h happening
	var reader func(notice, happening) (chat.Event, error)
	switch kind {
	case "message", "app_mention":
		if !said(subtype) {
			return ignored("the message was not written just now by a person: " + word(subtype)), nil
		}
		reader = f.message
	case "member_joined_channel":
		reader = f.joined
	case "channel_left", "group_left", "member_left_channel":
		reader = f.left
	default:
		return ignored("no event that we know"), nil
	}
	if err := json.Unmarshal(n.Event, &h); err != nil {
		return chat.Event{}, invalid("the event has fields of other types than Slack's")
	}
	if err := first(formed(channelForm, h.Channel, "channel"), formed(teamForm, n.team(), "team_id"), f.ours(n.team())); err != nil {
		return chat.Event{}, err
	}
	return reader(n, h)
}

// said reports whether a message of a subtype is something that was said.
func said(subtype string) bool {
	switch subtype {
	case "", "file_share", "thread_broadcast", "me_message":
		return true
	}
	return false
}

// word is a name of Slack's, nothing else.
func word(s string) string {
	if len(s) > 40 || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz_") != "" {
		return "another word"
	}
	return s
}

func (f *Front) message(n notice, h happening) (chat.Event, error) {
	author := cmp.Or(h.User, h.Bot)
	if author == "" || h.Hidden {
		return ignored("the message is nobody's, or not to be seen"), nil
	}
	thread := cmp.Or(h.Thread, h.TS)
	if err := first(formed(userForm, author, "user"), formed(stampForm, h.TS, "ts"), formed(stampForm, thread, "thread_ts")); err != nil {
		return chat.Event{}, err
	}
	return chat.Event{
		ID:      identity("message", n.team(), h.Channel, h.TS),
		Kind:    chat.Message,
		Place:   chat.Place{Space: h.Channel, Thread: thread},
		Message: h.TS,
		Person:  chat.Person{ID: author, Bot: h.Bot != "" || author == f.o.BotUser || author == "USLACKBOT"},
		Mention: h.Type == "app_mention" || h.ChannelType == "im" || f.mentioned(h.Text),
		Text:    f.plain(h.Text),
		Files:   files(h.Files),
		At:      moment(h.TS),
	}, nil
}

func (f *Front) joined(_ notice, h happening) (chat.Event, error) {
	if h.User != f.o.BotUser {
		return ignored("somebody else joined the channel"), nil
	}
	return chat.Event{Kind: chat.Joined, Place: chat.Place{Space: h.Channel}, Person: chat.Person{ID: h.User, Bot: true}}, nil
}

// left reads that we are out of a channel. channel_left is sent to those who left only; member_left_channel says who.
func (f *Front) left(_ notice, h happening) (chat.Event, error) {
	if h.Type == "member_left_channel" && h.User != f.o.BotUser {
		return ignored("somebody else left the channel"), nil
	}
	return chat.Event{Kind: chat.Left, Place: chat.Place{Space: h.Channel}}, nil
}

// file is an attached file.
type file struct {
	ID, Name, Title, Mimetype, Mode string
	Size                            int64
}

// files leaves out what is a file no more.
func files(all []file) []chat.File {
	var out []chat.File
	for _, f := range all {
		if f.Mode == "tombstone" || f.Mode == "hidden_by_limit" || !fileForm.MatchString(f.ID) {
			continue
		}
		out = append(out, chat.File{Name: chat.Line(cmp.Or(f.Name, f.Title), 255), Type: f.Mimetype, Bytes: max(0, f.Size), Ref: f.ID})
	}
	return out
}
