package follow

import (
	"cmp"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/desk"
)

// The buttons of our messages. What comes back is a chat.Event of kind Click with one of these as Action and the id of the case's document
// (Case.ID, see ByID) as Value. A click asks for it: whether the person may, and a confirmation, are the receiver's business.
const (
	ActionClose    = "ask-close"
	ActionEscalate = "ask-escalate"
)

func escalateButton(c Case) chat.Button {
	return chat.Button{Text: "Escalate", Action: ActionEscalate, Value: c.id}
}

// rootPost is the first message of a thread: how the case stands.
func rootPost(c Case, deskName string, zone *time.Location) chat.Post {
	p := chat.Post{Title: chat.Line(cmp.Or(c.Title, "Support case"), 200), Fields: []chat.Field{
		{Name: "Desk", Value: deskName},
		{Name: "Case", Value: path.Base(c.Name)},
		{Name: "State", Value: stateName(c.State)},
		{Name: "Priority", Value: cmp.Or(string(c.Priority), "not said")},
	}}
	if c.Escalated {
		p.Fields = append(p.Fields, chat.Field{Name: "Escalated", Value: "yes"})
	}
	if !c.Clock.Answered.IsZero() {
		p.Fields = append(p.Fields, chat.Field{Name: "Last answer", Value: c.Clock.By + ", " + clockTime(c.Clock.Answered, zone)})
	}
	if c.URL != "" {
		p.Link = chat.Link{Text: "Open the case", URL: c.URL}
	}
	if c.State == desk.Closed {
		return p
	}
	p.Buttons = []chat.Button{{Text: "Close", Action: ActionClose, Value: c.id, Danger: true}}
	if !c.Escalated {
		p.Buttons = append(p.Buttons, escalateButton(c))
	}
	return p
}

func commentPost(w writer, k desk.Comment) chat.Post {
	title := w.name
	switch {
	case k.Author.Desk:
		title += " (support desk)"
	case w.ours:
		title = "Ours"
	}
	return chat.Post{Title: title, Body: cmp.Or(strings.TrimSpace(chat.Plain(w.text)), "(an empty comment)")}
}

func filePost(a desk.Attachment) chat.Post {
	body := chat.Line(a.File, 200)
	if a.Bytes > 0 {
		body += fmt.Sprintf(", %d bytes", a.Bytes)
	}
	return chat.Post{Title: "A file is attached", Body: body}
}

// nameOf is how people know an author.
func nameOf(a desk.Actor) string {
	name := cmp.Or(chat.Line(a.Name, 100), chat.Line(a.Email, 100))
	if name == "" && a.Desk {
		return "Support"
	}
	return cmp.Or(name, "Somebody")
}

var stateNames = map[desk.State]string{
	desk.New: "new", desk.InProgress: "in progress", desk.ActionRequired: "waiting for us", desk.Solved: "solved", desk.Closed: "closed",
}

func stateName(s desk.State) string { return cmp.Or(stateNames[s], string(s), "unknown") }
