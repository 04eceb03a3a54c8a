package cloudsupport

import "time"

// The records are what the server keeps and writes to its journal. They are not the wire's messages: see wire.go.

type actor struct {
	Name   string `json:"name,omitempty"`
	Email  string `json:"email,omitempty"`
	Google bool   `json:"google,omitempty"`
}

type caseRecord struct {
	Number      string    `json:"number"`
	Parent      string    `json:"parent"` // projects/NUMBER or organizations/NUMBER
	Title       string    `json:"title"`
	Description string    `json:"description"`
	ClassID     string    `json:"classId"`
	Class       string    `json:"class"`
	Priority    string    `json:"priority"`
	State       string    `json:"state"`
	Escalations int       `json:"escalations,omitempty"`
	Subscribers []string  `json:"subscribers,omitempty"`
	TimeZone    string    `json:"timeZone,omitempty"`
	Language    string    `json:"language"`
	Test        bool      `json:"test,omitempty"`
	Creator     actor     `json:"creator"`
	Created     time.Time `json:"created"`
	Updated     time.Time `json:"updated"`
}

func (c caseRecord) name() string { return c.Parent + "/cases/" + c.Number }

type commentRecord struct {
	Case    string    `json:"case"` // number
	ID      string    `json:"id"`
	Body    string    `json:"body"`
	Author  actor     `json:"author"`
	Created time.Time `json:"created"`
}

type attachmentRecord struct {
	Case    string    `json:"case"` // number
	ID      string    `json:"id"`
	File    string    `json:"file"`
	Type    string    `json:"type"`
	Bytes   int64     `json:"bytes"`
	Author  actor     `json:"author"`
	Created time.Time `json:"created"`
}

type subscriptionRecord struct {
	Serial  uint64    `json:"serial"` // the order of creation
	Parent  string    `json:"parent"` // organizations/NUMBER
	ID      string    `json:"id"`
	Topic   string    `json:"topic"`
	State   string    `json:"state"`
	Reason  string    `json:"reason,omitempty"`
	Created time.Time `json:"created"`
	Updated time.Time `json:"updated"`
	Deleted time.Time `json:"deleted,omitzero"`
	Purge   time.Time `json:"purge,omitzero"`
}

func (s subscriptionRecord) name() string { return s.Parent + "/supportEventSubscriptions/" + s.ID }

type classRecord struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Hidden  bool      `json:"hidden,omitempty"` // no longer listed
	Expires time.Time `json:"expires,omitzero"` // from then on no case can be created with it
}

// change is what one request does to the state: records to insert or replace, all together or not at all. It is also a line of the journal.
type change struct {
	Serial        uint64               `json:"serial,omitempty"` // the last number that an id was made of
	Cases         []caseRecord         `json:"cases,omitempty"`
	Comments      []commentRecord      `json:"comments,omitempty"`
	Attachments   []attachmentRecord   `json:"attachments,omitempty"`
	Subscriptions []subscriptionRecord `json:"subscriptions,omitempty"`
	Expunged      []string             `json:"expunged,omitempty"` // names of subscriptions
	Classes       []classRecord        `json:"classes,omitempty"`
}

func (c change) empty() bool {
	return len(c.Cases)+len(c.Comments)+len(c.Attachments)+len(c.Subscriptions)+len(c.Expunged)+len(c.Classes) == 0
}
