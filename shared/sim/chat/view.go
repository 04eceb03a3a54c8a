package chat

import (
	"encoding/json"
	"html"
	"regexp"
	"slices"
	"strings"
	"time"
)

// View is a message as people see it, and as it is on the wire.
type View struct {
	Platform string          `json:"platform"`
	Space    string          `json:"space"`
	Thread   string          `json:"thread"`
	Name     string          `json:"name"`
	Author   string          `json:"author"`
	By       string          `json:"by"` // the author's name
	Bot      bool            `json:"bot,omitempty"`
	Text     string          `json:"text"`    // all that is shown, a line for each piece
	Buttons  []string        `json:"buttons"` // what is on them
	Files    []string        `json:"files,omitempty"`
	Edited   bool            `json:"edited,omitempty"`
	At       time.Time       `json:"at"`
	Wire     json.RawMessage `json:"wire,omitempty"` // blocks or cards
}

// Messages are the messages of a space in their order, of one thread if it is named.
func (s *Server) Messages(platform, space, thread string) []View {
	s.Settle()
	s.mu.Lock()
	defer s.mu.Unlock()
	all := []View{}
	for _, m := range s.state.in(platform, space, thread) {
		all = append(all, s.view(m))
	}
	return all
}

func (s *Server) view(m message) View {
	p := s.state.people[key{m.Platform, m.Author}]
	v := View{
		Platform: m.Platform, Space: m.Space, Thread: m.Thread, Name: m.ID, Author: m.Author, By: p.Name, Bot: p.Bot,
		Edited: !m.Edited.IsZero(), At: m.Created,
	}
	if m.Platform == Slack {
		v.Text, v.Buttons, v.Wire = shownSlack(m)
	} else {
		v.Text, v.Buttons, v.Wire = shownGoogle(m)
	}
	for _, id := range m.Files {
		v.Files = append(v.Files, s.state.files[key{m.Platform, id}].Name)
	}
	return v
}

var slackUnescapes = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")

// shownSlack is what Slack shows: the blocks if there are some, else the text.
func shownSlack(m message) (text string, buttons []string, wire json.RawMessage) {
	all, err := blocksOf(m.Blocks)
	if err != nil || len(all) == 0 {
		return slackUnescapes.Replace(m.Text), []string{}, nil
	}
	lines, buttons := []string{}, []string{}
	for _, b := range all {
		if b.Text != nil {
			lines = append(lines, b.Text.Text)
		}
		for _, f := range b.Fields {
			lines = append(lines, strings.Replace(f.Text, "\n", ": ", 1))
		}
		for _, e := range b.Elements {
			if e.Text != nil {
				buttons = append(buttons, slackUnescapes.Replace(e.Text.Text))
			}
		}
	}
	return slackUnescapes.Replace(strings.Join(lines, "\n")), buttons, m.Blocks
}

var tag = regexp.MustCompile(`<[^>]*>`)

// shownGoogle is what Google shows: the text, and below it the cards.
func shownGoogle(m message) (text string, buttons []string, wire json.RawMessage) {
	var cards []struct {
		Card struct {
			Header   struct{ Title string }
			Sections []struct {
				Widgets []struct {
					TextParagraph struct{ Text string }
					DecoratedText struct{ TopLabel, Text string }
					ButtonList    struct{ Buttons []struct{ Text string } }
				}
			}
		}
	}
	if len(m.Cards) > 0 {
		_ = json.Unmarshal(m.Cards, &cards) // it was checked when it came
	}
	lines, buttons := []string{m.Text}, []string{}
	for _, c := range cards {
		lines = append(lines, c.Card.Header.Title)
		for _, section := range c.Card.Sections {
			for _, w := range section.Widgets {
				lines = append(lines, plainHTML(w.TextParagraph.Text))
				if w.DecoratedText.Text != "" {
					lines = append(lines, w.DecoratedText.TopLabel+": "+plainHTML(w.DecoratedText.Text))
				}
				for _, b := range w.ButtonList.Buttons {
					buttons = append(buttons, b.Text)
				}
			}
		}
	}
	lines = slices.DeleteFunc(lines, func(l string) bool { return l == "" })
	return strings.Join(lines, "\n"), buttons, m.Cards
}

func plainHTML(s string) string {
	return html.UnescapeString(tag.ReplaceAllString(strings.ReplaceAll(s, "<br>", "\n"), ""))
}
