package cloudsupport

import (
	"strconv"
	"time"
)

// The messages of the API, as they go out. Like all of Google's JSON they leave out what has its zero value.

type wireActor struct {
	DisplayName   string `json:"displayName,omitempty"`
	Email         string `json:"email,omitempty"`
	Username      string `json:"username,omitempty"`
	GoogleSupport bool   `json:"googleSupport,omitempty"`
}

type wireClass struct {
	ID          string `json:"id,omitempty"`
	DisplayName string `json:"displayName,omitempty"`
}

type wireCase struct {
	Name           string    `json:"name,omitempty"`
	DisplayName    string    `json:"displayName,omitempty"`
	Description    string    `json:"description,omitempty"`
	Classification wireClass `json:"classification"`
	TimeZone       string    `json:"timeZone,omitempty"`
	Subscribers    []string  `json:"subscriberEmailAddresses,omitempty"`
	State          string    `json:"state,omitempty"`
	CreateTime     string    `json:"createTime,omitempty"`
	UpdateTime     string    `json:"updateTime,omitempty"`
	Creator        wireActor `json:"creator"`
	Escalated      bool      `json:"escalated,omitempty"`
	TestCase       bool      `json:"testCase,omitempty"`
	LanguageCode   string    `json:"languageCode,omitempty"`
	Priority       string    `json:"priority,omitempty"`
}

type wireComment struct {
	Name          string    `json:"name,omitempty"`
	CreateTime    string    `json:"createTime,omitempty"`
	Creator       wireActor `json:"creator"`
	Body          string    `json:"body,omitempty"`
	PlainTextBody string    `json:"plainTextBody,omitempty"`
}

type wireAttachment struct {
	Name       string    `json:"name,omitempty"`
	CreateTime string    `json:"createTime,omitempty"`
	Creator    wireActor `json:"creator"`
	Filename   string    `json:"filename,omitempty"`
	MimeType   string    `json:"mimeType,omitempty"`
	SizeBytes  string    `json:"sizeBytes,omitempty"`
}

type wireSubscription struct {
	Name          string `json:"name,omitempty"`
	PubSubTopic   string `json:"pubSubTopic,omitempty"`
	State         string `json:"state,omitempty"`
	FailureReason string `json:"failureReason,omitempty"`
	CreateTime    string `json:"createTime,omitempty"`
	UpdateTime    string `json:"updateTime,omitempty"`
	DeleteTime    string `json:"deleteTime,omitempty"`
	PurgeTime     string `json:"purgeTime,omitempty"`
}

// timestamp writes a time as Google does: UTC with microseconds.
func timestamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000000Z")
}

// wire hides the address of the vendor's own people.
func (a actor) wire() wireActor {
	if a.Google {
		return wireActor{DisplayName: a.Name, GoogleSupport: true}
	}
	return wireActor{DisplayName: a.Name, Email: a.Email, Username: a.Email}
}

func (c caseRecord) wire() wireCase {
	return wireCase{
		Name: c.name(), DisplayName: c.Title, Description: c.Description,
		Classification: wireClass{c.ClassID, c.Class},
		TimeZone:       c.TimeZone, Subscribers: c.Subscribers, State: c.State,
		CreateTime: timestamp(c.Created), UpdateTime: timestamp(c.Updated),
		Creator: c.Creator.wire(), Escalated: c.Escalations > 0, TestCase: c.Test,
		LanguageCode: c.Language, Priority: c.Priority,
	}
}

func (c commentRecord) wire(parent string) wireComment {
	return wireComment{
		Name: parent + "/comments/" + c.ID, CreateTime: timestamp(c.Created), Creator: c.Author.wire(),
		Body: c.Body, PlainTextBody: c.Body,
	}
}

func (a attachmentRecord) wire(parent string) wireAttachment {
	return wireAttachment{
		Name: parent + "/attachments/" + a.ID, CreateTime: timestamp(a.Created), Creator: a.Author.wire(),
		Filename: a.File, MimeType: a.Type, SizeBytes: strconv.FormatInt(a.Bytes, 10),
	}
}

func (s subscriptionRecord) wire() wireSubscription {
	return wireSubscription{
		Name: s.name(), PubSubTopic: s.Topic, State: s.State, FailureReason: s.Reason,
		CreateTime: timestamp(s.Created), UpdateTime: timestamp(s.Updated),
		DeleteTime: timestamp(s.Deleted), PurgeTime: timestamp(s.Purge),
	}
}
