package google

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/chat"
)

// The parameters of our buttons.
const (
	actionKey = "action"
	valueKey  = "value"
)

func ignored(why string) chat.Event { return chat.Event{Kind: chat.Ignored, Why: why} }

// event says what an act is to us.
func (f *Front) event(a act) (chat.Event, error) {
	switch a.kind {
	case "MESSAGE", "APP_COMMAND", "CARD_CLICKED", "ADDED_TO_SPACE":
		if a.user.Name == "" || a.space.Name == "" {
			return ignored("it does not say who did something where"), nil
		}
	case "REMOVED_FROM_SPACE":
		if a.space.Name == "" {
			return ignored("it does not say where"), nil
		}
	case "WIDGET_UPDATED", "SUBMIT_FORM", "APP_HOME":
		return ignored("we have no widgets, forms and home"), nil
	default:
		return ignored("no event that we know"), nil
	}
	if err := a.check(); err != nil {
		return chat.Event{}, err
	}
	e := f.of(a)
	e.Place.Space, e.Place.Thread, e.Message = a.space.Name, a.message.Thread.Name, a.message.Name
	e.Person = chat.Person{ID: a.user.Name, Name: chat.Line(a.user.DisplayName, 255), Bot: a.user.Type == "BOT"}
	return e, nil
}

// check refuses names that are not Chat's: they become parts of URLs.
func (a act) check() error {
	thread, message := a.message.Thread.Name, a.message.Name
	switch {
	case !spaceForm.MatchString(a.space.Name):
		return invalid("the space has no name like spaces/S")
	case a.user.Name != "" && !userForm.MatchString(a.user.Name):
		return invalid("the user has no name like users/U")
	case thread != "" && (!threadForm.MatchString(thread) || !strings.HasPrefix(thread, a.space.Name+"/")):
		return invalid("the thread is not one of the space")
	case message != "" && (!messageForm.MatchString(message) || !strings.HasPrefix(message, a.space.Name+"/")):
		return invalid("the message is not one of the space")
	case a.kind == "MESSAGE" && message == "":
		return invalid("the message has no name")
	}
	return nil
}

// of makes the event of an act, but for who and where.
func (f *Front) of(a act) chat.Event {
	switch a.kind {
	case "MESSAGE":
		return a.said()
	case "APP_COMMAND":
		return f.commanded(a)
	case "CARD_CLICKED":
		return a.clicked()
	case "ADDED_TO_SPACE":
		e := a.said()
		e.Kind, e.ID = chat.Joined, a.identity("joined")
		return e
	}
	return chat.Event{ID: a.identity("left"), Kind: chat.Left}
}

// said reads a message. The arguments of a command and what follows a mention are in argumentText, which is not there when there are none.
func (a act) said() chat.Event {
	m := a.message
	e := chat.Event{ID: "google:" + m.Name, Kind: chat.Message, Mention: true, Files: m.files(), Text: tidy(m.Text)}
	slash := m.SlashCommand != nil || a.how == "SLASH_COMMAND" || m.annotated("SLASH_COMMAND")
	switch {
	case m.MatchedURL != nil && !slash:
		return ignored("a link was written of which we show no preview")
	case m.ArgumentText != nil:
		e.Text = tidy(*m.ArgumentText)
	case slash, m.annotated("USER_MENTION"):
		e.Text = ""
	}
	if slash {
		e.Kind, e.Mention = chat.Command, false
	}
	if m.Name == "" {
		e.ID, e.Mention = "", false
	}
	return e
}

func (m message) annotated(kind string) bool {
	return slices.ContainsFunc(m.Annotations, func(a struct{ Type string }) bool { return a.Type == kind })
}

// commanded reads a command of an add-on, which may come with the message that it was typed in, or a quick command, which has no text.
func (f *Front) commanded(a act) chat.Event {
	e := chat.Event{Kind: chat.Command}
	switch a.how {
	case "SLASH_COMMAND":
		if a.message.Name != "" {
			return a.said()
		}
	case "QUICK_COMMAND":
		text, ok := f.o.Quick[a.command]
		if !ok {
			return ignored("no quick command that we know")
		}
		e.Text = text
	default:
		return ignored("no command that we know")
	}
	e.ID = a.identity("command", strconv.Itoa(a.command))
	return e
}

// clicked reads a click on a button of ours, or of somebody who names a function.
func (a act) clicked() chat.Event {
	action := a.parameters[actionKey]
	if action == "" {
		action = a.function
	}
	if a.dialog || action == "" {
		return ignored("a click on no button of ours")
	}
	value := a.parameters[valueKey]
	return chat.Event{ID: a.identity("click", a.message.Name, action, value), Kind: chat.Click, Action: action, Value: value}
}

// identity of an act that is no message, "" if Chat does not say when it was.
func (a act) identity(parts ...string) string {
	if a.at.IsZero() {
		return ""
	}
	return identity(append(parts, a.space.Name, a.user.Name, a.at.Format(time.RFC3339Nano))...)
}

func tidy(s string) string { return strings.TrimSpace(chat.Plain(s)) }
