package chat

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// journalFile is where the state is kept, in the folder of the options.
const journalFile = "chat.jsonl"

// The records are what the server keeps and writes to its journal.

type person struct {
	Platform string `json:"platform"`
	ID       string `json:"id"`
	Name     string `json:"name"`
	Bot      bool   `json:"bot,omitempty"`
}

// space is a channel of Slack, a space of Google, or what one person and the bot say to each other.
type space struct {
	Platform string `json:"platform"`
	ID       string `json:"id"`
	Name     string `json:"name"`
	Direct   string `json:"direct,omitempty"` // the person
	Out      bool   `json:"out,omitempty"`    // the bot is not in it
	Archived bool   `json:"archived,omitempty"`
}

// message is a message as it was sent. What the platform made of it is made when it is asked for.
type message struct {
	Platform string          `json:"platform"`
	Space    string          `json:"space"`
	ID       string          `json:"id"`               // Slack: ts; Google: spaces/S/messages/M
	Client   string          `json:"client,omitempty"` // Google: the id that the app gave
	Request  string          `json:"request,omitempty"`
	Thread   string          `json:"thread"` // Slack: ts of the root, its own for a root; Google: spaces/S/threads/T
	Key      string          `json:"key,omitempty"`
	Author   string          `json:"author"`
	Text     string          `json:"text,omitempty"` // with the platform's escapes
	Blocks   json.RawMessage `json:"blocks,omitempty"`
	Metadata json.RawMessage `json:"metadata,omitempty"`
	Cards    json.RawMessage `json:"cards,omitempty"`
	Fallback string          `json:"fallback,omitempty"`
	Files    []string        `json:"files,omitempty"`
	Created  time.Time       `json:"created"`
	Edited   time.Time       `json:"edited,omitzero"`
	Deleted  time.Time       `json:"deleted,omitzero"`
}

type file struct {
	Platform string `json:"platform"`
	ID       string `json:"id"` // Slack: F…; Google: the resource name for media
	Blob     string `json:"blob"`
	Name     string `json:"name"`
	Type     string `json:"type"`
	Bytes    int64  `json:"bytes"`
	Author   string `json:"author"`
}

// change is what one request does to the state: records to insert or replace, all together or not at all. It is also a line of the journal.
type change struct {
	Serial   uint64    `json:"serial,omitempty"` // the last number that an id was made of
	Last     time.Time `json:"last,omitzero"`    // the time of the last message
	People   []person  `json:"people,omitempty"`
	Spaces   []space   `json:"spaces,omitempty"`
	Files    []file    `json:"files,omitempty"`
	Messages []message `json:"messages,omitempty"`
}

func (c change) empty() bool { return len(c.People)+len(c.Spaces)+len(c.Files)+len(c.Messages) == 0 }

type key struct{ platform, id string }

type messageKey struct{ platform, space, id string }

// state is everything that requests read and change.
type state struct {
	serial   uint64
	last     time.Time
	people   map[key]person
	spaces   map[key]space
	files    map[key]file
	messages []message // in the order of their creation
	index    map[messageKey]int
}

func newState() *state {
	return &state{people: map[key]person{}, spaces: map[key]space{}, files: map[key]file{}, index: map[messageKey]int{}}
}

// Replay does a change of the journal again. It refuses a message in a space that is not there: somebody edited the journal.
func (s *state) Replay(c change) error {
	for _, m := range c.Messages {
		_, ok := s.spaces[key{m.Platform, m.Space}]
		if !ok && !slices.ContainsFunc(c.Spaces, func(sp space) bool { return sp.Platform == m.Platform && sp.ID == m.Space }) {
			return errors.New("a message in no space")
		}
	}
	s.apply(c)
	return nil
}

func (s *state) apply(c change) {
	s.serial = max(s.serial, c.Serial)
	if c.Last.After(s.last) {
		s.last = c.Last
	}
	for _, r := range c.People {
		s.people[key{r.Platform, r.ID}] = r
	}
	for _, r := range c.Spaces {
		s.spaces[key{r.Platform, r.ID}] = r
	}
	for _, r := range c.Files {
		s.files[key{r.Platform, r.ID}] = r
	}
	for _, m := range c.Messages {
		k := messageKey{m.Platform, m.Space, m.ID}
		if i, ok := s.index[k]; ok {
			s.messages[i] = m
			continue
		}
		s.index[k] = len(s.messages)
		s.messages = append(s.messages, m)
	}
}

// Changes is the state as changes, a message each, so that no line grows with the state.
func (s *state) Changes() []change {
	head := change{Serial: s.serial, Last: s.last}
	head.People = slices.SortedFunc(maps.Values(s.people), func(a, b person) int { return cmp.Compare(a.Platform+a.ID, b.Platform+b.ID) })
	head.Spaces = slices.SortedFunc(maps.Values(s.spaces), func(a, b space) int { return cmp.Compare(a.Platform+a.ID, b.Platform+b.ID) })
	all := []change{head}
	for _, f := range slices.SortedFunc(maps.Values(s.files), func(a, b file) int { return cmp.Compare(a.ID, b.ID) }) {
		all = append(all, change{Files: []file{f}})
	}
	for _, m := range s.messages {
		all = append(all, change{Messages: []message{m}})
	}
	return all
}

func (s *state) blobs() map[string]bool {
	names := map[string]bool{}
	for _, f := range s.files {
		names[f.Blob] = true
	}
	return names
}

// message finds a message that is there.
func (s *state) message(platform, space, id string) (message, bool) {
	i, ok := s.index[messageKey{platform, space, id}]
	if !ok || !s.messages[i].Deleted.IsZero() {
		return message{}, false
	}
	return s.messages[i], true
}

// in lists the messages of a space, oldest first; of one thread if it is named.
func (s *state) in(platform, space, thread string) []message {
	var all []message
	for _, m := range s.messages {
		if m.Platform == platform && m.Space == space && (thread == "" || m.Thread == thread) && m.Deleted.IsZero() {
			all = append(all, m)
		}
	}
	return all
}

// seed is what a new server has.
func (s *Server) seed() error {
	c := change{Spaces: []space{{Platform: Slack, ID: Channel, Name: "cases"}, {Platform: Google, ID: Space, Name: "Cases"}}}
	for i, name := range []string{"Anna", "Ben", "Chen"} {
		c.People = append(c.People,
			person{Platform: Slack, ID: [...]string{"U0ANNA", "U0BEN", "U0CHEN"}[i], Name: name},
			person{Platform: Google, ID: fmt.Sprintf("users/%d", 1001+i), Name: name},
		)
	}
	c.People = append(c.People,
		person{Platform: Slack, ID: BotUser, Name: "providerdesk", Bot: true},
		person{Platform: Google, ID: GoogleApp, Name: "providerdesk", Bot: true},
	)
	s.state.apply(c)
	return nil
}
