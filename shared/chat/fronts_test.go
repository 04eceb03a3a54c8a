package chat_test

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/chat"
)

func formOf(payload string) []byte { return []byte(url.Values{"payload": {payload}}.Encode()) }

// brief writes an event in one line, the receipt's own time left out.
func brief(e chat.Event) string {
	words := []string{string(e.Kind)}
	if e.Kind == chat.Ignored || e.Kind == chat.Handshake {
		return words[0]
	}
	for _, id := range []string{e.Place.Space, e.Place.Thread, e.Message, e.Person.ID} {
		if id == "" {
			id = "-"
		}
		words = append(words, id)
	}
	switch e.Kind {
	case chat.Click:
		words = append(words, fmt.Sprintf("%q %q", e.Action, e.Value))
	case chat.Message, chat.Command:
		words = append(words, fmt.Sprintf("%q", e.Text))
	}
	if e.Mention {
		words = append(words, "mention")
	}
	if e.Person.Bot {
		words = append(words, "bot")
	}
	for _, f := range e.Files {
		words = append(words, fmt.Sprintf("file:%s:%s:%d", f.Name, f.Type, f.Bytes))
	}
	if !e.At.Equal(received) {
		words = append(words, e.At.Format(time.RFC3339Nano))
	}
	return strings.Join(words, " ")
}
