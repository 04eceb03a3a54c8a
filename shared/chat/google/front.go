package google

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

const (
	// MaxBody is the most bytes of a request that are read.
	MaxBody = 1 << 20

	jsonType = "application/json"
	maxText  = 4096 // characters of an answer
)

// FrontOptions of a Front. Verifier is required.
type FrontOptions struct {
	Verifier signature.Verifier
	Quick    map[int]string   // the text that a quick command stands for, by its id
	Now      func() time.Time // default time.Now
}

// Front implements chat.Front.
type Front struct{ o FrontOptions }

// NewFront returns a front.
func NewFront(o FrontOptions) (*Front, error) {
	if o.Verifier == nil {
		return nil, fault.New(fault.Invalid, "Google Chat needs a check of its token")
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
	kind, _, err := mime.ParseMediaType(contentType)
	switch {
	case path != "":
		return chat.Event{}, invalid("Google Chat calls one address")
	case err != nil || kind != jsonType:
		return chat.Event{}, invalid("a request of Google Chat has Content-Type application/json")
	case len(body) > MaxBody:
		return chat.Event{}, invalid("the request is larger than Google Chat's are")
	}
	a, err := read(body)
	if err != nil {
		return chat.Event{}, err
	}
	e, err := f.event(a)
	if err != nil {
		return chat.Event{}, err
	}
	e.Place.Platform = chat.Google
	if e.ID == "" {
		e.ID = identity("body", string(body))
	}
	if e.At = a.at; e.At.IsZero() {
		e.At = f.o.Now().UTC()
	}
	return e, nil
}

// identity makes an id of what tells an act from all others.
func identity(parts ...string) string {
	h := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return "google:" + hex.EncodeToString(h[:16])
}

func invalid(sentence string) error { return fault.New(fault.Invalid, "%s", sentence) }

// Answer says text in the dialect of the request; an empty object says nothing. To a removal there is no answer.
func (f *Front) Answer(e chat.Event, body []byte, text string) (contentType string, answer []byte) {
	silence := []byte("{}")
	if text == "" || e.Kind == chat.Left {
		return jsonType, silence
	}
	var say any = map[string]any{"text": chat.Clip(inert(text), maxText, each)}
	if d, err := dialectOf(body); err == nil && d == addOn {
		say = map[string]any{"hostAppDataAction": map[string]any{"chatDataAction": map[string]any{
			"createMessageAction": map[string]any{"message": say},
		}}}
	}
	answer, err := json.Marshal(say)
	if err != nil { // not of texts
		return jsonType, silence
	}
	return jsonType, answer
}
