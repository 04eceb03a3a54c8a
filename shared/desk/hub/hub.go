// Package hub is the desk of VMware Cloud Provider Hub: desk.Desk on the support requests of one organization, through the client of
// shared/hub.
//
// A case is named orgs/ORGANIZATION/support-requests/ID, as the API's own path has it. What the contract of desk promises rests on this:
//   - Open, Comment, Close and Escalate are one write each, sent once. (Open may send a second create after the first was refused, which
//     proves that nothing was created, when the categories have changed since they were looked up.)
//   - The internal id of a request is ours and cannot be changed. Open takes the marker for it out of the description: the WORD of the last
//     "[WORD attempt=N]" there, as the ledger's effects sign their texts. Find asks for exactly that id.
//   - The listing may lag by an unpublished time, and there is no other way to look: thorough walks it without the filter.
//
// The guide leaves open what the words of the desk are; words.go has our reading. What its API cannot do is refused with a sentence, or said
// to the desk's people in the text of the request, and never dropped:
//
//	subscribers, language, a time zone without a name   stand in the description: "Please keep informed: ..."
//	a test case                                         fault.Invalid: it would reach people
//	Change                                              fault.Invalid: title, severity and subscribers cannot be changed
//	Download                                            fault.Invalid: files go in and do not come out
//	Attachment.Bytes of a listed file                   0: the hub does not say
//	Case.URL                                            empty: the address of a request in the hub's pages is not published
//
// Comments are the additional details of a request, which say neither who wrote them nor when. One that carries a signature like a marker's is
// our own account's, every other one nobody's (an empty Actor). What the desk's people answer is in Case.State, and in comments only if
// the hub puts it among the details.
//
// The categories are kept in memory for an hour; nothing else is. Errors have the kinds of shared/hub.
package hub

import (
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/fault"
	api "github.com/providerdesk/providerdesk/shared/hub"
)

// DefaultCloseReason is given where Options name no other one.
const DefaultCloseReason = "Solution Provided"

// Options of a Desk. Client and Organization are required.
type Options struct {
	Client         *api.Client
	Organization   string // id of the provider's or tenant's organization whose requests these are
	Classification string // "category > issue" for drafts that have none; empty: see Open
	CloseReason    string // default DefaultCloseReason
	EULA           bool   // a person has agreed to the hub's licence agreement; the guide's example sends "false"
	Now            func() time.Time
}

// Desk implements desk.Desk.
type Desk struct {
	o    Options
	path string // before the id in a case's name

	mu         sync.Mutex
	categories []category
	until      time.Time
}

var _ desk.Desk = (*Desk)(nil)

var (
	organizationForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	idForm           = organizationForm
)

// New returns a desk. It does no I/O.
func New(o Options) (*Desk, error) {
	if o.Client == nil {
		return nil, fault.New(fault.Invalid, "the support desk of the hub needs a client")
	}
	if !organizationForm.MatchString(o.Organization) {
		return nil, fault.New(fault.Invalid, "the organization of a hub's support desk is not an id")
	}
	if o.CloseReason == "" {
		o.CloseReason = DefaultCloseReason
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Desk{o: o, path: "orgs/" + o.Organization + "/support-requests/"}, nil
}

// CloseIdleConnections lets go of the client's connections.
func (d *Desk) CloseIdleConnections() { d.o.Client.Close() }

// id returns the id in a case's name, which must be one of this organization's.
func (d *Desk) id(name string) (string, error) {
	id, ok := strings.CutPrefix(name, d.path)
	if !ok || !idForm.MatchString(id) {
		return "", fault.New(fault.Invalid, "not the name of a support request of this organization")
	}
	return id, nil
}
