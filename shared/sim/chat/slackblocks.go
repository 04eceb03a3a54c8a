package chat

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf16"
)

// textObject is a text of a block.
type textObject struct {
	Type  string `json:"type"`
	Text  string `json:"text"`
	Emoji *bool  `json:"emoji,omitempty"`
	Verb  *bool  `json:"verbatim,omitempty"`
}

// block is one block, or an element of one.
type block struct {
	Type     string       `json:"type"`
	ID       string       `json:"block_id,omitempty"`
	Text     *textObject  `json:"text,omitempty"`
	Fields   []textObject `json:"fields,omitempty"`
	Elements []block      `json:"elements,omitempty"`
	Action   string       `json:"action_id,omitempty"`
	Value    string       `json:"value,omitempty"`
	URL      string       `json:"url,omitempty"`
	Style    string       `json:"style,omitempty"`
}

// blocksOf reads blocks; a field that we do not know is a mistake.
func blocksOf(raw json.RawMessage) ([]block, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	var all []block
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&all); err != nil {
		return nil, fmt.Errorf("not blocks that this simulator knows")
	}
	return all, nil
}

// length is what Slack counts: UTF-16.
func length(s string) int { return len(utf16.Encode([]rune(s))) }

// checkBlocks says what Slack would say of blocks.
func checkBlocks(raw json.RawMessage) *refusal {
	all, err := blocksOf(raw)
	if err != nil {
		return refuse("invalid_blocks_format", "[ERROR] "+err.Error())
	}
	var bad []string
	if len(all) > slackBlocks {
		bad = append(bad, "[ERROR] no more than 50 items allowed [json-pointer:/blocks]")
	}
	sum, actions := 0, map[string]bool{}
	for i, b := range all {
		for _, wrong := range b.wrong(actions) {
			bad = append(bad, fmt.Sprintf("[ERROR] %s [json-pointer:/blocks/%d]", wrong, i))
		}
		sum += b.length()
	}
	switch {
	case len(bad) > 0:
		return refuse("invalid_blocks", bad...)
	case sum > slackSum:
		return refuse("msg_blocks_too_long")
	}
	return nil
}

func (b block) length() int {
	n := 0
	if b.Text != nil {
		n += length(b.Text.Text)
	}
	for _, f := range b.Fields {
		n += length(f.Text)
	}
	for _, e := range b.Elements {
		n += e.length()
	}
	return n
}

// wrong lists what is wrong with a block of a message.
func (b block) wrong(actions map[string]bool) (bad []string) {
	switch b.Type {
	case "header":
		bad = append(bad, b.Text.wrong(slackHeader, true)...)
	case "section":
		if b.Text == nil && len(b.Fields) == 0 {
			bad = append(bad, "a section needs text or fields")
		}
		if b.Text != nil {
			bad = append(bad, b.Text.wrong(slackSection, false)...)
		}
		if len(b.Fields) > slackFields {
			bad = append(bad, "no more than 10 fields")
		}
		for _, f := range b.Fields {
			bad = append(bad, f.wrong(slackField, false)...)
		}
	case "actions":
		if len(b.Elements) == 0 || len(b.Elements) > slackActions {
			bad = append(bad, "an actions block has 1 to 25 elements")
		}
		for _, e := range b.Elements {
			bad = append(bad, e.wrongButton(actions)...)
		}
	case "divider":
	default:
		bad = append(bad, "unsupported type")
	}
	return bad
}

func (t *textObject) wrong(most int, plain bool) (bad []string) {
	switch {
	case t == nil:
		return []string{"missing required field: text"}
	case t.Type != "plain_text" && (t.Type != "mrkdwn" || plain):
		bad = append(bad, "text of a wrong type")
	case t.Type == "mrkdwn" && t.Emoji != nil:
		bad = append(bad, "emoji is for plain_text")
	case t.Type == "plain_text" && t.Verb != nil:
		bad = append(bad, "verbatim is for mrkdwn")
	}
	if n := length(t.Text); n == 0 || n > most {
		bad = append(bad, fmt.Sprintf("must be between 1 and %d characters", most))
	}
	return bad
}

func (b block) wrongButton(actions map[string]bool) (bad []string) {
	if b.Type != "button" {
		return []string{"unsupported element"}
	}
	bad = append(bad, b.Text.wrong(slackButton, true)...)
	u, err := url.Parse(b.URL)
	switch {
	case len(b.Value) > slackValue || len(b.Action) > slackAction || len(b.URL) > slackURL:
		bad = append(bad, "a value, an action_id or a url is too long")
	case b.URL != "" && (err != nil || u.Host == ""):
		bad = append(bad, "a url is none")
	case b.Style != "" && b.Style != "primary" && b.Style != "danger":
		bad = append(bad, "unknown style")
	case b.Action != "" && actions[b.Action]:
		bad = append(bad, "the action_id already exists for this message")
	}
	actions[b.Action] = true
	return bad
}
