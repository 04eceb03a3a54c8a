package google

import (
	"encoding/json"
	"html"
	"math"
	"net/url"
	"strings"

	api "google.golang.org/api/chat/v1"

	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/fault"
)

// Limits, in characters and pieces. Chat publishes 32,000 bytes for a message and 100 widgets for a card; the others are ours and keep
// every message below them.
const (
	maxPage    = 4000
	maxTitle   = 150
	maxFields  = 12
	maxCell    = 250
	maxButtons = 10
	maxButton  = 75
	maxAction  = 255
	maxValue   = 1000
	maxURL     = 2000
	maxBytes   = 31_000
)

// each character costs the same.
func each(rune) int { return 1 }

// cost is what a character takes of a card: what is escaped is longer.
func cost(r rune) int {
	switch r {
	case '&', '<', '>', '"', '\'':
		return 3
	case '\n':
		return 4
	}
	return 1
}

// lookalikes stand for the characters that are markup in a text of Chat.
var lookalikes = strings.NewReplacer("*", "∗", "_", "＿", "~", "∼", "`", "ˋ", "<", "‹", ">", "›")

// inert makes a text in which Chat finds no markup, no mention and no named link.
func inert(s string) string { return lookalikes.Replace(chat.Plain(s)) }

// escape makes a text of a card, where HTML is the only markup.
func escape(s string) string {
	return strings.ReplaceAll(html.EscapeString(chat.Plain(s)), "\n", "<br>")
}

// Pages cuts a post into posts that Chat takes.
func (r *Room) Pages(p chat.Post) []chat.Post { return chat.Pages(p, maxPage, cost) }

// render makes a message: one card.
func (r *Room) render(p chat.Post) (*api.Message, error) {
	if err := check(p); err != nil {
		return nil, err
	}
	card := &api.GoogleAppsCardV1Card{}
	if p.Title != "" {
		card.Header = &api.GoogleAppsCardV1CardHeader{Title: chat.Line(p.Title, maxTitle)}
	}
	if widgets := r.widgets(p); len(widgets) > 0 {
		card.Sections = []*api.GoogleAppsCardV1Section{{Widgets: widgets}}
	}
	m := &api.Message{CardsV2: []*api.CardWithId{{CardId: "post", Card: card}}, FallbackText: inert(fallback(p))}
	if size(m) > maxBytes {
		return nil, fault.New(fault.Invalid, "the post is larger than a message of Google Chat")
	}
	return m, nil
}

// size of a message in bytes, at most: JSON writes some of them with six.
func size(m *api.Message) int {
	data, err := json.Marshal(m)
	if err != nil {
		return math.MaxInt
	}
	return len(data)
}

func (r *Room) widgets(p chat.Post) (all []*api.GoogleAppsCardV1Widget) {
	if strings.TrimSpace(p.Body) != "" {
		all = append(all, &api.GoogleAppsCardV1Widget{TextParagraph: &api.GoogleAppsCardV1TextParagraph{Text: escape(p.Body)}})
	}
	for _, f := range p.Fields {
		all = append(all, &api.GoogleAppsCardV1Widget{DecoratedText: &api.GoogleAppsCardV1DecoratedText{
			TopLabel: chat.Line(f.Name, maxButton), Text: escape(chat.Clip(chat.Plain(f.Value), maxCell, cost)), WrapText: true,
		}})
	}
	var buttons []*api.GoogleAppsCardV1Button
	if p.Link.URL != "" {
		buttons = append(buttons, linkButton(p.Link))
	}
	for _, b := range p.Buttons {
		buttons = append(buttons, r.button(b))
	}
	if len(buttons) > 0 {
		all = append(all, &api.GoogleAppsCardV1Widget{ButtonList: &api.GoogleAppsCardV1ButtonList{Buttons: buttons}})
	}
	return all
}

func linkButton(l chat.Link) *api.GoogleAppsCardV1Button {
	text := chat.Line(l.Text, maxButton)
	if text == "" {
		text = chat.Line(l.URL, maxButton)
	}
	return &api.GoogleAppsCardV1Button{Text: text, OnClick: &api.GoogleAppsCardV1OnClick{OpenLink: &api.GoogleAppsCardV1OpenLink{Url: l.URL}}}
}

// button calls the address of our function in an add-on, and names its action otherwise.
func (r *Room) button(b chat.Button) *api.GoogleAppsCardV1Button {
	function := r.callback
	if function == "" {
		function = b.Action
	}
	out := &api.GoogleAppsCardV1Button{
		Text: chat.Line(b.Text, maxButton),
		OnClick: &api.GoogleAppsCardV1OnClick{Action: &api.GoogleAppsCardV1Action{
			Function:   function,
			Parameters: []*api.GoogleAppsCardV1ActionParameter{{Key: actionKey, Value: b.Action}, {Key: valueKey, Value: b.Value}},
		}},
	}
	if b.Danger {
		out.Color = &api.Color{Red: 0.78, Green: 0.16, Blue: 0.16, Alpha: 1}
	}
	return out
}

// check refuses what does not fit. What is merely a label is cut short instead.
func check(p chat.Post) error {
	switch {
	case total(p.Body) > maxPage:
		return fault.New(fault.Invalid, "the body is longer than a page of Google Chat")
	case len(p.Fields) > maxFields || len(p.Buttons) > maxButtons:
		return fault.New(fault.Invalid, "the post has more fields or buttons than a card takes")
	case strings.TrimSpace(p.Title+p.Body+p.Link.URL) == "" && len(p.Fields)+len(p.Buttons) == 0:
		return fault.New(fault.Invalid, "the post is empty")
	}
	for _, b := range p.Buttons {
		if b.Action == "" || len(b.Action) > maxAction || len(b.Value) > maxValue || strings.TrimSpace(b.Text) == "" {
			return fault.New(fault.Invalid, "a button needs a text, an action of 1 to 255 bytes and a value of at most 1000")
		}
	}
	return checkLink(p.Link)
}

func total(s string) (n int) {
	for _, r := range s {
		n += cost(r)
	}
	return n
}

func checkLink(l chat.Link) error {
	u, err := url.Parse(l.URL)
	if l.URL != "" && (err != nil || u.Host == "" || u.User != nil || len(l.URL) > maxURL || u.Scheme != "https" && u.Scheme != "http") {
		return fault.New(fault.Invalid, "a link is an address of the web")
	}
	return nil
}

// fallback is what a notification shows.
func fallback(p chat.Post) string {
	for _, s := range []string{p.Title, p.Body, p.Link.Text, "–"} {
		if s = chat.Line(s, maxTitle); s != "" {
			return s
		}
	}
	return ""
}
