package slack

import (
	"cmp"
	"encoding/json"
	"net/url"
	"regexp"
	"strings"

	"github.com/providerdesk/providerdesk/shared/chat"
)

// maxField is more than any field of a form that is not a payload has.
const maxField = 40_000

// fields reads a form. A field that is there twice is refused: which one counts would be a guess.
func fields(body []byte) (url.Values, error) {
	v, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, invalid("the body is no form")
	}
	for _, values := range v {
		if len(values) > 1 {
			return nil, invalid("a field of the form is there twice")
		}
	}
	return v, nil
}

// command reads a slash command. Slack never sends one again; its trigger_id makes the id, hashed.
func (f *Front) command(body []byte) (chat.Event, error) {
	v, err := fields(body)
	if err != nil {
		return chat.Event{}, err
	}
	if v.Get("ssl_check") == "1" {
		return chat.Event{Kind: chat.Handshake}, nil
	}
	if len(v.Get("text")) > maxField {
		return chat.Event{}, invalid("the text of the command is too long")
	}
	if v.Get("command") == "" || v.Get("trigger_id") == "" {
		return chat.Event{}, invalid("a slash command has command and trigger_id")
	}
	if err := first(formed(teamForm, v.Get("team_id"), "team_id"), f.ours(v.Get("team_id")), formed(channelForm, v.Get("channel_id"), "channel_id"),
		formed(userForm, v.Get("user_id"), "user_id")); err != nil {
		return chat.Event{}, err
	}
	return chat.Event{
		ID:     identity("command", v.Get("team_id"), v.Get("channel_id"), v.Get("user_id"), v.Get("trigger_id")),
		Kind:   chat.Command,
		Place:  chat.Place{Space: v.Get("channel_id")},
		Person: chat.Person{ID: v.Get("user_id"), Name: chat.Plain(v.Get("user_name"))},
		Text:   f.plain(v.Get("text")),
	}, nil
}

func formed(form *regexp.Regexp, id, name string) error {
	if form.MatchString(id) {
		return nil
	}
	return invalid(name + " is not an id of Slack")
}

// interaction reads what came of a click, or of a form or a menu, which we do not have.
func (f *Front) interaction(body []byte) (chat.Event, error) {
	v, err := fields(body)
	if err != nil {
		return chat.Event{}, err
	}
	if v.Get("ssl_check") == "1" {
		return chat.Event{Kind: chat.Handshake}, nil
	}
	var kind struct{ Type string }
	payload := []byte(v.Get("payload"))
	if err := json.Unmarshal(payload, &kind); err != nil || kind.Type == "" {
		return chat.Event{}, invalid("the field payload is no JSON object with a type")
	}
	if kind.Type != "block_actions" {
		return ignored("we have no shortcuts and no dialogs"), nil
	}
	var a actions
	if err := json.Unmarshal(payload, &a); err != nil {
		return chat.Event{}, invalid("the field payload is no block_actions")
	}
	if err := f.ours(cmp.Or(a.Team.ID, a.Enterprise.ID)); err != nil {
		return chat.Event{}, err
	}
	return a.event()
}

// actions is the payload of a click.
type actions struct {
	Team, Enterprise struct{ ID string }
	User             struct{ ID, Name, Username string }
	Channel          struct{ ID string }
	Container        struct {
		Channel string `json:"channel_id"`
		Message string `json:"message_ts"`
		Thread  string `json:"thread_ts"`
	}
	Message struct {
		TS     string
		Thread string `json:"thread_ts"`
	}
	Actions []struct {
		Type   string
		Action string `json:"action_id"`
		Value  string
		TS     string `json:"action_ts"`
	}
}

func (a actions) event() (chat.Event, error) {
	channel, message := cmp.Or(a.Channel.ID, a.Container.Channel), cmp.Or(a.Container.Message, a.Message.TS)
	switch {
	case channel == "" || message == "":
		return ignored("the click was not in a message"), nil
	case len(a.Actions) != 1 || a.Actions[0].Type != "button":
		return ignored("it was not one button"), nil
	}
	team, act := cmp.Or(a.Team.ID, a.Enterprise.ID), a.Actions[0]
	action, _, _ := strings.Cut(act.Action, again)
	thread := cmp.Or(a.Message.Thread, a.Container.Thread, message)
	if err := first(formed(teamForm, team, "the team"), formed(channelForm, channel, "the channel"), formed(userForm, a.User.ID, "the user"),
		formed(stampForm, message, "message_ts"), formed(stampForm, thread, "thread_ts"), formed(stampForm, act.TS, "action_ts")); err != nil {
		return chat.Event{}, err
	}
	return chat.Event{
		ID:      identity("click", team, channel, message, a.User.ID, act.Action, act.Value, act.TS),
		Kind:    chat.Click,
		Place:   chat.Place{Space: channel, Thread: thread},
		Message: message,
		Person:  chat.Person{ID: a.User.ID, Name: chat.Plain(cmp.Or(a.User.Name, a.User.Username))},
		Action:  action,
		Value:   act.Value,
		At:      moment(act.TS),
	}, nil
}
