package cloudsupport

import (
	"slices"
	"time"
)

// CaseView is a case as the desk has it, for whoever checks what really happened.
type CaseView struct {
	Name             string
	Parent           string
	DisplayName      string
	Description      string
	Priority         string
	State            string
	Classification   string
	ClassificationID string
	Escalations      int // how often
	Subscribers      []string
	TestCase         bool
	Creator          string // email
	Created          time.Time
	Updated          time.Time
	Comments         []CommentView    // oldest first
	Attachments      []AttachmentView // oldest first
}

// CommentView is one comment of a case.
type CommentView struct {
	Name    string
	Body    string
	Author  string // email; empty for Google's people
	Google  bool
	Created time.Time
}

// AttachmentView is one attachment of a case.
type AttachmentView struct {
	Name     string
	Filename string
	MimeType string
	Bytes    int64
	Created  time.Time
}

// Cases returns all cases, oldest first, after what is due by now has been executed.
func (s *Server) Cases() []CaseView {
	s.Settle()
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]CaseView, 0, len(s.state.cases))
	for _, d := range s.state.cases {
		all = append(all, d.view())
	}
	return all
}

func (d *dossier) view() CaseView {
	v := CaseView{
		Name: d.name(), Parent: d.Parent, DisplayName: d.Title, Description: d.Description, Priority: d.Priority, State: d.State,
		Classification: d.Class, ClassificationID: d.ClassID, Escalations: d.Escalations, Subscribers: slices.Clone(d.Subscribers),
		TestCase: d.Test, Creator: d.Creator.Email, Created: d.Created, Updated: d.Updated,
	}
	for _, c := range d.comments {
		v.Comments = append(v.Comments, CommentView{d.name() + "/comments/" + c.ID, c.Body, c.Author.Email, c.Author.Google, c.Created})
	}
	for _, a := range d.attachments {
		v.Attachments = append(v.Attachments, AttachmentView{d.name() + "/attachments/" + a.ID, a.File, a.Type, a.Bytes, a.Created})
	}
	return v
}
