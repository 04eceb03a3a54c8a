// Package chat is where people are: Slack and Google Chat behind one model. chat/slack and chat/google check who sent a request, read what a
// person did into an Event, answer within the platform's time, and post, edit and find messages.
//
// A platform's message is created without a promise that it happens once. As with package desk, every method that acts is one send, its
// error says whether the platform certainly did not execute it (fault.Unsent, fault.Throttled, Invalid, Denied, Missing, Conflict), and a
// message carries a marker by which Find sees it. The ledger builds "once" out of that.
//
// What people write is data: a Post is rendered so that nothing in it is markup, a mention, or a link with another name than its address.
// People are told apart by ids, never by names.
package chat

import (
	"context"
	"io"
	"net/http"
	"time"
)

// Platform is a chat system.
type Platform string

const (
	Slack  Platform = "slack"
	Google Platform = "google"
)

// Place is where something is said.
type Place struct {
	Platform Platform `json:"platform"`
	Space    string   `json:"space"`            // Slack: a channel's id; Google: "spaces/S"
	Thread   string   `json:"thread,omitempty"` // Slack: ts of the message that began it; Google: "spaces/S/threads/T"; empty: outside any thread
}

// Person wrote or clicked.
type Person struct {
	ID   string `json:"id"`             // Slack: "U..." or "W..."; Google: "users/N"
	Name string `json:"name,omitempty"` // for people to read; proves nothing
	Bot  bool   `json:"bot,omitempty"`  // a program, perhaps ourselves
}

// Kind of event.
type Kind string

const (
	Command   Kind = "command"   // a slash command: Text is what follows its name
	Message   Kind = "message"   // something was written; Mention says whether to us
	Click     Kind = "click"     // a button of one of our messages was clicked
	Joined    Kind = "joined"    // we were added to a space
	Left      Kind = "left"      // we were removed from it, and cannot answer
	Handshake Kind = "handshake" // the platform tries the address out; the answer is all there is to do
	Ignored   Kind = "ignored"   // understood, and nothing to us; Why says why
)

// Event is what a person did. It travels as JSON, and holds no token of the platform.
type Event struct {
	ID        string    `json:"id"` // the same for every delivery and every notice of the same act
	Kind      Kind      `json:"kind"`
	Place     Place     `json:"place"`             // of a message, with the thread that an answer to it would be in
	Message   string    `json:"message,omitempty"` // the platform's name of the message that was written, or whose button was clicked
	Person    Person    `json:"person"`
	Mention   bool      `json:"mention,omitempty"` // the text was said to us: a mention, or a direct message
	Text      string    `json:"text,omitempty"`    // without the mention
	Files     []File    `json:"files,omitempty"`
	Action    string    `json:"action,omitempty"` // of a button
	Value     string    `json:"value,omitempty"`
	At        time.Time `json:"at"` // by the platform's clock; of the receipt when it gives none
	Why       string    `json:"why,omitempty"`
	Challenge string    `json:"-"` // of a handshake that wants an echo
}

// File was attached to a message.
type File struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	Bytes int64  `json:"bytes"` // 0: the platform does not say
	Ref   string `json:"ref"`   // what Download wants
}

// Post is a message of ours.
type Post struct {
	Title   string   `json:"title,omitempty"` // one line, emphasised
	Body    string   `json:"body,omitempty"`
	Fields  []Field  `json:"fields,omitempty"`
	Link    Link     `json:"link,omitzero"`
	Buttons []Button `json:"buttons,omitempty"`
}

// Field is a short fact.
type Field struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Link is something to open.
type Link struct {
	Text string `json:"text"`
	URL  string `json:"url"`
}

// Button is something to click. What comes back is an Event with its Action and Value.
type Button struct {
	Text   string `json:"text"`
	Action string `json:"action"`
	Value  string `json:"value"`
	Danger bool   `json:"danger,omitempty"`
}

// Sent is a message of ours that is there.
type Sent struct {
	Place Place  `json:"place"` // its thread; of a message outside any thread, the thread that an answer to it would be in
	Name  string `json:"name"`  // Slack: ts; Google: "spaces/S/messages/M"
}

// Front is the receiving side of a platform. It does no I/O beyond fetching the platform's keys.
type Front interface {
	// Verify says whether the platform sent the request; see signature.Verifier.
	Verify(r *http.Request, body []byte) error
	// Parse reads a verified request. An error is fault.Invalid. path is what follows the platform's name in the URL: "commands",
	// "interactions" or "events" of Slack, "" of Google.
	Parse(path, contentType string, body []byte) (Event, error)
	// Answer is the body of the answer that the platform waits for: text, seen by the person only where the platform can do that; "" says
	// nothing. The status is always 200.
	Answer(e Event, body []byte, text string) (contentType string, answer []byte)
}

// Room is the sending side of a platform.
type Room interface {
	// Post says p: one send. A Place without thread begins one. p must fit; see Pages.
	Post(ctx context.Context, at Place, p Post, marker string) (Sent, error)
	// Edit replaces the content of a message: one send. The marker is that of the Post, so that Find still sees it.
	Edit(ctx context.Context, s Sent, p Post, marker string) error
	// Find returns our messages with the marker at a place, oldest first, none of them older than since.
	Find(ctx context.Context, at Place, marker string, since time.Time) ([]Sent, error)
	// Download fetches what was attached to a message, at most limit bytes; more is fault.Invalid.
	Download(ctx context.Context, f File, limit int64, w io.Writer) error
	// Pages cuts a post into posts that the platform takes, each with the title: the body may be long, what else there is stands on the last.
	Pages(p Post) []Post
}
