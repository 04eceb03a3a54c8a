package slack

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/gapi"
)

const (
	// Endpoint is the base URL of Slack's Web API.
	Endpoint = "https://slack.com/api"
	// Files is where Slack keeps files.
	Files = "https://files.slack.com"

	markerType  = "providerdesk"
	pageSize    = "200"
	maxPages    = 200 // of one search: more is a server that does not end
	fileTimeout = 10 * time.Minute
	maxFile     = 1 << 30
)

// RoomOptions of a Room. Token is required.
type RoomOptions struct {
	Token    string // "xoxb-…", with chat:write, files:read and the history scopes
	Endpoint string // replaces Endpoint; may then be http
	Files    string // replaces Files; empty with another Endpoint: the root of that
	BotUser  string // our own user: Find looks at no other's messages; empty: at those of every bot

	Base        http.RoundTripper // replaces the network, as in gapi.Options
	Now         func() time.Time
	CallTimeout time.Duration // of one request, downloads excepted; default 30s
}

// Room implements chat.Room.
type Room struct {
	endpoint string
	files    *url.URL
	user     string
	api      *http.Client
	media    *http.Client // more time and more bytes, and the token goes to where files are
}

// NewRoom returns a room. It does no I/O.
func NewRoom(o RoomOptions) (*Room, error) {
	if strings.TrimSpace(o.Token) == "" || strings.TrimSpace(o.Token) != o.Token {
		return nil, fault.New(fault.Invalid, "Slack needs a bot token, without white space around it")
	}
	if o.BotUser != "" && !userForm.MatchString(o.BotUser) {
		return nil, fault.New(fault.Invalid, "our own user of Slack has an id like U0123ABC")
	}
	r := &Room{endpoint: strings.TrimSuffix(cmp.Or(o.Endpoint, Endpoint), "/"), user: o.BotUser}
	shared := gapi.Options{Endpoint: r.endpoint, Token: gapi.StaticToken(o.Token), Base: o.Base, Now: o.Now, CallTimeout: o.CallTimeout}
	var err error
	if r.api, err = gapi.Client(shared); err != nil {
		return nil, err
	}
	if r.files, err = filesOf(o); err != nil {
		return nil, err
	}
	shared.Endpoint, shared.CallTimeout, shared.MaxBody = r.files.String(), fileTimeout, maxFile
	r.media, err = gapi.Client(shared)
	return r, err
}

func filesOf(o RoomOptions) (*url.URL, error) {
	if o.Files == "" && o.Endpoint == "" {
		o.Files = Files
	}
	u, err := url.Parse(cmp.Or(o.Files, o.Endpoint))
	if err != nil || u.Host == "" {
		return nil, fault.New(fault.Invalid, "the place of Slack's files must be a URL like https://host")
	}
	if o.Files == "" {
		return &url.URL{Scheme: u.Scheme, Host: u.Host}, nil
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: strings.TrimSuffix(u.Path, "/")}, nil
}

// Whoami calls auth.test: whose the token is.
func (r *Room) Whoami(ctx context.Context) (team, user string, err error) {
	var answer struct {
		Team string `json:"team_id"`
		User string `json:"user_id"`
	}
	err = r.read(ctx, "ask whose the token is", "auth.test", nil, &answer)
	return answer.Team, answer.User, err
}

// Member calls conversations.info: whether we are in a channel. It takes scopes that nothing else here needs.
func (r *Room) Member(ctx context.Context, channel string) (bool, error) {
	if err := checkPlace(chat.Place{Platform: chat.Slack, Space: channel}); err != nil {
		return false, err
	}
	var answer struct {
		Channel struct {
			Member bool `json:"is_member"`
		}
	}
	err := r.read(ctx, "look at a channel", "conversations.info", url.Values{"channel": {channel}}, &answer)
	return answer.Channel.Member, err
}

// outgoing is a message of ours on the wire.
type outgoing struct {
	Channel     string   `json:"channel"`
	Thread      string   `json:"thread_ts,omitempty"`
	TS          string   `json:"ts,omitempty"` // of the message to change
	Text        string   `json:"text"`
	Markup      *bool    `json:"mrkdwn,omitempty"`
	Blocks      []block  `json:"blocks"`
	Metadata    metadata `json:"metadata"`
	UnfurlLinks *bool    `json:"unfurl_links,omitempty"`
	UnfurlMedia *bool    `json:"unfurl_media,omitempty"`
}

type metadata struct {
	Type    string `json:"event_type"`
	Payload struct {
		Marker string `json:"marker"`
	} `json:"event_payload"`
}

func marked(marker string) (m metadata) {
	m.Type, m.Payload.Marker = markerType, marker
	return m
}

// Post calls chat.postMessage.
func (r *Room) Post(ctx context.Context, at chat.Place, p chat.Post, marker string) (chat.Sent, error) {
	text, blocks, err := render(p)
	if err := first(checkPlace(at), checkMarker(marker), err); err != nil {
		return chat.Sent{}, err
	}
	var answer struct{ TS string }
	err = r.act(ctx, "post a message", "chat.postMessage", outgoing{
		Channel: at.Space, Thread: at.Thread, Text: text, Blocks: blocks, Metadata: marked(marker),
		Markup: new(bool), UnfurlLinks: new(bool), UnfurlMedia: new(bool),
	}, &answer)
	if err != nil {
		return chat.Sent{}, err
	}
	if !stampForm.MatchString(answer.TS) {
		return chat.Sent{}, unreadable("post a message")
	}
	at.Thread = cmp.Or(at.Thread, answer.TS)
	return chat.Sent{Place: at, Name: answer.TS}, nil
}

// Edit calls chat.update.
func (r *Room) Edit(ctx context.Context, s chat.Sent, p chat.Post, marker string) error {
	text, blocks, err := render(p)
	if err := first(checkPlace(s.Place), checkMarker(marker), formed(stampForm, s.Name, "the message"), err); err != nil {
		return err
	}
	return r.act(ctx, "edit a message", "chat.update", outgoing{
		Channel: s.Place.Space, TS: s.Name, Text: text, Blocks: blocks, Metadata: marked(marker),
	}, &struct{}{})
}

func checkMarker(marker string) error {
	if marker == "" || len(marker) > 500 {
		return fault.New(fault.Invalid, "a marker has 1 to 500 bytes")
	}
	return nil
}

// found is a message as the listings have it.
type found struct {
	TS       string
	Thread   string `json:"thread_ts"`
	User     string
	Bot      string          `json:"bot_id"`
	Metadata json.RawMessage // of any app, so of any form
}

func (m found) marker() string {
	var d metadata
	if json.Unmarshal(m.Metadata, &d) != nil || d.Type != markerType {
		return ""
	}
	return d.Payload.Marker
}

// Find reads the thread with conversations.replies, or the channel with conversations.history.
func (r *Room) Find(ctx context.Context, at chat.Place, marker string, since time.Time) ([]chat.Sent, error) {
	if err := first(checkPlace(at), checkMarker(marker)); err != nil {
		return nil, err
	}
	var all []chat.Sent
	err := r.messages(ctx, at, since, func(m found) {
		if r.ours(m) && m.marker() == marker && stampForm.MatchString(m.TS) && !moment(m.TS).Before(since.Truncate(time.Microsecond)) {
			place := at
			place.Thread = cmp.Or(at.Thread, m.Thread, m.TS)
			all = append(all, chat.Sent{Place: place, Name: m.TS})
		}
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b chat.Sent) int { return moment(a.Name).Compare(moment(b.Name)) })
	return slices.CompactFunc(all, func(a, b chat.Sent) bool { return a.Name == b.Name }), nil
}

// ours reports whether a message is one of ours: nobody else's metadata counts.
func (r *Room) ours(m found) bool {
	if r.user != "" {
		return m.User == r.user
	}
	return m.Bot != ""
}

// messages visits all messages at a place, in the order of Slack's pages.
func (r *Room) messages(ctx context.Context, at chat.Place, since time.Time, visit func(found)) error {
	method, query := "conversations.history", url.Values{"channel": {at.Space}, "limit": {pageSize}, "include_all_metadata": {"true"}}
	if at.Thread != "" {
		method = "conversations.replies"
		query.Set("ts", at.Thread)
	}
	if since.Unix() > 0 {
		query.Set("oldest", stamp(since))
		query.Set("inclusive", "true")
	}
	for range maxPages {
		var page struct {
			Messages []found
			Next     struct {
				Cursor string `json:"next_cursor"`
			} `json:"response_metadata"`
		}
		if err := r.read(ctx, "look for a message", method, query, &page); err != nil {
			return err
		}
		for _, m := range page.Messages {
			visit(m)
		}
		if page.Next.Cursor == "" {
			return nil
		}
		query.Set("cursor", page.Next.Cursor)
	}
	return fault.New(fault.Transient, "the list of messages does not end")
}
