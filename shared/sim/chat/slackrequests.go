package chat

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"regexp"
	"strings"

	"github.com/providerdesk/providerdesk/shared/sim/server"
)

const (
	formType = "application/x-www-form-urlencoded"
	jsonType = "application/json"
	oldToken = "retired-verification-token" // Slack still sends one
)

var (
	channelForm = regexp.MustCompile(`^[CG][A-Z0-9]{3,20}$`)
	roomForm    = regexp.MustCompile(`^spaces/[A-Za-z0-9_-]{3,40}$`)
)

func spaceForm(platform string) *regexp.Regexp {
	if platform == Slack {
		return channelForm
	}
	return roomForm
}

func slackSignature(secret, ts string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("v0:" + ts + ":"))
	mac.Write(body)
	return "v0=" + hex.EncodeToString(mac.Sum(nil))
}

var slackEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// slackEscape is what Slack makes of what a person types.
func slackEscape(text string, mention bool) string {
	text = slackEscapes.Replace(text)
	if mention {
		return strings.TrimSpace("<@" + BotUser + "> " + text)
	}
	return text
}

// slackNotices are the notices of a message: one of the message, and one of the mention, each with an id of its own.
func (s *Server) slackNotices(tx *tx, m message, mention bool) []outgoing {
	out := []outgoing{s.slackNotice(tx, m, "message", m.Author)}
	if mention {
		out = append(out, s.slackNotice(tx, m, "app_mention", m.Author))
	}
	return out
}

func (s *Server) slackNotice(tx *tx, m message, kind, who string) outgoing {
	w := s.wireSlack(m, false)
	event := map[string]any{"channel": m.Space, "event_ts": m.ID, "channel_type": "channel", "client_msg_id": "c-" + m.ID}
	if strings.HasPrefix(m.Space, "D") {
		event["channel_type"] = "im"
	}
	raw, _ := json.Marshal(w) // of texts: cannot fail
	_ = json.Unmarshal(raw, &event)
	event["type"] = kind
	if kind == "app_mention" {
		delete(event, "subtype")
		delete(event, "channel_type")
	}
	if m.Thread == m.ID {
		delete(event, "thread_ts")
	}
	return s.slackEvent(tx, event, m, who)
}

// slackEvent wraps an event.
func (s *Server) slackEvent(tx *tx, event map[string]any, in message, who string) outgoing {
	id := "Ev0" + strings.ToUpper(server.Letters(s.ids.Draw("event\x00"+in.ID+event["type"].(string), tx.change.Serial), server.Lower, 8))
	body, _ := json.Marshal(map[string]any{
		"type": "event_callback", "token": oldToken, "team_id": Team, "api_app_id": slackApp,
		"event_id": id, "event_time": tx.at.Unix(), "event": event,
		"authorizations": []any{map[string]any{"team_id": Team, "user_id": BotUser, "is_bot": true}},
	})
	return outgoing{platform: Slack, path: "/slack/events", kind: jsonType, body: body, event: id, person: who, in: in}
}

func (s *Server) slackMoved(tx *tx, sp space, in bool) outgoing {
	event := map[string]any{"type": "member_joined_channel", "user": BotUser, "channel": sp.ID, "channel_type": "C", "team": Team}
	if !in {
		event = map[string]any{"type": "channel_left", "channel": sp.ID}
	}
	tx.change.Serial++
	return s.slackEvent(tx, event, message{ID: sp.ID}, "")
}

// slackCommand is a slash command, which leaves no message.
func (s *Server) slackCommand(in Commanding) ([]outgoing, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tx := s.begin(s.opts.Now())
	sp, err := tx.placeOf(in.Platform, in.Space, in.Person)
	if err != nil {
		return nil, err
	}
	if in.Quick != 0 || in.Thread != "" || in.Platform != Slack {
		return nil, &server.Refusal{Message: "Slack has no quick commands, and no commands in threads."}
	}
	who := s.state.people[key{Slack, in.Person}]
	trigger := tx.trigger()
	form := url.Values{
		"token": {oldToken}, "team_id": {Team}, "team_domain": {"desk"}, "api_app_id": {slackApp}, "channel_id": {sp.ID}, "channel_name": {sp.Name},
		"user_id": {who.ID}, "user_name": {strings.ToLower(who.Name)}, "trigger_id": {trigger},
		"command": {in.Name}, "text": {slackEscapes.Replace(in.Text)},
		"is_enterprise_install": {"false"}, "response_url": {"https://hooks.slack.com/commands/" + Team + "/" + hex.EncodeToString([]byte(trigger))},
	}
	tx.change.Spaces = append(tx.change.Spaces, sp) // so that the counter is kept, too
	if err := tx.commit(); err != nil {
		return nil, err
	}
	return []outgoing{{
		platform: Slack, path: "/slack/commands", kind: formType, body: []byte(form.Encode()), person: who.ID, in: message{Platform: Slack, Space: sp.ID},
	}}, nil
}

func (tx *tx) trigger() string {
	random := tx.next("trigger")
	return server.Digits(random, 12) + "." + server.Digits(random, 8) + "." + hex.EncodeToString(random[:16])
}

// slackClick is a click on a button in the blocks of a message.
func (s *Server) slackClick(tx *tx, m message, in Clicking) ([]outgoing, error) {
	all, err := blocksOf(m.Blocks)
	if err != nil {
		return nil, err
	}
	for _, b := range all {
		for _, e := range b.Elements {
			if e.Type == "button" && (e.Action == in.Button || e.Text.Text == slackEscapes.Replace(in.Button)) && (in.Value == "" || e.Value == in.Value) {
				return s.slackClicked(tx, m, in, e)
			}
		}
	}
	return nil, &server.Refusal{Message: "The message has no such button."}
}

func (s *Server) slackClicked(tx *tx, m message, in Clicking, e block) ([]outgoing, error) {
	who := s.state.people[key{Slack, in.Person}]
	trigger, at := tx.trigger(), stamp(tx.moment())
	payload, err := json.Marshal(map[string]any{
		"type": "block_actions", "token": oldToken, "api_app_id": slackApp, "trigger_id": trigger, "is_enterprise_install": false,
		"enterprise": nil, "team": map[string]string{"id": Team, "domain": "desk"},
		"channel":      map[string]string{"id": m.Space, "name": s.state.spaces[key{Slack, m.Space}].Name},
		"user":         map[string]string{"id": who.ID, "username": strings.ToLower(who.Name), "name": strings.ToLower(who.Name), "team_id": Team},
		"container":    map[string]any{"type": "message", "message_ts": m.ID, "channel_id": m.Space, "is_ephemeral": false},
		"message":      s.wireSlack(m, false),
		"response_url": "https://hooks.slack.com/actions/" + Team + "/" + hex.EncodeToString([]byte(trigger)),
		"actions": []any{map[string]any{
			"type": "button", "action_id": e.Action, "block_id": "b1", "text": e.Text, "value": e.Value, "style": e.Style, "action_ts": at,
		}},
	})
	if err != nil {
		return nil, err
	}
	tx.change.Spaces = append(tx.change.Spaces, s.state.spaces[key{Slack, m.Space}]) // so that the counter is kept, too
	if err := tx.commit(); err != nil {
		return nil, err
	}
	body := url.Values{"payload": {string(payload)}}.Encode()
	return []outgoing{{platform: Slack, path: "/slack/interactions", kind: formType, body: []byte(body), person: who.ID, in: m}}, nil
}
