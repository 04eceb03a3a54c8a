// Package desk is the model of a vendor's support desk: cases that people and machines open, comment on and close. desk/google and
// desk/hub speak to the two desks; a third one implements Desk and changes nothing else.
//
// A desk creates without an idempotency key, so an act may happen although we never learn of it. Every implementation therefore
// sends each act exactly once per call (no retry of its own after the request may have left), says in its error whether the desk certainly
// did not execute it (fault.Unsent, fault.Throttled, or a definite refusal: Invalid, Denied, Missing, Conflict), and can find what an
// earlier call left behind by a marker. fault.Transient and fault.Bug mean "maybe". The ledger builds "once" out of that.
//
// Priorities and states are the desk-neutral words below; an implementation maps them.
package desk

import (
	"context"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// Priority of a case, P0 (a critical system is down) to P4.
type Priority string

// State of a case.
type State string

const (
	New            State = "NEW"
	InProgress     State = "IN_PROGRESS"     // the desk works on it
	ActionRequired State = "ACTION_REQUIRED" // the desk waits for us
	Solved         State = "SOLVED"          // the desk proposes a solution
	Closed         State = "CLOSED"
)

// Actor did something.
type Actor struct {
	Name  string `json:"name,omitempty"`
	Email string `json:"email,omitempty"`
	Desk  bool   `json:"desk,omitempty"` // the vendor's own staff
}

// Draft is a case to be opened.
type Draft struct {
	Title          string   `json:"title"`
	Description    string   `json:"description"` // cannot be changed later: the marker lives here
	Priority       Priority `json:"priority"`
	Classification string   `json:"classification"` // the display name; the implementation finds the id
	Subscribers    []string `json:"subscribers,omitempty"`
	TimeZone       string   `json:"timeZone,omitempty"`
	Language       string   `json:"language,omitempty"`
	Test           bool     `json:"test,omitempty"` // a case that the desk's people do not work on
}

// Case is a case as the desk has it now.
type Case struct {
	Name           string    `json:"name"` // the desk's resource name
	Title          string    `json:"title"`
	Description    string    `json:"description"`
	Priority       Priority  `json:"priority"`
	Classification string    `json:"classification"`
	State          State     `json:"state"`
	Escalated      bool      `json:"escalated,omitempty"`
	Subscribers    []string  `json:"subscribers,omitempty"`
	Test           bool      `json:"test,omitempty"`
	Creator        Actor     `json:"creator"`
	URL            string    `json:"url,omitempty"` // for a person's browser
	Created        time.Time `json:"created"`
	Updated        time.Time `json:"updated"`
}

// Comment is one comment of a case.
type Comment struct {
	Name    string    `json:"name"`
	Body    string    `json:"body"`
	Author  Actor     `json:"author"`
	Created time.Time `json:"created"`
}

// Attachment is one file of a case.
type Attachment struct {
	Name    string    `json:"name"`
	File    string    `json:"file"`
	Type    string    `json:"type"`
	Bytes   int64     `json:"bytes"`
	Created time.Time `json:"created"`
}

// Change holds what can be changed of an open case; a nil field stays as it is. Subscribers replaces the whole list.
type Change struct {
	Title       *string
	Priority    *Priority
	Subscribers *[]string
}

// Escalation asks the desk's management for attention. It reaches people, on test cases too.
type Escalation struct {
	Reason        string // RESOLUTION_TIME, TECHNICAL_EXPERTISE, BUSINESS_IMPACT
	Justification string
}

// Filter selects cases; the zero value selects all.
type Filter struct {
	Open     bool // only those that are not closed
	Priority Priority
	Mine     bool // only those that our own account created
}

// Subscription sends the events of a desk to a topic.
type Subscription struct {
	Name    string
	Topic   string
	Working bool
	Failure string // why it does not work, in the desk's words
}

// Opener opens cases and finds them again.
type Opener interface {
	// Open creates a case: one send.
	Open(ctx context.Context, d Draft) (Case, error)
	// Find returns the cases of our own account whose description holds the marker, oldest first. It asks the text search, which lags
	// behind; thorough asks the listing too. An empty answer never proves that a case will not appear.
	Find(ctx context.Context, marker string, thorough bool) ([]Case, error)
}

// Talker reads and writes comments.
type Talker interface {
	// Comment adds one comment of at most CommentLimit characters: one send.
	Comment(ctx context.Context, name, body string) (Comment, error)
	// Comments returns all comments, oldest first.
	Comments(ctx context.Context, name string) ([]Comment, error)
	// CommentLimit is the most characters of one comment; see Split.
	CommentLimit() int
}

// Keeper reads and changes cases.
type Keeper interface {
	Case(ctx context.Context, name string) (Case, error)
	List(ctx context.Context, f Filter) ([]Case, error)
	// Change sends only the fields that are set, with a mask that names them: one send.
	Change(ctx context.Context, name string, c Change) (Case, error)
	// Close is one send; closing a closed case is fault.Conflict or succeeds, as the desk has it.
	Close(ctx context.Context, name string) (Case, error)
	Escalate(ctx context.Context, name string, e Escalation) (Case, error)
}

// Filer carries files. A desk without attachments answers fault.Invalid.
type Filer interface {
	Attach(ctx context.Context, name, file, contentType string, r io.Reader) (Attachment, error)
	Attachments(ctx context.Context, name string) ([]Attachment, error)
	Download(ctx context.Context, attachment string, w io.Writer) error
}

// Desk is a whole support desk.
type Desk interface {
	Opener
	Talker
	Keeper
	Filer
}

// Split cuts a text into parts of at most limit characters (not bytes), at a line's or a word's end where there is one in the last
// quarter of a part. Joined again the parts are the text, less the white space at the cuts. What is no UTF-8 becomes U+FFFD, as it would on
// its way to a desk, so that no cut can make a character of two halves. An empty text has no parts.
func Split(text string, limit int) []string {
	var parts []string
	for text = strings.TrimSpace(strings.ToValidUTF8(text, "\uFFFD")); utf8.RuneCountInString(text) > limit; {
		n := cut(text, limit)
		parts = append(parts, strings.TrimSpace(text[:n]))
		text = strings.TrimSpace(text[n:])
	}
	if text != "" {
		parts = append(parts, text)
	}
	return parts
}

// cut returns the byte offset at which the first part of text ends. The text has more than limit characters.
func cut(text string, limit int) int {
	end := offset(text, limit)
	for _, sep := range []string{"\n", " "} {
		if i := strings.LastIndex(text[:end], sep); i > offset(text, limit*3/4) {
			return i
		}
	}
	return end
}

// offset returns the byte offset of the n-th character of text.
func offset(text string, n int) int {
	for i := range text {
		if n == 0 {
			return i
		}
		n--
	}
	return len(text)
}
