package hub

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// ErrManualClose means that the hub did not close a support request when it was asked to: a person must do it in the hub's pages. The guide
// does not say how a request is closed.
var ErrManualClose = errors.New("the support request must be closed by a person")

// What a change of a ticket can do besides changing values. The guide has the field supportTicketAction but no value of it: these are a
// guess, and Close checks its own.
const (
	ActionClose    = "CLOSE"
	ActionReopen   = "REOPEN"
	ActionEscalate = "ESCALATE"
)

const (
	pageLimit = 100  // tickets, the guide's default
	maxPages  = 1000 // of tickets
)

// TicketDraft is a support request to be created.
type TicketDraft struct {
	Title, Description string
	Severity           string // like "3 - Medium"
	Category           string // like nonTechnical
	CategoryID         string // issueCategoryId, out of Metadata
	// InternalID is our own key of the request, deterministic: with it FindTickets finds what an uncertain CreateTicket may have created.
	InternalID    string
	EULA          bool   // the person agreed; sent as a string, as in the guide's example
	Phone         string // like "+91123456789"
	ContactMethod string // like Phone
	TimeZone      string // like "(GMT+05:30) India Standard Time"
}

// Ticket is a support request. Texts are trimmed; Raw is what the hub sent.
type Ticket struct {
	ID, CaseID           string
	Status, SubStatus    string // like Open, "Inbound message received"
	Title, Description   string
	Severity             string
	Category, CategoryID string
	InternalID           string
	OrgID, OrgName       string
	CustomerNumber       string
	CloseReason          string
	CreatedBy            string // user name; empty if the hub did not say
	AdditionalDetails    []string
	Files                []FileReference
	Created, Updated     time.Time // UTC, zero if the hub did not say
	Raw                  json.RawMessage
}

// Closed reports whether the status says so.
func (t Ticket) Closed() bool { return strings.HasPrefix(strings.ToLower(t.Status), "closed") }

// FileReference adds an uploaded file to a ticket or removes one.
type FileReference struct {
	Name   string `json:"fileName"` // the base name only: a local path tells about us
	ID     string `json:"fileId"`
	Action string `json:"action"` // ADD or REMOVE
}

// TicketFilter selects tickets; the zero value selects those of the organization itself. The hub's own filters may be loose.
type TicketFilter struct {
	OrgName, Category, Severity, Status string
	Subject                             string // a phrase
	InternalID                          string
	Tenants                             bool // those of its tenants too
	Mine                                bool // only those that the owner of the API token created
}

// TicketChange holds what is to be changed; an empty field stays as it is.
type TicketChange struct {
	CloseReason    string          `json:"closeReason,omitempty"` // one of CloseReasons, on a closed ticket or with ActionClose
	CaseID         string          `json:"caseId,omitempty"`
	Details        string          `json:"additionalDetails,omitempty"`
	Action         string          `json:"supportTicketAction,omitempty"`
	CustomerNumber string          `json:"customerNumber,omitempty"`
	Files          []FileReference `json:"fileReferences,omitempty"`
}

// Category is a kind of support request, or of issue within one, out of Metadata. The guide does not show its form: Raw is what came.
type Category struct {
	ID, Name string
	Issues   []Category
	Raw      json.RawMessage
}

// Metadata is the GET of "Create a Support Request", /support/v1/orgs/{org}/support-requests/metadata: the categories of the organization, or of
// a tenant of it. The guide wants the organization read first: that takes roles that support users do not have, and gives nothing.
func (c *Client) Metadata(ctx context.Context, org, tenant string) ([]Category, error) {
	const doing = "read the categories of support requests"
	if err := checkScope(tenant, false); err != nil {
		return nil, err
	}
	r := request{doing: doing, method: "GET", org: org, path: supportPath(org) + "/metadata"}
	if tenant != "" {
		r.query = url.Values{"tenantId": {tenant}}
	}
	a, err := c.call(ctx, r)
	if err != nil {
		return nil, err
	}
	return all(a.body, doing, categoryOf, "categories", "issueCategories", "supportCategories")
}

// CreateTicket is the POST of "Create a Support Request", /support/v1/orgs/{org}/support-requests: one send, no idempotency. The guide shows no
// body of the answer: the ticket is the body, or what Location names, or else what FindTickets finds by InternalID. When it has been created
// but cannot be read, that is Transient, maybe executed. Files come later: UploadFile, then ChangeTicket.
func (c *Client) CreateTicket(ctx context.Context, org string, d TicketDraft) (Ticket, error) {
	const doing = "create a support request"
	if err := d.check(); err != nil {
		return Ticket{}, err
	}
	a, err := c.call(ctx, request{doing: doing, method: "POST", org: org, path: supportPath(org), body: d.wire(org)})
	if err != nil {
		return Ticket{}, err
	}
	if t, ok := ticketOf(a.body); ok {
		return t, nil
	}
	t, err := c.created(ctx, org, d, a.header)
	if err != nil {
		return Ticket{}, readBack(err, doing)
	}
	return t, nil
}

// created reads a ticket of which the answer to its creation did not say more than where it is.
func (c *Client) created(ctx context.Context, org string, d TicketDraft, h http.Header) (Ticket, error) {
	if id := ticketID(h.Get("Location")); id != "" {
		return c.Ticket(ctx, org, id)
	}
	found, err := c.FindTickets(ctx, org, d.InternalID)
	switch {
	case err != nil:
		return Ticket{}, err
	case len(found) == 1:
		return found[0], nil
	}
	return Ticket{}, fault.New(fault.Transient, "%d support requests have the internal id, not one", len(found))
}

// ticketID returns the id that ends a Location, "" if there is none. Nothing else of it is used, not its host.
func ticketID(location string) string {
	u, err := url.Parse(location)
	if err != nil {
		return ""
	}
	dir, id := path.Split(strings.TrimSuffix(u.Path, "/"))
	if !strings.HasSuffix(dir, "/support-requests/") || !idForm.MatchString(id) {
		return ""
	}
	return id
}

// Ticket is the GET of "Update a Support Request", /support/v1/orgs/{org}/support-requests/{id}.
func (c *Client) Ticket(ctx context.Context, org, id string) (Ticket, error) {
	return c.ticket(ctx, request{doing: "get a support request", method: "GET", org: org}, id)
}

// Tickets is the list of "Update a Support Request", GET /support/v1/orgs/{org}/support-requests, all pages. pageStart is "the start point for
// index of records": read as the number of the first record, from 1, and, if the first page was full, as the number of a page too. Each
// ticket is returned once.
func (c *Client) Tickets(ctx context.Context, org string, f TicketFilter) ([]Ticket, error) {
	p := &pages{c: c, org: org, filter: f, seen: map[string]bool{}}
	full, err := p.walk(ctx, 1, pageLimit)
	if err != nil || !full {
		return p.found, err
	}
	_, err = p.walk(ctx, 2, 1)
	return p.found, err
}

// FindTickets returns the tickets with an internal id of ours. An empty answer does not prove that none will appear.
func (c *Client) FindTickets(ctx context.Context, org, internalID string) ([]Ticket, error) {
	if internalID == "" {
		return nil, fault.New(fault.Invalid, "support requests are found by an internal id")
	}
	found, err := c.Tickets(ctx, org, TicketFilter{InternalID: internalID})
	return slices.DeleteFunc(found, func(t Ticket) bool { return t.InternalID != strings.TrimSpace(internalID) }), err
}

// ChangeTicket is the PATCH of "Update a Support Request", /support/v1/orgs/{org}/support-requests/{id}: one send.
func (c *Client) ChangeTicket(ctx context.Context, org, id string, ch TicketChange) (Ticket, error) {
	if err := ch.check(); err != nil {
		return Ticket{}, err
	}
	ch.Files = based(ch.Files)
	return c.ticket(ctx, request{doing: "change a support request", method: "PATCH", org: org, body: ch}, id)
}

// CloseTicket closes a ticket as well as the guide lets one guess: the reason must be one of CloseReasons (else fault.Invalid), it is sent with
// ActionClose, and the ticket is read. If it is not closed then, that is ErrManualClose (fault.Denied), with the ticket as it is.
func (c *Client) CloseTicket(ctx context.Context, org, id, reason string) (Ticket, error) {
	const doing = "close a support request"
	reasons, err := c.CloseReasons(ctx, org)
	if err != nil {
		return Ticket{}, fault.Unsent(err)
	}
	i := slices.IndexFunc(reasons, func(r string) bool { return alike(r, reason) })
	if i < 0 {
		return Ticket{}, fault.New(fault.Invalid, "the reason is none that the hub accepts: %s", strings.Join(reasons, ", "))
	}
	_, err = c.ChangeTicket(ctx, org, id, TicketChange{Action: ActionClose, CloseReason: reasons[i]})
	if err != nil && !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.Conflict) {
		return Ticket{}, err
	}
	t, err := c.Ticket(ctx, org, id)
	switch {
	case err != nil:
		return Ticket{}, readBack(err, doing)
	case !t.Closed():
		return t, fault.Wrap(fault.Denied, ErrManualClose, doing)
	}
	return t, nil
}

// CloseReasons is "View Reasons for Closing a Support Request", GET /support/v1/orgs/{org}/support-requests/close-reasons.
func (c *Client) CloseReasons(ctx context.Context, org string) ([]string, error) {
	const doing = "read the reasons for closing"
	a, err := c.call(ctx, request{doing: doing, method: "GET", org: org, path: supportPath(org) + "/close-reasons"})
	if err != nil {
		return nil, err
	}
	return all(a.body, doing, func(raw json.RawMessage) (string, bool) { s := textOf(raw); return s, s != "" }, "closeSrReasons", "closeReasons")
}

func (c *Client) ticket(ctx context.Context, r request, id string) (Ticket, error) {
	if !idForm.MatchString(id) {
		return Ticket{}, fault.New(fault.Invalid, "not the id of a support request")
	}
	r.path = supportPath(r.org) + "/" + id
	a, err := c.call(ctx, r)
	if err != nil {
		return Ticket{}, err
	}
	t, ok := ticketOf(a.body)
	if !ok || t.ID != id {
		return Ticket{}, unreadable("support request", r.doing)
	}
	return t, nil
}

// pages collects tickets, each once.
type pages struct {
	c      *Client
	org    string
	filter TicketFilter
	seen   map[string]bool
	found  []Ticket
}

// walk reads pages from start on, step by step, until one is not full or has nothing new. It reports whether its first page was full.
func (p *pages) walk(ctx context.Context, start, step int) (full bool, err error) {
	for n := range maxPages {
		got, err := p.page(ctx, start+n*step)
		if err != nil {
			return full, err
		}
		full = full || n == 0 && len(got) >= pageLimit
		if p.add(got) == 0 || len(got) < pageLimit {
			return full, nil
		}
	}
	return full, fault.New(fault.Transient, "the list of support requests does not end")
}

func (p *pages) page(ctx context.Context, start int) ([]Ticket, error) {
	const doing = "list support requests"
	a, err := p.c.call(ctx, request{doing: doing, method: "GET", org: p.org, path: supportPath(p.org), query: p.filter.values(start)})
	if err != nil {
		return nil, err
	}
	return all(a.body, doing, ticketIn, "supportTickets", "supportRequests")
}

func (p *pages) add(got []Ticket) (added int) {
	for _, t := range got {
		if !p.seen[t.ID] {
			p.seen[t.ID] = true
			p.found = append(p.found, t)
			added++
		}
	}
	return added
}

func (f TicketFilter) values(start int) url.Values {
	v := url.Values{"pageStart": {strconv.Itoa(start)}, "pageLimit": {strconv.Itoa(pageLimit)}}
	for name, value := range map[string]string{
		"orgName": f.OrgName, "category": f.Category, "severity": f.Severity, "status": f.Status, "subject": f.Subject,
		"internalTicketId": f.InternalID,
	} {
		if value != "" {
			v.Set(name, value)
		}
	}
	if f.Tenants {
		v.Set("includeTenantOrgs", "true")
	}
	if f.Mine {
		v.Set("userTicketsOnly", "true")
	}
	return v
}

func (d TicketDraft) check() error {
	for _, s := range []string{d.Title, d.Description, d.Severity, d.Category, d.CategoryID, d.InternalID} {
		if strings.TrimSpace(s) == "" {
			return fault.New(fault.Invalid, "a support request needs a title, a description, a severity, a category with its id, and an internal id")
		}
	}
	return nil
}

// wire is the body of the guide's example, less its files: it attaches one that was never uploaded.
func (d TicketDraft) wire(org string) map[string]any {
	body := map[string]any{
		"severity": d.Severity, "issueCategoryId": d.CategoryID, "userAgreedToEula": strconv.FormatBool(d.EULA), "internalTicketId": d.InternalID,
		"description": d.Description, "category": d.Category, "title": d.Title, "orgId": org,
	}
	for name, value := range map[string]string{"phoneNumber": d.Phone, "preferredContactMethod": d.ContactMethod, "timeZone": d.TimeZone} {
		if value != "" {
			body[name] = value
		}
	}
	return body
}

func (ch TicketChange) check() error {
	if ch.CloseReason == "" && ch.CaseID == "" && ch.Details == "" && ch.Action == "" && ch.CustomerNumber == "" && len(ch.Files) == 0 {
		return fault.New(fault.Invalid, "a change of a support request sets at least one field")
	}
	for _, f := range ch.Files {
		if f.Action != "ADD" && f.Action != "REMOVE" || f.ID == "" || baseName(f.Name) == "" {
			return fault.New(fault.Invalid, "a file of a support request has a name, an id, and the action ADD or REMOVE")
		}
	}
	return nil
}

// based leaves of every file its base name.
func based(files []FileReference) []FileReference {
	files = slices.Clone(files)
	for i := range files {
		files[i].Name = baseName(files[i].Name)
	}
	return files
}

// ticketOf reads a ticket that is an answer of its own, bare or wrapped.
func ticketOf(text []byte) (Ticket, bool) {
	o, _ := objectOf(text)
	for _, w := range []string{"supportTicket", "supportRequest"} {
		if o.object(w) != nil {
			return ticketIn(o[w])
		}
	}
	return ticketIn(text)
}

func ticketIn(raw json.RawMessage) (Ticket, bool) {
	o, _ := objectOf(raw)
	t := Ticket{
		ID: o.text("id", "supportRequestId"), CaseID: o.text("caseId"), Status: o.text("status"), SubStatus: o.text("subStatus"),
		Title: o.text("title", "subject"), Description: o.text("description"), Severity: o.text("severity"), Category: o.text("category"),
		CategoryID: o.text("issueCategoryId"), InternalID: o.text("internalTicketId"), OrgID: o.text("orgId"), OrgName: o.text("orgName"),
		CustomerNumber: o.text("customerNumber"), CloseReason: o.text("closeReason"),
		CreatedBy: o.text("createdBy"), AdditionalDetails: o.texts("additionalDetails"),
		Created: o.time("createTimestamp", "createdTimestamp", "createdAt", "created"),
		Updated: o.time("updateTimestamp", "updatedTimestamp", "updatedAt", "updated"), Raw: raw,
	}
	for _, raw := range o.list("fileReferences") {
		f, _ := objectOf(raw)
		t.Files = append(t.Files, FileReference{Name: f.text("fileName"), ID: f.text("fileId"), Action: f.text("action")})
	}
	return t, idForm.MatchString(t.ID)
}

// categoryOf reads a category that is an object, with issues in it or not, or only a name.
func categoryOf(raw json.RawMessage) (Category, bool) {
	o, ok := objectOf(raw)
	if !ok {
		s := textOf(raw)
		return Category{ID: s, Name: s, Raw: raw}, s != ""
	}
	c := Category{Name: o.text("displayName", "name", "label"), Raw: raw}
	if c.ID = o.text("issueCategoryId", "id", "categoryId", "category", "name", "displayName"); c.Name == "" {
		c.Name = c.ID
	}
	for _, raw := range o.list("issueCategories") {
		if issue, ok := categoryOf(raw); ok {
			c.Issues = append(c.Issues, issue)
		}
	}
	return c, c.ID != ""
}

func supportPath(org string) string { return "/support/v1/orgs/" + org + "/support-requests" }
