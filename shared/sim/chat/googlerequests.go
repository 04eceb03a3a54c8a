package chat

import (
	"encoding/json"
	"slices"
	"unicode/utf16"

	"github.com/providerdesk/providerdesk/shared/sim/server"
)

const (
	googlePath = "/google"
	redirect   = "https://chat.google.com/api/bot_config_complete?token=do-not-log-this"
	slashID    = 1 // of the one slash command
	atApp      = "@providerdesk"
)

// googleEvent is an event in neither dialect yet.
type googleEvent struct {
	kind     string         // as interaction events have it
	payload  string         // as add-ons have it
	content  map[string]any // of the payload, or beside the type
	function string
	values   map[string]string
}

// told writes an event in the dialect that is set.
func (s *Server) told(tx *tx, sp space, who string, e googleEvent) []byte {
	at, user := timestamp(tx.at), s.wireUser(who)
	e.content["space"] = wireSpace(sp)
	if s.addOn {
		e.content["configCompleteRedirectUri"] = redirect
		body, _ := json.Marshal(map[string]any{
			"commonEventObject": map[string]any{
				"hostApp": "CHAT", "platform": "WEB", "userLocale": "en", "invokedFunction": e.function, "parameters": e.values,
			},
			"authorizationEventObject": map[string]any{"systemIdToken": "do-not-log-this-either", "userOAuthToken": "nor-this"},
			"chat":                     map[string]any{"user": user, "eventTime": at, e.payload: e.content},
		})
		return body
	}
	e.content["type"], e.content["eventTime"], e.content["user"], e.content["configCompleteRedirectUrl"] = e.kind, at, user, redirect
	if e.kind == "CARD_CLICKED" {
		var list []any
		for _, name := range slices.Sorted(keys(e.values)) {
			list = append(list, map[string]string{"key": name, "value": e.values[name]})
		}
		e.content["action"] = map[string]any{"actionMethodName": e.function, "parameters": list}
		e.content["common"] = map[string]any{"hostApp": "CHAT", "invokedFunction": e.function, "parameters": e.values}
	}
	body, _ := json.Marshal(e.content) // of texts: cannot fail
	return body
}

func keys(m map[string]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func (s *Server) toGoogle(in message, who string, body []byte) outgoing {
	return outgoing{platform: Google, path: googlePath, kind: jsonType, body: body, person: who, in: in}
}

// googleSaid tells of a message that was said to the app.
func (s *Server) googleSaid(m message, in Saying) outgoing {
	w := s.wireMessage(m)
	if in.Mention {
		w.Notes = []any{map[string]any{
			"type": "USER_MENTION", "startIndex": 0, "length": len(utf16.Encode([]rune(atApp))),
			"userMention": map[string]any{"user": s.wireUser(GoogleApp), "type": "MENTION"},
		}}
	}
	if argument := in.Text; argument != "" {
		if in.Mention {
			argument = " " + argument
		}
		w.Argument = &argument
	}
	tx := s.begin(m.Created)
	body := s.told(tx, s.state.spaces[key{Google, m.Space}], m.Author, googleEvent{
		kind: "MESSAGE", payload: "messagePayload", content: map[string]any{"message": w},
	})
	return s.toGoogle(m, m.Author, body)
}

// googleCommand is a slash command, which is a message too, or a quick command, which is none.
func (s *Server) googleCommand(in Commanding) (message, []outgoing, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tx := s.begin(s.opts.Now())
	sp, err := tx.placeOf(in.Platform, in.Space, in.Person)
	if err != nil {
		return message{}, nil, err
	}
	if in.Quick != 0 {
		body := s.told(tx, sp, in.Person, googleEvent{kind: "APP_COMMAND", payload: "appCommandPayload", content: metadataOf(in.Quick, "QUICK_COMMAND")})
		return message{}, []outgoing{s.toGoogle(message{Platform: Google, Space: sp.ID}, in.Person, body)}, nil
	}
	text := in.Name
	if in.Text != "" {
		text += " " + in.Text
	}
	m, err := tx.written(sp, Saying{Person: in.Person, Thread: in.Thread, Text: text})
	if err != nil {
		return message{}, nil, err
	}
	if err := tx.commit(); err != nil {
		return message{}, nil, err
	}
	w := s.wireMessage(m)
	w.Slash = map[string]string{"commandId": "1"}
	w.Notes = []any{map[string]any{"type": "SLASH_COMMAND", "startIndex": 0, "length": len(in.Name), "slashCommand": map[string]any{
		"bot": s.wireUser(GoogleApp), "type": "INVOKE", "commandName": in.Name, "commandId": "1",
	}}}
	if in.Text != "" {
		argument := " " + in.Text
		w.Argument = &argument
	}
	content := metadataOf(slashID, "SLASH_COMMAND")
	content["message"] = w
	body := s.told(tx, sp, in.Person, googleEvent{kind: "MESSAGE", payload: "appCommandPayload", content: content})
	return m, []outgoing{s.toGoogle(m, in.Person, body)}, nil
}

func metadataOf(id int, kind string) map[string]any {
	return map[string]any{"appCommandMetadata": map[string]any{"appCommandId": id, "appCommandType": kind}}
}

// googleClick is a click on a button in the cards of a message.
func (s *Server) googleClick(tx *tx, m message, in Clicking) ([]outgoing, error) {
	var cards any
	if len(m.Cards) > 0 {
		if err := json.Unmarshal(m.Cards, &cards); err != nil {
			return nil, err
		}
	}
	for _, b := range buttonsOf(cards) {
		if b.is(in) {
			return s.googleClicked(tx, m, in, b)
		}
	}
	return nil, &server.Refusal{Message: "The message has no such button."}
}

type button struct {
	text, function string
	values         map[string]string
}

func (b button) is(in Clicking) bool {
	return (b.text == in.Button || b.function == in.Button || b.has(in.Button)) && (in.Value == "" || b.has(in.Value))
}

func (b button) has(value string) bool {
	for _, v := range b.values {
		if v == value {
			return true
		}
	}
	return false
}

// buttonsOf finds all buttons in whatever a card is made of, in their order as far as lists have one.
func buttonsOf(v any) (all []button) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			all = append(all, buttonsOf(e)...)
		}
	case map[string]any:
		if action := object(object(v["onClick"])["action"]); len(action) > 0 {
			return []button{buttonOf(v, action)}
		}
		for _, e := range v {
			all = append(all, buttonsOf(e)...)
		}
	}
	return all
}

func buttonOf(v, action map[string]any) button {
	b := button{values: map[string]string{}}
	b.text, _ = v["text"].(string)
	b.function, _ = action["function"].(string)
	list, _ := action["parameters"].([]any)
	for _, p := range list {
		name, _ := object(p)["key"].(string)
		b.values[name], _ = object(p)["value"].(string)
	}
	return b
}

// googleClicked tells of a click. An add-on names an address as function, and that is where the click goes: it must be ours.
func (s *Server) googleClicked(tx *tx, m message, in Clicking, b button) ([]outgoing, error) {
	if s.addOn && b.function != s.callback+googlePath {
		return nil, &server.Refusal{Message: "The button of an add-on must name the address of the app as its function."}
	}
	e := googleEvent{
		kind: "CARD_CLICKED", payload: "buttonClickedPayload", content: map[string]any{"message": s.wireMessage(m)},
		function: b.function, values: b.values,
	}
	if s.addOn {
		e.function = ""
	}
	tx.at = tx.moment()
	tx.change.Spaces = append(tx.change.Spaces, s.state.spaces[key{Google, m.Space}]) // so that no two clicks have the same time
	if err := tx.commit(); err != nil {
		return nil, err
	}
	return []outgoing{s.toGoogle(m, in.Person, s.told(tx, s.state.spaces[key{Google, m.Space}], in.Person, e))}, nil
}

func (s *Server) googleMoved(tx *tx, sp space, who string, in bool) outgoing {
	e := googleEvent{kind: "ADDED_TO_SPACE", payload: "addedToSpacePayload", content: map[string]any{}}
	if !in {
		e.kind, e.payload = "REMOVED_FROM_SPACE", "removedFromSpacePayload"
	}
	return s.toGoogle(message{}, who, s.told(tx, sp, who, e))
}
