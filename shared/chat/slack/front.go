package slack

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/chat"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/signature"
)

// MaxBody is the most bytes of a request that are read.
const MaxBody = 1 << 20

const (
	form = "application/x-www-form-urlencoded"
	data = "application/json"
)

// FrontOptions of a Front. Verifier and BotUser are required.
type FrontOptions struct {
	Verifier signature.Verifier
	BotUser  string           // our own user, "U…": who is mentioned, and whose messages are our own
	Team     string           // our workspace, "T…": what comes from another one is fault.Denied; empty: any is ours
	Now      func() time.Time // default time.Now
}

// Front implements chat.Front.
type Front struct{ o FrontOptions }

// NewFront returns a front.
func NewFront(o FrontOptions) (*Front, error) {
	if o.Verifier == nil {
		return nil, fault.New(fault.Invalid, "Slack needs a check of its signature")
	}
	if !userForm.MatchString(o.BotUser) {
		return nil, fault.New(fault.Invalid, "Slack needs the id of our own user, like U0123ABC: it tells who is mentioned")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Front{o}, nil
}

// Verify asks the verifier of the options.
func (f *Front) Verify(r *http.Request, body []byte) error { return f.o.Verifier.Verify(r, body) }

// Parse reads a verified request.
func (f *Front) Parse(path, contentType string, body []byte) (chat.Event, error) {
	read, want := f.reader(path)
	kind, _, err := mime.ParseMediaType(contentType)
	switch {
	case read == nil:
		return chat.Event{}, invalid("Slack calls /commands, /interactions and /events, nothing else")
	case err != nil || kind != want:
		return chat.Event{}, invalid("a request of Slack to this path has Content-Type " + want)
	case len(body) > MaxBody:
		return chat.Event{}, invalid("the request is larger than Slack's are")
	}
	e, err := read(body)
	if err != nil {
		return chat.Event{}, err
	}
	e.Place.Platform = chat.Slack
	if e.At.IsZero() {
		e.At = f.o.Now().UTC()
	}
	if e.ID == "" {
		e.ID = identity("body", string(body))
	}
	return e, nil
}

func (f *Front) reader(path string) (read func([]byte) (chat.Event, error), contentType string) {
	switch path {
	case "commands":
		return f.command, form
	case "interactions":
		return f.interaction, form
	case "events":
		return f.notice, data
	}
	return nil, ""
}

// ours refuses what comes from another workspace than ours: the app may have been installed there without our doing.
func (f *Front) ours(team string) error {
	if f.o.Team == "" || team == f.o.Team {
		return nil
	}
	return fault.New(fault.Denied, "the request is of another workspace")
}

// identity makes an id of what tells an act from all others.
func identity(parts ...string) string {
	h := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return "slack:" + hex.EncodeToString(h[:16])
}

func ignored(why string) chat.Event { return chat.Event{Kind: chat.Ignored, Why: why} }

func invalid(sentence string) error { return fault.New(fault.Invalid, "%s", sentence) }

// first returns the first error.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// most characters that Slack takes of a message that one person sees.
const maxAnswer = 3000

// Answer says text to the person who typed a command. A button and an event get an empty answer: Slack shows nothing of it.
func (f *Front) Answer(e chat.Event, _ []byte, text string) (contentType string, answer []byte) {
	var say any
	switch {
	case e.Kind == chat.Handshake && e.Challenge != "":
		say = struct {
			Challenge string `json:"challenge"`
		}{e.Challenge}
	case e.Kind == chat.Command && text != "":
		say = struct {
			Type   string `json:"response_type"`
			Text   string `json:"text"`
			Markup bool   `json:"mrkdwn"`
		}{"ephemeral", escape(chat.Clip(chat.Plain(text), maxAnswer, cost)), false}
	default:
		return "text/plain; charset=utf-8", nil
	}
	answer, err := json.Marshal(say)
	if err != nil { // not of texts
		return "text/plain; charset=utf-8", nil
	}
	return data, answer
}
